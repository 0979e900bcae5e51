"""How well music videos suit a text: tags, titles, years, what is heard and measured, and the joint space."""

import numpy as np
import pytest

from antiphon.words import interpret
from antiphon.words.directions import Directions
from antiphon.words.evidence import Said
from antiphon.words.knowledge import Knowledge
from antiphon.words.matching import NO_MATCH, reasons
from antiphon.words.values import standard

ROWS = [
    {"tags": ["calm", "piano"], "genre": "jazz", "artist": "Ann", "title": "Sadness", "year": 1994},
    {"tags": ["acoustic guitar", "drum kit"], "genre": "folk", "artist": "Bea", "title": "Sad (Live)", "year": 1985},
    {"tags": ["no vocals"], "genre": "rock", "artist": "Cy Sad", "title": "Three", "year": None},
    {"tags": [], "genre": None, "artist": None, "title": None, "year": 2001},
    {"tags": ["metal"], "genre": "rock", "artist": "Dee", "title": "Loud", "year": 1998},
]
IDS = ["a", "b", "c", "d", "e"]


def known(**more):
    return Knowledge(IDS, ROWS, **more)


def best(knowledge, text):
    """The music videos that suit a text, best first."""
    suiting = knowledge.suiting(interpret(text, knowledge.vocabulary))
    return [IDS[row] for row in np.argsort(-suiting.total, kind="stable")]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("piano", "a"),
        ("guitar", "b"),
        ("schlagzeug", "b"),
        ("live", "b"),
        ("rock -metal", "c"),
        ("bea", "b"),
        ("90s jazz", "a"),
    ],
)
def test_tags_genres_titles_artists_and_years_say_what_a_music_video_is(text, first):
    assert best(known(), text)[0] == first


def test_a_word_inside_another_word_says_nothing():
    said = Said(ROWS)
    assert said.title("sad").tolist() == [0, 1, 0, 0, 0]  # not "Sadness"
    assert said.artist("sad").tolist() == [0, 0, 0.8, 0, 0]
    assert said.name("guitar").tolist() == [0, 0.8, 0, 0, 0]


def test_what_is_not_wanted_comes_last_and_a_tag_may_deny_it():
    assert best(known(), "no drums")[-1] == "b"
    assert Said(ROWS).concept("vocals").tolist() == [0, 0, -1, 0, 0]
    assert best(known(), "no vocals")[0] == "c"


def test_what_tags_say_both_ways_cancels_out_whatever_their_order():
    for tags in (["vocals", "no vocals"], ["no vocals", "vocals"]):
        assert Said([{"tags": tags}]).concept("vocals").tolist() == [0]


def test_a_reason_is_a_tag_that_says_what_is_asked_for():
    knowledge = Knowledge(
        ["a", "b", "c"], [{"tags": ["no wave", "heat wave"]}, {"tags": ["loud drums", "no drums"]}, {"tags": []}]
    )
    assert reasons(knowledge, knowledge.suiting(interpret("no drums")), "b") == ("no drums: tag no drums",)
    suiting = knowledge.suiting(interpret("wave", knowledge.vocabulary))
    assert reasons(knowledge, suiting, "a") == ("wave: tag heat wave",)


def test_what_suits_no_word_comes_after_all_that_suits_one_and_says_so():
    rows = [{"tags": ["piano"], "year": 1971}, {"tags": [], "year": None}, {"tags": ["piano"], "year": 1994}]
    knowledge = Knowledge(["old", "silent", "both"], rows)
    suiting = knowledge.suiting(interpret("piano, 90s"))
    assert suiting.matches.tolist() == [True, False, True]
    assert np.argsort(-suiting.total).tolist() == [2, 0, 1]  # by the sum alone, the silent one would be second
    assert reasons(knowledge, suiting, "silent") == (NO_MATCH,)
    assert reasons(knowledge, suiting, "old") == ("piano: tag piano",)


def test_a_year_that_is_not_known_counts_nothing_either_way():
    for text in ("90s", "no 90s", "since 1999"):
        total = known().suiting(interpret(text)).total
        assert total[2] == 0 and np.count_nonzero(total) == 4


def test_half_a_tempo_is_right_within_bounds_but_not_below_one():
    knowledge = known(measures={"tempo_bpm": np.array([160.0, 95, 80, 150, 140])})
    assert best(knowledge, "80 bpm")[:2] == ["c", "a"]
    total = knowledge.suiting(interpret("at most 100 bpm")).total
    assert min(total[[1, 2]]) > max(total[[0, 3, 4]])


