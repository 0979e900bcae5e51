"""Models of sound or pictures alone, against the library's own processors and forward passes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as tf

from antiphon import backbones
from antiphon.errors import WeightsError

from .comparing import AudioOf, VideoOf, close, normalised, pictures, sounds
from .conftest import Tiny


def test_dinov3_is_that_of_the_library(tiny: Tiny, video_of: VideoOf) -> None:
    frames = pictures(32, 32)
    model = tf.DINOv3ViTModel.from_pretrained(tiny("dinov3"))
    with torch.inference_mode():
        each = model(pixel_values=normalised(frames.reshape(-1, 32, 32, 3), 32)).pooler_output
    backbone = video_of("dinov3")
    close(backbone(frames), each.reshape(2, 3, -1).mean(1).numpy())
    assert (backbone.dim, backbone.layout.crop, backbone.text_side) == (16, "whole", None)


@pytest.mark.parametrize("size", [(36, 36), (40, 77)])
@pytest.mark.parametrize("count", [8, 30, 5])
def test_videomae_is_that_of_the_library(count: int, size: tuple[int, int], tiny: Tiny, video_of: VideoOf) -> None:
    frames = pictures(*size, frames=count)
    model = tf.VideoMAEModel.from_pretrained(tiny("videomae"))
    processor = tf.VideoMAEImageProcessorPil.from_pretrained(tiny("videomae"))
    chosen = np.linspace(0, count - 1, 8).astype(int)
    inputs = processor([list(window[chosen]) for window in frames], return_tensors="pt")
    with torch.inference_mode():
        told = model(**inputs).last_hidden_state.mean(1)
    backbone = video_of("videomae")
    close(backbone(frames), told.numpy())
    assert (backbone.dim, backbone.layout.size_px, backbone.layout.every) == (16, 36, 1)


@pytest.mark.parametrize(("count", "chosen"), [(8, range(8)), (5, [0, 1, 2, 4]), (15, [0, 2, 4, 6, 8, 10, 12, 14])])
def test_vjepa2_is_that_of_the_library(count: int, chosen: list[int], tiny: Tiny, video_of: VideoOf) -> None:
    frames = pictures(32, 32, frames=count)
    model = tf.VJEPA2Model.from_pretrained(tiny("vjepa2"))
    with torch.inference_mode():
        told = model.get_vision_features(normalised(frames[:, list(chosen)], 28)).mean(1)
    backbone = video_of("vjepa2")
    assert backbone.layout.size_px == 32  # As the library derives it from the crop of 28, whatever size is stated.
    close(backbone(frames), told.numpy())


def test_ast_is_that_of_the_library(tiny: Tiny, audio_of: AudioOf) -> None:
    waveforms = sounds(16_000)
    model = tf.ASTModel.from_pretrained(tiny("ast"))
    extractor = tf.ASTFeatureExtractor.from_pretrained(tiny("ast"))
    inputs = extractor(list(waveforms), sampling_rate=16_000, return_tensors="pt")
    with torch.inference_mode():
        told = model(**inputs).pooler_output
    close(audio_of("ast")(waveforms, 16_000), told.numpy())


@pytest.mark.parametrize("name", ["hubert", "mert"])
def test_hubert_and_mert_are_those_of_the_library(name: str, tiny: Tiny, audio_of: AudioOf) -> None:
    waveforms = sounds(24_000)
    with torch.random.fork_rng():
        model = tf.HubertModel.from_pretrained(tiny("hubert"))
        if name == "mert":  # Made anew, so its weights are others; its parameters have the names of older versions.
            model = tf.HubertModel.from_pretrained(tiny("mert"), config=model.config)
    extractor = tf.Wav2Vec2FeatureExtractor.from_pretrained(tiny(name))
    inputs = extractor(list(waveforms), sampling_rate=24_000, return_tensors="pt")
    with torch.inference_mode():
        told = model(inputs["input_values"]).last_hidden_state.mean(1)
    backbone = audio_of(name)
    close(backbone(waveforms, 24_000), told.numpy())
    assert backbone.rate_hz == 24_000


@pytest.mark.parametrize("changes", [{"feature_extractor_cqt": True}, {"deepnorm": True}, {"attention_relax": 32.0}])
def test_a_mert_that_needs_its_own_code_is_refused(changes: dict[str, object], tiny: Tiny, tmp_path: Path) -> None:
    for path in tiny("mert").iterdir():
        (tmp_path / path.name).symlink_to(path)
    stated = json.loads((tmp_path / "config.json").read_text()) | changes
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").write_text(json.dumps(stated))
    with pytest.raises(WeightsError, match=f"is a MERT with {next(iter(changes))}, which needs code of its own"):
        backbones.load(f"hub:{tmp_path}")
