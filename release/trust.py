"""Run the tests behind each promise of release/trust.toml, and write what came of them to docs/trust.md.

A test says how much it has tried by `record_property("tried: files", 212)`. Run by `make trust`.
"""

import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parent.parent
_TRIED = "tried: "
_HEAD = """# What was tried

Each row is a promise of [SECURITY.md](../SECURITY.md), the tests that hold it to its word, and what they tried.
`make trust` runs them and writes this page; it was last run on {day}, on {platform} with Python {python}.

| Promise | Tests | Tried | Result |
|---|---|---|---|
"""


@dataclass
class Told:
    """What a test run told.

    Attributes
    ----------
    passed, skipped : int
        Tests.
    failed : list of str
        Names of the tests that failed.
    tried : Counter
        How many of what the tests tried.
    code : int
        What pytest ended with.
    """

    passed: int = 0
    skipped: int = 0
    failed: list[str] = field(default_factory=list)
    tried: Counter[str] = field(default_factory=Counter)
    code: int = 0

    @property
    def result(self) -> str:
        """What came of the tests; a promise is not held by tests that did not run."""
        if self.failed:
            return f"failed: {', '.join(self.failed)}"
        if not self.passed:
            return "failed: no test ran"
        return f"failed: pytest ended with {self.code}" if self.code else "all passed"


def run_tests(tests: list[str]) -> Told:
    """Run tests and read what they told."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "tests.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-o", "junit_family=xunit1", f"--junitxml={record}"]
        told = Told(code=subprocess.run([*command, *tests], cwd=ROOT, check=False).returncode)
        if not record.exists():
            return told
        for case in ElementTree.parse(record).iter("testcase"):  # noqa: S314 - pytest wrote it
            outcomes = {child.tag for child in case}
            if outcomes & {"failure", "error"}:
                told.failed.append(str(case.get("name")))
            elif "skipped" in outcomes:
                told.skipped += 1
            else:
                told.passed += 1
            for found in case.iter("property"):
                name = str(found.get("name"))
                if name.startswith(_TRIED):
                    told.tried[name.removeprefix(_TRIED)] += int(str(found.get("value")))
    return told


def line(promise: str, tests: list[str], told: Told) -> str:
    """Format one row of the table."""
    where = "<br>".join(f"`{test}`" for test in tests)
    tried = [f"{count:,} {what}" for what, count in sorted(told.tried.items())]
    count = told.passed + len(told.failed)
    tried.append(f"{count} test{'s' * (count != 1)}")
    skipped = f", {told.skipped} skipped" if told.skipped else ""
    return f"| {promise} | {where} | {', '.join(tried)} | {told.result}{skipped} |\n"


def main() -> int:
    """Write docs/trust.md; exit code 1 if a promise is not held."""
    promises = tomllib.loads((ROOT / "release" / "trust.toml").read_text(encoding="utf-8"))["promise"]
    told = [run_tests(each["tests"]) for each in promises]
    day = datetime.now(UTC).date().isoformat()
    python = ".".join(map(str, sys.version_info[:3]))
    text = _HEAD.format(day=day, platform=sys.platform, python=python)
    text += "".join(line(each["text"], each["tests"], found) for each, found in zip(promises, told, strict=True))
    (ROOT / "docs" / "trust.md").write_text(text, encoding="utf-8")
    return 1 if any(found.result != "all passed" for found in told) else 0


if __name__ == "__main__":
    sys.exit(main())
