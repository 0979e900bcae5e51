"""What two tracks share in words: true, rare enough to be worth saying, and nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.catalogue import Catalogue
from antiphon.search.explaining import Facts, Levels, TrackFacts, explain, facts_of, workspace_facts
from antiphon.tables import write_table
from antiphon.workspace import Workspace


def catalogue(**tracks):
    """These tracks among twenty others, spread evenly, of a genre each."""
    others = {
        f"other {n}": TrackFacts(
            artist=f"artist {n}",
            genre=f"genre {n}",
            tags=("drums", *(["rare"] if n < 2 else [])),
            year=1950 + 4 * n,
            measures={"luma": n / 20, "saturation": n / 20, "motion": n / 20, "cuts_per_s": n / 20},
            black_and_white=n < 3,
        )
        for n in range(20)
    }
    return Facts.of({**others, **tracks})


def said(one, other):
    return explain("a", "b", catalogue(a=one, b=other))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"genre": "techno"}, "same genre (techno)"),
        ({"artist": "Somebody"}, "same artist (Somebody)"),
        ({"tags": ("slow", "choir", "drums")}, "2 tags in common: choir, slow"),
        ({"tags": ("rare",)}, "1 tag in common: rare"),
        ({"year": 1984}, "both of 1984"),
        ({"measures": {"tempo_bpm": 92.2}}, "both about 92 bpm"),
        ({"measures": {"luma": 0.05}}, "both dark"),
        ({"measures": {"luma": 0.9}}, "both bright"),
        ({"measures": {"cuts_per_s": 0.9}}, "both cut fast"),
        ({"measures": {"cuts_per_s": 0.0}}, "both cut slowly"),
        ({"measures": {"motion": 0.95}}, "both in motion"),
        ({"measures": {"saturation": 0.9}}, "both colourful"),
        ({"black_and_white": True}, "both black and white"),
    ],
)
def test_each_thing_that_is_shared_is_said_and_nothing_else(facts, words):
    assert said(TrackFacts(**facts), TrackFacts(**facts)) == [words]
    assert said(TrackFacts(**facts), TrackFacts()) == []


@pytest.mark.parametrize(
    "facts",
    [
        {"tags": ("drums",)},
        {"measures": {"luma": 0.5}},
        {"measures": {"cuts_per_s": 0.4}},
        {"black_and_white": False},
    ],
)
def test_what_is_usual_is_not_worth_a_word(facts):
    assert said(TrackFacts(**facts), TrackFacts(**facts)) == []


def test_a_genre_that_most_have_is_not_said():
    facts = Facts.of({name: TrackFacts(genre="rock") for name in "abc"})
    assert explain("a", "b", facts) == []


def test_a_measure_that_never_varies_is_not_said():
    facts = Facts.of({name: TrackFacts(measures={"cuts_per_s": 0.0, "luma": 0.3}) for name in "abcd"})
    assert explain("a", "b", facts) == []


def test_black_and_white_is_not_said_to_be_pale_too():
    grey = TrackFacts(black_and_white=True, measures={"saturation": 0.01})
    assert said(grey, grey) == ["both black and white"]


@pytest.mark.parametrize(("one", "other", "same"), [(100, 103, True), (100, 106, False), (60, 120, False)])
def test_tempi_are_alike_within_four_percent(one, other, same):
    found = said(TrackFacts(measures={"tempo_bpm": one}), TrackFacts(measures={"tempo_bpm": other}))
    assert bool(found) == same


def test_close_years_and_long_lists_of_tags():
    tags = tuple(f"tag {n}" for n in range(8))
    found = said(TrackFacts(tags=tags, year=1986), TrackFacts(tags=tags, year=1984))
    assert found == ["8 tags in common: tag 0, tag 1, tag 2, tag 3, tag 4, …", "1984 and 1986"]


def test_cosines_are_told_by_the_share_of_pairs_below():
    levels = Levels({"audio": np.linspace(-1, 1, 1001), "video": np.linspace(-1, 1, 1001)})
    facts = catalogue()
    assert explain("x", "y", facts, {"audio": 0.97, "video": 0.7}, levels) == ["sound closer than 98% of pairs"]
    assert explain("x", "y", facts, {"audio": 0.0, "video": 1.5}, levels) == ["pictures closer than 99.9% of pairs"]
    assert explain("x", "y", facts, {"audio": 0.99}) == []
    assert explain("x", "y", facts, {"audio": 0.99}, Levels({})) == []


def test_usual_cosines_are_those_of_all_pairs():
    random = np.random.default_rng(0)
    rows = random.normal(size=(60, 4))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    every = (rows @ rows.T)[~np.eye(60, dtype=bool)]
    levels = Levels.of({"audio": rows}, np.random.default_rng(1))
    for cosine in (-0.5, 0.0, 0.6, 0.9):
        assert levels.closer_than("audio", cosine) == pytest.approx((every < cosine).mean(), abs=0.02)
    assert levels.by_side["audio"].max() < 1 - 1e-9  # no track is paired with itself


facts_of_one = st.builds(
    TrackFacts,
    artist=st.sampled_from([None, "artist 1", "x"]),
    genre=st.sampled_from([None, "genre 2", "jazz"]),
    tags=st.lists(st.sampled_from(["drums", "rare", "slow"]), max_size=3).map(tuple),
    year=st.none() | st.integers(1950, 2020),
    measures=st.dictionaries(st.sampled_from(["luma", "motion", "tempo_bpm"]), st.floats(0, 200)),
    black_and_white=st.sampled_from([None, True, False]),
)


@given(one=facts_of_one, other=facts_of_one)
def test_sharing_is_mutual(one, other):
    assert said(one, other) == said(other, one)


def test_segments_are_averaged_and_unknown_tempi_left_out():
    rows = [
        {"video_id": "a", "luma": luma, "black_and_white": grey, "tempo_bpm": None}
        for luma, grey in ((0.2, True), (0.4, True), (0.6, False))
    ]
    found = facts_of([{"id": "a", "genre": "jazz", "tags": None}, {"id": "b"}], rows).tracks
    assert found["a"].measures == {"luma": pytest.approx(0.4)}
    assert found["a"].black_and_white
    assert found["b"] == TrackFacts()


def test_the_facts_of_a_workspace(tmp_path):
    import pyarrow as pa

    workspace = Workspace(tmp_path)
    Catalogue([{"id": "a", "genre": "jazz"}, {"id": "b", "genre": "jazz"}]).save(workspace.catalogue)
    assert workspace_facts(workspace).tracks["a"].genre == "jazz"
    older = pa.table({"video_id": ["a"], "luma": [0.5]})
    write_table(older, workspace.attributes)
    assert workspace_facts(workspace).tracks["a"].measures == {}
