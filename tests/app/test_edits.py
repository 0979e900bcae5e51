"""Edits: which stretch of which file, and the sheets that say so."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import anyio
import av
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Scope

from antiphon.app.cue_sheets import cue_table, edit_list, edit_rate, timecode
from antiphon.app.edits import Edit, shift_of, start_of, together
from antiphon.app.exports import ExportLimits
from antiphon.app.library import Video
from antiphon.app.templating import address
from antiphon.errors import DecodeError
from antiphon.media.opening import CataloguedFile
from antiphon.search import Moment
from antiphon.workers.limits import LimitError
from antiphon.workspace import Workspace

from .conftest import IDS


def video(name: str, length_s: float, artist: str = "Ann") -> Video:
    return Video(
        id=name,
        file=CataloguedFile(f"/music/{name}.mp4"),
        title=name.title(),
        artist=artist,
        genre="",
        tags=(),
        year=None,
        start_s=0.0,
        duration_s=length_s,
        has_audio=True,
        has_video=True,
    )


def moment(query_s: float, hit_s: float) -> Moment:
    return Moment(query_s, hit_s, hit_s + 5, 0.5, "audio")


@given(*[st.integers(1, 60)] * 2, st.integers(-70, 70))
def test_together_is_where_both_play(length: int, other: int, shift: int) -> None:
    seconds = [t for t in range(length) if 0 <= t + shift < other]
    first_s, end_s = together(length, other, shift)
    assert (end_s - first_s) == len(seconds)
    assert not seconds or (first_s, end_s) == (seconds[0], seconds[-1] + 1)


def test_a_match_at_the_end_gives_way_to_one_with_time_to_play() -> None:
    late, early = moment(2.0, 33.0), moment(10.0, 14.0)
    assert shift_of([late, early], 40.0, 37.0) == 4.0
    assert shift_of([late], 40.0, 37.0) == 31.0  # all that there is
    assert shift_of([early, late], 12.0, 15.0) == 4.0  # 20 s are more than there can be
    assert shift_of([], 40.0, 37.0) == 0.0


def test_playback_starts_at_the_match_but_leaves_20_s() -> None:
    assert start_of([moment(10.0, 14.0)], 60.0, 60.0, 4.0) == 10.0
    assert start_of([moment(50.0, 54.0)], 60.0, 60.0, 4.0) == 36.0  # the other one ends at 56 s
    assert start_of([moment(5.0, 6.0)], 10.0, 60.0, 1.0) == 0.0
    assert start_of([], 60.0, 60.0, -12.0) == 12.0


def test_a_stretch_is_bounded_by_both() -> None:
    item, other = video("item", 30.0), video("other", 20.0)
    whole = Edit.within(item, other, "audio", 5.0, None, None)
    assert (whole.from_s, whole.to_s, whole.song.from_s, whole.song.to_s) == (0.0, 15.0, 5.0, 20.0)
    assert whole.pictures.video is item and whole.song.video is other
    part = Edit.within(item, other, "video", 5.0, 2.0, 99.0)
    assert (part.from_s, part.to_s, part.pictures.from_s) == (2.0, 15.0, 7.0)
    assert part.pictures.video is other and part.song.video is item
    assert Edit.within(item, other, "audio", 5.0, 20.0, 10.0).song.length_s == 0


def test_an_edit_list_is_cmx_3600() -> None:
    """Compared with one written by hand: 12.52 s of pictures from 4.0 s with the song from 0:33.24, at 25 frames."""
    edit = Edit.within(video("vuno", 60.0), video("öl & *wasser*", 60.0), "audio", 29.24, 4.0, 16.52)
    assert edit_list(edit, 25.0).split("\r\n") == [
        "TITLE: VUNO WITH OL & *WASSER*",
        "FCM: NON-DROP FRAME",
        "",
        "001  AX       V     C        00:00:04:00 00:00:16:13 01:00:00:00 01:00:12:13",
        "* FROM CLIP NAME: vuno.mp4",
        "* STARTS AT 4.000 S",
        "002  AX       A     C        00:00:33:06 00:00:45:19 01:00:00:00 01:00:12:13",
        "* FROM CLIP NAME: ol & *wasser*.mp4",
        "* STARTS AT 33.240 S",
        "",
    ]


@given(st.floats(0, 80_000), st.sampled_from([24, 25, 30, 50, 60]))
def test_time_codes_count_frames(time_s: float, base: int) -> None:
    frames = round(time_s * base)
    hours, minutes, seconds, rest = map(int, timecode(frames, base).split(":"))
    assert ((hours * 60 + minutes) * 60 + seconds) * base + rest == frames
    assert rest < base and seconds < 60 and minutes < 60


def test_rates_that_time_codes_do_not_know_count_as_25() -> None:
    assert edit_rate(24000 / 1001) == (24000 / 1001, 24)
    assert [edit_rate(rate)[1] for rate in (59.94, 12.5, 15.37, 1000.0)] == [60, 25, 25, 25]


def test_event_lines_fit_any_program(client: TestClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    videos = app.state.antiphon.searcher.library.videos
    odd = replace(videos[IDS[7]], title="*\r\n001  AX V C\xf6\u202e" + 200 * "x")
    monkeypatch.setitem(videos, IDS[7], odd)
    found = client.get(f"/export/edl/plain?with={address(IDS[7], '')[2:]}&shift=0")
    assert found.headers["content-disposition"].startswith('attachment; filename="')
    lines = found.text.split("\r\n")
    events = [line for line in lines if line[:3].isdecimal()]
    assert len(events) == 2 and {len(line) for line in events} == {76}
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert len(lines[0]) <= 7 + 70


def test_the_table_has_the_choice_and_what_was_kept(client: TestClient) -> None:
    kept = f"2.500~{IDS[10]}"
    asked = {"with": IDS[9], "shift": -1.25, "from": 2, "to": 6, "keep": [kept, f"-1.250~{IDS[9]}"]}
    found = client.get("/export/csv/plain", params=asked)
    assert found.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(found.text)))
    assert [(row["choice"], row["song_id"], row["song_from_s"], row["song_to_s"]) for row in rows] == [
        ("chosen", IDS[9], "0.750", "4.750"),
        ("kept", IDS[10], "4.500", "8.500"),
    ]
    assert {(row["pictures_id"], row["pictures_from_s"]) for row in rows} == {("plain", "2.000")}
    reverse = client.get("/export/csv/plain", params=asked | {"target": "video", "keep": []}).text
    (row,) = csv.DictReader(io.StringIO(reverse))
    assert (row["pictures_id"], row["song_id"], row["pictures_from_s"]) == (IDS[9], "plain", "0.750")


def test_the_table_has_the_time_codes_of_the_edit_list(
    app: FastAPI, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pictures have 12.5 a second, which no time code counts."""
    asked = {"with": IDS[9], "shift": -1.25, "from": 2.04, "to": 6, "keep": f"2.500~{IDS[10]}"}
    rows = list(csv.DictReader(io.StringIO(client.get("/export/csv/plain", params=asked).text)))
    names = [f"{side}_{end}_timecode" for side in ("pictures", "song") for end in ("from", "to")]
    assert [rows[0][name] for name in names] == ["00:00:02:01", "00:00:06:00", "00:00:00:20", "00:00:04:19"]
    assert [rows[1][name] for name in names[2:]] == ["00:00:04:14", "00:00:08:13"]
    assert {row["timecode_frames_per_s"] for row in rows} == {"25"}
    events = client.get("/export/edl/plain", params=asked).text.split("\r\n")
    assert [code for line in events if line[:3].isdecimal() for code in line.split()[4:6]] == [
        rows[0][name] for name in names
    ]
    nothing = b'{"length_s": 0.0, "cuts_s": [], "frames_per_s": 25.0}'
    monkeypatch.setattr(app.state.antiphon.outlines, "kept", lambda video, side: nothing)
    (row, _) = csv.DictReader(io.StringIO(client.get("/export/csv/plain", params=asked).text))
    assert row["song_from_s"] == "0.790" and {row[name] for name in (*names, "timecode_frames_per_s")} == {""}


