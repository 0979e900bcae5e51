"""Which triplets are asked about."""

from collections import Counter

import numpy as np
import pytest

from antiphon.errors import ConfigError
from antiphon.judging import Judgements, RoundConfig, RunEmbeddings, prepare_round, score_round
from antiphon.judging.choosing import DRAWN, MIN_MARGIN, choose_questions
from antiphon.judging.similarities import NATURAL, standings

from .conftest import ARTISTS, IDS, random_run

pytestmark = pytest.mark.numeric


def chosen(runs, count=45, seed=0):
    return choose_questions(runs, [ARTISTS[name] for name in IDS], count, np.random.default_rng(seed))


def naive_standing(run, by, seed, candidate):
    """Share of the seed's other candidates that one leaves behind, cosine by cosine."""
    rows = {"sound": [run.audio], "pictures": [run.video], "both": [run.audio, run.video]}[by]

    def cosine(name):
        one, other = IDS.index(seed), IDS.index(name)
        return sum(
            float(side[one].astype(float) @ side[other].astype(float))
            / np.linalg.norm(side[one].astype(float))
            / np.linalg.norm(side[other].astype(float))
            for side in rows
        )

    others = [name for name in IDS if ARTISTS[name] != ARTISTS[seed] and name != candidate]
    return sum(cosine(name) < cosine(candidate) for name in others) / len(others)


def test_everything_is_asked_alike_and_seeds_are_used_evenly(runs):
    questions = chosen(runs)
    assert set(Counter((item.aspect, item.kind) for item in questions).values()) == {5}
    assert max(Counter(item.seed for item in questions).values()) == 1


def test_nobody_is_compared_with_their_own_artist(runs):
    for item in chosen(runs):
        assert len({item.seed, item.first, item.second}) == 3
        assert ARTISTS[item.seed] not in {ARTISTS[item.first], ARTISTS[item.second]}


def test_opinions_are_apart_as_the_question_says(runs):
    """Each source places its own candidate before the other, by the margin, in standings counted by hand."""
    by_name = {run.run: run for run in runs}
    words = {"sound and pictures": "both", "sound": "sound", "pictures": "pictures"}
    for item in chosen(runs):
        leads = []
        for own, other, source in (
            (item.first, item.second, item.first_source),
            (item.second, item.first, item.second_source),
        ):
            if source == DRAWN:
                continue
            run, by = source.split(" of ", 1)[1].split(" by ")
            lead = [naive_standing(by_name[run], words[by], item.seed, name) for name in (own, other)]
            leads.append(lead[0] - lead[1])
            assert item.kind == "sides" or words[by] == NATURAL[item.aspect]
        assert len(leads) == (1 if item.kind == "random" else 2)
        assert min(leads) == pytest.approx(item.margin, abs=1e-4)
        assert item.margin >= MIN_MARGIN


def test_the_first_candidate_means_nothing(runs):
    questions = [item for item in chosen(runs, 300) if item.kind == "random"]
    share = np.mean([item.first_source == DRAWN for item in questions])
    assert abs(share - 0.5) < 4 * 0.5 / np.sqrt(len(questions))


def test_one_run_is_set_against_chance_and_its_own_sides(runs):
    assert {item.kind for item in chosen(runs[:1])} == {"random", "sides"}


def test_runs_that_agree_are_not_set_against_each_other(runs):
    twin = RunEmbeddings("twin", "model of twin", IDS, 2 * runs[0].audio, 3 * runs[0].video)
    assert {item.kind for item in chosen([runs[0], twin])} == {"random", "sides"}


def test_a_run_that_holds_all_alike_has_no_questions():
    flat = RunEmbeddings("flat", "", IDS, np.ones((len(IDS), 2)), np.ones((len(IDS), 2)))
    assert chosen([flat]) == []


def test_standings_share_ties():
    assert standings(np.array([0.2, 0.2, 0.9, 0.1])).tolist() == [0.5, 0.5, 1.0, 0.0]


def test_the_same_seed_chooses_the_same_and_another_does_not(runs):
    assert chosen(runs) == chosen(runs)
    assert chosen(runs) != chosen(runs, seed=1)


def test_a_round_prepared_again_is_the_same_and_another_comes_after_it(judgements, runs):
    config = RoundConfig(questions=36, per_judge=18)
    before = judgements.questions(1)
    assert prepare_round(judgements, runs, ARTISTS, config).number == 1
    assert judgements.questions(1) == before
    assert prepare_round(judgements, runs, ARTISTS, config.model_copy(update={"seed": 1})).number == 2
    assert judgements.round().number == 2


def test_only_complete_and_playable_videos_are_asked_about(tmp_path, runs):
    sound = runs[0].audio.copy()
    sound[:10] = np.nan
    lacking = RunEmbeddings("one", "", IDS, sound, runs[0].video)
    store = Judgements(tmp_path / "j.sqlite")
    made = prepare_round(store, [lacking, runs[1]], ARTISTS, RoundConfig(), among=IDS[:50])
    names = {name for item in store.questions(1).values() for name in (item.seed, item.first, item.second)}
    assert names <= set(IDS[10:50])
    assert made.pool == 40


def test_a_further_run_is_asked_afterwards(judgements):
    third = random_run("three", 3)
    assert score_round(judgements, judgements.round(), third) == 36
    missing = RunEmbeddings("four", "", IDS[:30], third.audio[:30], third.video[:30])
    assert 0 < score_round(judgements, judgements.round(), missing) < 36


def test_what_cannot_be_prepared_is_refused(tmp_path, runs):
    store = Judgements(tmp_path / "j.sqlite")
    with pytest.raises(ConfigError, match="at least one"):
        prepare_round(store, [], ARTISTS)
    with pytest.raises(ConfigError, match="each only once"):
        prepare_round(store, [runs[0], runs[0]], ARTISTS)
    with pytest.raises(ConfigError, match="2 videos with audio, video and embeddings"):
        prepare_round(store, runs, ARTISTS, among=IDS[:2])
    with pytest.raises(ConfigError, match="no triplet"):
        prepare_round(store, runs, dict.fromkeys(IDS, "the same"))
    with pytest.raises(ConfigError, match="duplicate ids"):
        RunEmbeddings("one", "", ("a", "a"), np.ones((2, 1)), np.ones((2, 1)))
    assert store.round() is None
