"""Pins, their hashes, and the promises of SECURITY.md."""

import re
import tomllib
from pathlib import Path

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
