"""Install the lowest versions that pyproject.toml allows, and run what the core must do with them.

    python release/lower_bounds.py FOLDER [--uv UV]

uv resolves the direct dependencies of the core and of the extra `app` to their lower bounds (`--resolution
lowest-direct`); they are installed in FOLDER, with the package of this checkout. torch stays at the version of
constraints.txt: its older builds bring gigabytes of CUDA. Prints the versions, and ends with pytest's exit code.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
TESTS = (
    "tests/metrics",
    "tests/model/test_towers.py",
    "tests/model/test_closed_form.py",
    "tests/model/test_cca.py",
    "tests/features/test_features.py",
    "tests/features/test_importers.py",
    "tests/features/test_store.py",
    "tests/catalogue/test_catalogue.py",
    "tests/interchange/test_onnx.py",
    "tests/interchange/test_embedding_files.py",
    "tests/search/test_index.py",
    "tests/media/test_decoding.py",
    "tests/test_tables.py",
)
_CUDA = r"(nvidia|cuda|triton)[a-z0-9-]*=="
_TOOLS = ("pytest", "hypothesis", "scikit-learn", "scipy", "pillow", "httpx", "imageio-ffmpeg")


def main() -> int:
    """Resolve, install and test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--uv", default="uv")
    given = parser.parse_args()
    python = given.folder / "bin" / "python"
    torch = next(line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("torch=="))
    subprocess.run([sys.executable, "-m", "venv", str(given.folder)], check=True)
    compiled = [given.uv, "pip", "compile", "-q", "--no-header", "--no-annotate", "--resolution", "lowest-direct"]
    compiled += ["--extra", "app", "--override", "-", "--python", str(python), "pyproject.toml"]
    listed = subprocess.run(compiled, input=torch, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    found = "\n".join(line for line in listed.splitlines() if not re.match(_CUDA, line)) + "\n"
    print(found)
    wanted = given.folder / "lowest.txt"
    wanted.write_text(found)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, "--requirement", str(wanted)], check=True)
    subprocess.run([*pip, "--constraint", str(wanted), *_TOOLS], check=True)
    subprocess.run([*pip, "--no-deps", str(ROOT)], check=True)
    return subprocess.run(
        [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS], cwd=ROOT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
