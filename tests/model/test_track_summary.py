"""Summaries of tracks against numpy on each track alone."""

import numpy as np
import pytest
import torch

from antiphon.model.track_summary import TrackSummary, summary_dim

pytestmark = pytest.mark.numeric

LENGTHS = (1, 2, 5, 9)
DIM, AXES = 7, 3


def fitted(num_axes=AXES):
    summary = TrackSummary(DIM, num_axes)
    random = torch.Generator().manual_seed(0)
    summary.fit(torch.randn(200, DIM, generator=random) @ torch.randn(DIM, DIM, generator=random) + 3)
    return summary


def tracks(padding=0.0):
    random = torch.Generator().manual_seed(1)
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    features = torch.randn(len(LENGTHS), max(LENGTHS), DIM, generator=random) + 3
    return features.masked_fill(~mask[..., None], padding), mask


def naive(summary, rows):
    """The same for one track, written out."""
    known = (rows - summary.mean.numpy()) / summary.scale.numpy()
    along = known @ summary.axes.numpy()
    centred, count = along - along.mean(axis=0), len(along)
    changes = np.abs(np.diff(along, axis=0))
    time = np.linspace(-1, 1, count) if count > 1 else np.array([-1.0])

    def autocorrelation(lag):
        return (centred[lag:] * centred[:-lag]).sum(axis=0) / count / (along.var(axis=0) + 0.05)

    return np.concatenate(
        [
            known.mean(axis=0),
            along.std(axis=0),
            *np.quantile(along, [0.1, 0.5, 0.9], axis=0),
            changes.mean(axis=0) if count > 1 else np.zeros(along.shape[1]),
            *(autocorrelation(lag) for lag in (1, 2, 4)),
            3 * (centred * time[:, None]).mean(axis=0),
            5 * (centred * (1.5 * time**2 - 0.5)[:, None]).mean(axis=0),
        ]
    )


def test_summaries_are_those_of_each_track_alone():
    summary, (features, mask) = fitted(), tracks()
    found = summary.statistics(features, mask).numpy()
    assert found.shape == (len(LENGTHS), summary_dim(DIM, AXES)) == (4, 37)
    for row, length in zip(range(len(LENGTHS)), LENGTHS, strict=True):
        np.testing.assert_allclose(found[row], naive(summary, features[row, :length].numpy()), atol=2e-5)


def test_padding_has_no_influence():
    summary = fitted()
    (features, mask), (padded, _) = tracks(), tracks(padding=torch.nan)
    torch.testing.assert_close(summary(padded, mask), summary(features, mask))


def test_axes_are_uncorrelated_with_variance_1_and_a_feature_that_never_varies_has_none():
    rows = torch.randn(300, 4) @ torch.randn(4, 4)
    rows[:, 2] = 5.0
    summary = TrackSummary(4, 10)
    summary.fit(rows)
    along = ((rows - summary.mean) / summary.scale) @ summary.axes
    varies = along.std(dim=0) > 0.1
    assert varies.tolist() == [True, True, True, False]
    torch.testing.assert_close(torch.cov(along.T, correction=0)[:3, :3], torch.eye(3), atol=1e-3, rtol=0)


def test_a_summary_has_at_most_the_axes_that_there_are():
    assert summary_dim(2, 32) == 22
    assert TrackSummary(2, 32)(torch.randn(3, 4, 2), torch.ones(3, 4, dtype=torch.bool)).shape == (3, 22)


def test_what_the_number_of_segments_tells_is_taken_away():
    summary = fitted()
    random = torch.Generator().manual_seed(2)
    counts = torch.randint(2, 40, (400,), generator=random)
    mask = torch.arange(40) < counts[:, None]
    features = torch.randn(400, 40, DIM, generator=random) + 3
    before = summary(features, mask)
    summary.fit_length(summary.statistics(features, mask), counts)
    after = summary(features, mask)

    def told(values):
        rows = torch.stack([counts.float(), *values.T])
        return torch.corrcoef(rows)[0, 1:].abs().max()

    assert told(before) > 0.3
    assert told(after) < 0.1
    assert told(before.square()) > 0.3
    assert told(after[:, :DIM].square()) < 0.2


def test_a_statistic_that_training_tracks_never_had_is_not_blown_up():
    """Trained on tracks of one segment, whose deviations and changes are all 0."""
    summary = fitted()
    alone = torch.ones(50, 1, dtype=torch.bool)
    summary.fit_length(summary.statistics(torch.randn(50, 1, DIM) + 3, alone), alone.sum(dim=1))
    features, mask = tracks()
    assert summary(features, mask).abs().max() < 100
