"""The reference of the REST API, derived from its OpenAPI document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

_JSON = "application/json"


class Field(NamedTuple):
    """A query parameter, or a field of a JSON body.

    Attributes
    ----------
    kind : str
        Its type, or the values allowed.
    default : object
        Default as JSON; None if it is required.
    """

    name: str
    kind: str
    default: Any
    required: bool
    about: str


@dataclass(frozen=True)
class Route:
    """A route of the REST API.

    Attributes
    ----------
    parameters, fields : tuple of Field
        Query parameters, and fields of the JSON body.
    media_types : tuple of str
        Media types of an uploaded file; empty if the route takes none.
    answers : mapping of str to str
        Description by status code.
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
    """List the routes of an OpenAPI document.

    Parameters
    ----------
    document : mapping of str to object
        The document.

    Returns
    -------
    list of Route
        Routes in the order of the document.
    """
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
    """Describe a type.

    >>> _kind({"enum": ["audio", "video"]}), _kind({"type": "array", "items": {"type": "string"}})
    ('audio | video', 'list of string')
    >>> _kind({"type": "integer", "minimum": 1, "maximum": 100})
    'integer, 1 to 100'
    """
    if "anyOf" in schema:
        return _kind(schema["anyOf"][0])
    if "enum" in schema:
        return " | ".join(schema["enum"])
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])}"
    if "minimum" in schema and "maximum" in schema:
        return f"{schema['type']}, {schema['minimum']:g} to {schema['maximum']:g}"
    return str(schema["type"])
