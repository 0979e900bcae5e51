"""The reference of Python: everything that `import antiphon` offers, by what it is for."""

import importlib
from pathlib import Path

import antiphon as ap

_PARTS = {
    "Files and features": ("Catalogue", "extract", "SamplingConfig", "Features"),
    "Models": ("DualEncoder", "ModalityEmbeddings", "Recipe", "CCA", "TuningConfig"),
    "Measuring": ("evaluate", "probe", "audit", "compare"),
    "Searching": ("Index", "Query", "Where", "Hits", "Hit", "Moment", "recommend"),
}


def written(root: Path) -> str:
    """Return the page as Markdown."""
    del root
    errors = tuple(name for name in ap.__all__ if name.endswith("Error"))
    parts = {**_PARTS, "Errors": errors}
    unlisted = (
        set(ap.__all__) - {name for names in parts.values() for name in names} - {"__version__", "metrics", "backbones"}
    )
    if unlisted:
        raise ValueError(f"docs/generate/python_page.py has no place for {', '.join(sorted(unlisted))}")
    lines = ["# Python", "", "```python", "import antiphon as ap", "```", ""]
    for title, names in parts.items():
        lines += [f"## {title}", "", *(f"::: {_home(name)}\n" for name in names)]
    for module in ("metrics", "backbones"):
        names = importlib.import_module(f"antiphon.{module}").__all__
        lines += [f"## `ap.{module}`", "", *(f"::: antiphon.{module}.{name}\n" for name in names)]
    return "\n".join(lines)


def _home(name: str) -> str:
    value = getattr(ap, name)
    return f"{value.__module__}.{value.__qualname__}"
