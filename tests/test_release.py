"""Pins, their hashes, and the promises of SECURITY.md."""

import importlib.util
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
import yaml

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


def load(path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    about = importlib.util.spec_from_file_location(path.stem, path)
    assert about is not None and about.loader is not None
    module = importlib.util.module_from_spec(about)
    monkeypatch.setitem(sys.modules, path.stem, module)
    about.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Names in the wheel and in the source archive, built of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,), (archive,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as file:
        of_wheel = file.namelist()
    with tarfile.open(archive) as file:
        of_archive = [name.partition("/")[2] for name in file.getnames()]
    return {"wheel": of_wheel, "archive": of_archive}


def test_the_wheel_holds_the_package_whole_and_nothing_else(built: dict[str, list[str]]) -> None:
    outside = [name for name in built["wheel"] if not re.match(r"antiphon/|antiphon-[^/]*\.dist-info/", name)]
    assert not outside
    tracked = subprocess.run(["git", "ls-files", "src/antiphon"], cwd=ROOT, capture_output=True, text=True, check=False)
    wanted = {name.removeprefix("src/") for name in tracked.stdout.split("\n") if name}
    assert wanted <= set(built["wheel"])
    assert not [name for name in built["wheel"] if "/tests/" in name or name.endswith((".pyc", ".partial"))]


def test_the_source_archive_can_be_read_tested_and_built(built: dict[str, list[str]]) -> None:
    there = set(built["archive"])
    for pattern in (
        "docs/**/*",
        "tests/**/*.py",
        "benchmarks/*.py",
        "release/*.*",
        "results/**/*",
        "*.md",
        "src/antiphon/**/*.py",
    ):
        tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
        known = set(tracked.stdout.split("\n"))
        wanted = {path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern) if path.is_file()} & known
        assert wanted <= there, sorted(wanted - there)[:5]
    assert {
        "pyproject.toml",
        "PKG-INFO",
        "LICENSE",
        "CITATION.cff",
        "CITATION.bib",
        "Makefile",
        "docs/page.png",
    } <= there


def test_the_version_follows_the_tags(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    versions = load(ROOT / "release" / "version.py", monkeypatch)
    (tmp_path / "CITATION.cff").write_text("version: 0.3.0\n")
    assert versions.version(tmp_path) == "0.3.0.dev0"
    (tmp_path / ".git").mkdir()
    for described, expected in (("v1.2.3", "1.2.3"), ("v1.2.3-4-gabc", "1.2.4.dev4+gabc"), ("", "0.3.0.dev0")):
        monkeypatch.setattr(versions, "_git", lambda *_, told=described: told)
        assert versions.version(tmp_path) == expected
    (tmp_path / "PKG-INFO").write_text("Metadata-Version: 2.4\nName: antiphon\nVersion: 0.9.1\n")
    assert versions.version(tmp_path) == "0.9.1"


def test_what_is_cited_is_what_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    announced = load(ROOT / "release" / "version.py", monkeypatch).announced()
    assert f"version = {{{announced}}}" in (ROOT / "CITATION.bib").read_text(encoding="utf-8")
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == announced and str(cited["date-released"])[:4] == "2026"


def test_the_core_does_without_what_extras_bring() -> None:
    from antiphon.cli.extras import EXTRAS

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = settings["optional-dependencies"]
    assert set(EXTRAS.values()) <= extras.keys()
    named = re.search(r"\[(.*)\]", extras["all"][0])
    assert named and set(named[1].split(",")) == set(EXTRAS.values())
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({sorted(EXTRAS)!r}))\n"
        "import antiphon as ap\n"
        "for name in dir(ap): getattr(ap, name)\n"
        "from antiphon.cli.app import run\n"
        "import antiphon.cli.demo, antiphon.cli.index, antiphon.cli.report, antiphon.cli.export, antiphon.cli.embed\n"
        "sys.exit(run(['serve']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'antiphon[app]'" in done.stderr, done.stderr
