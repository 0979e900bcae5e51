"""Write the hashes of everything that `make` installs, for every platform, from the versions in constraints.txt.

One file for each of what runs, what tests, what makes the site and what releases: pip installs them with
`--require-hashes` before anything else. torch is left out, because its builds for CPUs and GPUs share a version and
differ in their dependencies.
Run by `make hashes`, with uv, in an environment that has all extras.
"""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PARTS = {"runtime": "app", "dev": "dev", "docs": "docs", "release": "release"}
_LEFT_OUT = {"torch", "pip", "setuptools"}  # pip and setuptools come with the environment


def pinned() -> dict[str, str]:
    """Read the pins of constraints.txt by canonical name."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [re.fullmatch(r"([A-Za-z0-9._-]+)==\S+", line.strip()) for line in lines]
    return {canonicalize_name(match[1]): match[0] for match in found if match}


def closure(extra: str) -> set[str]:
    """List what the project needs, with an extra, directly or not."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings["project"]
    named = project["dependencies"] + (project["optional-dependencies"][extra] if extra else [])
    named += [
        *settings["build-system"]["requires"],
        "editables",
    ]  # pip builds the project without an environment of its own
    waiting = [Requirement(text) for text in named]
    found: set[tuple[str, str]] = set()
    while waiting:
        needed = waiting.pop()
        for one in ("", *needed.extras):
            key = (canonicalize_name(needed.name), one)
            if key not in found:
                found.add(key)
                further = [Requirement(text) for text in _requires(needed.name)]
                waiting += [each for each in further if each.marker is None or each.marker.evaluate({"extra": one})]
    return {name for name, _ in found} - _LEFT_OUT


def _requires(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


def main() -> int:
    """Write release/hashes-<part>.txt; each leaves out what an earlier one has."""
    pins, done = pinned(), set[str]()
    for part, extra in PARTS.items():
        wanted = closure(extra) - done
        done |= wanted
        missing = sorted(wanted - set(pins))
        if missing:
            sys.exit(f"constraints.txt has no version of {', '.join(missing)}. Add it.")
        target = ROOT / "release" / f"hashes-{part}.txt"
        text = "\n".join(pins[name] for name in sorted(wanted))
        command = ["uv", "pip", "compile", "-", "--no-deps", "--generate-hashes", "--no-annotate", "--no-header", "-q"]
        made = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
        target.write_text(
            f"# Written by release/hashes.py (make hashes) from constraints.txt.\n{made}", encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
