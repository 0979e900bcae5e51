"""The programming interface as its page shows it, taken from the OpenAPI document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

_JSON = "application/json"


class Field(NamedTuple):
    """A parameter of the address, or a field of a JSON body.

    Attributes
    ----------
    kind : str
        Its type, or the values that it may have.
    default : object
        As JSON; None where it must be given.
    """

    name: str
    kind: str
    default: Any
    required: bool
    about: str


@dataclass(frozen=True)
class Route:
    """One thing that can be asked.

    Attributes
    ----------
    parameters, fields : tuple of Field
        Of the address and of the JSON body.
    media_types : tuple of str
        That a file may have which is sent as the body; none where no file is.
    answers : mapping of str to str
        Description of each status.
    """

    method: str
    path: str
    about: str
    parameters: tuple[Field, ...]
    fields: tuple[Field, ...]
    media_types: tuple[str, ...]
    answers: Mapping[str, str]

    @property
    def title(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


def routes(document: Mapping[str, Any]) -> list[Route]:
    """All routes of an OpenAPI document, in its order."""
    schemas = document.get("components", {}).get("schemas", {})
    return [
        _route(method.upper(), path, about, schemas)
        for path, methods in document["paths"].items()
        for method, about in methods.items()
    ]


def _route(method: str, path: str, about: Mapping[str, Any], schemas: Mapping[str, Any]) -> Route:
    body = about.get("requestBody", {}).get("content", {})
    parameters = [
        _field(one["name"], one["schema"], one["required"], one.get("description", ""))
        for one in about.get("parameters", ())
    ]
    return Route(
        method=method,
        path=path,
        about=about.get("description") or about.get("summary", ""),
        parameters=tuple(parameters),
        fields=_body_fields(body[_JSON]["schema"], schemas) if _JSON in body else (),
        media_types=tuple(kind for kind in body if kind != _JSON),
        answers={status: reply["description"] for status, reply in about["responses"].items()},
    )


def _body_fields(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[Field, ...]:
    schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    required = schema.get("required", ())
    fields = schema.get("properties", {}).items()
    return tuple(_field(name, one, name in required, one.get("description", "")) for name, one in fields)


def _field(name: str, schema: Mapping[str, Any], required: bool, about: str) -> Field:
    return Field(name, _kind(schema), schema.get("default"), required, about)


def _kind(schema: Mapping[str, Any]) -> str:
    """Examples.

    >>> _kind({"enum": ["audio", "video"]}), _kind({"type": "array", "items": {"type": "string"}})
    ('audio | video', 'list of string')
    >>> _kind({"type": "integer", "minimum": 1, "maximum": 100})
    'integer, 1 to 100'
    """
    if "enum" in schema:
        return " | ".join(schema["enum"])
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])}"
    if "minimum" in schema and "maximum" in schema:
        return f"{schema['type']}, {schema['minimum']:g} to {schema['maximum']:g}"
    return str(schema["type"])
