"""What importing a part of Antiphon must not bring along, in a process of its own."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("antiphon", ("numpy", "polars", "pyarrow", "av", "torch")),
        ("antiphon.cli.app", ("numpy", "polars", "pyarrow", "av", "torch")),
        ("antiphon.app.application", ("torch",)),
        ("antiphon.app.stills", ("torch",)),
        ("antiphon.app.server", ("torch",)),
        ("antiphon.report.inputs", ("torch",)),
        ("antiphon.search", ("torch",)),
        ("antiphon.synthetic", ("torch",)),
        ("antiphon.media.windows", ("torch",)),
        ("antiphon.cli.search", ("torch",)),
    ],
)
def test_importing_leaves_out(module, absent):
    code = f"import sys, {module}; print(*sorted(set({absent!r}) & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
