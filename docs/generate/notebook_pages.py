"""Notebooks as pages: executed when the site is built, so that what they show is what the code does today."""

import re
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

_LARGEST = 300_000  # characters of HTML; what is larger is shown as text
_SECONDS = 300


def executed(path: Path) -> Any:
    """Execute a notebook in an empty folder.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=_SECONDS,
            resources={"metadata": {"path": folder}},
            config=Config({"KernelManager": {"transport_encryption": "auto"}}),
        )
        return client.execute()


def written(path: Path) -> str:
    """Return the executed notebook as Markdown."""
    cells = executed(path)["cells"]
    note = f'Download [the notebook]({path.name}){{ download="{path.name}" }}. It is run whenever this site is built.'
    parts = [part for cell in cells for part in _cell(cell)]
    return "\n\n".join([parts[0], note, *parts[1:]]) + "\n"


def _cell(cell: Any) -> list[str]:
    if cell["cell_type"] == "markdown":
        return [cell["source"]]
    printed = "".join(one["text"] for one in cell["outputs"] if one.get("name") == "stdout")
    shown = [_shown(one["data"]) for one in cell["outputs"] if "data" in one and _says_something(one["data"])]
    return [f"```python\n{cell['source']}\n```", *([_text(printed)] if printed else []), *shown]


def _says_something(data: Any) -> bool:
    """Tell a result from a progress bar that has gone."""
    return bool(re.sub(r"<[^>]*>", "", data.get("text/html") or data.get("text/plain", "")).strip())


def _shown(data: Any) -> str:
    if len(html := data.get("text/html", "")) > _LARGEST or not html:
        return _text(data["text/plain"])
    return f'<div class="output">\n{html}\n</div>'


def _text(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```"
