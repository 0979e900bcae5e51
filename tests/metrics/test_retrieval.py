"""Ranks against a naive count, summaries against a naive loop, intervals against what they must cover."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from antiphon.metrics import retrieval
from antiphon.metrics.groups import bootstrap_weights, group_numbers, members, permuted_rows, weight_blocks
from antiphon.metrics.ranks import ranks
from antiphon.metrics.summaries import chance, summarise, summarise_weighted

pytestmark = pytest.mark.numeric


def naive_ranks(queries, candidates, targets=None):
    result = []
    for i, query in enumerate(queries):
        target = i if targets is None else targets[i]
        scores = [sum(float(q) * float(c) for q, c in zip(query, row, strict=True)) for row in candidates]
        above = sum(score > scores[target] + 1e-12 for score in scores)
        tied = sum(abs(score - scores[target]) <= 1e-12 for score in scores) - 1
        result.append(1 + above + tied / 2)
    return np.array(result)


@given(
    st.integers(1, 12).flatmap(
        lambda n: st.tuples(
            hnp.arrays(np.int8, (n, 3), elements=st.integers(-2, 2)),
            hnp.arrays(np.int8, (n, 3), elements=st.integers(-2, 2)),
        )
    ),
    st.integers(1, 5),
)
def test_ranks_equal_a_naive_count_with_many_ties(pair, chunk_rows):
    audio, video = (array.astype(np.float32) for array in pair)
    np.testing.assert_array_equal(ranks(audio, video, chunk_rows=chunk_rows)[0], naive_ranks(audio, video))


def test_ranks_equal_a_naive_count_on_random_embeddings_and_permuted_partners():
    random = np.random.default_rng(0)
    audio, video = random.normal(size=(2, 60, 8)).astype(np.float32)
    permuted = np.stack([random.permutation(60) for _ in range(4)])
    true, null = ranks(audio, video, permuted=permuted, chunk_rows=7)
    np.testing.assert_array_equal(true, naive_ranks(audio, video))
    for row, targets in zip(null, permuted, strict=True):
        np.testing.assert_array_equal(row, naive_ranks(audio, video, targets))


def naive_ranks_of_other_groups(queries, candidates, numbers, targets):
    """One loop over the pairs: the target, and candidates of other groups than the target's."""
    result = []
    for query, target in zip(queries, targets, strict=True):
        scores = [float(query.astype(np.float64) @ row) for row in candidates.astype(np.float64)]
        others = [scores[j] for j in range(len(scores)) if numbers[j] != numbers[target]]
        above = sum(score > scores[target] + 1e-12 for score in others)
        tied = sum(abs(score - scores[target]) <= 1e-12 for score in others)
        result.append(1 + above + tied / 2)
    return np.array(result)


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=14),
    st.integers(0, 2**16),
    st.booleans(),
    st.integers(1, 5),
)
def test_without_the_rest_of_the_group_ranks_equal_a_naive_count(names, seed, whole_numbers, chunk_rows):
    random = np.random.default_rng(seed)
    queries, candidates = random.normal(size=(2, len(names), 3))
    if whole_numbers:  # many ties
        queries, candidates = np.round(queries), np.round(candidates)
    numbers = group_numbers(np.array(names), len(names))
    permuted = permuted_rows(numbers, 3, random)
    true, null = ranks(queries, candidates, permuted=permuted, left_out=members(numbers), chunk_rows=chunk_rows)
    expected = naive_ranks_of_other_groups(queries, candidates, numbers, np.arange(len(names)))
    np.testing.assert_array_equal(true, expected)
    for row, targets in zip(null, permuted, strict=True):
        np.testing.assert_array_equal(row, naive_ranks_of_other_groups(queries, candidates, numbers, targets))


def test_without_the_rest_of_the_group_pool_and_chance_are_smaller():
    random = np.random.default_rng(0)
    audio, video = random.normal(size=(2, 12, 4))
    groups = np.repeat(["a", "b", "c"], [2, 4, 6])
    found = retrieval(audio, video, groups=groups, exclude_same_group=True, resamples=20, permutations=20)["a2v"]
    pools = np.repeat([11, 9, 7], [2, 4, 6])
    assert found["n"] == 8  # 25/3
    assert found["chance"] == pytest.approx(np.mean([(n + 1) / 2 for n in pools]))
    assert found["by_metric"]["recall@5"]["chance"] == pytest.approx(np.mean([5 / n for n in pools]))
    for one_each in (True, False):
        alone = retrieval(audio, video, exclude_same_group=one_each, resamples=20, permutations=20)
        assert alone["a2v"]["n"] == 12
        if one_each:
            before = alone
    assert alone == before


