"""Evaluations of recommendations: what is held out, what is compared, and that chance stays chance."""

from datetime import datetime

import numpy as np
import polars as pl
import pytest

from antiphon.errors import CatalogueError, ConfigError
from antiphon.metrics.recommendation import ndcg, places, recall
from antiphon.recommendation.baselines import artist_popularity, genre_match
from antiphon.recommendation.content import content_scores
from antiphon.recommendation.evaluation import evaluate_recommendation
from antiphon.recommendation.holdout import HoldOut, hold_out
from antiphon.recommendation.interactions import checked
from antiphon.recommendation.null import permuted_content
from antiphon.recommendation.space import Space
from antiphon.seeding import generator
from antiphon.synthetic.listeners import SyntheticTaste, synthetic_interactions

pytestmark = pytest.mark.usefixtures("quick_default")

pytestmark = pytest.mark.usefixtures("quick_default")

GENRES = ("rock", "jazz", "folk")
TAGS = ("calm", "fast", "dark", "choir", "strings", "piano")


@pytest.fixture(scope="module")
def records():
    """120 tracks of 40 artists; tags vary within a genre."""
    random = np.random.default_rng(0)
    return [
        {
            "id": f"v{row:03d}",
            "artist": f"artist {row // 3}",
            "genre": GENRES[row // 3 % 3],
            "tags": [*random.choice(TAGS, 3, replace=False).tolist(), "1990s"],
            "year": 1990 + row % 20,
            "split": "test" if row % 2 else "train",
        }
        for row in range(120)
    ]


@pytest.fixture(scope="module")
def space(records):
    """Vectors that say tags and genre, on both sides, with noise."""
    random = np.random.default_rng(1)
    said = np.array([[tag in row["tags"] for tag in TAGS] + [row["genre"] == g for g in GENRES] for row in records])
    sides = [said - said.mean(axis=0) + random.normal(0, 0.2, said.shape) for _ in range(2)]
    ids = [row["id"] for row in records]
    return Space.joined({side: (ids, rows, records) for side, rows in zip(("audio", "video"), sides, strict=True)})


@pytest.fixture(scope="module")
def interactions(records):
    return synthetic_interactions(records, SyntheticTaste(users=150, genre=1, fame=0.2), generator(0, "likes"))


@pytest.mark.parametrize("by", ["video", "artist", "date"])
def test_content_beats_the_baselines_and_shuffled_does_not(space, interactions, by):
    found = evaluate_recommendation(space, interactions, HoldOut(by=by))
    ahead = {name: numbers["ndcg@10"]["ci95"][0] for name, numbers in found["differences"].items()}
    assert min(ahead.values()) > 0, ahead
    for metric in ("recall@10", "ndcg@10"):
        low, high = found["null"][metric]["middle95"]
        assert low < found["methods"]["content"][metric]["chance"] < high < found["methods"]["content"][metric]["value"]
        assert found["null"]["differences"]["genre match"][metric]["value"] < 0
    assert found["synthetic"]


@pytest.mark.parametrize("seed", range(5))
def test_chance_lies_within_the_null_for_any_seed(space, interactions, seed):
    found = evaluate_recommendation(space, interactions, HoldOut(seed=seed))
    low, high = found["null"]["ndcg@10"]["middle95"]
    assert low < found["methods"]["content"]["ndcg@10"]["chance"] < high


def test_the_null_is_content_with_shuffled_vectors(space):
    random = np.random.default_rng(3)
    sound = space.sides["audio"].copy()
    sound[::7] = np.nan
    space = Space(space.ids, {"audio": sound, "video": space.sides["video"]}, space.about)
    liked = [np.array([0, 2, 4, 6, 7]), np.array([8]), np.array([14, 21])]
    new, relevant = np.arange(60, 120), random.random((3, 60)) < 0.2
    null = permuted_content(space, liked, relevant, new, 10, 0.3, generator(5, "null"), permutations=4)
    again = generator(5, "null")
    for number in range(4):
        shuffled = space.shuffled(again)
        again.permutation(len(new))
        for user, rows in enumerate(liked):
            found = places(content_scores(shuffled, rows, new, 0.3), 10)
            assert null.values["recall"][number, user] == pytest.approx(recall(found, relevant[user]))
            assert null.values["ndcg"][number, user] == pytest.approx(ndcg(found, relevant[user], 10))


def test_with_shuffled_vectors_content_is_behind_genre(space, interactions):
    found = evaluate_recommendation(space.shuffled(np.random.default_rng(2)), interactions)
    assert found["differences"]["genre match"]["ndcg@10"]["ci95"][1] < 0


def test_random_is_chance(space, interactions):
    found = evaluate_recommendation(space, interactions)
    for number in found["methods"]["random"].values():
        assert number["value"] == pytest.approx(number["chance"])


def test_numbers_are_those_of_a_naive_evaluation(space, records):
    likes = {"u": ["v000", "v002", "v001", "v003"], "w": ["v004", "v005"], "none new": ["v006"]}
    table = pl.DataFrame(
        [(u, v, True) for u, own in likes.items() for v in own], ("user_id", "video_id", "liked"), orient="row"
    )
    found = evaluate_recommendation(space, checked(table, space.ids, "test"), HoldOut(share=1), k=5, weight=1)
    new = [row for row in range(120) if row % 2]
    sound = space.sides["audio"].astype(float)
    recalls = []
    for own in (likes["u"], likes["w"]):
        liked = [int(name[1:]) for name in own if int(name[1:]) not in new]
        score = {row: np.mean(sorted(sound[liked] @ sound[row])[-3:]) for row in new}
        best = sorted(new, key=lambda row: -score[row])[:5]
        relevant = {int(name[1:]) for name in own} & set(new)
        recalls.append(len(relevant & set(best)) / len(relevant))
    assert found["methods"]["content"]["recall@5"]["value"] == pytest.approx(np.mean(recalls))
    assert (found["users"], found["users_left_out"], found["new"], found["old"]) == (2, 1, 60, 60)


def test_new_tracks_are_unseen_ones(space):
    for by in ("video", "artist", "date"):
        held = hold_out(space, HoldOut(by=by))
        assert {space.about[row]["split"] for row in held.new} == {"test"}
        assert not set(held.new) & set(held.old)


def test_by_artist_nobody_knows_the_artist(space):
    held = hold_out(space, HoldOut(by="artist", split=None))
    artists = [{space.about[row]["artist"] for row in rows} for rows in (held.new, held.old)]
    assert not artists[0] & artists[1]
    assert hold_out(space, HoldOut(by="artist", split=None, seed=1)).new.tolist() != held.new.tolist()


def test_by_artist_nobody_knows_the_artist_from_another_split_either():
    about = [
        {"id": f"v{row}", "split": ("train", "test")[row % 2], "artist": "Ann" if row < 4 else None} for row in range(8)
    ]
    about[1] |= {"artist": "ann feat. Bea"}
    space = Space(tuple(one["id"] for one in about), {"audio": np.eye(8, dtype=np.float32)}, tuple(about))
    held = hold_out(space, HoldOut(by="artist", share=1))
    assert held.new.tolist() == [1, 3, 5, 7]
    assert held.old.tolist() == [4, 6]


def test_by_date_all_new_is_newer_than_all_old(space):
    held = hold_out(space, HoldOut(by="date", share=0.2))
    assert min(space.about[row]["year"] for row in held.new) > max(space.about[row]["year"] for row in held.old)
    assert held.since.year == min(space.about[row]["year"] for row in held.new)


def test_what_was_liked_after_the_release_is_no_history(space):
    rows = [("u", "v000", True, datetime(1995, 1, 1)), ("u", "v002", True, datetime(2020, 1, 1))]
    rows += [("u", "v119", True, datetime(2020, 1, 1)), ("w", "v000", True, datetime(2020, 1, 1))]
    rows += [("w", "v119", True, datetime(2020, 1, 1))]
    table = pl.DataFrame(rows, ("user_id", "video_id", "liked", "time"), orient="row")
    found = evaluate_recommendation(space, checked(table, space.ids, "test"), HoldOut(by="date", share=0.1))
    assert (found["users"], found["users_left_out"]) == (1, 1)


def test_new_tracks_that_the_model_knows_are_counted(space, interactions):
    found = evaluate_recommendation(space, interactions, HoldOut(split=None, share=1 / 2), seen=space.ids)
    assert found["seen_by_model"] == found["new"] == 60


def test_the_baselines():
    liked = [{"genre": "rock"}, {"genre": "rock"}, {"genre": "jazz"}, {"genre": None}]
    candidates = [{"genre": "jazz", "artist": "a"}, {"genre": "rock", "artist": "b"}, {"genre": None, "artist": None}]
    assert genre_match(liked, candidates).tolist() == [0.25, 0.5, 0]
    assert artist_popularity({"b": 3}, candidates).tolist() == [0, 3, 0]


def test_popularity_does_not_know_the_future(space, records):
    liked = [("u", "v000", True), ("u", "v001", True), ("u", "v119", True)]
    liked += [(f"new only {number}", "v119", True) for number in range(5)]
    table = pl.DataFrame(liked, ("user_id", "video_id", "liked"), orient="row")
    found = evaluate_recommendation(space, checked(table, space.ids, "test"), HoldOut(share=1), k=1)
    # Artist 0 is known by v000; v119's artist by nothing but itself, which is new.
    assert found["methods"]["artist popularity"]["recall@1"]["value"] == pytest.approx(0.5)


def test_what_cannot_be_held_out_is_refused(space, interactions):
    bare = Space.of((list(space.ids), space.sides["audio"]))
    with pytest.raises(ConfigError, match="no tracks in the test split"):
        hold_out(bare, HoldOut())
    with pytest.raises(ConfigError, match="no track has a year"):
        hold_out(bare, HoldOut(by="date", split=None))
    with pytest.raises(ConfigError, match="makes all tracks new"):
        hold_out(space, HoldOut(by="date", share=1, split=None))
    table = pl.DataFrame({"user_id": ["u"], "video_id": ["v000"], "liked": [True]})
    with pytest.raises(ConfigError, match="No user liked both"):
        evaluate_recommendation(space, checked(table, space.ids, "test"))


def test_release_dates_of_a_catalogue_come_before_years(records):
    dated = [
        row | {"release_date": f"20{10 + number // 12:02d}-01-0{number % 9 + 1}"} for number, row in enumerate(records)
    ]
    space = Space.joined({"audio": ([row["id"] for row in dated], np.eye(120), dated)})
    held = hold_out(space, HoldOut(by="date", share=0.1))
    assert held.since.year == 2019
    wrong = Space.joined({"audio": (["v"], np.eye(1), [{"id": "v", "split": "test", "date": "soon"}])})
    with pytest.raises(ConfigError, match="track 'v': date is 'soon'"):
        hold_out(wrong, HoldOut(by="date"))


def test_tastes_are_drawn_again_alike_and_from_tags(records, interactions):
    again = synthetic_interactions(records, SyntheticTaste(users=150, genre=1, fame=0.2), generator(0, "likes"))
    assert again.table.equals(interactions.table)
    assert all(user.startswith("synthetic-user-") for user in again.users)
    with pytest.raises(CatalogueError, match="has no tags"):
        synthetic_interactions([{**row, "tags": ["1990s"]} for row in records], SyntheticTaste(), generator(0))


def test_without_pull_likes_are_drawn_evenly(records):
    taste = SyntheticTaste(users=400, likes=30, genre=0, tags=0, era=0, fame=0)
    counts = synthetic_interactions(records, taste, generator(0, "even")).table["video_id"].value_counts()["count"]
    assert counts.std() < 2 * np.sqrt(counts.mean())
