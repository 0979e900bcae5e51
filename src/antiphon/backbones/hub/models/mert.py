"""MERT and HuBERT (`transformers.HubertModel`): sound alone.

The code that MERT's authors publish beside its weights is never run. Without constant-Q features and without DeepNorm,
as in MERT-v1-95M, it computes what HuBERT does; other configurations are refused.
"""

from typing import Any

import torch
from torch import Tensor

from antiphon.backbones.base import FloatArray
from antiphon.backbones.hub.audio_features import extractor_of
from antiphon.backbones.hub.files import HubFiles
from antiphon.backbones.hub.loading import loaded_model
from antiphon.backbones.hub.sides import Common, HubAudio, stacked
from antiphon.errors import WeightsError


def audio(files: HubFiles, name: str, device: torch.device) -> HubAudio:
    """Build the sound side: the mean over time of the last layer.

    Raises
    ------
    WeightsError
        It is a MERT that differs from HuBERT.
    """
    config = files.config
    other = [key for key in ("feature_extractor_cqt", "deepnorm") if config.get(key)]
    if float(config.get("attention_relax", -1)) > 0:
        other.append("attention_relax")
    if other:
        raise WeightsError(
            f"{files.name}: is a MERT with {' and '.join(other)}, which needs code of its own. Antiphon runs none; use "
            "hub:m-a-p/MERT-v1-95M, which needs none."
        )
    model = loaded_model(files, "HubertModel", device)
    extractor = extractor_of(files, "Wav2Vec2FeatureExtractor")
    rate_hz = int(extractor.sampling_rate)

    def prepare(waveforms: FloatArray) -> Tensor:
        return stacked([extractor(one, sampling_rate=rate_hz)["input_values"][0] for one in waveforms])

    common = Common(name, files.fingerprint, files.revision, device, model, int(model.config.hidden_size))
    return HubAudio(common, rate_hz, prepare, _sound)


def _sound(model: Any, waveforms: Tensor) -> Tensor:
    return model(input_values=waveforms).last_hidden_state.mean(1)
