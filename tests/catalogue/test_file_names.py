"""Names that tables give to files, and files that are not there."""

from pathlib import Path

import pytest

from antiphon.catalogue import file_names
from antiphon.catalogue.file_names import local_name, with_nearest_files


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("file:///music/#1 hit.mp4", "/music/#1 hit.mp4"),
        ("file:///music/who?.mp4", "/music/who?.mp4"),
        ("FILE://localhost/music/./a%20b.mp4", "/music/a b.mp4"),
        ("file://nas/music/a.mp4", "file://nas/music/a.mp4"),
        ("https://example.org/a.mp4", "https://example.org/a.mp4"),
    ],
)
def test_a_file_address_means_one_file_everywhere(written, name):
    assert local_name(written) == name


def test_a_folder_is_listed_once_for_all_its_missing_files(tmp_path, monkeypatch):
    (tmp_path / "frog.mp4").touch()
    listed: list[Path] = []
    original = file_names._entries
    monkeypatch.setattr(file_names, "_entries", lambda folder: listed.append(folder) or original(folder))
    reasons = {str(tmp_path / name): f"{name}: missing." for name in ("forg.mp4", "frg.mp4", "frog.mp4")}
    reasons["s3://far/frog.mp4"] = "far."
    assert with_nearest_files(reasons) == [
        "forg.mp4: missing. The nearest name in that folder is 'frog.mp4'.",
        "frg.mp4: missing. The nearest name in that folder is 'frog.mp4'.",
        "frog.mp4: missing.",
        "far.",
    ]
    assert listed == [tmp_path]
