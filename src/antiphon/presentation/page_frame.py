"""Shared parts of all pages: template engine, style sheet, and the script of reports."""

import base64
import hashlib
import shlex
from collections.abc import Mapping
from importlib import resources
from typing import Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined, Undefined
from markupsafe import Markup

from antiphon.plurals import counted
from antiphon.presentation import numbers
from antiphon.presentation.result_tables import resampled

_FILTERS = ("whole", "rank", "brief", "share", "loss", "score", "duration", "clock")


class _Environment(Environment):
    """A template engine in which `mapping.name` is the value of the key "name", even where mappings have such a method.

    Jinja prefers the method, so that a key called "items" or "values" cannot be reached, and a page shows a method.
    """

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return cast(Mapping[str, Any], obj)[attribute]
        return super().getattr(obj, attribute)


def page_environment(package: str) -> Environment:
    """Return a template engine for the templates of a package.

    Values are escaped, unknown names and methods that are not called are errors, and the filters format numbers as
    `antiphon.presentation.numbers` does; `counted` counts in words, `quoted` quotes an argument of a command, and
    `resampled` says what an interval is over.

    Parameters
    ----------
    package : str
        Package with a folder `templates`.

    Returns
    -------
    Environment
        The engine.
    """
    environment = _Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=_no_method,
    )
    named = {name: getattr(numbers, name) for name in _FILTERS}
    cast(dict[str, Any], environment.filters).update(named, counted=counted, quoted=shlex.quote, resampled=resampled)
    return environment


def _no_method(value: Any) -> Any:
    """Refuse to show a method or function, whose name in Python would stand on the page."""
    if callable(value) and not isinstance(value, Undefined):
        raise TypeError(f"A page would show {value!r}; it is not called, or a key has the name of a method.")
    return value


def page_style() -> str:
    """Return the style sheet shared by all pages."""
    return _text("antiphon.presentation", "page.css")


def copying() -> str:
    """Return the script of buttons that copy."""
    return _text("antiphon.presentation", "copying.js")


def page_frame(package: str, *styles: str, script: str | None = None) -> dict[str, Any]:
    """Return a page's "style" and "script", and the "script_hash" for its Content-Security-Policy.

    Parameters
    ----------
    package : str
        Package whose `templates` contain the additional style sheets.
    *styles : str
        Additional style sheets; later ones override earlier ones.
    script : str, optional
        Script in that folder, in place of the one of reports.

    Returns
    -------
    dict
        Variables of the template.
    """
    code = _text(package, f"templates/{script}") if script else _text("antiphon.presentation", "page.js") + copying()
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    sheets = [page_style(), *(_text(package, f"templates/{name}") for name in styles)]
    # Our own files: the only markup that is not escaped.
    return {
        "style": Markup("\n".join(sheets)),  # noqa: S704
        "script": Markup(code),  # noqa: S704
        "script_hash": f"sha256-{digest}",
    }


def _text(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")
