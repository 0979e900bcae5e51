"""The report recovers what simulated judges do, and its numbers are those of a naive count."""

import json
from itertools import combinations

import numpy as np
import pytest

from antiphon.errors import ConfigError
from antiphon.judging import Judgements, RoundConfig, judging_report, prepare_round, score_round
from antiphon.judging.agreement import crossed_mean, majority_of_others
from antiphon.judging.answers import read_answers
from antiphon.judging.report import own_consistency
from antiphon.judging.simulated import simulate_judge
from antiphon.metrics import krippendorff_alpha
from antiphon.presentation.judging_sentences import judging_sentences, points_with_interval, share_with_interval

from .conftest import ARTISTS, random_run


@pytest.fixture(scope="module")
def asked(tmp_path_factory, runs) -> Judgements:
    """A larger round, answered by nobody."""
    found = Judgements(tmp_path_factory.mktemp("judging") / "j.sqlite")
    prepare_round(found, runs, ARTISTS, RoundConfig(questions=180, per_judge=120))
    return found


@pytest.fixture
def store(asked, tmp_path) -> Judgements:
    """A copy of it for each test."""
    (tmp_path / "j.sqlite").write_bytes(asked.path.read_bytes())
    return Judgements(tmp_path / "j.sqlite")


def report(store: Judgements, **options):
    return judging_report(store, store.round(), simulated=True, **options)


def matching(found, run):
    return next(item for item in found["similarities"] if (item["run"], item["by"]) == (run, "matching"))["aspects"][
        "all"
    ]


@pytest.mark.parametrize("noise", [0.0, 0.2, 0.4])
def test_judges_who_follow_a_similarity_are_recovered(store, noise):
    for number in range(5):
        simulate_judge(store, f"{number}", run="one", noise=noise)
    found = report(store)
    one = matching(found, "one")
    assert one["value"] == pytest.approx(1 - noise, abs=0.05)
    assert one["ci95"][0] <= 1 - noise <= one["ci95"][1]
    # Two judges agree with the share below; of two equally frequent answers half would agree by chance.
    same = (1 - noise) ** 2 + noise**2
    assert found["alpha"]["all"]["decided"]["value"] == pytest.approx(2 * same - 1, abs=0.1)
    assert found["consistency"]["value"] == pytest.approx(same, abs=0.17)
    low, high = found["left"]["ci95"]
    assert low <= 0.5 <= high
    if noise < 0.4:
        difference = next(item for item in found["differences"] if item["aspect"] == "all")
        assert difference["ci95"][0] > 0
        assert difference["opposed"]["value"] == pytest.approx(1 - noise, abs=0.07)
        judge, run = found["majority"]["judge"]["all"], found["majority"]["runs"]["one"]["all"]
        assert judge["value"] <= run["value"] + 0.02


def test_judges_who_answer_at_random_give_chance(store):
    for number in range(5):
        simulate_judge(store, f"{number}", run=None)
    found = report(store)
    numbers = [matching(found, "one"), matching(found, "two"), found["majority"]["judge"]["all"], found["left"]]
    for number in numbers:
        assert number["value"] == pytest.approx(0.5, abs=0.08)
        assert number["ci95"][0] < 0.5 < number["ci95"][1]
    assert abs(found["alpha"]["all"]["decided"]["value"]) < 0.12


