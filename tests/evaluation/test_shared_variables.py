"""When and how the files of a catalogue were produced, read from real files."""

import pytest

from antiphon.catalogue import Catalogue
from antiphon.evaluation.auditing import shared_variables

from ..media.test_production import film


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Three films, one of which is damaged once it is catalogued, and one that is not asked for."""
    folder = tmp_path_factory.mktemp("films")
    film(folder / "old.mp4", bars_px=(30, 0), level=0.05)
    film(folder / "new.mp4", level=0.5, size=(192, 144))
    film(folder / "gone.mp4")
    film(folder / "other.mp4")
    table = folder / "songs.csv"
    table.write_text("id,path,year\nold,old.mp4,1987\nnew,new.mp4,2011\ngone,gone.mp4,\nother,other.mp4,2012\n")
    catalogue = Catalogue.from_csv(table).probe()[0]
    (folder / "gone.mp4").write_bytes(b"nothing")
    return shared_variables(catalogue, {"old", "new", "gone"}, seed=0)


def test_variables_of_the_videos_that_are_asked_for(found):
    assert found["decade"] == {"old": "1980s", "new": "2010s"}
    assert found["bars"] == {"old": "above and below", "new": "none"}
    assert found["picture size"] == {"old": "320×240", "new": "192×144"}
    assert found["loudness"] == {"old": "-30 to -27 dB", "new": "-12 to -9 dB"}


def test_a_file_that_cannot_be_read_has_none(found):
    assert not any("gone" in values for values in found.values())
