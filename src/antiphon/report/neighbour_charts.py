"""Charts of the neighbour analysis: numbers with intervals, one per line, on a common axis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from antiphon.presentation import svg
from antiphon.presentation.charts import WIDTH
from antiphon.presentation.scales import Scale, ticks

_INSET = 4
_ROW = 48


@dataclass(frozen=True)
class Line:
    """One number of a chart.

    Attributes
    ----------
    name : str
        Label.
    style : str
        Colour: "sound", "pictures" or "main" (both together).
    value : float
        The number.
    ci95 : sequence of float
        Its 95% interval.
    null : sequence of float, optional
        Middle 95% by chance, if it was measured.
    mark : float, optional
        Position of a dashed mark: the base rate.
    """

    name: str
    style: str
    value: float
    ci95: Sequence[float]
    null: Sequence[float] | None = None
    mark: float | None = None


def lines_chart(
    lines: Sequence[Line], write: Callable[[float], str], axis: str, low: float | None = None, high: float | None = None
) -> Markup:
    """Draw value, interval, null and mark of each line.

    Parameters
    ----------
    lines : sequence of Line
        The numbers.
    write : callable
        Formats a value.
    axis : str
        Label of the axis.
    low, high : float, optional
        Ends of the axis. Default: fits everything, and includes 0.

    Returns
    -------
    Markup
        SVG.
    """
    inside = [edge for line in lines for edge in (*line.ci95, *(line.null or ()), line.mark, line.value)]
    known = [0.0, *(edge for edge in inside if edge is not None)]
    scale = Scale(min(known) if low is None else low, max(known) if high is None else high, _INSET, WIDTH - _INSET)
    parts = [_line(line, write, scale, 4 + _ROW * number) for number, line in enumerate(lines)]
    bottom = 4 + _ROW * len(lines)
    label = f"{axis}: " + "; ".join(_tip(line, write) for line in lines) + "."
    return svg.drawing(WIDTH, bottom + 36, label, *parts, _axis(scale, write, bottom, axis))


def _line(line: Line, write: Callable[[float], str], scale: Scale, top: float) -> Markup:
    middle, at = top + 31, scale(line.value)
    low, high = (scale(edge) for edge in line.ci95)
    parts = [
        svg.text(line.name, 0, top + 14, "label"),
        svg.text(write(line.value), WIDTH, top + 14, "value", "end"),
        svg.line(scale.start, middle, scale.end, middle, "rail"),
    ]
    if line.null is not None:
        null_low, null_high = (scale(edge) for edge in line.null)
        parts.append(svg.box(null_low, middle - 10, max(null_high - null_low, 2), 20, "null", round_=2))
    if line.mark is not None:
        parts.append(svg.line(scale(line.mark), middle - 13, scale(line.mark), middle + 13, "chance"))
    parts += [
        svg.box(low, middle - 6, max(high - low, 3), 12, f"bar {line.style}", round_=3),
        svg.element("circle", cx=at, cy=middle, r=4, class_=f"dot {line.style}"),
        svg.box(0, top, WIDTH, _ROW, "hover", _tip(line, write)),
    ]
    return svg.element("g", *parts)


def _tip(line: Line, write: Callable[[float], str]) -> str:
    words = f"{line.name}: {write(line.value)}, 95% interval {write(line.ci95[0])} to {write(line.ci95[1])}"
    if line.mark is not None:
        words += f", dashed {write(line.mark)}"
    if line.null is not None:
        words += f", chance {write(line.null[0])} to {write(line.null[1])}"
    return words


def _axis(scale: Scale, write: Callable[[float], str], top: float, name: str) -> Markup:
    parts = [svg.line(scale.start, top, scale.end, top, "axis")]
    for mark in ticks(scale.low, scale.high):
        at = scale(mark)
        anchor = "start" if at < 2 * _INSET else "end" if at > WIDTH - 2 * _INSET else "middle"
        parts += [svg.line(at, top, at, top + 4, "axis"), svg.text(write(mark), at, top + 16, "tick", anchor)]
    parts.append(svg.text(name, WIDTH / 2, top + 31, "tick", "middle"))
    return svg.join(parts)