def test_the_numbers_are_those_of_a_naive_count(store):
    for number in range(3):
        simulate_judge(store, f"{number}", run="two", noise=0.3, unsure=0.15)
    answers = read_answers(store.path, 1, simulated=True)
    found = report(store)
    opinion = next(item for item in answers.opinions if (item.run, item.by) == ("two", "sound"))
    shares, pairs_alike = [], []
    for column in np.flatnonzero(answers.aspects == "sound"):
        given = [value for value in answers.first[:, column] if value in (0.0, 1.0)]
        if given:
            shares.append(np.mean([value == opinion.first[column] for value in given]))
    for judge in range(3):
        for column in range(180):
            both = (answers.first[judge, column], answers.again[judge, column])
            if set(both) <= {0.0, 1.0}:
                pairs_alike.append(both[0] == both[1])
    of_sound = next(item for item in found["similarities"] if (item["run"], item["by"]) == ("two", "sound"))
    assert of_sound["aspects"]["sound"]["value"] == pytest.approx(np.mean(shares))
    assert sum(judge["repeats"] for judge in found["judges"]) == len(pairs_alike)
    assert sum(judge["consistent"] for judge in found["judges"]) == sum(pairs_alike)
    assert found["unsure"] == pytest.approx((answers.first == 0.5).sum() / np.isfinite(answers.first).sum())
    half = of_sound["aspects"]["sound"]["unsure_as_half"]["value"]
    assert abs(half - 0.5) < abs(of_sound["aspects"]["sound"]["value"] - 0.5)
    plain = np.where(answers.first == 0.5, np.nan, answers.first)
    assert found["alpha"]["all"]["decided"]["value"] == pytest.approx(krippendorff_alpha(plain).value)


def test_simulated_judges_are_left_out_unless_asked_for(store):
    simulate_judge(store, "one", run="one")
    store.join("Ada")
    task = store.next_task("Ada")
    store.answer("Ada", task.item, "unsure")
    people = judging_report(store, store.round())
    assert (people["answers"], [judge["name"] for judge in people["judges"]]) == (1, ["Ada"])
    assert [judge["name"] for judge in report(store)["judges"]] == ["simulated one"]
    assert "simulated" in " ".join(judging_sentences(report(store)))


def test_a_bias_to_the_left_is_seen(store):
    store.join("left", simulated=True)
    store.answer_all(
        "simulated left", {task.item: "left" for task in store.unanswered("simulated left")}, simulated=True
    )
    found = report(store)
    assert found["left"]["value"] == 1
    assert found["consistency"]["value"] == 0  # sides are swapped the second time
    assert matching(found, "one")["value"] == pytest.approx(0.5, abs=0.1)
    assert "a bias to the left" in " ".join(judging_sentences(found))


def test_judges_who_never_disagree_have_a_defined_alpha(store):
    """All follow one model without noise: with "the model's" as a category nothing would vary."""
    for number in range(2):
        simulate_judge(store, f"{number}", run="one", noise=0)
    assert report(store)["alpha"]["all"]["decided"]["value"] == 1


def test_a_run_scored_afterwards_is_compared_too(store):
    third = random_run("three", 3)
    for number in range(2):
        simulate_judge(store, f"{number}", run="one", noise=0.1)
    score_round(store, store.round(), third)
    found = report(store)
    assert matching(found, "three")["value"] == pytest.approx(0.5, abs=0.12)
    pairs = {(item["one"]["run"], item["other"]["run"]) for item in found["differences"] if item["aspect"] == "all"}
    assert pairs == set(combinations(["one", "three", "two"], 2))


def test_nothing_answered_and_the_words_for_it(store):
    found = judging_report(store, store.round())
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert judging_sentences(found) == ["No answers yet. Round 1 has 180 questions."]


def test_a_perfect_similarity_is_ahead_of_one_judge(store):
    """Three judges each right in 80%: two others agree on the right candidate in 0.64 and split in 0.32."""
    for number in range(3):
        simulate_judge(store, f"{number}", run="one", noise=0.2)
    majority = report(store)["majority"]
    assert majority["runs"]["one"]["all"]["value"] == pytest.approx(0.64 + 0.32 / 2, abs=0.05)
    assert majority["judge"]["all"]["value"] == pytest.approx(0.8 * 0.64 + 0.2 * 0.04 + 0.32 / 2, abs=0.05)
    assert "a split counting half; one agrees with it on" in " ".join(judging_sentences(report(store)))


