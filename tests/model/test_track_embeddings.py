"""What stands beside the trained part of a whole track."""

import numpy as np
import pytest
import torch

from antiphon.model.recipe import load_recipe
from antiphon.model.towers import Towers

pytestmark = pytest.mark.numeric


def test_a_tracks_closed_form_is_the_mean_of_its_segments_and_shorter_where_they_differ():
    towers = Towers(7, 5, load_recipe("antiphon-track")).eval()
    fitted = towers.closed_form
    assert fitted is not None
    fitted.fit(torch.randn(40, 7), torch.randn(40, 5), 1.0, 0.1, np.random.default_rng(0))
    features, starts_s = torch.randn(2, 3, 7), torch.tensor([[0.0, 5.0, 10.0]] * 2)
    features[1] = features[1, 0]
    mask = torch.tensor([[True, True, False], [True, True, True]])
    with torch.inference_mode():
        found = towers.embed_tracks("audio", features, mask, starts_s).double().numpy()
        trained = towers.project_tracks("audio", features, mask, starts_s)
        for track, segments in enumerate((2, 3)):
            rows = towers.embed("audio", features[track, :segments]).double().numpy()
            expected = np.r_[trained[track].double() / 3**0.5, rows[:, towers.trained_dim :].mean(axis=0)]
            np.testing.assert_allclose(found[track], expected / np.linalg.norm(expected), atol=1e-6)
    of_closed_form = np.linalg.norm(found[:, towers.trained_dim :], axis=1)
    assert of_closed_form[0] < of_closed_form[1] == pytest.approx((2 / 3) ** 0.5)
