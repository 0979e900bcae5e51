"""Audio Spectrogram Transformer (`transformers.ASTModel`): sound alone."""

from typing import Any

import torch
from torch import Tensor

from antiphon.backbones.base import FloatArray
from antiphon.backbones.hub.audio_features import extractor_of
from antiphon.backbones.hub.files import HubFiles
from antiphon.backbones.hub.loading import loaded_model
from antiphon.backbones.hub.sides import Common, HubAudio, stacked

_HOP_S = 0.010


def audio(files: HubFiles, name: str, device: torch.device) -> HubAudio:
    """Build the sound side: the mean of the class and the distillation token.

    Longer waveforms than the model takes (10.24 s) are refused, because the library drops what comes after.
    """
    model = loaded_model(files, "ASTModel", device)
    extractor = extractor_of(files, "ASTFeatureExtractor")
    rate_hz = int(extractor.sampling_rate)

    def prepare(waveforms: FloatArray) -> Tensor:
        return stacked([extractor(one, sampling_rate=rate_hz)["input_values"][0] for one in waveforms])

    common = Common(name, files.fingerprint, files.revision, device, model, int(model.config.hidden_size))
    longest = round((extractor.max_length + 1) * _HOP_S * rate_hz)
    return HubAudio(common, rate_hz, prepare, _sound, longest, min_samples=1_000)


def _sound(model: Any, mel: Tensor) -> Tensor:
    return model(input_values=mel).pooler_output