def test_the_time_codes_of_the_table_count_at_the_rate_of_the_film() -> None:
    edit = Edit.within(video("a", 600.0), video("b", 600.0), "audio", 0.0, 100.1, 200.2)
    (row,) = csv.DictReader(io.StringIO(cue_table([("chosen", edit, 30000 / 1001)])))
    assert (row["pictures_from_timecode"], row["pictures_to_timecode"]) == ("00:01:40:00", "00:03:20:00")
    assert (row["timecode_frames_per_s"], row["pictures_from_s"]) == ("29.97", "100.100")


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 422),
        ({"with": "nobody"}, 404),
        ({"with": "plus+and%2Fencoded", "shift": "500"}, 422),
        ({"with": "plus+and%2Fencoded", "shift": "nan"}, 422),
        ({"with": "plus+and%2Fencoded", "shift": "1e9"}, 422),
        ({"with": "plus+and%2Fencoded", "from": "-1"}, 422),
        ({"with": "plus+and%2Fencoded", "from": "5", "to": "4"}, 422),
        ({"with": "plus+and%2Fencoded", "keep": "x~plain"}, 422),
        ({"with": "plus+and%2Fencoded", "keep": "inf~plain"}, 422),
        ({"with": "plus+and%2Fencoded", "keep": "1"}, 422),
        ({"with": "plus+and%2Fencoded", "keep": ["1~plain"] * 21}, 422),
        ({"with": "plus+and%2Fencoded", "target": "both"}, 422),
    ],
)
def test_what_makes_no_cut_is_refused(client: TestClient, asked: dict[str, str], status: int) -> None:
    for kind in ("csv", "edl"):
        assert client.get(f"/export/{kind}/plain", params=asked).status_code == status
    assert client.post("/export/mp4/plain", params=asked).status_code == status