def test_ranks_without_the_rest_of_the_group_are_inside_their_null_where_pairs_are_shuffled():
    """Segments of a track resemble each other: a null that kept the others in the pool would be too high."""
    random = np.random.default_rng(2)
    tracks = np.repeat(random.normal(size=(40, 8)), 5, axis=0)
    audio, video = tracks + 0.1 * random.normal(size=(2, 200, 8))
    video = video.reshape(40, 5, 8)[random.permutation(40)].reshape(200, 8)
    found = retrieval(audio, video, groups=np.repeat(np.arange(40), 5), exclude_same_group=True, permutations=200)
    for way in ("a2v", "v2a"):
        low, high = found[way]["null95"]
        assert low <= found[way]["median_rank"] <= high
        assert low < found[way]["chance"] < high


@pytest.mark.parametrize("dim", [1, 3, 100, 257])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_embeddings_stand_in_the_middle(dim, dtype):
    rows = np.full((501, dim), 1 / np.sqrt(dim), dtype=dtype) * np.pi
    found = retrieval(rows, rows, permutations=20, resamples=20)
    assert found["a2v"]["median_rank"] == found["v2a"]["median_rank"] == 251.0 == found["a2v"]["chance"]
    assert found["a2v"]["null95"] == [251.0, 251.0]


def test_perfect_embeddings_rank_first():
    rows = np.linalg.qr(np.random.default_rng(1).normal(size=(64, 64)))[0]
    found = retrieval(rows, rows)
    for way in found.values():
        assert way["median_rank"] == 1.0 == way["recall@1"] == way["mrr"]
        assert way["ci95"] == [1.0, 1.0]
        assert way["null95"][0] > 20


def test_each_direction_is_ranked_in_its_own_pool():
    audio = np.array([[1.0, 0.0], [0.9, 0.1], [0.8, 0.2]])
    video = np.array([[1.0, 0.0], [1.1, 0.3], [1.2, 0.6]])
    assert ranks(audio, video)[0].tolist() == [3.0, 2.0, 1.0]
    assert ranks(video, audio)[0].tolist() == [1.0, 2.0, 3.0]
    audio, video = np.random.default_rng(5).normal(size=(2, 30, 3)) + np.array([[[0.0]], [[1.0]]])
    found = retrieval(audio, video, permutations=5)
    assert found["a2v"]["mrr"] == pytest.approx(np.mean(1 / naive_ranks(audio, video)), abs=1e-12)
    assert found["v2a"]["mrr"] == pytest.approx(np.mean(1 / naive_ranks(video, audio)), abs=1e-12)
    assert found["a2v"]["mrr"] != found["v2a"]["mrr"]


@given(hnp.arrays(np.float64, st.integers(1, 40), elements=st.integers(1, 40).map(float)), st.integers(0, 99))
def test_weighted_summary_equals_the_summary_of_repeated_rows(values, seed):
    weights = np.random.default_rng(seed).multinomial(len(values), np.full(len(values), 1 / len(values)), size=3)
    found = summarise_weighted(values, weights, ks=(1, 5))
    for index, row in enumerate(weights):
        expected = summarise(np.repeat(values, row), ks=(1, 5))
        for name, value in expected.items():
            assert found[name][index] == pytest.approx(float(value), abs=1e-12), name


def test_chance_is_what_random_ranks_average_to():
    uniform = np.arange(1, 201, dtype=np.float64)
    expected = summarise(uniform, ks=(1, 10))
    for name, value in chance(200, ks=(1, 10)).items():
        assert value == pytest.approx(float(expected[name]), abs=1e-12), name
    assert chance(4, ks=(10,))["recall@10"] == 1.0


def test_groups_are_resampled_and_permuted_whole():
    numbers = group_numbers(["b", "a", "b", "c", "a", "b"], 6)
    weights = bootstrap_weights(numbers, 50, np.random.default_rng(0))
    for group in range(3):
        assert (weights[:, numbers == group] == weights[:, numbers == group][:, :1]).all()
    permuted = permuted_rows(numbers, 50, np.random.default_rng(0))
    for row in permuted:
        landed = {group: set(numbers[row[numbers == group]]) for group in range(3)}
        assert all(len(groups) == 1 for groups in landed.values())
        assert set.union(*landed.values()) == {0, 1, 2}
    plain = permuted_rows(np.arange(9), 5, np.random.default_rng(0))
    assert all(sorted(row) == list(range(9)) for row in plain)