def test_one_judge_alone_has_no_alpha_and_no_majority(store):
    name = simulate_judge(store, "one", run="one")
    found = report(store)
    assert found["alpha"]["all"]["decided"]["value"] is None
    assert found["majority"]["judge"]["all"]["value"] is None
    json.dumps(found, allow_nan=False)
    words = " ".join(judging_sentences(found))
    assert "not defined: no question was answered by two judges" in words
    assert "With only one judge" in words
    assert own_consistency(store, store.round(), name) == (0, 0)  # no person of that name


def test_the_interval_knows_of_judges_and_of_questions():
    random = np.random.default_rng(0)
    judges = np.repeat(random.random((8, 1)), 400, axis=1)  # only judges differ
    seeds = np.arange(400)
    width = np.diff(crossed_mean(judges, seeds).ci95)[0]
    assert width == pytest.approx(2 * 1.96 * judges[:, 0].std() / np.sqrt(8), rel=0.25)
    questions = np.repeat(random.random((1, 400)), 8, axis=0)  # only questions differ
    width = np.diff(crossed_mean(questions, seeds).ci95)[0]
    assert width == pytest.approx(2 * 1.96 * questions[0].std() / np.sqrt(400), rel=0.25)
    grouped = crossed_mean(np.repeat(questions[:, :10], 40, axis=1), np.repeat(np.arange(10), 40)).ci95
    assert np.diff(grouped)[0] > 3 * width


@pytest.mark.parametrize(
    ("cells", "bounds", "expected"),
    [
        (np.ones((1, 3)), (0.0, 1.0), (0.2924, 1.0)),
        (np.zeros((1, 3)), (0.0, 1.0), (0.0, 0.7076)),
        (np.ones((4, 10)), (0.0, 1.0), (0.6915, 1.0)),
        (np.ones((1, 400)), (0.0, 1.0), (0.9908, 1.0)),
        (np.ones((1, 6)), (-1.0, 1.0), (2 * 0.5407 - 1, 1.0)),
    ],
)
def test_answers_that_are_all_alike_are_no_certainty(cells, bounds, expected):
    found = crossed_mean(cells, np.arange(cells.shape[1]), bounds=bounds)
    assert found.ci95 == pytest.approx(expected, abs=1e-4)


def test_too_few_questions_are_called_that():
    few = crossed_mean(np.ones((2, 4)), np.arange(4)).as_dict()
    enough = crossed_mean(np.ones((2, 5)), np.arange(5)).as_dict()
    assert share_with_interval(few) == points_with_interval(few) == "too few (4 questions)"
    assert share_with_interval(enough) == "100% (47.8%–100%)"
    assert share_with_interval(crossed_mean(np.full((1, 1), 0.0), [0]).as_dict()) == "too few (1 question)"


def test_sentences_claim_nothing_from_few_answers(store):
    store.join("Ada", simulated=True)
    tasks = store.unanswered("simulated Ada")
    store.answer_all("simulated Ada", {task.item: "left" for task in tasks[:3]}, simulated=True)
    words = " ".join(judging_sentences(report(store)))
    assert "one: 3 decided questions, too few to say how often it agrees." in words
    for claim in ("chance", "100%", "0% (", "bias", "prefer"):
        assert claim not in words.replace("not defined", "")


def test_majorities_leave_the_judge_out():
    choices = np.array([[1.0, 1.0, np.nan], [1.0, 0.0, 1.0], [0.0, np.nan, np.nan]])
    expected = np.array([[0.5, 0.0, np.nan], [0.5, 1.0, np.nan], [1.0, np.nan, np.nan]])
    np.testing.assert_array_equal(majority_of_others(choices), expected)


def test_a_simulated_judge_needs_a_run_that_was_asked(store):
    with pytest.raises(ConfigError, match="has no scores in round 1"):
        simulate_judge(store, "x", run="nine")
    with pytest.raises(ConfigError, match="shares from 0 to 1"):
        simulate_judge(store, "x", run="one", noise=2)
