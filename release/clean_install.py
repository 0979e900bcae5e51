"""Build the wheel, install it in an empty environment, and run the demo's first minutes there.

    python release/clean_install.py --folder FOLDER [--out results/interchange/install.json] [--minutes 3]

Measures the core's packages and size, and the time to import it; then installs the extra `app` and starts `antiphon
demo`, which must have left files before the time is up. pip takes torch from where it is configured to.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_IMPORT = "import time; s = time.perf_counter(); import antiphon; print(time.perf_counter() - s)"


def measured(folder: Path) -> dict[str, Any]:
    """Number of packages and size of an environment, with the largest."""
    python = folder / "bin" / "python"
    code = (
        "import json, sysconfig; from importlib.metadata import distributions\n"
        "found = {d.name: sum(f.locate().stat().st_size for f in d.files or () if f.locate().is_file())"
        " for d in distributions()}\n"
        "print(json.dumps(found))"
    )
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True)
    sizes: dict[str, int] = json.loads(done.stdout)
    sizes = {name: size for name, size in sizes.items() if name not in ("pip", "setuptools")}
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:6]
    return {
        "packages": len(sizes),
        "megabytes": round(sum(sizes.values()) / 1e6),
        "largest": {name: round(size / 1e6) for name, size in largest},
    }


def main() -> int:
    """Build, install, measure, and start the demo."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--minutes", type=float, default=6)
    given = parser.parse_args()
    environment, dist = given.folder / "venv", given.folder / "dist"
    pip = [str(environment / "bin" / "python"), "-m", "pip"]
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    subprocess.run([*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(dist), str(ROOT)], check=True)
    (wheel,) = dist.glob("antiphon-*.whl")
    install = [*pip, "install", "--quiet", "--no-compile", "--constraint", str(ROOT / "constraints.txt")]
    subprocess.run([*install, str(wheel)], check=True)
    found: dict[str, Any] = {"wheel": wheel.name, "wheel_bytes": wheel.stat().st_size, "core": measured(environment)}
    times = [
        float(
            subprocess.run(
                [*pip[:1], "-c", _IMPORT], capture_output=True, text=True, check=True, cwd=given.folder
            ).stdout
        )
        for _ in range(5)
    ]
    found["import_s"] = round(sorted(times)[2], 3)
    serve = [*pip[:1], "-m", "antiphon", "serve"]
    refused = subprocess.run(serve, capture_output=True, text=True, cwd=given.folder, check=False)
    found["serve_without_app"] = refused.stderr.strip().splitlines()[-1]
    subprocess.run([*install, f"{wheel}[app]"], check=True)
    found["with_app"] = measured(environment)
    found["demo"] = demo(pip[0], given.folder / "work", given.minutes * 60)
    print(json.dumps(found, indent=2))
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(found, indent=2) + "\n")
    went_on = found["demo"]["exit_code"] in (None, 0) and "catalogue.parquet" in found["demo"]["stages"]
    return 0 if went_on and "antiphon[app]" in found["serve_without_app"] else 1


def demo(python: str, folder: Path, limit_s: float) -> dict[str, Any]:
    """Run the demo for some time, and say which of its stages have left files."""
    folder.mkdir(parents=True, exist_ok=True)
    start, code = time.monotonic(), None
    with (folder / "demo.log").open("w") as log:
        process = subprocess.Popen([python, "-m", "antiphon", "demo"], cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
    names = ("catalogue.parquet", "features", "runs", "index", "demo.html")
    stages = [name for name in names if any(folder.rglob(name))]
    return {"seconds": round(time.monotonic() - start), "exit_code": code, "stages": stages, "cores": os.cpu_count()}


if __name__ == "__main__":
    sys.exit(main())
