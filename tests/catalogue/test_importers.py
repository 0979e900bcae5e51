import pickle
from pathlib import Path

import numpy as np
import pytest

from antiphon.catalogue.importers import read_jamendo, read_msd
from antiphon.catalogue.importers.msd import CHOI_TAGS
from antiphon.errors import CatalogueError

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "msd"
IDS = [f"TRAAAAA128F9{number:06X}" for number in range(6)]
SPLITS = ("train", "valid", "test")


@pytest.fixture
def samples() -> Path:
    if not SAMPLES.exists():
        pytest.skip("the sample lists are not beside this checkout")
    return SAMPLES


def media_csv(folder: Path, *ids: str) -> Path:
    """A CSV beside a file for each id."""
    folder.mkdir(exist_ok=True)
    for name in ids:
        (folder / f"{name}.mp4").touch()
    path = folder / "media.csv"
    path.write_text("msd_id,path,artist\n" + "".join(f"{name},{name}.mp4,Artist of {name}\n" for name in ids))
    return path


def write_lists(folder: Path, **changes: np.ndarray) -> Path:
    """Two ids in each of Choi's three lists, under the names of his repository; id i has the tags i and 49."""
    folder.mkdir(exist_ok=True)
    for part, ids in zip(SPLITS, (IDS[:2], IDS[2:4], IDS[4:]), strict=True):
        (folder / f"{part}_x_msd_id.txt").write_text("\n".join(ids) + "\n")
        labels = np.zeros((2, 50))
        labels[:, 49] = 1
        labels[[0, 1], [IDS.index(name) for name in ids]] = 1
        np.save(folder / f"{part}_y.npy", changes.get(part, labels))
    return folder


def test_files_meet_chois_tags_and_splits(tmp_path: Path) -> None:
    other = "TRZZZZZ128F9000000"
    found = read_msd(media_csv(tmp_path / "media", *IDS, other), write_lists(tmp_path / "lists"))
    rows = {row["id"]: row for row in found.catalogue.records()}
    assert [rows[name]["split"] for name in IDS] == ["train"] * 2 + ["validation"] * 2 + ["test"] * 2
    assert [rows[name]["tags"] for name in IDS] == [[CHOI_TAGS[number], "happy"] for number in range(6)]
    assert rows[IDS[3]]["path"] == str(tmp_path / "media" / f"{IDS[3]}.mp4")
    assert rows[IDS[3]]["artist"] == f"Artist of {IDS[3]}"
    assert (rows[other]["split"], rows[other]["tags"]) == (None, [])
    assert found.unlisted == (other,)
    assert found.missing == ()


def test_what_has_no_file_is_reported(tmp_path: Path) -> None:
    media = media_csv(tmp_path / "media", *IDS[:3])
    (tmp_path / "media" / f"{IDS[1]}.mp4").unlink()
    with media.open("a") as file:
        file.write(f"{IDS[3]},,\n")
    wanted = tmp_path / "wanted.txt"
    wanted.write_text("\n".join([IDS[5], IDS[0], IDS[5], IDS[1]]))
    found = read_msd(media, write_lists(tmp_path / "lists"), wanted)
    assert sorted(found.catalogue.ids) == [IDS[0], IDS[2]]
    assert found.missing == (IDS[1], IDS[3], IDS[5])


def test_chois_tags_are_those_of_the_list(samples: Path) -> None:
    assert "\n".join(CHOI_TAGS) == (samples / "choi_tags.txt").read_text().strip()


def test_the_papers_list_meets_the_published_lists(samples: Path, tmp_path: Path) -> None:
    lines = (samples / "paper_msd_ids.txt").read_text().split()
    assert (len(lines), len(set(lines))) == (10_045, 9_416)
    unique = list(dict.fromkeys(lines))
    media = tmp_path / "media.csv"
    for name in unique:
        (tmp_path / name).touch()
    media.write_text("msd_id,path\n" + "".join(f"{name},{name}\n" for name in unique))
    found = read_msd(media, samples, samples / "paper_msd_ids.txt")
    assert len(found.catalogue) == 9_416
    assert found.missing == ()
    assert len(found.unlisted) == 9_416 - 980
    counts = found.catalogue.split_counts()
    assert counts["validation"] + counts["test"] == 980
    assert "train" not in counts
    listed = [row for row in found.catalogue.records() if row["split"]]
    ids = (samples / "choi_test_ids.txt").read_text().split()
    labels = np.load(samples / "choi_test_y.npy")
    for row in listed:
        assert row["tags"]
        if row["split"] == "test":
            assert row["tags"] == [CHOI_TAGS[n] for n in range(50) if labels[ids.index(row["id"]), n]]


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (np.zeros((3, 50)), "must be a matrix of 2 ids × 50 tags"),
        (np.zeros((2, 49)), "must be a matrix of 2 ids × 50 tags"),
        (np.full((2, 50), 2.0), "has values other than 0 and 1"),
        (np.array([["a"] * 50] * 2), "must be a matrix"),
    ],
)
def test_labels_that_do_not_fit_their_list_are_refused(tmp_path: Path, labels: np.ndarray, reason: str) -> None:
    lists = write_lists(tmp_path / "lists", valid=labels)
    with pytest.raises(CatalogueError, match=rf"valid_y\.npy: .*{reason}"):
        read_msd(media_csv(tmp_path / "media", *IDS), lists)


