"""What several test packages share: real media, made once."""

from pathlib import Path

import pytest

from antiphon.catalogue.synthetic import SyntheticConfig, render_catalogue

MEDIA = Path(__file__).parents[2] / "shared" / "data" / "media"


@pytest.fixture(scope="session")
def synthetic_table(tmp_path_factory):
    """CSV of a small synthetic catalogue: twelve music videos of 12 s by six artists."""
    config = SyntheticConfig(videos=12, duration_s=12, duration_spread_s=1, songs_per_artist=2, coupling=1)
    return render_catalogue(tmp_path_factory.mktemp("synthetic"), config)


@pytest.fixture(scope="session")
def media_folder():
    """The sample of real files."""
    if not MEDIA.exists():
        pytest.skip("the sample media are not beside this checkout")
    return MEDIA
