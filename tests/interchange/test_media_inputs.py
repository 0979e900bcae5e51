"""What other libraries hand over, and what is said where they are not installed.

`benchmarks/interchange.py` runs sentence-transformers and mteb themselves; here are the parts that are ours.
"""

import sys

import numpy as np
import pytest

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ConfigError, FeatureStoreError, ModelError
from antiphon.features import Features
from antiphon.interchange import mteb_tasks, sentence_folder, sentence_module
from antiphon.interchange.media_inputs import embed_inputs
from antiphon.model.recipe import changed_recipe, load_recipe

QUICK = {"head": {"hidden": [16], "embedding_dim": 8}, "training": {"epochs": 1, "min_steps": 0}}


@pytest.fixture(scope="module")
def made():
    random = np.random.default_rng(0)
    sound, pictures = random.normal(size=(2, 60, 6))
    starts_s = [(1 - n % 2) * 5.0 for n in range(60)]
    groups = [f"v{n // 2:02d}" for n in range(60)]
    features = Features.from_arrays(sound, pictures, groups=groups, starts_s=starts_s)
    return DualEncoder(changed_recipe(load_recipe("paper-base"), QUICK, "quick")).fit(features, verbose=False), features


def test_features_of_a_track_are_its_segments_in_order_of_time(made):
    model, features = made
    items = mteb_tasks.tracks_of(features)
    np.testing.assert_array_equal(np.array(items["v00"]["audio"], np.float32), features.audio[[1, 0]])
    audio, video = model.embed(features, per="track")
    for side, wanted in (("audio", audio), ("video", video)):
        found = mteb_tasks.embed_batch(model, {side: [item[side] for item in items.values()]})
        np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert embed_inputs(model, "audio", []).shape == (0, model.dim)


class Encoder:
    """Notes what it is asked for."""

    dim = 4

    def encode_audio(self, source, per, rate_hz=None):
        self.asked = (source, per, rate_hz)
        return np.ones((1, 4), np.float32)

    def encode_video(self, source, per, frames_per_s=None):
        self.asked = (source, per, frames_per_s)
        return np.ones((1, 4), np.float32)


def test_files_waveforms_and_frames_are_encoded_as_tracks():
    model = Encoder()
    embed_inputs(model, "audio", ["song.wav"])
    assert model.asked == ("song.wav", "track", None)
    embed_inputs(model, "audio", [{"array": np.array([[1.0, 0.0], [0.0, 0.0]]), "sampling_rate": 16000}])
    np.testing.assert_array_equal(model.asked[0], [0.5, 0.0])
    assert model.asked[2] == 16000
    frames = np.zeros((3, 2, 2, 3), np.uint8)
    found = sentence_module.embed_sources(
        model, [{"video": {"array": frames, "video_metadata": {"fps": 10}}}, "clip.mp4"], "video"
    )
    assert found.shape == (2, 4)
    assert model.asked[0] == "clip.mp4"


@pytest.mark.parametrize(
    ("side", "item", "said"),
    [
        ("audio", {"array": [0.0]}, "array and sampling_rate"),
        ("audio", {"array": "x", "sampling_rate": 1}, "array and sampling_rate"),
        ("video", {"array": [0.0]}, "video_metadata, which has fps"),
        ("audio", object(), "is no path, no mapping"),
        ("audio", [["a"]], "is no path, no mapping"),
    ],
)
def test_what_is_nothing_of_these_is_refused(made, side, item, said):
    with pytest.raises(ConfigError, match=said):
        embed_inputs(made[0], side, [item])


def test_what_is_not_installed_is_named(made, monkeypatch, tmp_path):
    for name in ("mteb", "datasets", "sentence_transformers"):
        monkeypatch.setitem(sys.modules, name, None)
    items = mteb_tasks.media_of({"a": "a.mp4", "b": "b.mp4"})
    assert items["a"] == {"audio": "a.mp4", "video": "a.mp4"}
    with pytest.raises(ConfigError, match="pip install 'mteb"):
        mteb_tasks.music_video_tasks(items)
    with pytest.raises(ConfigError, match="pip install 'mteb"):
        mteb_tasks.mteb_encoder(made[0])
    with pytest.raises(FeatureStoreError, match="at least two"):
        mteb_tasks.music_video_tasks({})
    with pytest.raises(ModelError, match="no model that antiphon export"):
        sentence_folder.load(tmp_path)
    sentence_folder.write_sentence_folder(made[0], tmp_path)
    with pytest.raises(ConfigError, match="pip install 'sentence-transformers"):
        sentence_folder.load(tmp_path)
    with pytest.raises(AttributeError, match="has no attribute 'Other'"):
        _ = sentence_module.Other


def test_songs_and_pictures_are_not_guessed():
    with pytest.raises(ConfigError, match="modality='audio' or 'video'"):
        sentence_module.embed_sources(Encoder(), ["x"], "text")
