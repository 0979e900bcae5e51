"""Pins, their hashes, and the promises of SECURITY.md."""

import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


def pins(path: Path) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def test_everything_pinned_has_hashes_but_torch() -> None:
    hashed: dict[str, str] = {}
    for path in sorted((ROOT / "release").glob("hashes-*.txt")):
        here = pins(path)
        assert not hashed.keys() & here.keys()
        hashed |= here
        blocks = re.split(r"\n(?=[A-Za-z0-9])", path.read_text(encoding="utf-8"))
        assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", block) for block in blocks if "==" in block)
    expected = pins(ROOT / "constraints.txt")
    assert expected.pop("torch")
    assert hashed == expected, "constraints.txt has changed: run make hashes"


def test_every_promise_has_tests_that_exist_and_stands_in_the_policy() -> None:
    promises = tomllib.loads((ROOT / "release" / "trust.toml").read_text(encoding="utf-8"))["promise"]
    policy = " ".join((ROOT / "SECURITY.md").read_text(encoding="utf-8").split())
    page = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
    assert policy.partition("<!-- promises -->")[2].partition(" ## ")[0].count(" - ") == len(promises)
    for promise in promises:
        assert promise["text"] in policy
        assert promise["text"] in page, "run make trust"
        for test in promise["tests"]:
            path, _, name = test.partition("::")
            assert (ROOT / path).exists(), test
            assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), test


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    about = importlib.util.spec_from_file_location("trust", ROOT / "release" / "trust.py")
    assert about is not None and about.loader is not None
    module = importlib.util.module_from_spec(about)
    monkeypatch.setitem(sys.modules, "trust", module)
    about.loader.exec_module(module)
    return module


def test_a_promise_whose_tests_are_missing_is_not_held(
    trust: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test_there.py").write_text("def test_there(): pass\n", encoding="utf-8")
    monkeypatch.setattr(trust, "ROOT", tmp_path)
    told = trust.run_tests(["test_there.py"])
    assert (told.passed, told.code, told.result) == (1, 0, "all passed")
    told = trust.run_tests(["test_there.py", "test_not_there.py"])
    assert told.code != 0
    assert trust.line("A promise.", ["test_not_there.py"], told).endswith("| 0 tests | failed: no test ran |\n")


def test_a_promise_is_held_by_tests_that_ran_and_passed(trust: ModuleType) -> None:
    def result(**told: object) -> str:
        return trust.line("A promise.", ["tests"], trust.Told(**told)).split(" | ")[-1].rstrip(" |\n")

    assert result(passed=2, skipped=1) == "all passed, 1 skipped"
    assert result(skipped=3) == "failed: no test ran, 3 skipped"
    assert result(passed=2, failed=["one"], code=1) == "failed: one"
    assert result(passed=2, code=3) == "failed: pytest ended with 3"


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (4, 1)])
def test_the_page_is_written_and_a_promise_that_is_not_held_is_told(
    trust: ModuleType, code: int, ends: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "trust.toml").write_text('[[promise]]\ntext = "A promise."\ntests = ["tests"]\n')
    monkeypatch.setattr(trust, "ROOT", tmp_path)
    monkeypatch.setattr(trust, "run_tests", lambda tests: trust.Told(passed=int(code == 0), code=code))
    assert trust.main() == ends
    assert "A promise." in (tmp_path / "docs" / "trust.md").read_text(encoding="utf-8")
