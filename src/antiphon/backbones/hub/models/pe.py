"""Perception Encoder Audio, Video and Audio-Video (`transformers.PeAudioModel`, `PeVideoModel`, `PeAudioVideoModel`).

Sound, pictures and text lie in one space. transformers compares them by dot products without making them unit vectors,
so the features are not made such either.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.backbones.base import FloatArray
from antiphon.backbones.hub.audio_features import extractor_of
from antiphon.backbones.hub.files import HubFiles
from antiphon.backbones.hub.loading import loaded_model
from antiphon.backbones.hub.pictures import Pictures, chosen_frames
from antiphon.backbones.hub.sides import Common, HubAudio, HubVideo, stacked
from antiphon.backbones.hub.text import HubText
from antiphon.errors import WeightsError

DEFAULT: dict[str, Any] = {
    "size": {"height": 336, "width": 336},
    "resample": 2,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}
_EVERY = 2
"""Five frames a second, of which models of a fixed number take theirs."""
_READING = ("checkpoint", "pretrained", "cache", "path", "file", "url")
"""What names of timm's arguments hold that have it read files, or fetch them."""
_FRAMEWISE = "PeAudioFrameLevelModel"
_CLASSES = {"pe_audio": "PeAudioModel", "pe_video": "PeVideoModel", "pe_audio_video": "PeAudioVideoModel"}


def audio(files: HubFiles, name: str, device: torch.device) -> HubAudio:
    """Build the sound side: the projected embedding; of a model of frames, the mean of those of all its steps."""
    model = _model(files, device)
    part = "audio_model" if files.config["model_type"] == "pe_audio_video" else ""
    framewise = _is_framewise(files)
    extractor = extractor_of(files, "PeAudioFeatureExtractor")
    rate_hz = int(extractor.sampling_rate)

    def prepare(waveforms: FloatArray) -> Tensor:
        told = [extractor(one, sampling_rate=rate_hz, padding=True) for one in waveforms]
        return stacked([one["input_values"][0] for one in told])

    def compute(network: Any, waveforms: Tensor) -> Tensor:
        own = getattr(network, part) if part else network
        told = own.audio_encoder(input_values=waveforms)
        return own.audio_head(told.last_hidden_state).mean(1) if framewise else own.audio_head(told.pooler_output)

    return HubAudio(
        _common(files, name, device, model, part, "text_audio_head"), rate_hz, prepare, compute, min_samples=2_000
    )


def video(files: HubFiles, name: str, device: torch.device) -> HubVideo:
    """Build the picture side: the projected embedding of the frames of a window."""
    model = _model(files, device)
    part = "video_model" if files.config["model_type"] == "pe_audio_video" else ""
    stated = files.processor("video_processor", "video_preprocessor_config.json", "preprocessor_config.json")
    pictures = Pictures.of(files.name, stated, DEFAULT)
    fixed = int(stated.get("num_frames") or 0) if stated.get("do_sample_frames") else 0

    def prepare(windows: npt.NDArray[np.uint8]) -> Tensor:
        chosen = windows[:, chosen_frames(windows.shape[1], fixed)] if fixed else windows
        return pictures(chosen.reshape(-1, *windows.shape[2:]), device).unflatten(0, chosen.shape[:2])

    def compute(network: Any, pixels: Tensor) -> Tensor:
        own = getattr(network, part) if part else network
        return own.video_head(own.video_encoder(pixel_values_videos=pixels).pooler_output)

    common = _common(files, name, device, model, part, "text_video_head")
    return HubVideo(common, pictures.layout(1 if fixed else _EVERY), prepare, compute)


def _model(files: HubFiles, device: torch.device) -> Any:
    _refuse_foreign_architecture(files)
    return loaded_model(files, _FRAMEWISE if _is_framewise(files) else _CLASSES[files.config["model_type"]], device)


def _is_framewise(files: HubFiles) -> bool:
    return _FRAMEWISE in (files.config.get("architectures") or [])


def _common(files: HubFiles, name: str, device: torch.device, model: Any, part: str, head: str) -> Common:
    """Return what a side needs, with the text that was trained beside it."""
    dim = int(model.config.text_config.hidden_size)

    def words(network: Any, ids: Tensor) -> Tensor:
        own = getattr(network, part) if part else network
        told = network.text_model(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True)
        return getattr(own, head)(told.hidden_states[-1][:, 0])

    max_tokens = int(model.config.text_config.max_position_embeddings)
    text = HubText(files, model, device, dim, words, max_tokens=max_tokens)
    return Common(name, files.fingerprint, files.revision, device, model, dim, text)


def _refuse_foreign_architecture(files: HubFiles) -> None:
    """Refuse an architecture that timm would ask the hub for, and arguments by which it would read files.

    Every part of the configuration is looked at, since which one transformers takes is its own affair.
    """
    for part in _parts(files.config):
        architecture, arguments = part.get("architecture", ""), part.get("model_args") or {}
        if not isinstance(architecture, str) or (not architecture.replace("_", "a").isalnum() and architecture):
            raise WeightsError(f"{files.name}: its architecture of pictures, {architecture!r}, is none of timm's own.")
        if not isinstance(arguments, dict):
            raise WeightsError(f"{files.name}: its configuration has model_args that are no table.")
        reading = [str(key) for key in arguments if any(word in str(key) for word in _READING)]
        if reading:
            raise WeightsError(f"{files.name}: its configuration has timm read {min(reading)}, which is not done here.")


def _parts(config: Any) -> Iterator[dict[str, Any]]:
    """Yield all tables of a configuration, however deep."""
    if isinstance(config, dict):
        yield config
    if isinstance(config, dict | list):
        for value in config.values() if isinstance(config, dict) else config:
            yield from _parts(value)
