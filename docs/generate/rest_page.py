"""The reference of REST, made from the service's OpenAPI document."""

import tempfile
from pathlib import Path

from antiphon.app.application import create_app
from antiphon.app.reference import Field, Route, routes
from antiphon.workspace import Workspace

_HEAD = """# REST

`antiphon serve` and `antiphon up` answer these requests, and have the OpenAPI document at `/api/openapi.json`.
`/api` shows this page with addresses to try. `target` says what is asked for: songs (`audio`), pictures (`video`)
or music videos that are alike (`both`). Errors are JSON with a `detail` in words.
"""


def written(root: Path) -> str:
    """Return the page as Markdown."""
    del root
    with tempfile.TemporaryDirectory() as folder:
        document = create_app(Workspace(Path(folder)), None).openapi()
    return "\n".join([_HEAD, *map(_route, routes(document))])


def _route(route: Route) -> str:
    parts = [f"## {route.title}", route.about]
    if route.parameters:
        parts.append(_table("Parameter", route.parameters))
    if route.fields:
        parts += ["The body is JSON:", _table("Field", route.fields)]
    if route.media_types:
        parts.append(f"The body is a file: {', '.join(f'`{kind}`' for kind in route.media_types)}.")
    answers = [f"| {status} | {about} |" for status, about in route.answers.items()]
    parts.append("\n".join(["| Answer | |", "|---|---|", *answers]))
    return "\n\n".join(parts) + "\n"


def _table(kind: str, fields: tuple[Field, ...]) -> str:
    rows = [f"| {kind} | Type | Default | |", "|---|---|---|---|"]
    for field in fields:
        default = "required" if field.required else "" if field.default is None else f"`{field.default}`"
        rows.append(f"| `{field.name}` | {field.kind.replace('|', 'or')} | {default} | {_line(field.about)} |")
    return "\n".join(rows)


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
