"""CLAP (`transformers.ClapModel`): sound and text."""

from typing import Any

import torch
from torch import Tensor

from antiphon.backbones.base import FloatArray
from antiphon.backbones.hub.audio_features import extractor_of
from antiphon.backbones.hub.files import HubFiles
from antiphon.backbones.hub.loading import loaded_model
from antiphon.backbones.hub.sides import Common, HubAudio, stacked
from antiphon.backbones.hub.text import HubText


def audio(files: HubFiles, name: str, device: torch.device) -> HubAudio:
    """Build the sound side: the projected embedding, of length 1.

    Longer waveforms than the model takes (10 s) are refused, because the library takes a part of them at random.
    """
    model = loaded_model(files, "ClapModel", device)
    extractor = extractor_of(files, "ClapFeatureExtractor")
    dim = int(model.config.projection_dim)

    def prepare(waveforms: FloatArray) -> Tensor:
        told = [extractor(one, sampling_rate=extractor.sampling_rate) for one in waveforms]
        return stacked([one["input_features"][0] for one in told])

    # Two positions of RoBERTa's are taken by the padding before the first.
    max_tokens = int(model.config.text_config.max_position_embeddings) - 2
    text = HubText(files, model, device, dim, _words, max_tokens=max_tokens)
    common = Common(name, files.fingerprint, files.revision, device, model, dim, text)
    return HubAudio(common, extractor.sampling_rate, prepare, _sound, extractor.nb_max_samples)


def _sound(model: Any, mel: Tensor) -> Tensor:
    # Models with fusion take one waveform alone as one that is longer, as the library does.
    longer = torch.ones((len(mel), 1), dtype=torch.bool, device=mel.device)
    return model.get_audio_features(input_features=mel, is_longer=longer).pooler_output


def _words(model: Any, ids: Tensor) -> Tensor:
    return model.get_text_features(input_ids=ids, attention_mask=torch.ones_like(ids)).pooler_output
