"""Perception Encoder Video and AV against the library's own forward passes.

The library takes their picture network from timm, which needs torchvision. Here a small network stands in for timm's.
"""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers as tf
from torch import nn
from transformers.models.timm_wrapper import configuration_timm_wrapper, modeling_timm_wrapper

from antiphon import backbones
from antiphon.backbones.hub import packages
from antiphon.errors import WeightsError

from . import tiny
from .comparing import TEXTS, close, pictures, sounds

SIDE_PX = 32


def picture_network(architecture: str, *, pretrained: bool, num_classes: int) -> nn.Module:
    assert not pretrained
    return nn.Sequential(nn.Conv2d(3, 8, 8, 8), nn.GELU(), nn.Flatten(), nn.Linear(8 * 16, num_classes))


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = SimpleNamespace(create_model=picture_network, __version__="1")
    monkeypatch.setattr(modeling_timm_wrapper, "timm", stand_in, raising=False)
    for module in (modeling_timm_wrapper, configuration_timm_wrapper):
        monkeypatch.setattr(module, "requires_backends", lambda *_: None)
    monkeypatch.setattr(configuration_timm_wrapper, "infer_imagenet_subset", lambda _: None, raising=False)
    found, imported = packages.find_spec, packages.import_module
    monkeypatch.setattr(packages, "find_spec", lambda name: stand_in if name == "timm" else found(name))
    monkeypatch.setattr(packages, "import_module", lambda name: stand_in if name == "timm" else imported(name))


def saved(model: Any, folder: Path, **sampling: Any) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        tiny.save(model, folder)
    tiny.tokenizer(folder)
    values = {"size": {"height": SIDE_PX, "width": SIDE_PX}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    tiny.processor(folder, "video_preprocessor_config.json", "PeVideoVideoProcessor", **values, **sampling)
    tf.PeAudioFeatureExtractor(sampling_rate=16_000, hop_length=40).save_pretrained(folder)
    return folder


def seen(**more: Any) -> dict[str, Any]:
    return tiny._PE | {"vision_config": {"architecture": "vit_small", "num_classes": 16} | more}


def both(**more: Any) -> Any:
    heard = tiny._PE | {"dac_config": tiny._DAC}
    together = tiny._PE | {"audio_config": heard, "video_config": seen(**more)}
    return tf.PeAudioVideoModel(tf.PeAudioVideoConfig(text_config=tiny._MODERNBERT, audio_video_config=together))


def words(folder: Path, rows: int) -> list[dict[str, torch.Tensor]]:
    tokenizer = tf.AutoTokenizer.from_pretrained(folder)
    return [tokenizer([text] * rows, return_tensors="pt", return_token_type_ids=False) for text in TEXTS]


def prepared(frames: Any) -> torch.Tensor:
    return torch.from_numpy(frames / 255 * 2 - 1).permute(0, 1, 4, 2, 3).float().contiguous()


def test_sound_pictures_and_words_of_pe_av_are_those_of_the_library(
    timm: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = saved(both(), tmp_path, do_sample_frames=False)
    frames, waveforms = pictures(SIDE_PX, SIDE_PX, frames=4), sounds(16_000, 0.5, n=2)
    extractor = tf.PeAudioFeatureExtractor.from_pretrained(folder)
    inputs = extractor(list(waveforms), sampling_rate=16_000, return_tensors="pt")
    model = tf.PeAudioVideoModel.from_pretrained(folder)
    with torch.inference_mode():
        told = [model(**inputs, pixel_values_videos=prepared(frames), **one) for one in words(folder, 2)]
    capsys.readouterr()
    heard, shown = (backbones.load(f"hub:{folder}#{side}", device="cpu") for side in ("audio", "video"))
    assert capsys.readouterr().out == ""  # Whatever transformers prints would end up in the JSON of a command.
    assert isinstance(heard, backbones.AudioBackbone) and isinstance(shown, backbones.VideoBackbone)
    close(heard(waveforms, 16_000), told[0].audio_embeds.numpy())
    close(shown(frames), told[0].video_embeds.numpy())
    assert heard.text_side is not None and shown.text_side is not None
    close(heard.text_side.embed_text(TEXTS), torch.cat([one.text_audio_embeds[:1] for one in told]).numpy())
    close(shown.text_side.embed_text(TEXTS), torch.cat([one.text_video_embeds[:1] for one in told]).numpy())
    # Sound and pictures lie in one space: zero-shot scores are dot products.
    scale, bias = model.audio_video_logit_scale.item(), model.audio_video_logit_bias.item()
    close(heard(waveforms, 16_000) @ shown(frames).T * scale + bias, told[0].logits_audio_video.numpy())


def test_pe_video_takes_as_many_frames_as_its_processor(timm: None, tmp_path: Path) -> None:
    model = tf.PeVideoModel(tf.PeVideoConfig(text_config=tiny._MODERNBERT, video_config=seen()))
    folder = saved(model, tmp_path, do_sample_frames=True, num_frames=4)
    frames = pictures(SIDE_PX, SIDE_PX, frames=10)
    model = tf.PeVideoModel.from_pretrained(folder)
    with torch.inference_mode():
        told = [model(pixel_values_videos=prepared(frames[:, [0, 3, 6, 9]]), **one) for one in words(folder, 2)]
    shown = backbones.load(f"hub:{folder}", device="cpu")
    assert isinstance(shown, backbones.VideoBackbone) and shown.text_side is not None
    close(shown(frames), told[0].video_embeds.numpy())
    assert (shown.layout.size_px, shown.layout.crop, shown.layout.every) == (SIDE_PX, "whole", 1)
    close(shown.text_side.embed_text(TEXTS), torch.cat([one.text_video_embeds[:1] for one in told]).numpy())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"architecture": "hf-hub:someone/model"}, "'hf-hub:someone/model', is none of timm's own"),
        ({"model_args": {"checkpoint_path": "/etc/passwd"}}, "has timm read checkpoint_path"),
        ({"model_args": {"pretrained_cfg": {"file": "x"}}}, "has timm read pretrained_cfg"),
        ({"deeper": [{"vision_config": {"architecture": "hf-hub:a/b"}}]}, "'hf-hub:a/b', is none of timm's own"),
        ({"model_args": ["checkpoint_path"]}, "has model_args that are no table"),
    ],
)
def test_timm_is_let_fetch_and_read_nothing(changes: dict[str, Any], said: str, timm: None, tmp_path: Path) -> None:
    folder = saved(both(), tmp_path / "good", do_sample_frames=False)
    shutil.copytree(folder, tmp_path / "bad")
    stated = json.loads((folder / "config.json").read_text())
    stated["audio_video_config"]["video_config"]["vision_config"] |= changes
    (tmp_path / "bad" / "config.json").write_text(json.dumps(stated))
    for side in ("audio", "video"):
        with pytest.raises(WeightsError, match=said):
            backbones.load(f"hub:{tmp_path / 'bad'}#{side}", device="cpu")


def test_a_missing_timm_is_named(timm: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved(both(), tmp_path, do_sample_frames=False)
    found = packages.find_spec
    monkeypatch.setattr(packages, "find_spec", lambda name: None if name == "timm" else found(name))
    with pytest.raises(WeightsError, match="needs timm, which is not part of antiphon.hub.: pip install timm"):
        backbones.load(f"hub:{folder}#audio", device="cpu")
