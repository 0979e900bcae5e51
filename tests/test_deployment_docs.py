"""The samples of docs/deployment parse, and what they start is what `antiphon` takes."""

import configparser
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from antiphon.cli.app import app

yaml: Any = pytest.importorskip("yaml", reason="needs PyYAML, which comes with antiphon[ray]")
PLACE = Path(__file__).parent.parent / "docs" / "deployment"


def parsed(tokens: list[str]) -> dict[str, Any]:
    """The arguments that a verb takes them for."""
    if tokens[0] in {"--workspace", "-w"}:
        tokens = tokens[2:]
    command, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
    options = bound.arguments.get("options")
    return {"verb": command.__name__} | dict(bound.arguments) | (vars(options) if options else {})


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", "", "\n".join(_lines("Dockerfile")))
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]  # pyright: ignore[reportReturnType]


def _lines(name: str) -> list[str]:
    text = (PLACE / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.lstrip().startswith("#")]


def test_the_image_starts_the_service_as_a_user_without_rights() -> None:
    last = [place for place, (name, _) in enumerate(instructions()) if name == "FROM"][-1]
    stage = instructions()[last:]
    users = [value for name, value in stage if name == "USER"]
    assert users == ["10001"]
    made = next(value for name, value in stage if name == "RUN")
    assert "useradd --uid 10001" in made and "--owner 10001 /work" in made
    (entry,) = (json.loads(value) for name, value in stage if name == "ENTRYPOINT")
    (usual,) = (json.loads(value) for name, value in stage if name == "CMD")
    assert entry[0] == "antiphon"
    found = parsed([*entry[1:], *usual])
    assert (found["verb"], found["folder"], found["host"]) == ("up", Path("/videos"), "0.0.0.0")  # noqa: S104
    checks = [value for name, value in stage if name == "HEALTHCHECK"]
    assert len(checks) == 1 and "/healthz" in checks[0]
    json.loads(checks[0].partition("CMD ")[2])


def test_the_image_fetches_weights_into_where_it_looks_for_them() -> None:
    homes = {
        value.partition("XDG_CACHE_HOME=")[2].split()[0] for name, value in instructions() if "XDG_CACHE_HOME" in value
    }
    assert homes == {"/opt/cache"}
    fetched = re.findall(r"antiphon (backbones fetch \S+)", "\n".join(value for _, value in instructions()))
    assert [parsed(shlex.split(words))["verb"] for words in fetched] == ["fetch", "fetch"]


def test_compose_mounts_media_for_reading_and_has_the_token() -> None:
    found = yaml.safe_load((PLACE / "compose.yaml").read_text(encoding="utf-8"))
    service = found["services"]["antiphon"]
    asked = parsed(["--workspace", "/work", *service["command"]])
    assert asked["verb"] == "up" and asked["access_log"]
    assert asked["token_file"] == Path(f"/run/secrets/{service['secrets'][0]}")
    assert service["secrets"][0] in found["secrets"]
    mounts = dict(volume.split(":", 1) for volume in service["volumes"])
    assert mounts == {"./videos": "/videos:ro", "work": "/work"} and "work" in found["volumes"]
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert (PLACE / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == PLACE / "Dockerfile"
    assert service["ports"] == ["127.0.0.1:8000:8000"]


def test_the_unit_starts_the_service_where_the_proxies_show_it() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    unit.read_string((PLACE / "antiphon.service").read_text(encoding="utf-8"))
    assert set(unit.sections()) == {"Unit", "Service", "Install"}
    command = shlex.split(unit["Service"]["ExecStart"])
    assert Path(command[0]).name == "antiphon"
    found = parsed(command[1:])
    assert (found["verb"], found["root_path"], found["allow_host"]) == ("up", "/music", ("music.example",))
    assert found["host"] == "127.0.0.1"
    assert command[2] == "/var/lib/" + unit["Service"]["StateDirectory"]
    assert "location /music/ {" in "\n".join(_lines("nginx.conf"))
    assert "handle /music/* {" in "\n".join(_lines("Caddyfile"))
    for name in ("nginx.conf", "Caddyfile"):
        text = "\n".join(_lines(name))
        assert text.count("{") == text.count("}") and "127.0.0.1:8000" in text


def test_the_page_names_every_option_of_the_service() -> None:
    page = (PLACE.parent / "deployment.md").read_text(encoding="utf-8")
    for option in ("host", "allow-host", "root-path", "token-file", "read-only", "access-log"):
        assert f"`--{option}" in page
    for link in re.findall(r"\]\(([^)#]+)\)", page):
        assert (PLACE.parent / link).exists(), link
