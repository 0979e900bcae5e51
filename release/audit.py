"""Look up the pinned packages in a source of security advisories, if one can be reached. Run by `make audit`."""

import json
import subprocess
import sys
from pathlib import Path

SOURCES = ("pypi", "osv")


def findings(source: str) -> list[dict[str, object]] | None:
    """Return pip-audit's record of each pinned package, or None where the source knows none of them."""
    pins = Path(__file__).parent.parent / "constraints.txt"
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(pins), "--no-deps", "--disable-pip"]
    command += ["--vulnerability-service", source, "--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        found = json.loads(told.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, json.JSONDecodeError, KeyError):
        return None
    return found if any("vulns" in each for each in found) else None


def main() -> int:
    """Print the advisories that concern a pinned version; exit code 1 if there are any."""
    for source in SOURCES:
        found = findings(source)
        if found is None:
            print(f"The advisories of {source} cannot be reached.")
            continue
        examined = [each for each in found if "vulns" in each]
        known = [(each, one) for each in examined for one in each["vulns"]]
        for each, one in known:
            mended = ", ".join(one["fix_versions"]) or "no version"
            print(f"{each['name']} {each['version']}: {one['id']}, mended in {mended}.")
        print(f"{len(examined)} of {len(found)} pinned packages examined by {source}: {len(known)} advisories.")
        return 1 if known else 0
    print("No source of advisories could be reached, so nothing was examined.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
