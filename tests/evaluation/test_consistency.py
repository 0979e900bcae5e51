"""Consistency of videos and what attributes explain, against loops, scikit-learn and known answers."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression

from antiphon.evaluation.attributes import explain_similarity
from antiphon.evaluation.consistency import centred_unit_rows, consistency, dependence, spearman, within_videos

pytestmark = pytest.mark.numeric

GROUPS = np.array(list("aaabbcdddd"))


def units(count: int = 10, dim: int = 5, seed: int = 0) -> np.ndarray:
    return centred_unit_rows(np.random.default_rng(seed).normal(size=(count, dim)) + 0.3)


def test_within_and_between_by_a_loop():
    rows = units()
    pairs = {(i, j): float(rows[i] @ rows[j]) for i, j in combinations(range(10), 2)}
    own = {
        name: np.mean([value for (i, j), value in pairs.items() if GROUPS[i] == GROUPS[j] == name]) for name in "abd"
    }
    assert within_videos(rows, GROUPS) == pytest.approx([own["a"], own["b"], np.nan, own["d"]], nan_ok=True)
    found = consistency(rows, GROUPS)
    assert found is not None
    assert found["within"]["value"] == pytest.approx(np.mean(list(own.values())))
    between = np.mean([value for (i, j), value in pairs.items() if GROUPS[i] != GROUPS[j]])
    assert found["between"]["value"] == pytest.approx(between)
    assert found["difference"]["value"] == pytest.approx(found["within"]["value"] - between)
    assert found["videos"] == 3


def test_videos_that_keep_to_themselves_are_told_from_noise():
    random = np.random.default_rng(1)
    groups = np.repeat(np.arange(40).astype(str), 4)
    own = np.repeat(random.normal(size=(40, 8)), 4, axis=0)
    alike = consistency(centred_unit_rows(own + 0.5 * random.normal(size=(160, 8))), groups)
    noise = consistency(centred_unit_rows(random.normal(size=(160, 8))), groups)
    assert alike is not None
    assert noise is not None
    assert alike["difference"]["ci95"][0] > 0.5
    low, high = noise["difference"]["ci95"]
    assert low < 0 < high
    assert high - low < 0.2


def test_a_constant_shift_is_centred_away():
    rows = np.random.default_rng(2).normal(size=(10, 5))
    assert centred_unit_rows(rows + 7, np.full(5, 7.0)) == pytest.approx(centred_unit_rows(rows))


def test_one_segment_each_is_nothing_to_compare():
    assert consistency(units(3), np.array(["a", "b", "c"])) is None


def test_rank_correlation_as_polars_has_it():
    random = np.random.default_rng(3)
    x, y = random.integers(0, 6, 50).astype(float), random.normal(size=50)
    assert spearman(x, y) == pytest.approx(pl.select(pl.corr(pl.Series(x), pl.Series(y), method="spearman")).item())
    assert spearman(x, -(x**3)) == pytest.approx(-1)


def test_dependence_leaves_out_what_is_unknown():
    random = np.random.default_rng(4)
    x = random.normal(size=80)
    y = x + 0.5 * random.normal(size=80)
    x[:5], y[5:10] = np.nan, np.nan
    found = dependence(x, y)
    assert found is not None
    assert found["videos"] == 70
    assert 0.5 < found["ci95"][0] < found["rho"] < found["ci95"][1] < 1
    assert dependence(np.ones(10), np.arange(10.0)) is None


@pytest.fixture(scope="module")
def explained():
    """Segments of 60 videos: in one space cosines follow the brightness, in the other nothing."""
    random = np.random.default_rng(5)
    groups = np.repeat(np.arange(60).astype(str), 3)
    values = random.random((180, 3)) * [1, 3, 0]
    angle = np.pi * values[:, 0] / 2
    spaces = {
        "led": np.stack([np.cos(angle), np.sin(angle)], axis=1),
        "free": centred_unit_rows(random.normal(size=(180, 8))),
    }
    names = ("brightness", "motion", "constant")
    return spaces, values, groups, names, explain_similarity(spaces, values, names, groups)


def test_what_is_led_by_an_attribute_is_explained(explained):
    *_, found = explained
    led, free = (found["spaces"][name] for name in ("led", "free"))
    assert found["segments"] == 180
    assert led["r2"]["ci95"][0] > 0.8
    assert led["r2"]["null95"][1] < 0.1
    assert led["correlations"]["brightness"]["ci95"][0] > 0.85
    assert abs(led["correlations"]["motion"]["value"]) < 0.15
    assert led["correlations"]["constant"] is None
    assert free["r2"]["value"] < 0.02
    assert free["r2"]["value"] <= free["r2"]["null95"][1] * 1.5


def test_r2_is_that_of_a_regression_on_all_pairs(explained):
    spaces, values, groups, names, _ = explained
    some = np.arange(45)
    found = explain_similarity({"led": spaces["led"][some]}, values[some], names, groups[some])
    pairs = [(i, j) for i, j in combinations(some, 2) if groups[i] != groups[j]]
    assert found is not None
    assert found["pairs"] == len(pairs)
    close = np.array([-abs(values[i] - values[j]) for i, j in pairs])
    cosines = np.array([spaces["led"][i] @ spaces["led"][j] for i, j in pairs])
    expected = LinearRegression().fit(close, cosines).score(close, cosines)
    assert found["spaces"]["led"]["r2"]["value"] == pytest.approx(expected)
    correlation = np.corrcoef(close[:, 1], cosines)[0, 1]
    assert found["spaces"]["led"]["correlations"]["motion"]["value"] == pytest.approx(correlation)


def test_segments_without_attributes_are_left_out(explained):
    spaces, values, groups, names, _ = explained
    holes = values.copy()
    holes[:90, 1] = np.nan
    found = explain_similarity(spaces, holes, names, groups)
    assert found is not None
    assert (found["segments"], found["videos"]) == (90, 30)
    assert explain_similarity(spaces, np.full_like(values, np.nan), names, groups) is None
    with pytest.raises(ValueError, match="attributes has shape"):
        explain_similarity(spaces, values[:, :2], names, groups)
