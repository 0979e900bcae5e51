"""The learning curve says that more data helps where it does."""

import numpy as np
import pytest

from antiphon.dual_encoder import DualEncoder
from antiphon.evaluation.learning_curve import _verdict, learning_curve
from antiphon.features import Features
from antiphon.metrics.ranks import ranks
from antiphon.model.recipe import load_recipe
from antiphon.seeding import generator

BASE = load_recipe("antiphon-base")
SMALL = BASE.model_copy(update={"head": BASE.head.model_copy(update={"hidden": (64,), "embedding_dim": 32})})

WITHOUT = SMALL.model_copy(update={"closed_form": None})


def part(count, seed, first):
    random = np.random.default_rng(seed)
    shared = random.normal(size=(count, 40))
    mix = np.random.default_rng(7)
    audio = shared @ mix.normal(size=(40, 60)) + 6 * random.normal(size=(count, 60))
    video = np.tanh(shared) @ mix.normal(size=(40, 60)) + 6 * random.normal(size=(count, 60))
    return Features.from_arrays(audio=audio, video=video, ids=[f"v{first + n}" for n in range(count)])


@pytest.mark.parametrize(("recipe", "made_of"), [(SMALL, "closed form"), (WITHOUT, "trainings")])
def test_a_rich_association_wants_more_data_and_all_points_share_one_pool(recipe, made_of):
    train, validation = part(400, 0, 0), part(120, 1, 1000)
    shares = []
    found = learning_curve(DualEncoder(recipe).fit(train, validation), train, validation, progress=shares.append)
    assert shares == [0.25, 0.5, 1.0]
    assert found["made_of"] == made_of
    assert [point["videos"] for point in found["points"]] == [100, 200, 400]
    assert {point["n"] for point in found["points"]} == {120}
    ranks = [point["geometric_mean_rank"] for point in found["points"]]
    assert ranks[0] > ranks[1] > ranks[2]
    assert abs(found["gain"] - ranks[1] / ranks[2]) < 1e-9
    assert 1 < found["ci95"][0] < found["gain"] < found["ci95"][1]
    assert found["verdict"].startswith("More music videos would probably help: from half of the videos to all, ")
    assert ("differences between trainings are not in the interval" in found["verdict"]) == (recipe is WITHOUT)
    assert ("by the closed form alone" in found["verdict"]) == (recipe is SMALL)


def test_points_in_closed_form_are_those_of_closed_forms_fitted_to_the_parts():
    train, validation = part(120, 0, 0), part(40, 1, 1000)
    model = DualEncoder(SMALL).fit(train, validation)
    found = learning_curve(model, train, validation, seed=3)
    videos = generator(3, "learning curve").permutation(np.unique(train.groups))
    for point, count in zip(found["points"], (30, 60, 120), strict=True):
        rows = train.take(np.isin(train.groups, videos[:count]))
        alone = model.closed_form_alone(rows)
        assert alone is not None
        audio, video = alone.embed(validation)
        both = np.concatenate([ranks(audio, video)[0], ranks(video, audio)[0]])
        assert point["geometric_mean_rank"] == pytest.approx(np.exp(np.log(both).mean()))


def test_too_few_videos_for_a_closed_form_are_trained_on():
    train, validation = part(24, 0, 0), part(12, 1, 1000)
    found = learning_curve(DualEncoder(SMALL).fit(train, validation), train, validation)
    assert found["made_of"] == "trainings"


def test_unrelated_pairs_promise_nothing():
    random = np.random.default_rng(0)
    sides = random.normal(size=(2, 160, 8))
    features = Features.from_arrays(audio=sides[0], video=sides[1], ids=[f"v{n}" for n in range(160)])
    train, validation = features.take(np.arange(120)), features.take(np.arange(120, 160))
    found = learning_curve(DualEncoder(SMALL).fit(train, validation), train, validation)
    assert found["ci95"][0] < 1 < found["ci95"][1]
    assert found["verdict"].startswith("No measurable gain from more music videos here: ")


@pytest.mark.parametrize(
    ("gain", "ci95", "said"),
    [
        (1.25, (1.1, 1.5), "More music videos would probably help: from half of the videos to all, the typical rank "),
        (1.25, (0.8, 2.0), "fell by a factor of 1.25 (95% 0.80–2.00; "),
        (0.8, (0.5, 1.25), "rose by a factor of 1.25 (95% 0.80–2.00; "),
        (0.8, (0.5, 0.9), "did not help here: "),
    ],
)
def test_a_factor_is_that_of_what_is_said_of_the_rank(gain, ci95, said):
    assert said in _verdict(gain, ci95, "closed form")
