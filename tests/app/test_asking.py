"""What cannot be asked is refused in words, with what to do; filters of an address are shown."""

import io
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from fastapi.testclient import TestClient

from antiphon.app.faults import fault_in_words

from .test_sent_files import answered, send

RATE_HZ = 16_000
SECONDS = 6


def song_alone() -> bytes:
    """Noise without pictures."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.random.default_rng(0).integers(-9000, 9000, SECONDS * RATE_HZ, np.int16).tobytes())
    return buffer.getvalue()


def film_alone(path: Path) -> bytes:
    """Grey pictures without sound."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(10 * SECONDS):
            picture = np.full((64, 64, 3), 60 + number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path.read_bytes()


def test_a_file_of_one_side_is_told_what_to_choose(client: TestClient, tmp_path: Path) -> None:
    film, song = film_alone(tmp_path / "film.mp4"), song_alone()
    for target, body, advice in (
        ("audio", song, "This file has sound only. Choose “Pictures for this song”."),
        ("video", film, "This file has pictures only. Choose “Songs for these pictures”."),
    ):
        place = send(client, body)
        assert advice in client.get(f"{answered(client, place)}?target={target}").text
        answer = client.post(f"/api/match?target={target}", content=body, headers={"content-type": "video/mp4"})
        assert answer.json()["detail"] in ("The file has sound only.", "The file has pictures only.")
        other = "video" if target == "audio" else "audio"
        for page in (f"{place}?target={other}", f"{place}?target=both", place):
            found = client.get(page)
            assert found.status_code == 200 and advice not in found.text and 'class="place"' in found.text


def form(name: str, body: bytes = b"") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + body + b"\r\n--b--\r\n"


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("video/mp4", b"", "The file is empty (0 bytes)."),
        ("multipart/form-data; boundary=b", form("song.mp4"), "The file is empty (0 bytes)."),
        ("multipart/form-data; boundary=b", form(""), "No file was chosen."),
    ],
    ids=["plain", "form", "nothing chosen"],
)
def test_an_empty_file_is_said_to_be_empty(client: TestClient, kind: str, body: bytes, said: str) -> None:
    found = client.post("/find/file?target=audio", content=body, headers={"content-type": kind})
    assert found.status_code == 422
    assert said in found.text
    assert "Cannot be used" in found.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("min_year=abc", "Parameter min_year: must be a whole number, not “abc”."),
        ("k=1000", "Parameter k: must be at most 100, not “1000”."),
        ("k=0", "Parameter k: must be at least 1, not “0”."),
        ("weight=x", "Parameter weight: must be a number, not “x”."),
        ("diversity=-1", "Parameter diversity: must be at least 0, not “-1”."),
        ("other_artists=perhaps", "Parameter other_artists: must be true or false, not “perhaps”."),
        (f"max_year={'9' * 60}", "Parameter max_year: must be at most 9999."),
    ],
)
def test_a_wrong_parameter_is_said_in_words(client: TestClient, query: str, said: str) -> None:
    found = client.get(f"/video/plain?{query}")
    assert found.status_code == 422
    assert said in found.text
    assert "Input should" not in found.text


def test_an_empty_number_is_refused_by_the_api(client: TestClient) -> None:
    found = client.get("/api/similar?id=plain&min_year=")
    assert "Parameter min_year: must be a whole number, and is empty." in found.json()["detail"]


def test_other_faults_are_said_too(client: TestClient) -> None:
    assert "target: must be" in client.get("/match/plain?target=smell").text
    assert fault_in_words({"type": "missing"}) == "is missing"
    assert fault_in_words({"type": "strange", "msg": "Strange."}) == "Strange."
    assert "q: must have at most 200 characters." in client.get(f"/find?q={'a' * 201}").text


@pytest.mark.parametrize("page", ["/video/plain", "/match/plain?target=video"])
def test_filters_of_the_address_are_shown_where_nothing_matches(client: TestClient, page: str) -> None:
    mark = "&" if "?" in page else "?"
    found = client.get(f"{page}{mark}genre=opera&genre=folk&min_year=1990&max_year=1999&not_artist=Nobody").text
    words = "genre opera; genre folk; not by Nobody; from 1990; until 1999"
    assert f"No matches with these filters: {words}." in found
    assert '<option value="opera" selected>opera</option>' in found
    assert '<input type="hidden" name="genre" value="folk">' in found
    for name, value in (("not_artist", "Nobody"), ("min_year", "1990"), ("max_year", "1999")):
        assert f'name="{name}" value="{value}"' in found
    plain = client.get(page).text
    assert "No matches" not in plain
    assert "Remove the filter" not in plain
