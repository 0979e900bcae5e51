"""Bounds within which TOML and JSON are read."""

import os

import pytest

from antiphon.documents import parsed_json, parsed_object, parsed_toml, read_document, reason


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "[" * 3000, "nested too deeply"),
        ("a = " + "{a = " * 3000, "nested too deeply"),
        ("a." * 100_000 + "b = 1", "nested too deeply"),
        ('"a b" . ' * 100 + "b = 1", "nested too deeply"),
        ("a = " + "[" * 64 + "]" * 64, "nested too deeply"),
        ("a = " + "7" * 5000, "limit .4300 digits"),
        ("a = '" + "x" * (1 << 20) + "'", "more than 1,048,576"),
        ("a = 1\na = 2", "Cannot overwrite"),
    ],
)
def test_toml_out_of_bounds_is_a_value_error(text, message):
    with pytest.raises(ValueError, match=message):
        parsed_toml(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("[" * 65 + "]" * 65, "nested too deeply"),
        ("7" * 5000, "limit .4300 digits"),
        (r'"\ud800"', "surrogates not allowed"),
        (r'{"\uDC00": 1}', "surrogates not allowed"),
        ("{", "Expecting"),
    ],
)
def test_json_out_of_bounds_is_a_value_error(text, message):
    with pytest.raises(ValueError, match=message):
        parsed_json(text)


def test_what_is_within_bounds_is_read():
    assert parsed_toml("a.b.c = 'x.y.z'\n[d]\ne = [0.5, 1.5]") == {"a": {"b": {"c": "x.y.z"}}, "d": {"e": [0.5, 1.5]}}
    assert parsed_json("[" * 60 + "]" * 60)
    assert parsed_json(r'"\ud83d\ude00"') == "😀"
    with pytest.raises(ValueError, match="is a list, not an object"):
        parsed_object("[]")


def test_files_that_are_no_text_are_told_apart(tmp_path):
    (tmp_path / "text").write_bytes("é".encode("latin-1"))
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"12345")
    for name, kind, message in (
        ("text", ValueError, "can't decode"),
        ("loop", OSError, "symbolic links"),
        ("pipe", OSError, "is not a file"),
        (".", OSError, "is a folder, not a file"),
        ("gone", FileNotFoundError, "No such file"),
        ("large", ValueError, "has 5 bytes, more than 4"),
    ):
        with pytest.raises(kind) as caught:
            read_document(tmp_path / name, 4)
        assert message in reason(caught.value)
    assert reason(ValueError("a" * 300)) == "a" * 200 + "…"
