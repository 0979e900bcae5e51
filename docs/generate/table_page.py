"""The reference of the tables in which the stages meet, made from their Arrow schemas."""

import re
from pathlib import Path

import pyarrow as pa

from antiphon import runs, tables
from antiphon.search.entries import entry_schema
from antiphon.search.heard import HEARD

_HEAD = """# Tables

Everything in a [workspace](../architecture.md#workspace) is Parquet, TOML, JSON or safetensors; any tool reads it.
These are the columns. One that may not be null is marked.
"""


def written(root: Path) -> str:
    """Return the page as Markdown."""
    source = (root / "src/antiphon/tables.py").read_text(encoding="utf-8")
    listed = {
        "catalogue.parquet": tables.CATALOGUE,
        "segments.parquet": tables.SEGMENTS,
        "features/BACKBONE/part-*.parquet": tables.feature_schema(1506),
        "failures.parquet": tables.FAILURES,
        "attributes.parquet": tables.ATTRIBUTES,
        "runs/NAME/history.parquet": runs.EPOCHS,
        "index/entries-BUILD/part-*.parquet": entry_schema(256),
        "index/heard-BUILD.parquet": HEARD,
    }
    notes = dict(re.findall(r'pa\.field\("(\w+)",.*\)?,  # (.+)', source))
    return "\n\n".join([_HEAD, *(_section(name, schema, notes) for name, schema in listed.items())]) + "\n"


def _section(name: str, schema: pa.Schema, notes: dict[str, str]) -> str:
    rows = ["| Column | Type | | |", "|---|---|---|---|"]
    for field in schema:
        kind = str(field.type).replace("<", "&lt;").replace(">", "&gt;")
        rows.append(
            f"| `{field.name}` | {kind} | {'' if field.nullable else 'not null'} | {notes.get(field.name, '')} |"
        )
    return f"## {name}\n\n" + "\n".join(rows)
