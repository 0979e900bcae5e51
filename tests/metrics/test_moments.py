"""Moments: ranks and overlaps against a count by hand, ties, and what must be at chance."""

import numpy as np
import pytest

from antiphon.metrics.moments import moments, offset_scores, overlap_of


def by_hand(stretches, tracks, groups, length):
    """Mean normalised rank and recalls at an overlap, of stretches that are looked for in their own track."""
    found = []
    for name in dict.fromkeys(groups):
        rows = [row for row, group in enumerate(groups) if group == name]
        size = length or max(1, min(6, len(rows) // 4))
        offsets = len(rows) - size + 1
        for start in range(0, offsets, size):
            scores = []
            for offset in range(offsets):
                pairs = [(rows[start + step], rows[offset + step]) for step in range(size)]
                scores.append(sum(float(stretches[a] @ tracks[b]) for a, b in pairs) / size)
            above = sum(score > scores[start] + 1e-9 for score in scores)
            ties = sum(abs(score - scores[start]) <= 1e-9 for score in scores)
            best = [offset for offset in range(offsets) if scores[offset] >= max(scores) - 1e-9]
            shares = [set(range(b, b + size)) for b in best]
            own = set(range(start, start + size))
            overlaps = [len(own & share) / len(own | share) for share in shares]
            hits = [np.mean([overlap >= least - 1e-9 for overlap in overlaps]) for least in (0.5, 0.7)]
            found.append([(above + ties / 2) / offsets, *hits, np.mean(overlaps)])
    return np.mean(found, axis=0), len(found)


@pytest.fixture(scope="module")
def sides():
    """12 tracks of 4 to 40 rows whose sides have a little in common; small whole numbers, so that there are ties."""
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), random.integers(4, 41, 12))
    audio = random.integers(-2, 3, size=(len(groups), 3)).astype(float)
    return audio, audio + random.integers(-2, 3, size=audio.shape), groups


@pytest.mark.numeric
@pytest.mark.parametrize("length", [None, 1])
def test_ranks_and_overlaps_are_those_counted_by_hand(sides, length):
    audio, video, groups = sides
    found = moments(audio, video, groups, length=length, permutations=5, resamples=5)
    for way, stretches, tracks in (("a2v", audio, video), ("v2a", video, audio)):
        expected, count = by_hand(stretches, tracks, groups, length)
        assert found[way]["n"] == count and found[way]["groups"] == 12
        values = [number["value"] for number in found[way]["by_metric"].values()]
        np.testing.assert_allclose(values, expected, atol=1e-9)


def test_scores_of_offsets_are_means_of_aligned_rows():
    random = np.random.default_rng(1)
    stretch, track = random.normal(size=(3, 4)), random.normal(size=(9, 4))
    expected = [np.mean(np.sum(stretch * track[offset : offset + 3], axis=1)) for offset in range(7)]
    np.testing.assert_allclose(offset_scores(stretch, track), expected)


def test_overlap_is_the_shared_part_of_the_union():
    assert overlap_of(np.array([0, 2, 5, 6, 9]), 6).tolist() == [1, 0.5, 1 / 11, 0, 0]


def test_the_order_of_tracks_does_not_matter_but_that_of_rows_does(sides):
    audio, video, groups = sides

    def rank(sound, pictures, of):
        return moments(sound, pictures, of, permutations=2)["v2a"]["by_metric"]["mean_normalised_rank"]["value"]

    order = np.random.default_rng(2).permutation(12)
    rows = np.concatenate([np.flatnonzero(groups == group) for group in order])
    assert rank(audio[rows], video[rows], groups[rows]) == pytest.approx(rank(audio, video, groups))
    backwards = np.concatenate([np.flatnonzero(groups == group)[::-1] for group in range(12)])
    assert abs(rank(audio, video[backwards], groups) - rank(audio, video, groups)) > 0.05


def test_what_is_known_from_the_place_alone_is_found_in_other_tracks_too():
    """Both sides rise in all tracks alike: the right track is no better than another."""
    groups = np.repeat(np.arange(30), 24)
    place = np.tile(np.linspace(-1, 1, 24), 30)
    rows = np.stack([np.cos(2 * place), np.sin(2 * place)], axis=1)
    found = moments(rows, rows, groups, permutations=50)["v2a"]["by_metric"]["mean_normalised_rank"]
    assert found["value"] < 0.1 and found["null95"][0] > 0.3
    assert found["other_track"]["value"] == pytest.approx(found["value"]) and found["other_track"]["difference"] == 0


def test_sides_that_share_nothing_are_at_chance_and_shared_ones_are_not():
    random = np.random.default_rng(3)
    groups = np.repeat(np.arange(60), 24)
    audio = random.normal(size=(len(groups), 8))
    for video, is_found in ((random.normal(size=audio.shape), False), (audio + random.normal(size=audio.shape), True)):
        for numbers in moments(audio, video, groups, permutations=200).values():
            rank, overlap = (numbers["by_metric"][name] for name in ("mean_normalised_rank", "recall@overlap0.5"))
            assert (rank["ci95"][1] < rank["null95"][0]) is is_found
            assert (rank["other_track"]["difference_ci95"][1] < 0) is is_found
            assert (rank["ci95"][0] <= rank["chance"] <= rank["ci95"][1]) is not is_found
            assert (overlap["ci95"][0] > overlap["null95"][1]) is is_found


@pytest.mark.parametrize(
    ("audio", "video", "groups", "said"),
    [
        (np.zeros((8, 2)), np.zeros((8, 3)), [0] * 4 + [1] * 4, "different shapes"),
        (np.zeros((8, 2)), np.full((8, 2), np.nan), [0] * 4 + [1] * 4, "finite"),
        (np.zeros((8, 2)), np.zeros((8, 2)), [0] * 6 + [1] * 2, "two tracks of at least 4 rows"),
        (np.zeros((8, 2)), np.zeros((8, 2)), [0] * 3, "groups has shape"),
    ],
)
def test_what_cannot_be_measured_is_refused(audio, video, groups, said):
    with pytest.raises(ValueError, match=said):
        moments(audio, video, groups)
