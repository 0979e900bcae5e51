"""The REST API does what its OpenAPI document says, with values drawn from it, and with others that it excludes."""

import json
from random import Random
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import IDS

Schema = dict[str, Any]
EXAMPLES = 40
OPERATIONS = [
    ("get", "/api/items"),
    ("get", "/api/search"),
    ("get", "/api/similar"),
    ("get", "/api/match"),
    ("get", "/api/jobs"),
    ("post", "/api/recommend"),
]
FILES = {("post", "/api/similar"), ("post", "/api/search"), ("post", "/api/match"), ("post", "/api/embed")}
CHARACTERS = "aZ09 -_/\\.%?&=#+'\"<>{}[]():;,*~^|`@!$\0\t\r\n\x7f\x85éßΩ日🎵\u200b\u202e\ufeff\uffff\U0010ffff"
NO_NUMBERS = ("", "x", "NaN", "-inf", "0x1", "null", "-", "1e", "\0", "１", "[]", "9" * 5000, "1e999")


def valid(schema: Schema, schemas: Schema, random: Random) -> Any:
    """A value that a schema allows."""
    if "$ref" in schema:
        return valid(schemas[schema["$ref"].rpartition("/")[2]], schemas, random)
    if "anyOf" in schema:
        return valid(next(one for one in schema["anyOf"] if one["type"] != "null"), schemas, random)
    if "enum" in schema:
        return random.choice(schema["enum"])
    if schema["type"] == "array":
        return [valid(schema["items"], schemas, random) for _ in range(random.randint(schema.get("minItems", 0), 4))]
    if schema["type"] == "object":
        return {
            name: valid(one, schemas, random)
            for name, one in schema["properties"].items()
            if name in schema["required"] or random.random() < 0.5
        }
    return simple(schema, random)


def simple(schema: Schema, random: Random) -> Any:
    """A number, text or truth value that a schema allows, often one at its edge."""
    if schema["type"] == "boolean":
        return random.random() < 0.5
    if schema["type"] == "integer":
        low, high = int(schema["minimum"]), int(schema["maximum"])
        return random.choice([low, high, random.randint(low, high)])
    if schema["type"] == "number":
        return random.choice([schema["minimum"], schema["maximum"], 1e-300, random.random()])
    assert schema["type"] == "string", schema
    length = min(random.choice([0, 1, 5, 30]), schema.get("maxLength", 30))
    return random.choice([random.choice(IDS), "".join(random.choices(CHARACTERS, k=length))])


def excluded(schema: Schema) -> list[Any]:
    """Values of a parameter that its schema excludes; none for texts, which may be anything."""
    schema = next((one for one in schema.get("anyOf", ()) if one["type"] != "null"), schema)
    if "enum" in schema or schema["type"] == "boolean":
        return list(NO_NUMBERS)
    if schema["type"] not in ("integer", "number"):
        return []
    low, high = schema["minimum"], schema["maximum"]
    beside = [low - 1, high + 1, low - 1e-9, high + 1e-9, -(10**30), 10**30, -(2**63), 2**64]
    return [*NO_NUMBERS, *beside, *([low + 0.5] if schema["type"] == "integer" else [])]


@pytest.fixture(scope="module")
def document(app: FastAPI) -> Schema:
    """The document."""
    return app.openapi()


def drawn(one: Schema, schemas: Schema, random: Random) -> tuple[Schema, Any]:
    """Valid parameters and body of an operation."""
    parameters = {
        each["name"]: valid(each["schema"], schemas, random)
        for each in one.get("parameters", ())
        if each["required"] or random.random() < 0.3
    }
    content = one.get("requestBody", {}).get("content", {})
    return parameters, valid(content["application/json"]["schema"], schemas, random) if content else None


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_valid_requests_are_answered_as_described(client: TestClient, document: Schema, method: str, path: str) -> None:
    one, schemas = document["paths"][path][method], document["components"]["schemas"]
    seen = set()
    for number in range(EXAMPLES):
        parameters, body = drawn(one, schemas, Random(number))  # noqa: S311
        if "id" not in parameters:  # words alone cannot be moved
            parameters = {name: value for name, value in parameters.items() if name not in ("nudge", "towards")}
        if None not in (years := [parameters.get(name) for name in ("min_year", "max_year")]) and years[0] > years[1]:
            del parameters["min_year"]
        found = client.request(method, path, params=parameters, json=body)
        assert found.status_code in (200, 404), (parameters, body, found.text)
        described = one["responses"][str(found.status_code)]["content"]["application/json"]["schema"]["$ref"]
        wanted = schemas[described.rpartition("/")[2]]
        assert set(wanted.get("required", ())) <= set(found.json()) <= set(wanted["properties"])
        seen.add(found.status_code)
    assert 200 in seen


@pytest.mark.parametrize(("method", "path"), OPERATIONS[:-1])
def test_excluded_values_are_refused_in_words(client: TestClient, document: Schema, method: str, path: str) -> None:
    one, schemas = document["paths"][path][method], document["components"]["schemas"]
    tried = 0
    for each in one["parameters"]:
        for number, value in enumerate(excluded(each["schema"])):
            parameters, body = drawn(one, schemas, Random(number))  # noqa: S311
            found = client.request(method, path, params=parameters | {each["name"]: value}, json=body)
            assert found.status_code == 422, (each["name"], value)
            assert set(found.json()) == {"detail"}
            tried += 1
    assert tried > 10


def test_no_operation_is_forgotten(document: Schema) -> None:
    found = {(method, path) for path, every in document["paths"].items() for method in every}
    others = {("get", "/api/health"), ("get", "/api/nudges"), ("get", "/api/status"), ("post", "/api/refresh")}
    changing = {("post", "/api/videos"), ("delete", "/api/videos/{id}"), ("get", "/api/jobs/{id}")}
    assert found == {*OPERATIONS, *FILES, *others, *changing}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.sampled_from(["history", "k", "x"]), one, max_size=3),
    max_leaves=6,
)


@settings(max_examples=EXAMPLES)
@given(body=JSON | st.dictionaries(st.sampled_from(["history", "k"]), JSON, max_size=2))
def test_any_json_is_answered_or_refused(client: TestClient, body: Any) -> None:
    content = json.dumps(body).encode()
    found = client.post("/api/recommend", content=content, headers={"content-type": "application/json"})
    assert found.status_code in (200, 404, 422)


@settings(max_examples=EXAMPLES)
@given(body=st.binary(max_size=60))
def test_any_bytes_are_refused(client: TestClient, body: bytes) -> None:
    for kind in ("application/json", "text/plain", ""):
        found = client.post("/api/recommend", content=body, headers={"content-type": kind})
        assert found.status_code in (400, 422)


def test_files_are_described_as_bytes_of_a_size(document: Schema) -> None:
    for path in ("/api/similar", "/api/match", "/api/embed"):
        content = document["paths"][path]["post"]["requestBody"]["content"]
        assert {one["schema"]["minLength"] for one in content.values()} == {1}
    assert "weight" not in [one["name"] for one in document["paths"]["/api/match"]["get"]["parameters"]]