def test_years_inside_come_first_then_unknown_ones_then_the_farthest_last():
    assert best(known(), "90s") == ["a", "e", "c", "d", "b"]
    assert best(known(), "before 1990")[0] == "b"


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("80s or 90s", "abe"),
        ("80s, 90s", "abe"),
        ("80s/90s", "abe"),
        ("before 1990 or after 2000", "bd"),
        ("before 1990 and after 2000", "bd"),
        ("1985 and 2001", "bd"),
        ("after 1990 and before 1998", "a"),
        ("between 1985 and 1994", "ab"),
    ],
)
def test_a_music_video_in_any_of_the_years_suits_fully_and_before_one_of_no_known_year(text, inside):
    total = dict(zip(IDS, known().suiting(interpret(text)).total, strict=True))
    assert all(total[id] == total[inside[0]] > total["c"] for id in inside)
    assert all(total["c"] > total[id] for id in set(IDS) - set(inside) - {"c"})
    years = known().suiting(interpret(text))
    assert all(reasons(known(), years, id)[0].endswith(str(ROWS[IDS.index(id)]["year"])) for id in inside)


def test_years_that_are_all_to_be_absent_come_last():
    assert best(known(), "no 80s or 90s")[:2] == ["d", "c"]


def test_each_of_several_years_that_nothing_tells_of_is_said():
    suiting = Knowledge(["a"], [{"tags": ["piano"]}]).suiting(interpret("80s or 90s, 120 bpm"))
    assert [term.name for term in suiting.silent] == ["1980–1989", "1990–1999", "114–126 bpm"] and not suiting.tells


def test_tempi_are_alternatives_too():
    knowledge = known(measures={"tempo_bpm": np.array([90.0, 105, 120, 70, 150])})
    total = knowledge.suiting(interpret("90 or 120 bpm")).total
    assert min(total[[0, 2]]) > max(total[[1, 3, 4]])
    total = knowledge.suiting(interpret("under 80 bpm or over 140 bpm")).total
    assert min(total[[3, 4]]) > max(total[:3])


LABELLED = [
    {"tags": ["techno"], "genre": "electronic"},
    {"tags": ["relaxing", "calm"], "genre": "Drum & Bass"},
    {"tags": ["mellow"], "genre": "house"},
    {"tags": ["electro", "dubstep"], "genre": None},
    {"tags": ["DnB"], "genre": "folk"},
    {"tags": [], "genre": None},
]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("drum & bass", {1, 4}),
        ("drum and bass", {1, 4}),
        ("dnb", {1, 4}),
        ("mellow", {2}),
        ("calm", {1}),
        ("electronic", {0}),
        ("Folk", {4}),
    ],
)
def test_what_has_the_label_comes_first_whatever_else_is_heard_and_excluded_comes_last(text, first):
    heard = {name: np.array([0.9, 0.01, 0.02, 0.95, 0.03, 0.9]) for name in ("electronic", "quiet", "Mellow")}
    knowledge = Knowledge([*"abcdef"], LABELLED, heard=heard)
    total = knowledge.suiting(interpret(text, knowledge.vocabulary)).total
    assert set(np.argsort(-total)[: len(first)]) == first
    without = knowledge.suiting(interpret(f"no {text}", knowledge.vocabulary)).total
    assert set(np.argsort(without)[: len(first)]) == first
    why = reasons(knowledge, knowledge.suiting(interpret(text, knowledge.vocabulary)), "abcdef"[min(first)])
    assert why[0].casefold().endswith(("drum & bass", text.casefold()))


def test_synonyms_of_a_label_come_before_what_is_neither():
    knowledge = Knowledge([*"abcdef"], LABELLED)
    total = knowledge.suiting(interpret("dnb", knowledge.vocabulary)).total
    assert min(total[[0, 3]]) > max(total[[2, 5]])


def test_what_is_heard_and_measured_counts_where_nothing_is_said():
    heard = {"quiet": np.array([0.1, 0.2, 0.1, 0.9, 0.05]), "loud": np.array([0.1, 0.1, 0.3, 0.01, 0.9])}
    measures = {"tempo_bpm": np.array([90, 100, np.nan, 60, 180.0]), "luma": np.array([0.1, 0.5, 0.6, 0.7, np.nan])}
    knowledge = known(heard=heard, measures=measures)
    assert best(knowledge, "quiet")[0] == "d" and best(knowledge, "loud")[0] == "e"
    assert best(knowledge, "fast")[0] == "e" and best(knowledge, "dark")[0] == "a"
    assert best(knowledge, "180 bpm")[:2] == ["e", "a"]  # 90 is half of it
    suiting = knowledge.suiting(interpret("quiet, dark", knowledge.vocabulary))
    assert reasons(knowledge, suiting, "d") == ("quiet: heard quiet 90%",)
    assert reasons(knowledge, suiting, "a")[-1] == "dark: darker than 75%"


