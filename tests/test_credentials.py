"""What gives access to an address is shown nowhere, in whatever form it is written."""

import pytest

from antiphon.credentials import public_address, shown_address, without_credentials
from antiphon.errors import DecodeError
from antiphon.media.opening import CataloguedFile
from antiphon.places import Address

SECRET = [
    ("https://me:secret@h.example/a.mp4", "https://…@h.example/a.mp4"),
    ("https://me:p@ss@h.example/x.mp4", "https://…@h.example/x.mp4"),
    ("https://u:pa/ss@h.example/x.mp4", "https://…@h.example/x.mp4"),
    ("https://token@h.example:8080/x.mp4", "https://…@h.example:8080/x.mp4"),
    ("https://h.example/My Song.mp4?sig=abc", "https://h.example/My Song.mp4?…"),
    ("https://h.example/Don't Stop.mp4?X-Amz-Signature=abc", "https://h.example/Don't Stop.mp4?…"),
    ("https://h.example/a.mp4?sig=abc'def", "https://h.example/a.mp4?…"),
    ("sftp://me:secret@h.example/music/a.mp4", "sftp://…@h.example/music/a.mp4"),
    ("https://me:secret@h.example/a.mp4?sig=abc&x=1#t=3", "https://…@h.example/a.mp4?…"),
]
PLAIN = [
    "s3://bucket/songs/a.mp4",
    "https://h.example:8080/@artist/a.mp4",
    "/music/what?.mp4",
    "songs/me:you@home.mp4",
    "gs://bucket/a b.mp4",
]


@pytest.mark.parametrize(("address", "shown"), SECRET)
def test_an_address_is_shown_without_secrets(address: str, shown: str) -> None:
    assert shown_address(address) == shown
    assert shown_address(shown) == shown
    for text in (str(CataloguedFile(address)), str(Address(address)), str(DecodeError(f"{address}: is gone."))):
        for secret in ("secret", "p@ss", "pa/ss", "token", "abc", "def"):
            assert secret not in text
    assert shown.split("?", maxsplit=1)[0].replace("…@", "") == public_address(address)


@pytest.mark.parametrize("path", PLAIN)
def test_what_has_none_stays_as_it_is(path: str) -> None:
    assert shown_address(path) == public_address(path) == str(CataloguedFile(path)) == path


def test_a_sentence_stays_readable() -> None:
    text = "songs.csv, row 3: https://me:secret@h.example/a.mp4?sig=1: no such file. Is it there? See the log."
    assert without_credentials(text) == (
        "songs.csv, row 3: https://…@h.example/a.mp4?…: no such file. Is it there? See the log."
    )
