"""Two catalogues side by side: their distances, against plain ways to compute them, and what is printed."""

import json

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from antiphon.catalogue import Catalogue, comparison
from antiphon.catalogue.importers import read_audioset
from antiphon.cli.app import run
from antiphon.errors import CatalogueError


def made(count, seed, genres=("rock", "jazz"), later=0):
    random = np.random.default_rng(seed)
    rows = [
        {
            "id": f"{seed}-{n}",
            "genre": str(random.choice(genres)),
            "tags": ["loud"] if n % 2 else ["loud", "live"],
            "year": 1980 + int(random.integers(20)) + later,
            "duration_s": float(random.uniform(100, 300) + 10 * later),
        }
        for n in range(count)
    ]
    return Catalogue(rows)


def test_distances_are_those_of_plain_formulas():
    one, two = made(40, 1), made(60, 2, ("Rock", "pop"), later=10)
    found = comparison.compare_catalogues(one, two)["distances"]
    durations = [[row["duration_s"] for row in of.records()] for of in (one, two)]
    assert found["duration_s"]["distance"] == pytest.approx(wasserstein_distance(*durations))
    shares = [np.mean([row["genre"].lower() == "rock" for row in of.records()]) for of in (one, two)]
    jazz, pop = 1 - shares[0], 1 - shares[1]
    assert found["genre"]["distance"] == pytest.approx((abs(shares[0] - shares[1]) + jazz + pop) / 2)
    assert found["genre"]["videos"] == [40, 60]


def test_intervals_hold_the_distance_and_nulls_tell_chance_from_difference(monkeypatch):
    monkeypatch.setattr(comparison, "DRAWS", 200)
    alike = comparison.compare_catalogues(made(200, 1), made(200, 2))["distances"]
    apart = comparison.compare_catalogues(made(200, 1), made(200, 2, later=10))["distances"]
    assert alike["duration_s"]["distance"] < alike["duration_s"]["null95"][1]
    assert alike["tags"]["distance"] == 0
    for name in ("duration_s", "decade"):
        low, high = apart[name]["ci95"]
        assert low <= apart[name]["distance"] <= high
        assert apart[name]["null95"][1] < low


def test_many_names_do_not_push_the_interval_off_the_distance(monkeypatch):
    """Resampling 50 shares of a few videos each brings them apart by much more than they are."""
    monkeypatch.setattr(comparison, "DRAWS", 200)
    genres = [f"genre {number}" for number in range(50)]
    found = comparison.compare_catalogues(made(300, 1, genres), made(300, 2, genres))["distances"]["genre"]
    assert found["ci95"][0] <= found["distance"] <= found["ci95"][1]
    assert found["distance"] < found["null95"][1]


def test_shares_are_of_videos_with_a_name_in_one_spelling():
    def catalogue(*genres):
        rows = [{"id": f"v{number}", "genre": genre} for number, genre in enumerate(genres)]
        return Catalogue([made(1, 1).records()[0] | row for row in rows])

    this = catalogue(*["Hip Hop"] * 3, "jazz", None)
    other = catalogue(*["hip hop"] * 1, *["jazz"] * 3, "rock")
    found = comparison.compare_catalogues(this, other, max_names=2)["shares"]["genres"]
    assert found["videos"] == [4, 5]
    assert sorted(map(tuple, found["counts"].values())) == [(1, 3), (3, 1)]


def test_few_values_have_no_distance():
    found = comparison.compare_catalogues(made(9, 1), made(60, 2))["distances"]
    assert all(value is None for value in found.values())


def test_the_command_prints_both_and_reads_workspaces_and_tables(tmp_path, capsys):
    for name, catalogue in (("a", made(30, 1)), ("b", made(30, 2, later=10))):
        (tmp_path / name).mkdir()
        catalogue.save(tmp_path / name / "catalogue.parquet")
    (tmp_path / "t.csv").write_text("id,genre\n" + "".join(f"x{n},pop\n" for n in range(20)))
    base = ["-w", str(tmp_path / "a")]
    for other in ("b", "b/catalogue.parquet", "t.csv"):
        assert run([*base, "--json", "catalogue", "describe", "--against", str(tmp_path / other)]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["this"]["videos"] == 30
        assert found["distances"]["genre"]["distance"] <= 1
    assert run([*base, "catalogue", "describe", "--against", str(tmp_path / "b")]) == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("Distances", "null 95%", "1990s", "rock"))
    (tmp_path / "c").mkdir()
    assert run([*base, "catalogue", "describe", "--against", str(tmp_path / "c")]) == 1
    assert "Name a workspace, or a table" in " ".join(capsys.readouterr().err.split())


def test_lists_of_audioset_become_a_catalogue(tmp_path, capsys):
    (tmp_path / "l.csv").write_text('# a comment\n-a_1, 30.000, 40.000, "/m/1,/m/9"\nb2, 0, 10, "/m/1"\n')
    (tmp_path / "n.csv").write_text('index,mid,display_name\n0,/m/1,"Music, live"\n')
    found = read_audioset(tmp_path / "l.csv", tmp_path / "n.csv", "test")
    first = found.catalogue.records()[0]
    assert (first["id"], first["tags"], first["start_s"], first["duration_s"]) == (
        "-a_1",
        ["Music, live", "/m/9"],
        30,
        10,
    )
    assert (first["split"], found.unlisted) == ("test", ("/m/9",))
    call = ["datasets", "audioset", str(tmp_path / "l.csv"), "--split", "train"]
    assert run(["-w", str(tmp_path / "w"), "--json", *call]) == 0
    assert json.loads(capsys.readouterr().out)["imported"] == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a, 1, 2", "needs YTID"),
        ('a, 40, 30, "x"', "no stretch of a video"),
        ('a, x, 30, "x"', "no stretch of a video"),
        ('a, 0, 10, "x"\na, 0, 10, "x"', "is there twice"),
        ("# nothing", "has no rows"),
    ],
)
def test_other_lists_are_refused(line, said, tmp_path):
    (tmp_path / "l.csv").write_text(line + "\n")
    with pytest.raises(CatalogueError, match=said):
        read_audioset(tmp_path / "l.csv")
