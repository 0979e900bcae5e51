import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.features.importing import from_yt8m

SHARED = Path(__file__).parents[3] / "shared" / "data"
IDS = ["TRAAAAA128F9000000", "TRAAAAB128F9000001"]
HEADER = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n"


def call(capsys: pytest.CaptureFixture[str], workspace: Path, *arguments: object) -> tuple[int, dict[str, Any], str]:
    code = run(["--workspace", str(workspace), "--json", *map(str, arguments)])
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    return code, found, printed.err + found.get("error", {}).get("message", "")


def sound(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(2 * 16_000))
    return path


def test_the_list_says_where_each_comes_from_and_which_command_reads_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found, _ = call(capsys, tmp_path / "w", "datasets", "list")
    assert code == 0
    assert len(found["datasets"]) == 6
    for item in found["datasets"]:
        assert all(item.values())
        assert item["command"].startswith("antiphon ")
        # The command is one: it has help of its own.
        words = [word for word in item["command"].split()[1:] if word.islower() and word.isalpha()]
        assert run([*words, "--help"]) == 0
    capsys.readouterr()
    assert run(["datasets", "list"]) == 0
    assert "MTG-Jamendo: 55,701 whole tracks" in capsys.readouterr().out
    assert not (tmp_path / "w").exists()


def test_msd_songs_join_the_catalogue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound(tmp_path / "a.wav")
    (tmp_path / "b.wav").write_text("no sound")
    (tmp_path / "media.csv").write_text(f"msd_id,path\n{IDS[0]},a.wav\n{IDS[1]},b.wav\n")
    (tmp_path / "test_x_msd_id.txt").write_text(f"{IDS[0]}\n")
    np.save(tmp_path / "test_y.npy", np.eye(50)[:1])
    (tmp_path / "wanted.txt").write_text("TRZZZZZ128F9000002\n")
    workspace = tmp_path / "w"
    arguments = ("datasets", "msd", tmp_path / "media.csv", "--lists", tmp_path, "--wanted", tmp_path / "wanted.txt")
    code, found, _ = call(capsys, workspace, *arguments)
    assert code == 0
    assert found["splits"] == {"test": 1, "unsplit": 1}
    assert (found["missing"], found["unlisted"]) == (["TRZZZZZ128F9000002"], [IDS[1]])
    assert list(found["unreadable"]) == [IDS[1]]
    row = Catalogue.load(workspace / "catalogue.parquet").records()[0]
    assert (row["tags"], row["split"], row["has_audio"], row["has_video"]) == (["rock"], "test", True, False)
    assert row["duration_s"] == pytest.approx(1, abs=0.01)
    assert call(capsys, workspace, *arguments)[1]["videos"] == 2  # again: nothing new
    assert run(["--workspace", str(workspace), *map(str, arguments)]) == 0
    assert "1 are in no list, so they have neither tags nor a split." in capsys.readouterr().out


def test_jamendo_tracks_join_the_catalogue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound(tmp_path / "audio" / "15" / "215.low.mp3")
    table = tmp_path / "test.tsv"
    table.write_text(HEADER + "track_0000215\tartist_000014\talbum_000031\t15/215.mp3\t1.0\tgenre---metal\n")
    workspace = tmp_path / "w"
    code, found, _ = call(capsys, workspace, "datasets", "jamendo", tmp_path / "audio", "--test", table)
    assert (code, found["splits"], found["missing"], found["unreadable"]) == (0, {"test": 1}, [], {})
    row = Catalogue.load(workspace / "catalogue.parquet").records()[0]
    assert (row["artist"], row["genre"], row["has_video"]) == ("artist_000014", "metal", False)
    code, found, _ = call(capsys, workspace, "datasets", "jamendo", tmp_path / "audio")
    assert code == 1
    assert "--train, --validation or --test" in found["error"]["message"]


# Names for the labels of YouTube-8M.


@pytest.fixture
def yt8m() -> Path:
    folder = SHARED / "yt8m"
    if not folder.exists():
        pytest.skip("the sample of YouTube-8M is not beside this checkout")
    return folder


def test_labels_get_their_names(yt8m: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shard = sorted((yt8m / "raw").glob("*.tfrecord"))[0]
    plain, named = from_yt8m([shard]), from_yt8m([shard], yt8m / "labels.csv")
    lines = (yt8m / "labels.csv").read_text().splitlines()[1:]
    names = {line.split(",", 1)[0]: line.split(",", 1)[1].strip('"').replace('""', '"') for line in lines}
    assert names["14"] == "Music video"
    assert [list(row) for row in named.labels] == [[names.get(i) or i for i in row] for row in plain.labels]
    workspace = tmp_path / "w"
    assert call(capsys, workspace, "features", "import", shard, "--label-names", yt8m / "labels.csv")[0] == 0
    tags = [tag for row in Catalogue.load(workspace / "catalogue.parquet").records() for tag in row["tags"]]
    assert "Music video" in tags


def test_labels_of_a_table_get_their_names_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = [[3], [3, 14], [99]] * 10
    table = {"id": [f"v{row}" for row in range(30)], "x": np.eye(30, dtype=np.float32), "labels": labels}
    pl.DataFrame(table).write_parquet(tmp_path / "f.parquet")
    (tmp_path / "names.csv").write_text("index,name\n3,Concert\n14,Music video\n")
    columns = ["--audio", "x", "--labels", "labels", "--label-names", tmp_path / "names.csv"]
    assert call(capsys, tmp_path / "w", "features", "import", tmp_path / "f.parquet", *columns)[0] == 0
    tags = {row["id"]: row["tags"] for row in Catalogue.load(tmp_path / "w" / "catalogue.parquet").records()}
    assert (tags["v0"], sorted(tags["v1"]), tags["v2"]) == (["Concert"], ["Concert", "Music video"], ["99"])
    pl.DataFrame(table | {"labels": [["rock"]] * 30}).write_parquet(tmp_path / "g.parquet")
    code, found, _ = call(capsys, tmp_path / "u", "features", "import", tmp_path / "g.parquet", *columns)
    assert (code, "'rock' is not an index" in found["error"]["message"]) == (1, True)


def test_faulty_label_names_are_refused(yt8m: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shard = sorted((yt8m / "raw").glob("*.tfrecord"))[0]
    names = tmp_path / "names.csv"
    for text, reason in (
        ("number,name\n1,a\n", "needs the columns index"),
        ("index,name\none,a\n", "needs the columns index"),
    ):
        names.write_text(text)
        code, found, _ = call(capsys, tmp_path / "w", "features", "import", shard, "--label-names", names)
        assert (code, reason in found["error"]["message"]) == (1, True), found
    names.unlink()
    _, found, _ = call(capsys, tmp_path / "w", "features", "import", shard, "--label-names", names)
    assert "names.csv: no such file" in found["error"]["message"]


def test_shards_and_tables_are_not_imported_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = [tmp_path / "train-00000-of-00010", tmp_path / "f.parquet"]
    code, _, message = call(capsys, tmp_path / "w", "features", "import", *both, "--audio", "x")
    assert (code, "is a shard and" in message) == (1, True)
    code, _, message = call(capsys, tmp_path / "w", "features", "import", tmp_path / "train.bin")
    assert (code, "Shards are named .tfrecord, .tfrecords" in message) == (1, True)