class Harmful:
    """Would leave a mark if it were unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("harmed"),)  # type: ignore[return-value]


def test_labels_are_not_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lists = write_lists(tmp_path / "lists", test=np.array([Harmful()], dtype=object))
    media = media_csv(tmp_path / "media", *IDS)
    with pytest.raises(CatalogueError, match=r"test_y\.npy: cannot be read as a matrix of labels"):
        read_msd(media, lists)
    plain = pickle.dumps(Harmful())
    for content in (plain, b"", b"\x93NUMPY", (lists / "train_y.npy").read_bytes()[:-100]):
        (lists / "test_y.npy").write_bytes(content)
        with pytest.raises(CatalogueError, match=r"test_y\.npy: cannot be read"):
            read_msd(media, lists)
    assert not Path("harmed").exists()


def test_faulty_msd_tables_are_named(tmp_path: Path) -> None:
    lists = write_lists(tmp_path / "lists")
    media = media_csv(tmp_path / "media", *IDS)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CatalogueError, match=r"has none of Choi's lists.*keunwoochoi/MSD_split_for_tagging"):
        read_msd(media, tmp_path / "empty")
    for text, reason in (
        ("id,path\na,b\n", "needs the columns msd_id and path; its columns are"),
        ("", "is empty"),
        ("msd_id,path\nSONG,a.mp4\n", r"row 1: 'SONG' is not a track id"),
        (f"msd_id,path\n{IDS[0]},a,b\n", "row 1: has more values"),
        (f"msd_id,path\n{IDS[0]},none.mp4\n", "none of its 1 rows names an existing file"),
        (f"msd_id,path\n{IDS[0]},{IDS[0]}.mp4\n{IDS[0]},{IDS[1]}.mp4\n", r"row 2: '.*' is in .*row 1 too"),
    ):
        media.write_text(text)
        with pytest.raises(CatalogueError, match=reason):
            read_msd(media, lists)
    with pytest.raises(CatalogueError, match=r"none\.csv: no such file"):
        read_msd(tmp_path / "none.csv", lists)
    (lists / "test_x_msd_id.txt").write_text(f"{IDS[0]}\n{IDS[5]}\n")
    with pytest.raises(CatalogueError, match="occurs twice, or in another split too"):
        read_msd(media_csv(tmp_path / "media", *IDS), lists)


# MTG-Jamendo.

HEADER = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n"


def table(path: Path, *lines: str) -> Path:
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return path


def track(number: int, *tags: str, artist: int = 1) -> str:
    values = (f"track_{number:07}", f"artist_{artist:06}", "album_000001", f"{number % 100:02}/{number}.mp3", "30.5")
    return "\t".join([*values, *(tags or ("genre---rock",))])


def touch(audio: Path, *names: str) -> Path:
    for name in names:
        (audio / name).parent.mkdir(parents=True, exist_ok=True)
        (audio / name).touch()
    return audio


def test_tracks_have_artist_genre_tags_and_split(tmp_path: Path) -> None:
    audio = touch(tmp_path / "audio", "15/215.mp3", "16/216.low.mp3")
    train = table(tmp_path / "train.tsv", track(215, "instrument---piano", "genre---metal", "genre---rock"))
    test = table(tmp_path / "test.tsv", track(216, "mood/theme---happy", artist=7), track(217))
    found = read_jamendo({"train": train, "test": test}, audio)
    first, second = found.catalogue.records()
    assert (first["id"], first["artist"], first["genre"]) == ("track_0000215", "artist_000001", "metal")
    assert first["tags"] == ["instrument---piano", "genre---metal", "genre---rock"]
    assert (first["split"], first["path"]) == ("train", str(audio / "15" / "215.mp3"))
    assert (second["genre"], second["split"], second["artist"]) == (None, "test", "artist_000007")
    assert second["path"] == str(audio / "16" / "216.low.mp3")
    assert found.missing == ("track_0000217",)


def test_a_sample_of_the_published_table(samples: Path, tmp_path: Path) -> None:
    sample = samples / "jamendo_top50_test_head.tsv"
    lines = [line.split("\t") for line in sample.read_text().splitlines()[1:]]
    audio = touch(tmp_path, *(line[3].replace(".mp3", ".low.mp3") for line in lines))
    found = read_jamendo({"test": sample}, audio)
    assert found.catalogue.ids == [line[0] for line in lines]
    assert [row["tags"] for row in found.catalogue.records()] == [line[5:] for line in lines]
    assert max(len(line) for line in lines) > 6  # several tags stand in further columns
    assert {row["genre"] for row in found.catalogue.records()} > {"metal", "electronic"}


def test_faulty_jamendo_tables_are_named(tmp_path: Path) -> None:
    audio = touch(tmp_path / "audio", "15/215.mp3")
    touch(tmp_path, "secret.mp3")
    outside = track(215).replace("15/215.mp3", "../secret.mp3")
    absolute = track(215).replace("15/215.mp3", str(tmp_path / "secret.mp3"))
    for lines, reason in (
        ([outside], r"line 2: path '\.\./secret\.mp3' is outside"),
        ([absolute], "is outside the audio folder"),
        ([track(215, "rock")], r"line 2: tag 'rock' has no kind"),
        (["track_1\tartist"], "line 2: needs a track"),
        ([track(215), track(215)], r"line 3: track_0000215 is in .*line 2 too"),
        ([track(216)], "has none of the 1 tracks' files"),
    ):
        with pytest.raises(CatalogueError, match=reason):
            read_jamendo({"test": table(tmp_path / "test.tsv", *lines)}, audio)
    good = table(tmp_path / "a.tsv", track(215))
    with pytest.raises(CatalogueError, match="Keep every track in one split"):
        read_jamendo({"train": good, "test": table(tmp_path / "b.tsv", track(215))}, audio)
    good.write_text("id,path\n")
    with pytest.raises(CatalogueError, match="must start with the columns TRACK_ID ARTIST_ID"):
        read_jamendo({"test": good}, audio)
    with pytest.raises(CatalogueError, match="cannot be read as text"):
        read_jamendo({"test": tmp_path / "none.tsv"}, audio)
