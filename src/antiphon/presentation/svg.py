"""The SVG elements that charts need, as markup with every value escaped."""

from collections.abc import Iterable

from markupsafe import Markup, escape


def element(name: str, *children: str | Markup, **attributes: str | float | None) -> Markup:
    """Return an element. Underscores in attribute names become hyphens; attributes that are None are omitted.

    Examples
    --------
    >>> element("text", "a < b", x=1.50, text_anchor="end", class_="tick")
    Markup('<text x="1.5" text-anchor="end" class="tick">a &lt; b</text>')
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = Markup("").join(escape(child) for child in children)
    return Markup(f"<{name}{given}>{inside}</{name}>")  # noqa: S704 - every part is escaped above


def join(parts: Iterable[Markup]) -> Markup:
    """Concatenate elements."""
    return Markup("").join(parts)


def text(content: str, x: float, y: float, class_: str = "tick", anchor: str = "start") -> Markup:
    """Return a line of text with its baseline at y."""
    return element("text", content, x=x, y=y, class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Return a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def box(
    x: float, y: float, width: float, height: float, class_: str, tip: str | None = None, round_: float = 0
) -> Markup:
    """Return a rectangle, optionally with a tooltip."""
    return element(
        "rect",
        x=x,
        y=y,
        width=max(width, 0),
        height=max(height, 0),
        rx=round_ or None,
        class_=class_,
        data_tip=tip,
    )


def path(points: Iterable[tuple[float, float]], class_: str) -> Markup:
    """Return a line through points."""
    drawn = " ".join(f"{'L' if number else 'M'}{_value(x)} {_value(y)}" for number, (x, y) in enumerate(points))
    return element("path", d=drawn, class_=class_)


def drawing(width: float, height: float, label: str, *children: Markup) -> Markup:
    """Return a whole picture, with a text alternative."""
    return element(
        "svg",
        *children,
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
    )


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return str(escape(value))
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
