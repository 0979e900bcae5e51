"""A video that cannot be played or searched with says so once, with reason and remedy. Nothing dead is offered."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from antiphon.app.library import Library, SegmentSpan, Video
from antiphon.app.templating import address
from antiphon.catalogue import Catalogue
from antiphon.features.store import FeatureStore, VideoFeatures
from antiphon.media.opening import CataloguedFile
from antiphon.segments.sampling import SamplingConfig, segment_rows
from antiphon.tables import SEGMENTS, write_table
from antiphon.workspace import Failure, Workspace

from .conftest import IDS


@pytest.fixture
def videos(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Video]]:
    """The videos that the pages know, to be added to; what was made of them is forgotten before and after."""
    searcher = app.state.antiphon.searcher
    known = dict(searcher.library.videos)
    for name in ("findable", "indexed"):
        monkeypatch.delitem(searcher.__dict__, name, raising=False)
    monkeypatch.setattr(searcher.library, "videos", known)
    searcher.pages.clear()
    yield known
    searcher.pages.clear()
    searcher.__dict__.pop("findable", None)


def failing(path: Path, message: str, stage: str = "extract", **about: object) -> Video:
    """A video of the catalogue that is not in the index."""
    file = CataloguedFile(str(path))
    failed = Failure("bad", stage, "DecodeError", message)
    found = Video("bad", file, "Bad", "Nobody", "", (), None, 0.0, 9.0, True, True, failures=(failed,))
    return replace(found, **about)


def plain_text(page: str) -> str:
    """What is read on a page."""
    body = page.split("<main", 1)[1].split("</main>", 1)[0]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split()).replace(" .", ".")


DEAD = ("<video", "<audio", 'class="timeline"', "Songs for these pictures", "The marked segments", "in this index")


@pytest.mark.parametrize("page", ["/video/bad", "/match/bad?target=video"])
@pytest.mark.parametrize(
    ("message", "stage", "said"),
    [
        ("{path}: is empty (0 bytes).", "segments", "The file is empty (0 bytes)."),
        ("{path}: the video ends at 3.00 s.", "extract", "The video ends at 3.00 s."),
        ("{path}: cannot be read: bad data in {path}.", "extract", "The file cannot be read: bad data in the file."),
        ("The track is 0.50 s long, too short.", "segments", "The track is 0.50 s long, too short."),
    ],
)
def test_a_video_that_failed_says_why_once(
    client: TestClient, videos: dict[str, Video], tmp_path: Path, page: str, message: str, stage: str, said: str
) -> None:
    path = tmp_path / "song.mp4"
    path.write_bytes(b"no film")
    one = failing(path, message.format(path=path), stage)
    videos["bad"] = replace(one, file=None, unread=one.file) if stage == "segments" else one
    found = client.get(page)
    assert found.status_code == 200
    assert plain_text(found.text).count(said) == 1
    assert str(path) not in found.text
    assert "<code>antiphon extract</code>" in found.text
    for dead in DEAD[: 4 if page.startswith("/match") else 6]:
        assert dead not in found.text.replace('<p class="kicker">Songs for these pictures', "")


def test_a_video_that_was_never_extracted_says_what_to_do(
    client: TestClient, videos: dict[str, Video], song: Path
) -> None:
    videos["bad"] = replace(failing(song, ""), failures=())
    found = client.get("/video/bad").text
    assert "This video has no embedding yet" in found
    assert "<code>antiphon index add</code>" in found
    assert "<video" in found
    assert "in this index" not in found
    videos["bad"] = replace(failing(song, ""), failures=(), file=None)
    assert "no embedding, so there is nothing to play or match" in client.get("/video/bad").text


@pytest.mark.parametrize("page", ["/video/plain", "/match/plain"])
def test_a_file_that_is_gone_is_missing_and_its_embedding_still_searches(
    client: TestClient, videos: dict[str, Video], tmp_path: Path, page: str
) -> None:
    videos["plain"] = replace(videos["plain"], file=CataloguedFile(str(tmp_path / "gone.mp4")))
    found = client.get(page).text
    assert "<strong>The file is missing. Its embedding is kept" in found
    assert "<code>antiphon catalogue move OLD NEW</code>" in found
    assert "<video" not in found
    assert "The marked segments" not in found
    assert 'class="hits"' in found


def test_a_file_without_sound_and_pictures_that_is_in_the_index_still_searches(
    client: TestClient, videos: dict[str, Video], song: Path
) -> None:
    videos["plain"] = replace(videos["plain"], file=None, unread=CataloguedFile(str(song)))
    found = client.get("/video/plain").text
    assert "Neither sound nor pictures were found in the file." in found
    assert 'class="hits"' in found
    videos["plain"] = replace(videos["plain"], unread=None)
    assert "The catalogue has no file for this video" in client.get("/video/plain").text


def test_a_file_that_cannot_be_read_is_not_called_absent(
    client: TestClient, videos: dict[str, Video], song: Path
) -> None:
    videos["plain"] = replace(videos["plain"], file=None, unread=CataloguedFile(str(song)))
    match = next(path for path in map(address, IDS) if path != address("plain"))
    tiles = client.get(match).text + client.get("/gallery").text + client.get("/gallery?seed=1").text
    assert "Cannot be read" in tiles
    assert "No file" not in tiles


def test_failures_come_from_the_workspace(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    rows = [("good", "/good", True), ("bad", "/bad", None), ("bare", None, None)]
    Catalogue([{"id": id, "path": path, "has_audio": side} for id, path, side in rows]).save(workspace.catalogue)
    failed = Failure("bad", "segments", "DecodeError", "/bad: is empty (0 bytes).")
    workspace.write_failures([failed])
    found = Library.of(workspace).videos
    assert {id: one.failures for id, one in found.items()} == {"good": (), "bad": (failed,), "bare": ()}
    assert {id: str(one.unread) for id, one in found.items()} == {"good": "None", "bad": "/bad", "bare": "None"}
    assert [one.blank for one in found.values()] == ["No pictures", "Cannot be read", "No file"]


def test_the_start_says_how_many_can_be_searched(client: TestClient, videos: dict[str, Video], song: Path) -> None:
    assert "12 music videos, embedded by the model base." in plain_text(client.get("/").text)
    videos["bad"] = failing(song, "")
    said = plain_text(client.get("/").text)
    assert "13 music videos: 12 have an embedding by the model base and can be searched; 1 has none." in said
    assert "search 12 music videos" in client.get("/").text
    videos["worse"] = replace(videos["bad"], id="worse")
    assert "12 have an embedding by the model base and can be searched; 2 have none." in plain_text(
        client.get("/").text
    )


def test_the_map_counts_what_is_on_it(client: TestClient, videos: dict[str, Video], song: Path) -> None:
    videos["bad"] = failing(song, "", genre="opera")
    said = plain_text(client.get("/map").text)
    assert "12 music videos; similar ones are close together. 1 more of the catalogue has no embedding" in said
    assert "opera" not in said


def test_flagged_segments_are_named_in_words(client: TestClient, videos: dict[str, Video]) -> None:
    silent = SegmentSpan(61.0, 66.0, ("Silent sound", "Damaged, filled in by the decoder"))
    for id, one in videos.items():
        videos[id] = replace(one, segments=(SegmentSpan(1.0, 6.0), silent))
    page = client.get("/video/plain").text
    assert "Silent sound: 1:01–1:06" in plain_text(page)
    assert 'aria-label="Segment 2, 1:01 to 1:06, Silent sound, Damaged, filled in by the decoder"' in page
    assert "Silent sound in 1 of 2 segments" in plain_text(page)
    assert "Damaged, filled in by the decoder in 1 of 2 segments" in client.get("/match/plain").text


def test_flags_come_from_the_stores(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    Catalogue([{"id": "a", "path": "/a", "has_audio": True}]).save(workspace.catalogue)
    rows = segment_rows("a", 12, SamplingConfig(sections=2))
    write_table(pa.Table.from_pylist(rows, SEGMENTS), workspace.segments)
    ids = [row["segment_id"] for row in rows]
    vectors = np.eye(2, dtype=np.float32)
    for store, flags in (("hearing", [[], ["silent"]]), ("seeing", [[], ["black", "concealed"]])):
        FeatureStore(workspace.features / store, {}).append([VideoFeatures("a", ids, vectors, flags)])
    words = [segment.flags for segment in Library.of(workspace).videos["a"].segments]
    assert words == [(), ("Silent sound", "Black pictures", "Damaged, filled in by the decoder")]
