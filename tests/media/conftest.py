"""Where the real media files are."""

from pathlib import Path

import pytest

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "media"


@pytest.fixture(scope="session")
def real_media() -> Path:
    """Folder of real media files, outside the project."""
    if not REAL.is_dir():
        pytest.skip("the real media files are not here")
    return REAL
