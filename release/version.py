"""The version of a build: that of the tag, or the next one in development. hatchling runs this (pyproject.toml).

`v0.2.0` is 0.2.0; three commits later it is 0.2.1.dev3+g1a2b3c4. A source archive has the version that it was made
with. Without git and without tags it is the version that CITATION.cff names, in development.
"""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
_TAG = re.compile(r"v(\d+)\.(\d+)\.(\d+)(?:-(\d+)-g([0-9a-f]+))?")


def version(root: Path = ROOT) -> str:
    """Return the version of the checkout or archive in a folder."""
    told = root / "PKG-INFO"
    if told.is_file():
        found = re.search(r"^Version: (\S+)$", told.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found[1]
    described = _git(root, "describe", "--tags", "--match", "v[0-9]*") if (root / ".git").exists() else ""
    match = _TAG.fullmatch(described)
    if match is None:
        return f"{announced(root)}.dev0"
    major, minor, patch, later, commit = match.groups()
    if later is None:
        return f"{major}.{minor}.{patch}"
    return f"{major}.{minor}.{int(patch) + 1}.dev{later}+g{commit}"


def announced(root: Path = ROOT) -> str:
    """Return the version that CITATION.cff names."""
    cited = root / "CITATION.cff"
    found = re.search(r"^version: (\S+)$", cited.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else "0.0.0"


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