def test_what_nothing_tells_of_is_said_and_does_not_count():
    suiting = known().suiting(interpret("dark piano", known().vocabulary))
    assert [term.name for term in suiting.silent] == ["dark"]
    alone = known().suiting(interpret("piano", known().vocabulary))
    np.testing.assert_array_equal(suiting.total, alone.total)


def test_the_same_word_twice_counts_once():
    twice, once = (
        known().suiting(interpret(text, known().vocabulary)) for text in ("piano, klavier, rock", "piano rock")
    )
    np.testing.assert_array_equal(twice.total, once.total)


@pytest.mark.numeric
def test_a_direction_is_the_ridge_regression_of_what_is_said():
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(40, 6)).astype(np.float32)
    rows[3] = np.nan  # a music video without this side
    said = (generator.random(40) < 0.3).astype(float)
    found = Directions({"audio": rows}).of(said)
    there = np.isfinite(rows).all(axis=1)
    centred = np.where(there[:, None], rows - rows[there].mean(axis=0), 0).astype(float)
    gram = centred.T @ centred
    ridge = (1 + 3000 / 40) * np.trace(gram) / 6
    # The same by least squares on rows that stand for the ridge.
    longer = np.vstack([centred, np.sqrt(ridge) * np.eye(6)])
    expected = np.linalg.lstsq(longer, np.concatenate([said - said.mean(), np.zeros(6)]), rcond=None)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)


def test_music_videos_without_tags_are_found_by_what_lies_near_those_that_have_them():
    generator = np.random.default_rng(1)
    kind = np.arange(60) % 2
    vectors = (generator.normal(size=(60, 8)) + 2 * kind[:, None] * np.eye(8)[0]).astype(np.float32)
    rows = [{"tags": ["surf"] if kind[row] and row < 30 else [], "title": None} for row in range(60)]
    ids = [f"{row:02d}" for row in range(60)]
    knowledge = Knowledge(ids, rows, sides={"": vectors})
    total = knowledge.suiting(interpret("surf", knowledge.vocabulary)).total
    untagged = np.arange(60) >= 30
    assert total[untagged & (kind == 1)].mean() > total[untagged & (kind == 0)].mean() + 0.5
    nothing_near = Knowledge(ids, rows).suiting(interpret("surf", knowledge.vocabulary)).total
    assert np.ptp(nothing_near[untagged]) == 0


def test_what_lies_nearest_to_a_text_as_a_whole_says_so_and_an_offset_of_all_changes_nothing():
    vectors = np.eye(12, 4) + 0.1 * np.random.default_rng(0).normal(size=(12, 4))
    ids = [f"{row:02d}" for row in range(12)]
    plain = Knowledge(ids, [{}] * 12, sides={"video": vectors})
    shifted = Knowledge(ids, [{}] * 12, sides={"video": vectors + np.array([3.0, 0, 0, 0])})
    asked, text = interpret("anything at all"), {"video": np.eye(4)[0], "audio": np.eye(4)[1]}
    suiting = plain.suiting(asked, text)
    assert suiting.tells and not plain.suiting(asked).tells and not plain.suiting(asked, {"audio": np.eye(4)[0]}).tells
    np.testing.assert_allclose(shifted.suiting(asked, text).total, suiting.total, atol=1e-9)
    assert reasons(plain, suiting, "00") == ("near the words as a whole",) and reasons(plain, suiting, "01") == (
        NO_MATCH,
    )
    of_both = plain.suiting(interpret("piano, 90s"), text)
    assert of_both.silent and np.allclose(of_both.total, suiting.total)  # terms that tell nothing count nothing


def test_standard_values_have_mean_0_and_deviation_1_and_nothing_is_infinite():
    values = np.array([1.0, 2.0, np.nan, 4.0])
    assert standard(values)[2] == 0
    assert standard(values)[[0, 1, 3]].mean() == pytest.approx(0, abs=1e-12)
    assert not standard(np.full(4, 0.1)).any() and not standard(np.full(4, np.nan)).any()
    assert standard(np.r_[np.zeros(1000), 1.0]).max() == 4
