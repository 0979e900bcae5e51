"""Charts of the audit: near copies, and the range that the loss can take."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from antiphon.presentation import svg
from antiphon.presentation.charts import WIDTH
from antiphon.presentation.numbers import share, whole
from antiphon.presentation.scales import Scale, ticks

_LEFT = 4
_RIGHT = WIDTH - 4


def copies_chart(side: str, numbers: Mapping[str, Any]) -> Markup:
    """Draw the distribution of held-out videos' nearest training videos, over that of unrelated training videos.

    Parameters
    ----------
    side : str
        "sound" or "pictures".
    numbers : mapping
        Numbers of the check "Leakage: sound" or "Leakage: pictures": "histogram" with counts of "held_out" and
        "unrelated" in equal bins from −1 to 1, "threshold", and "videos", the number that reach it.

    Returns
    -------
    Markup
        SVG.
    """
    held_out, unrelated = (_shares(numbers["histogram"][key]) for key in ("held_out", "unrelated"))
    first = min(number for number, both in enumerate(zip(held_out, unrelated, strict=True)) if any(both))
    width = 2 / len(held_out)
    bottom, top, threshold = 140.0, 34.0, numbers["threshold"]
    x = Scale(-1 + width * first, 1, _LEFT, _RIGHT)
    y = Scale(0, max(*held_out, *unrelated), bottom, top + 8)
    parts: list[Markup] = []
    steps = [(_LEFT * 1.0, bottom)]
    for number in range(first, len(held_out)):
        low = -1 + width * number
        start, end, ours, usual = x(low), x(low + width), held_out[number], unrelated[number]
        parts.append(svg.box(start + 0.5, y(ours), end - start - 1, bottom - y(ours), f"bar {side}"))
        steps += [(start, y(usual)), (end, y(usual))]
        tip = (
            f"cosine {_signed(low)} to {_signed(low + width)}: {share(ours)} of the held-out videos, "
            f"{share(usual)} of unrelated training videos"
        )
        parts.append(svg.box(start, top, end - start, bottom - top, "hover", tip))
    count = f"{whole(numbers['videos'])} at or beyond {threshold:.2f}"
    parts += [
        svg.path([*steps, (_RIGHT, bottom)], "curve usual"),
        svg.line(x(threshold), top - 8, x(threshold), bottom, "limit"),
        svg.text(count, x(threshold) + 4, top - 14, "label", "end"),
        svg.line(_LEFT, bottom, _RIGHT, bottom, "axis"),
        *_axis(x, bottom, "cosine of the whitened features"),
    ]
    label = (
        f"Histogram of the cosine of each held-out video's nearest training video, by {side}: "
        f"{numbers['videos']} reach {threshold:.2f}, the threshold for a copy."
    )
    return svg.drawing(WIDTH, bottom + 36, label, *parts)


def room_chart(room: Mapping[str, float], validation: Mapping[str, float]) -> Markup:
    """Draw the validation loss between the lowest possible loss and chance.

    Parameters
    ----------
    room, validation : mapping of str to float
        Numbers of the checks "Loss: room" and "Loss: validation", in nats per direction.

    Returns
    -------
    Markup
        SVG.
    """
    minimum, chance, loss = room["least"], room["chance"], validation["loss"]
    x = Scale(0, max(chance, loss) * 1.02, _LEFT, _RIGHT)
    middle = 62.0
    tip = f"validation loss {loss:.2f}, minimum {minimum:.2f}, chance {chance:.2f} nats per direction"
    parts = [
        svg.box(x(0), middle - 11, x(minimum) - x(0), 22, "null", round_=2),
        svg.box(x(minimum), middle - 11, x(chance) - x(minimum), 22, "room", round_=2),
        svg.line(x(chance), middle - 18, x(chance), middle + 18, "chance"),
        svg.element("circle", cx=x(loss), cy=middle, r=5, class_="dot main"),
        svg.text(f"validation {loss:.2f}", x(loss) + 4, 34, "label", "end" if x(loss) > WIDTH / 2 else "start"),
        svg.line(x(loss), 38, x(loss), middle - 6, "best"),
        svg.text("no embeddings reach this", x(0) + 6, middle + 4) if x(minimum) > 165 else Markup(""),
        svg.box(_LEFT, 20, WIDTH - 2 * _LEFT, 60, "hover", tip),
        svg.text(
            f"lowest possible {minimum:.2f}", x(minimum), middle + 28, "tick", "end" if x(minimum) > 120 else "start"
        ),
        svg.text(f"chance {chance:.2f}", x(chance), middle + 44, "tick", "end"),
        svg.line(_LEFT, 128, _RIGHT, 128, "axis"),
        *_axis(x, 128, "loss of one direction, nats"),
    ]
    return svg.drawing(WIDTH, 164, f"Range of the loss: {tip}.", *parts)


def _signed(value: float) -> str:
    return f"{value:z.2f}".replace("-", "\N{MINUS SIGN}")


def _shares(counts: Sequence[int]) -> list[float]:
    total = max(sum(counts), 1)
    return [count / total for count in counts]


def _axis(x: Scale, top: float, name: str) -> list[Markup]:
    parts: list[Markup] = []
    for mark in ticks(x.low, x.high, 5):
        at = x(mark)
        anchor = "start" if at < x.start + 8 else "end" if at > x.end - 8 else "middle"
        text = f"{mark:g}".replace("-", "\N{MINUS SIGN}")
        parts += [svg.line(at, top, at, top + 4, "axis"), svg.text(text, at, top + 16, "tick", anchor)]
    return [*parts, svg.text(name, WIDTH / 2, top + 31, "tick", "middle")]
