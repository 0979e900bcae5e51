"""What files say of themselves fills what nobody else has said, and nothing more."""

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.catalogue import Catalogue
from antiphon.catalogue.file_tags import file_tags, usable_tags
from antiphon.cli.app import run
from antiphon.errors import DecodeError
from antiphon.workspace import Workspace

SAID = {"artist": "Ann \x1b[31mAda", "title": "One", "genre": "Folk", "date": "1999-05-01", "comment": "x"}


def write_song(path, tags, codec="flac", rate=8000, format=None):
    """About a second of silence with tags."""
    with av.open(str(path), "w", format=format) as container:
        container.metadata.update(tags)
        stream = container.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, rate), np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        frames = [frame] if codec == "flac" else resampled(frame, stream)
        for packet in [packet for each in [*frames, None] for packet in stream.encode(each)]:
            container.mux(packet)
    return path


def resampled(frame, stream):
    resampler = av.AudioResampler(stream.format, "mono", stream.rate, stream.codec_context.frame_size)
    return [*resampler.resample(frame), *resampler.resample(None)]


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "songs"
    place.mkdir()
    write_song(place / "one.mka", SAID)
    write_song(place / "two.flac", {"ARTIST": "Unknown Artist", "ALBUM_ARTIST": "Bea", "GENRE": "12", "DATE": "soon"})
    (place / "broken.mp4").write_bytes(b"no film")
    return place


def rows(catalogue):
    return {row["id"]: row for row in catalogue.records()}


def test_tags_of_containers_are_read_without_what_could_do_harm(folder):
    assert file_tags(str(folder / "one.mka")) == {
        "artist": "Ann [31mAda",
        "title": "One",
        "genre": "Folk",
        "year": 1999,
    }
    assert file_tags(str(folder / "two.flac")) == {"artist": "Bea"}
    for name in ("broken.mp4", "none.mp4"):
        with pytest.raises(DecodeError):
            file_tags(str(folder / name))


def test_real_songs_name_their_artists(media_folder):
    found = rows(Catalogue.from_folder(media_folder))
    said = [found[f"music/{name}.ogg"] for name in ("Karissa_Hobbs_-_Lets_Go_Fishin", "Kevin_MacLeod_-_Vibe_Ace")]
    assert [(row["artist"], row["title"], row["genre"], row["year"]) for row in said] == [
        ("Karissa Hobbs", "Let's Go Fishin'", "Folk", 2016),
        ("Kevin MacLeod", "Vibe Ace", "Jazz", 2011),
    ]


def test_a_table_knows_better(folder, tmp_path):
    table = tmp_path / "songs.csv"
    table.write_text("filename,artist,year\none,Carl,2001\n", encoding="utf-8")
    found = rows(Catalogue.from_folder(folder, table))
    row = found["one.mka"]
    assert (row["artist"], row["title"], row["year"]) == ("Carl", "One", 2001)


def test_what_the_workspace_knows_stays_when_the_folder_is_added_again(folder, tmp_path):
    table = tmp_path / "songs.csv"
    table.write_text("filename,artist\none,Carl\n", encoding="utf-8")
    place = Workspace(tmp_path / "w")
    add = ["-w", str(place.root), "catalogue", "add", str(folder)]
    assert run([*add, "--metadata", str(table)]) == 0
    assert run(add) == 0
    assert rows(Catalogue.load(place.catalogue))["one.mka"]["artist"] == "Carl"


def test_songs_of_one_artist_stay_together(tmp_path):
    for number in range(12):
        write_song(tmp_path / f"{number}.flac", {"artist": "Ann"})
    catalogue = Catalogue.from_folder(tmp_path).split(by="artist", fractions=(0.4, 0.3, 0.3))
    assert len(catalogue.split_counts()) == 1


@given(st.dictionaries(st.sampled_from(["artist", "title", "genre", "date", "performer"]), st.text(max_size=400)))
def test_whatever_a_file_says_fits_into_the_table(tags):
    found = usable_tags(tags)
    assert Catalogue([{"id": "x", "path": None} | found]).records()[0]["id"] == "x"
    assert all(text.isprintable() and 0 < len(text) <= 200 for text in found.values() if isinstance(text, str))


def with_two_artists(path):
    """Write a song whose comments name two artists, which FFmpeg's muxer cannot."""
    data = write_song(path, {"artist": "Ann" + "x" * 20}).read_bytes()
    old, one, two = b"artist=Ann" + b"x" * 20, b"ARTIST=Ann", b"ARTIST=Zoe" + b" " * 6
    assert len(old) == len(one) + 4 + len(two)
    count = data.index(len(old).to_bytes(4, "little") + old) - 4
    number = int.from_bytes(data[count : count + 4], "little") + 1
    comments = b"".join(len(text).to_bytes(4, "little") + text for text in (one, two))
    end = count + 8 + len(old)
    path.write_bytes(data[:count] + number.to_bytes(4, "little") + comments + data[end:])
    return path


def test_two_artists_of_a_file_are_two(tmp_path):
    assert file_tags(str(with_two_artists(tmp_path / "two.flac")))["artist"] == "Ann; Zoe"


def test_two_artists_in_id3_are_two(tmp_path):
    song = write_song(tmp_path / "one.aac", {}, "aac", 44_100, "adts")
    frame = b"\x03Ann\0Bea\0[unknown]"
    tag = b"TPE1" + bytes([0, 0, 0, len(frame), 0, 0]) + frame
    song.write_bytes(b"ID3\x04\0\0" + bytes([0, 0, 0, len(tag)]) + tag + song.read_bytes())
    assert file_tags(str(song)) == {"artist": "Ann; Bea"}
