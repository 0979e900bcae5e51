"""`antiphon recommend`: for a person, from a table, and measured."""

import json
import shutil

import pyarrow.compute as pc
import pytest

import antiphon as ap
from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.dual_encoder import DualEncoder
from antiphon.search import Index
from antiphon.tables import write_table

from .features import with_features

pytestmark = pytest.mark.usefixtures("quick_default")


@pytest.fixture(scope="module")
def place(synthetic_table, tmp_path_factory):
    """Synthetic media with made-up features, and a run."""
    workspace = with_features(tmp_path_factory.mktemp("recommend-cli") / "w", synthetic_table)
    base = ["-w", str(workspace.root)]
    assert run([*base, "train", "--no-learning-curve", "--name", "base"]) == 0
    return workspace


def call(place, capsys, *arguments):
    code = run(["-w", str(place.root), "recommend", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_from_one_liked_video_with_reasons(place, capsys):
    code, out, _ = call(place, capsys, "--like", "synthetic-0001", "-k", "20", "--json")
    found = json.loads(out)
    assert code == 0
    assert len(found["hits"]) == 11
    assert {hit["like"] for hit in found["hits"]} == {"synthetic-0001"}
    partner = next(hit for hit in found["hits"] if hit["id"] == "synthetic-0002")  # the same artist's
    assert any(reason.startswith("same artist") for reason in partner["shared"])


def test_embeddings_are_read_from_the_index_which_is_built_where_there_is_none(place, capsys, monkeypatch):
    shutil.rmtree(place.index, ignore_errors=True)
    asked = ("--like", "synthetic-0001", "-k", "20", "--json")
    code, out, err = call(place, capsys, *asked)
    assert code == 0
    assert "Building the index of run base." in err
    index = Index.open(place.index, DualEncoder.load(place.run("base")))
    expected = [hit.id for hit in ap.recommend(index, ["synthetic-0001"], 20)]

    def embed(self, *_, **__):
        raise AssertionError("The features were embedded again.")

    monkeypatch.setattr(DualEncoder, "embed", embed)
    code, again, err = call(place, capsys, *asked)
    assert (code, again) == (0, out)
    assert "Building" not in err
    assert [hit["id"] for hit in json.loads(again)["hits"]] == expected
    assert call(place, capsys, "--evaluate", "--synthetic", "--json")[0] == 0


def test_another_run_recommends_alike_and_leaves_the_index_as_it_is(place, capsys):
    asked = ("--like", "synthetic-0001", "-k", "20", "--json")
    _, expected, _ = call(place, capsys, *asked)
    origin = Index.open(place.index).origin
    assert origin.run == "base"
    copy = place.run("copy")
    try:
        shutil.copytree(place.run("base"), copy)
        code, out, err = call(place, capsys, *asked, "--run", "copy")
    finally:
        shutil.rmtree(copy)
    assert (code, "Building" in err) == (0, False)
    scores = [{hit["id"]: hit["score"] for hit in json.loads(text)["hits"]} for text in (out, expected)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-5)
    assert Index.open(place.index).origin == origin


def test_what_is_no_longer_in_the_catalogue_is_not_recommended(place, capsys):
    catalogue = Catalogue.load(place.catalogue)
    gone = "synthetic-0002"
    assert call(place, capsys, "--like", "synthetic-0001")[0] == 0  # Now there is an index, which holds it.
    try:
        write_table(catalogue.table.filter(pc.field("id") != gone), place.catalogue)
        code, out, _ = call(place, capsys, "--like", "synthetic-0001", "-k", "20", "--json")
    finally:
        write_table(catalogue.table, place.catalogue)
    assert code == 0
    assert gone in Index.open(place.index)
    assert gone not in {hit["id"] for hit in json.loads(out)["hits"]}


def test_a_liked_video_that_is_not_indexed_is_said(place, capsys):
    assert call(place, capsys, "--like", "synthetic-0001")[0] == 0
    index = Index.open(place.index)
    index.remove(["synthetic-0001"])
    try:
        code, _, err = call(place, capsys, "--like", "synthetic-0001")
        assert (code, "synthetic-0001: not in the index" in err) == (1, True)
        code, _, err = call(place, capsys, "--like", "synthetic-0001", "--like", "synthetic-0003")
        assert (code, "1 of 2 liked videos are not in the index" in err) == (0, True)
    finally:
        shutil.rmtree(place.index)


def test_a_table_of_interactions_and_filters(place, tmp_path, capsys):
    likes = tmp_path / "likes.csv"
    likes.write_text(
        "user,video,liked\nann,synthetic-0001,1\nann,synthetic-0003,0\nann,elsewhere,1\n", encoding="utf-8"
    )
    records = {row["id"]: row for row in Catalogue.load(place.catalogue).records()}
    code, out, err = call(place, capsys, "--history", likes, "--user", "ann", "-k", "20", "--json")
    found = json.loads(out)
    assert code == 0
    assert {hit["id"] for hit in found["hits"]} == {*records} - {"synthetic-0001", "synthetic-0003"}
    assert "1 rows skipped: not in the catalogue (elsewhere)" in err
    genre = records["synthetic-0005"]["genre"]
    code, out, _ = call(place, capsys, "--history", likes, "--user", "ann", "--genre", genre, "--json")
    assert {hit["metadata"]["genre"] for hit in json.loads(out)["hits"]} == {genre}


def test_the_evaluation_says_that_it_is_synthetic(place, capsys):
    code, out, _ = call(place, capsys, "--evaluate", "--synthetic", "-k", "1")
    assert code == 0
    assert "genre match" in out
    assert "Content minus artist popularity: " in out
    assert "circular and says nothing about people" in out
    assert max(len(line) for line in out.splitlines() if line.startswith(("content", "genre"))) <= 80
    written = json.loads((place.run("base") / "recommendation.json").read_text(encoding="utf-8"))
    assert written["synthetic"]
    assert written["seen_by_model"] == 0


def test_new_videos_that_the_model_has_seen_are_a_warning(place, capsys):
    code, _, err = call(place, capsys, "--evaluate", "--synthetic", "--split", "all", "--share", "0.9")
    assert code == 0
    assert "new videos were seen in training" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Nothing to recommend from"),
        (("--like", "nobody"), "--like nobody: no such video"),
        (("--evaluate",), "exactly one of --history FILE and --synthetic"),
        (("--user", "ann"), "exactly one of --history FILE and --synthetic"),
        (("--user", "ann", "--synthetic"), "user 'ann': no interactions with videos of the catalogue"),
        (("--history", "none.csv", "--user", "ann"), "none.csv: no such file"),
    ],
)
def test_what_cannot_be_done_is_said(place, capsys, arguments, words):
    code, _, err = call(place, capsys, *arguments)
    assert code == 1
    assert words in err