def test_weights_in_blocks_are_those_drawn_at_once():
    numbers = np.arange(300_000) % 150_000
    parts = list(weight_blocks(numbers, 7, np.random.default_rng(0)))
    assert [len(part) for part in parts] == [3, 3, 1]
    np.testing.assert_array_equal(np.concatenate(parts), bootstrap_weights(numbers, 7, np.random.default_rng(0)))


def test_memory_does_not_grow_with_the_resamples():
    rows = np.random.default_rng(0).normal(size=(4000, 2))
    assert permuted_rows(np.arange(9), 2, np.random.default_rng(0)).dtype == np.int32
    tracemalloc.start()
    retrieval(rows, rows, ks=(1,), resamples=2000, permutations=1, chunk_rows=32)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 48e6 < 2000 * 4000 * 8


def test_the_result_does_not_depend_on_the_rows_scored_at_a_time():
    audio, video = np.random.default_rng(0).normal(size=(2, 50, 4))
    groups = np.arange(50) // 2
    assert retrieval(audio, video, groups, chunk_rows=7) == retrieval(audio, video, groups, chunk_rows=1024)


def test_interval_over_videos_is_wider_than_over_segments():
    """Ten copies of each query carry no more evidence than one: the interval must know."""
    random = np.random.default_rng(3)
    audio = random.normal(size=(40, 6))
    video = audio + random.normal(size=(40, 6))
    copies = np.repeat(np.arange(40), 10)
    grouped = retrieval(audio[copies], video[copies], groups=copies, permutations=5)["a2v"]["by_metric"]["mean_rank"]
    loose = retrieval(audio[copies], video[copies], permutations=5)["a2v"]["by_metric"]["mean_rank"]
    assert np.ptp(grouped["ci95"]) > 2 * np.ptp(loose["ci95"])


def test_null_covers_unrelated_embeddings_and_not_related_ones():
    inside = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        groups = np.repeat(np.arange(30), 3)
        audio = np.repeat(random.normal(size=(30, 5)), 3, axis=0) + 0.3 * random.normal(size=(90, 5))
        video = np.repeat(random.normal(size=(30, 5)), 3, axis=0) + 0.3 * random.normal(size=(90, 5))
        found = retrieval(audio, video, groups=groups, permutations=200, resamples=10)["a2v"]
        inside += found["null95"][0] <= found["median_rank"] <= found["null95"][1]
    assert inside >= 34
    related = retrieval(audio, audio + 0.2 * video, groups=groups, permutations=200)["a2v"]
    assert related["ci95"][1] < related["null95"][0]


def test_same_seed_same_numbers_and_other_seed_other_intervals():
    random = np.random.default_rng(0)
    audio, video = random.normal(size=(2, 50, 4))
    first, again, other = (retrieval(audio, video, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first["a2v"]["median_rank"] == other["a2v"]["median_rank"]
    assert first["a2v"]["by_metric"]["mean_rank"]["ci95"] != other["a2v"]["by_metric"]["mean_rank"]["ci95"]


@pytest.mark.parametrize(
    ("audio", "video", "message"),
    [
        (np.ones((3, 2)), np.ones((4, 2)), "row i of both"),
        (np.ones(3), np.ones(3), "must be a matrix"),
        (np.ones((0, 2)), np.ones((0, 2)), "at least one row"),
        (np.ones((2, 2), dtype=int), np.ones((2, 2)), "matrix of floats"),
        (
            np.array([[1.0], [np.nan]]),
            np.ones((2, 1)),
            "audio holds values that are not finite in 1 rows, the first is 1",
        ),
    ],
)
def test_unusable_input_is_refused(audio, video, message):
    with pytest.raises(ValueError, match=message):
        retrieval(audio, video)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"groups": ["a"]}, "video of each of the 2 rows"),
        ({"groups": ["a", None]}, "groups names no video for 1 rows, the first is 1"),
        ({"groups": [np.nan, 1.0]}, "groups names no video for 1 rows, the first is 0"),
        ({"permutations": 0}, "permutations: 0 is not a positive integer"),
        ({"resamples": 0}, "resamples: 0 is not a positive integer"),
        ({"chunk_rows": 0}, "chunk_rows: 0 is not a positive integer"),
        ({"ks": (1, 0)}, "ks: 0 is not a positive integer"),
        ({"ks": (2.5,)}, "ks: 2.5 is not a positive integer"),
    ],
)
def test_unusable_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        retrieval(np.ones((2, 1)), np.ones((2, 1)), **arguments)
