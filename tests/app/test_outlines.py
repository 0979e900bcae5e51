"""Waveforms and cuts of the catalogue's files: made once, kept whole, made again where they are damaged."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from antiphon.app.outlines import Outlines
from antiphon.errors import DecodeError
from antiphon.media.decoding import decode_stretches
from antiphon.media.opening import CataloguedFile
from antiphon.workers.limits import LimitError
from antiphon.workspace import Workspace


def test_a_waveform_is_that_of_the_file_and_is_kept(client: TestClient, workspace: Workspace, song: Path) -> None:
    found = client.get("/outline/audio/plain")
    assert (found.status_code, found.headers["content-type"]) == (200, "application/json")
    assert found.headers["cache-control"] == "private, max-age=3600"
    outline = found.json()
    (decoded,) = decode_stretches(str(song), [(0.0, 5.0)], [], rate_hz=16_000)
    loud = np.abs(decoded.waveform).max()
    at = int(5.0 / outline["length_s"] * len(outline["peaks"]))
    assert max(outline["peaks"][:at]) == pytest.approx(255 * min(loud, 1), abs=8)
    assert sorted(outline["beats_s"]) == outline["beats_s"]
    kept = [path for path in (workspace.page / "outlines").iterdir() if path.read_bytes() == found.content]
    assert len(kept) == 1 and kept[0].stat().st_size < 100_000
    again = client.get("/outline/audio/plain", headers={"if-none-match": found.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    kept[0].write_text('{"length_s": 1, "peaks": [256], "beats_s": []}', encoding="utf-8")
    assert client.get("/outline/audio/plain").content == found.content
    assert kept[0].read_bytes() == found.content


def test_cuts_lie_within_the_video(client: TestClient) -> None:
    outline = client.get("/outline/video/plain").json()
    assert outline["frames_per_s"] == 12.5
    assert all(0 < time_s < outline["length_s"] for time_s in outline["cuts_s"])


@pytest.mark.parametrize("path", ["audio/nobody", "audio/..%2F..%2Fetc%2Fhosts", "words/plain"])
def test_only_files_and_sides_of_the_catalogue_have_outlines(client: TestClient, path: str) -> None:
    assert client.get(f"/outline/{path}").status_code in (404, 422)


def test_a_missing_side_and_a_missing_file_are_said(
    app: FastAPI, client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos = app.state.antiphon.searcher.library.videos
    monkeypatch.setitem(videos, "plain", replace(videos["plain"], has_audio=False))
    assert client.get("/outline/audio/plain").json() == {"detail": "This video has no sound."}
    gone = CataloguedFile(str(tmp_path / "gone.mp4"))
    monkeypatch.setitem(videos, "plain", replace(videos["plain"], file=gone, has_audio=True))
    found = client.get("/outline/audio/plain")
    assert found.status_code == 404 and str(tmp_path) not in found.text


def test_what_takes_too_long_is_kept_as_nothing(app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = app.state.antiphon.searcher.library.videos["plain"]
    outlines = Outlines(tmp_path)
    tried: list[object] = []

    def too_long(job: object) -> str:
        tried.append(job)
        raise LimitError("took longer than 120 s")

    monkeypatch.setattr(outlines._workers["audio"], "run", too_long)
    for _ in range(2):
        assert json.loads(outlines.make(video, "audio")) == {"length_s": 0.0, "peaks": [], "beats_s": []}
    assert len(tried) == 1
    with pytest.raises(DecodeError, match="has no pictures"):
        outlines.make(replace(video, has_video=False), "video")
    outlines.close()
