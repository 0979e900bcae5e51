"""How to cite, made from CITATION.cff."""

from pathlib import Path
from typing import Any

import yaml


def written(root: Path) -> str:
    """Return the page as Markdown."""
    about: dict[str, Any] = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    (paper,) = about["references"]
    authors = " and ".join(f"{one['family-names']}, {one['given-names']}" for one in paper["authors"])
    version = f",\n  version = {{{about['version']}}}" if "version" in about else ""
    year = f",\n  year = {{{str(about['date-released'])[:4]}}}" if "date-released" in about else ""
    return f"""# How to cite

{about["message"]} `CITATION.cff` in the repository says the same to programs.

```bibtex
@software{{antiphon,
  title = {{{about["title"]}}},
  author = {{{{{about["authors"][0]["name"]}}}}}{version}{year},
  license = {{{about["license"]}}}
}}

@article{{veldkamp{paper["year"]},
  title = {{{paper["title"]}}},
  author = {{{authors}}},
  year = {{{paper["year"]}}}
}}
```

Backbones and data have authors of their own. `antiphon backbones list` and `antiphon datasets list` name them and their
licences.
"""
