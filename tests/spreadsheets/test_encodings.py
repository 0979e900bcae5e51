"""What is certain is decoded, what was assumed is said, and the rest is refused with the line."""

import codecs
import contextlib
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import CatalogueError
from antiphon.spreadsheets.encoding import decode

TEXT = "id,artist\r\nx,Björk\r\ny,Sigur Rós\r\n"
HERE = Path("songs.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_with_a_mark_or_in_utf_8_is_read_without_a_word(encoding):
    assert decode(TEXT.encode(encoding), HERE).text == TEXT
    assert decode(TEXT.encode(encoding), HERE).assumed == ""


def test_the_mark_of_the_other_byte_order_counts_too():
    assert decode(codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), HERE).text == TEXT


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_read_and_said(encoding):
    found = decode(TEXT.encode(encoding), HERE)
    assert found.text == TEXT
    assert "was read as UTF-16" in found.assumed


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("Motörhead", "latin-1"), ("Guns N’ Roses", "cp1252"), ("Tír na nÓg", "latin-1"), ("Øya – 5 €", "cp1252")],
)
def test_latin_1_is_read_and_said_with_a_word_of_it(name, encoding):
    found = decode(f"id,artist\nx,{name}\n".encode(encoding), HERE)
    assert found.text == f"id,artist\nx,{name}\n"
    assert "was read as Latin-1 (Windows-1252), so that line 2 has '" in found.assumed


@pytest.mark.parametrize("space", ["\xa0", "0\xa0", "12\xa0000", "\x85", "a\xad"])
def test_spaces_beyond_ascii_are_read_and_said(space):
    found = decode(f"id,artist\nx,{space}\n".encode("latin-1"), HERE)
    assert "was read as Latin-1" in found.assumed


# A few bytes that mean something in one encoding or another, so that they come together.
@given(
    st.lists(st.sampled_from([b"a", b"0", b",", b"\n", b'"', b"\0", b"\x85", b"\xa0", b"\xe9", b"\xff"])).map(b"".join)
)
def test_any_bytes_are_read_or_refused(data):
    with contextlib.suppress(CatalogueError):
        assert isinstance(decode(data, HERE).text, str)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("Земфира", "cp1251"),
        ("Земфира", "koi8-r"),
        ("宇多田ヒカル", "shift-jis"),
        ("周杰伦", "gbk"),
        ("Πυξ Λαξ", "iso8859-7"),
        ("Céline Dion", "mac-roman"),
        ("Håkan Björk", "mac-roman"),
    ],
)
def test_other_encodings_are_refused_and_not_guessed(name, encoding):
    with pytest.raises(CatalogueError, match=r"songs.csv: cannot be read as CSV in UTF-8, nor as Latin-1.*line 2"):
        decode(f"id,artist\nx,{name}\n".encode(encoding), HERE)


def test_a_line_of_another_encoding_is_named():
    mixed = TEXT.encode() + "z,Motörhead\n".encode("latin-1")
    with pytest.raises(CatalogueError, match=r"line 4 has bytes of another encoding.*Mot\\xf6rhead"):
        decode(mixed, HERE)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04rest", "Excel or OpenDocument workbook"),
        (b"\xd0\xcf\x11\xe0rest", "an old Excel workbook"),
        (b"\x1f\x8brest", "compressed"),
        (TEXT.encode("utf-16")[:-1], "in UTF-16: it starts as that, and byte"),
        (b"\xef\xbb\xbfid\n\xff", "in UTF-8: it starts as that"),
        (b"i\0d\0,", "full of zero bytes"),
    ],
)
def test_what_is_no_text_is_named(data, words):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(CatalogueError, match=words):
            decode(data, HERE)


def test_words_that_tell_a_wrong_guess_are_shown():
    text = "id;artist\nx;Müslüm Gürses\ny;Şebnem Ferah\nz;İstanbul\n"
    said = decode(text.encode("cp1254"), HERE).assumed
    assert "line 2 has 'Müslüm', and further lines 'Þebnem', 'Ýstanbul'. If that is wrong, save it as UTF-8" in said


def twice(text):
    """Text of UTF-8 that was read as Windows-1252, and saved."""
    return "".join(bytes([byte]).decode("cp1252", errors="ignore") or chr(byte) for byte in text.encode())


@pytest.mark.parametrize("name", ["Björk", "Zoë’s", "N’", "Łódź", "Земфира", "宇多田ヒカル", "Ångström"])
def test_text_that_was_encoded_twice_is_said(name):
    table = f"id,artist\nx,{twice(name)}\n"
    assert decode(table.encode(), HERE).text == table
    assert f"encoded twice: '{twice(name)}' may be '{name}'" in decode(table.encode(), HERE).assumed


@pytest.mark.parametrize(
    "name", ["„Spaß”", "CAFÉ™", "voilà…", "NÃO", "Vũ Trọng Phụng", "L’Été", "Ágætis byrjun", "À «x»"]
)
def test_text_that_only_looks_like_it_is_read_without_a_word(name):
    assert decode(f"id,artist\nx,{name}\n".encode(), HERE).assumed == ""


def test_lost_letters_are_said():
    assert "has lost letters: 'Bj\ufffdrk'" in decode("id,artist\nx,Bj\ufffdrk\n".encode(), HERE).assumed


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('[\n {"id": "x"}\n]', "JSON"),
        ('\ufeff{ "id": "x"}\n{"id": "y"}\n', "JSON"),
        ("\n\n  <table><tr><td>id", "a web page"),
        ('<?xml version="1.0"?>', "XML"),
        ("ARROW1\0\0", "an Arrow file"),
    ],
)
def test_other_kinds_of_text_are_named(text, kind):
    with pytest.raises(CatalogueError, match=f"since it is {kind}"):
        decode(text.encode(), HERE)


def test_a_header_may_begin_with_a_bracket():
    assert decode(b"[id],artist\nx,A\n", HERE).text == "[id],artist\nx,A\n"
