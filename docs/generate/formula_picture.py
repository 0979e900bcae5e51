"""Draw what the published formula prints, and the true median rank, while embeddings go from perfect to random.

Run as `python docs/generate/formula_picture.py published_formula.svg`; the site's build draws it too.
"""

import sys
from pathlib import Path

import numpy as np
from markupsafe import Markup

from antiphon.metrics import retrieval
from antiphon.metrics.published_formula import published_median_rank
from antiphon.presentation import svg
from antiphon.presentation.svg import Scale

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 300, 56, 470, 24, 250
_NOISE = (0.0, 0.25, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
_POOL = 1000
_STYLE = """
svg { --paper: #ffffff; --ink: #1d1d1b; --soft: #5d5b55; --line: #dedad1; --rank: #1f6f8b; --published: #b3501a;
  font-family: system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { svg { --paper: #1e2129; --ink: #ebe8e0; --soft: #a8a499; --line: #3a3933;
  --rank: #6cc0dd; --published: #f0975c; } }
.paper { fill: var(--paper); } text { fill: var(--soft); font-size: 12px; } .grid { stroke: var(--line); }
path { fill: none; stroke-width: 2.25; } .rank { stroke: var(--rank); } .published { stroke: var(--published); }
.of-rank { fill: var(--rank); font-weight: 600; } .of-published { fill: var(--published); font-weight: 600; }
"""


def measured() -> list[tuple[float, float]]:
    """Return the true median rank and what the formula prints, for each amount of noise."""
    random = np.random.default_rng(0)
    song, noise = random.normal(size=(2, _POOL, 64))
    found: list[tuple[float, float]] = []
    for share in _NOISE:
        pictures = (1 - share) * song + share * noise
        pictures /= np.linalg.norm(pictures, axis=1, keepdims=True)
        unit = song / np.linalg.norm(song, axis=1, keepdims=True)
        rank = retrieval(unit, pictures)["a2v"]["median_rank"]
        found.append((float(rank), published_median_rank(unit, pictures)))
    return found


def picture() -> str:
    """Return the picture as SVG."""
    x = Scale(_NOISE[0], _NOISE[-1], _LEFT, _RIGHT)
    y = Scale(0, 600, _BOTTOM, _TOP)
    numbers = measured()
    rows = [svg.line(_LEFT, y(tick), _RIGHT, y(tick), "grid") for tick in range(0, 601, 100)]
    rows += [svg.text(str(tick), _LEFT - 8, y(tick) + 4, anchor="end") for tick in range(0, 601, 100)]
    rows += [svg.text(f"{tick:g}", x(tick), _BOTTOM + 18, anchor="middle") for tick in (0, 0.25, 0.5, 0.75, 1)]
    about = "share of noise in the embeddings of pictures (0: perfect, 1: random)"
    rows.append(svg.text(about, (_LEFT + _RIGHT) / 2, _BOTTOM + 38, anchor="middle"))
    for which, (name, label) in enumerate((("rank", "true median rank"), ("published", "published formula"))):
        rows.append(svg.path([(x(at), y(found[which])) for at, found in zip(_NOISE, numbers, strict=True)], name))
        rows.append(svg.text(label, _RIGHT + 10, y(numbers[0][which]) + 4, f"of-{name}"))
    drawn = svg.element(
        "svg",
        Markup(f"<style>{_STYLE}</style>"),  # noqa: S704 - our own text
        svg.box(0, 0, _WIDTH, _HEIGHT, "paper"),
        *rows,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label="The published formula prints about 500 of 1000 whatever the true median rank is.",
    )
    return f"{drawn}\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture(), encoding="utf-8")
