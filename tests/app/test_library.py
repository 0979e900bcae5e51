"""Finding a video by a few letters."""

from dataclasses import replace
from pathlib import Path

from antiphon.app.library import Library, SegmentSpan, Video
from antiphon.catalogue import Catalogue
from antiphon.workspace import Workspace


def video(id: str, title: str, artist: str, segments: tuple[SegmentSpan, ...] = ()) -> Video:
    """With nothing else known."""
    return Video(id, None, title, artist, "", (), None, 0.0, None, True, True, segments)


LIBRARY = Library(
    [
        video("1", "Army of Me", "Björk"),
        video("2", "Bjork tribute", "Nobody"),
        video("army", "Hidden", "Place"),
        video("x/army.mp4", "The armYard", "Other"),
    ]
)


def test_all_words_must_be_there_whatever_case_and_accent() -> None:
    assert [found.id for found in LIBRARY.find("BJORK")] == ["2", "1"]
    assert [found.id for found in LIBRARY.find("me björk")] == ["1"]
    assert LIBRARY.find("army nowhere") == []
    assert LIBRARY.find("  ") == []


def test_an_id_in_full_comes_first() -> None:
    assert [found.id for found in LIBRARY.find("army")] == ["army", "1", "x/army.mp4"]
    assert len(LIBRARY.find("a", max_videos=2)) == 2


def test_letters_that_a_keyboard_lacks_and_slips_of_the_pen_are_forgiven() -> None:
    library = Library(
        [video("1", "Røza", "Łona"), video("2", "Rozamund", "Nobody"), video("3", "Night Drive", "Kraft")]
    )
    assert [found.id for found in library.find("roza")] == ["1", "2"]
    assert [found.id for found in library.find("LONA")] == ["1"]
    for slip in ("nigth drive", "nightdrive night", "nihgt drve", "ngiht kraft", "knight drives", "naght drivve"):
        assert [found.id for found in library.find(slip)] == ([] if "nightdrive" in slip else ["3"]), slip
    assert library.find("nobodies night") == []
    assert library.find("nit") == []


def test_whole_words_come_before_parts_of_words() -> None:
    library = Library([video("1", "Artless", "X"), video("2", "The Art", "Y"), video("3", "Art", "Z")])
    assert [found.id for found in library.find("art")] == ["3", "2", "1"]


def test_genres_that_differ_by_case_are_one() -> None:
    genres = ("jazz", "Jazz", "jazz", "Rock", "rock", "rock", "ROCK")
    library = Library([replace(video(str(place), "T", "X"), genre=genre) for place, genre in enumerate(genres)])
    assert library.genres == ("rock", "jazz")
    assert [library.genre_of(one) for one in library.videos.values()] == ["jazz"] * 3 + ["rock"] * 4
    assert library.genre_of(video("x", "T", "X")) == ""


def test_genre_tags_and_year_find_a_video_after_those_that_are_named_so() -> None:
    dreamy = replace(video("a", "Sleep", "X"), genre="Folk", tags=("dreamy", "live"), year=1999)
    library = Library([dreamy, video("b", "A dreamy day", "Y")])
    assert [found.id for found in library.find("dream")] == ["b", "a"]
    assert [found.id for found in library.find("folk 1999")] == ["a"]


def test_a_video_without_a_title_is_called_by_its_file(tmp_path: Path) -> None:
    names = {"music/A song.ogg": "A song", "plain": "plain", "x/..": "..", "v1.5": "v1.5", "end/": "end/"}
    workspace = Workspace(tmp_path)
    Catalogue([{"id": name, "path": None} for name in names]).save(workspace.catalogue)
    found = Library.of(workspace).videos
    assert {name: one.title for name, one in found.items()} == names


def test_a_file_that_holds_nothing_to_see_or_hear_is_not_served(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    rows = [("song", True, False), ("secret", None, None), ("empty", False, False)]
    known = [{"id": name, "path": f"/{name}", "has_audio": one, "has_video": other} for name, one, other in rows]
    Catalogue(known).save(workspace.catalogue)
    found = Library.of(workspace).videos
    paths = {name: one.file and one.file.path for name, one in found.items()}
    assert paths == {"song": "/song", "secret": None, "empty": None}


def test_the_middle_segment_stands_for_a_video() -> None:
    one = video("a", "a", "a", (SegmentSpan(0, 2), SegmentSpan(4, 6), SegmentSpan(8, 12)))
    assert (one.middle_s, one.length_s) == (5, 12)
    assert video("a", "a", "a").middle_s == 0