def test_the_room_shows_five_and_what_was_chosen(client: TestClient) -> None:
    found = client.get("/cut/plain")
    assert found.text.count("data-row") == 5
    hits = client.get("/api/match?id=plain&target=audio&k=12").json()["hits"]
    last = hits[-1]["id"]
    more = client.get("/cut/plain", params={"with": last, "shift": 1.5, "keep": f"-2.000~{hits[-2]['id']}"}).text
    assert more.count("data-row") == 7
    assert f'data-id="{escape(last)}"' in more and 'data-shift="1.500"' in more
    assert more.partition('data-kept="true"')[0].rpartition('data-shift="')[2].startswith("-2.000")
    assert client.get("/cut/plain?with=nobody").status_code == 404
    assert client.get("/cut/nobody").status_code == 404


def test_what_was_kept_and_is_gone_is_left_out(
    app: FastAPI, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos = app.state.antiphon.searcher.library.videos
    silent, lost, late, good = IDS[6], IDS[7], IDS[8], IDS[10]
    monkeypatch.setitem(videos, silent, replace(videos[silent], has_audio=False))
    monkeypatch.setitem(videos, lost, replace(videos[lost], file=None))
    keep = ["1~nobody", f"1~{silent}", f"1~{lost}", f"-5~{late}", f"1.000~{good}"]
    asked = {"with": IDS[9], "shift": 0, "from": 1, "to": 4, "keep": keep}
    table = client.get("/export/csv/plain", params=asked)
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [(row["choice"], row["song_id"]) for row in rows] == [("chosen", IDS[9]), ("kept", good)]
    room = client.get("/cut/plain", params=asked)
    assert room.status_code == 200
    assert "nobody" not in room.text
    kept = [part.rpartition('data-id="')[2].partition('"')[0] for part in room.text.split('data-kept="true"')[:-1]]
    assert set(kept) == {escape(late), escape(good)}  # one that can be shifted until it plays stays


@pytest.mark.parametrize("gone", [{"has_audio": False}, {"file": None}])
def test_a_choice_without_the_side_is_refused_in_words(
    app: FastAPI, client: TestClient, monkeypatch: pytest.MonkeyPatch, gone: dict[str, Any]
) -> None:
    videos = app.state.antiphon.searcher.library.videos
    monkeypatch.setitem(videos, IDS[9], replace(videos[IDS[9]], **gone))
    for place in ("cut", "export/csv"):
        found = client.get(f"/{place}/plain", params=ASKED)
        assert found.status_code == 404 and "has no file with sound" in found.text


ASKED = {"with": IDS[9], "shift": "0"}


def test_a_film_is_sent_once_and_leaves_nothing(client: TestClient, workspace: Workspace) -> None:
    found = client.post("/export/mp4/plain", params=ASKED | {"from": "0", "to": "3"})
    assert (found.status_code, found.headers["content-type"]) == (200, "video/mp4")
    assert found.headers["content-disposition"].startswith("attachment; ")
    with av.open(io.BytesIO(found.content), "r") as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        assert (container.duration or 0) / 1e6 == pytest.approx(3.0, abs=0.3)
    assert list((workspace.page / "exports").glob("process-*/film-*")) == []


@pytest.mark.parametrize(("asked", "length_s", "first_s"), [({}, 12.0, 4.0), ({"from": 1, "to": 9.5}, 8.5, 3.0)])
def test_a_film_has_all_of_the_scene_where_the_song_starts_later(
    client: TestClient, asked: dict[str, float], length_s: float, first_s: float
) -> None:
    found = client.post("/export/mp4/plain", params={"with": IDS[9], "shift": "-4"} | asked)
    assert found.status_code == 200
    with av.open(io.BytesIO(found.content), "r") as container:
        for stream in container.streams:
            assert float((stream.duration or 0) * (stream.time_base or 0)) == pytest.approx(length_s, abs=0.2)
        loud_s = [
            frame.time
            for frame in container.decode(audio=0)
            if frame.time is not None and np.abs(frame.to_ndarray()).max() > 0.01
        ]
    assert first_s - 0.1 < loud_s[0] < first_s + 0.5


def test_exports_are_bounded(
    app: FastAPI, client: TestClient, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = app.state.antiphon
    monkeypatch.setattr(here.exports, "limits", ExportLimits(max_s=2.0))
    found = client.post("/export/mp4/plain", params=ASKED)
    assert found.status_code == 422 and "set from and to" in found.text
    monkeypatch.setattr(here.exports, "limits", ExportLimits(max_bytes=10_000))
    found = client.post("/export/mp4/plain", params=ASKED)
    assert found.status_code == 422 and "Choose a shorter stretch" in found.text
    monkeypatch.setattr(here.exports, "limits", ExportLimits())
    videos = here.searcher.library.videos
    gone = replace(videos[IDS[9]], file=CataloguedFile(str(tmp_path / "gone.mp4")))
    monkeypatch.setitem(videos, IDS[9], gone)
    missing = client.post("/export/mp4/plain", params=ASKED)
    assert missing.status_code == 422 and str(tmp_path) not in missing.text
    assert list((workspace.page / "exports").glob("process-*/film-*")) == []


def test_films_that_are_not_sent_yet_are_bounded(app: FastAPI, client: TestClient, workspace: Workspace) -> None:
    """Films are asked for whose clients take nothing, and then leave; one more is made only after that."""
    asked = {"with": IDS[9], "from": "0", "to": "1"}
    most = app.state.antiphon.exports.limits.max_unsent

    async def unsent() -> list[int]:
        statuses: list[int] = []
        enough = anyio.Event()

        async def ask() -> None:
            async def receive() -> Message:
                await enough.wait()
                return {"type": "http.disconnect"}

            async def send(message: Message) -> None:
                if message["type"] == "http.response.start":
                    statuses.append(message["status"])
                    if len(statuses) > most:
                        enough.set()
                elif statuses[-1] == 200:
                    await anyio.sleep_forever()

            await app(scope_of("/export/mp4/plain", asked), receive, send)

        async with anyio.create_task_group() as group:
            for _ in range(most + 1):
                group.start_soon(ask)
        return statuses

    with ThreadPoolExecutor(1) as pool:  # This thread may have a loop already: that of a browser.
        assert sorted(pool.submit(anyio.run, unsent).result()) == [*most * [200], 503]
    assert client.post("/export/mp4/plain", params=asked).status_code == 200


def scope_of(path: str, asked: dict[str, str]) -> Scope:
    """An ASGI request with a method that changes nothing."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": urlencode(asked).encode(),
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }


def test_a_film_that_cannot_be_made_leaves_its_place(
    app: FastAPI, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(job: object) -> None:
        raise DecodeError("damaged")

    with monkeypatch.context() as patch:
        patch.setattr(app.state.antiphon.exports._worker, "run", damaged)
        most = app.state.antiphon.exports.limits.max_unsent
        found = {client.post("/export/mp4/plain", params=ASKED).status_code for _ in range(most + 1)}
        assert found == {422}
    full = ExportLimits(max_unsent=0)
    monkeypatch.setattr(app.state.antiphon.exports, "limits", full)
    busy = client.post("/export/mp4/plain", params=ASKED)
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "30")


def test_what_takes_too_long_is_said(app: FastAPI, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_long(job: object) -> None:
        raise LimitError("took longer than 600 s")

    monkeypatch.setattr(app.state.antiphon.exports._worker, "run", too_long)
    found = client.post("/export/mp4/plain", params=ASKED, headers={"hx-request": "true"})
    assert found.status_code == 422
    assert "Making the film took longer than 600 s. Choose a shorter stretch." in found.text
