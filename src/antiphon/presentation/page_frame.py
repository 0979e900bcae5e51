"""What all our pages share: the template engine, the style and the one script that a page admits."""

import base64
import hashlib
from importlib import resources
from typing import Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from antiphon.presentation import numbers


def page_environment() -> Environment:
    """Templates that escape everything, refuse unknown names, and write numbers as `antiphon.presentation.numbers` does."""
    environment = Environment(
        loader=PackageLoader("antiphon.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    texts = {name: getattr(numbers, name) for name in ("whole", "rank", "brief", "share", "loss", "score", "duration")}
    cast(dict[str, Any], environment.filters).update(texts)
    return environment


def page_frame(*styles: str) -> dict[str, Any]:
    """The page's "style", "script" and the "script_hash" for its Content-Security-Policy.

    Parameters
    ----------
    styles : style sheets among our templates, later ones over earlier ones.
    """
    script = _resource("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Our own files, not anyone's data: the only markup that is not escaped.
    return {
        "style": Markup("\n".join(_resource(name) for name in styles)),  # noqa: S704
        "script": Markup(script),  # noqa: S704
        "script_hash": f"sha256-{digest}",
    }


def _resource(name: str) -> str:
    return (resources.files("antiphon.report") / "templates" / name).read_text(encoding="utf-8")
