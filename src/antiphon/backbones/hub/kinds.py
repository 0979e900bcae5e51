"""Classes of models by the `model_type` of their configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from antiphon.backbones.hub.names import Side
from antiphon.errors import WeightsError
from antiphon.spelling import did_you_mean


@dataclass(frozen=True)
class Kind:
    """Class of models.

    Attributes
    ----------
    model_type : str
        As the configuration states it.
    label : str
        Name for people.
    sides : tuple of {'audio', 'video'}
        What it takes.
    text : bool
        Whether text lies in the same space.
    module : str
        Module of `antiphon.backbones.hub.models` that builds its sides.
    needs : str
        Package that it needs besides transformers; "" if none.
    """

    model_type: str
    label: str
    sides: tuple[Side, ...]
    text: bool
    module: str
    needs: str = ""

    def implementation(self) -> Any:
        """Import the module that builds its sides, and with it torch."""
        return import_module(f"antiphon.backbones.hub.models.{self.module}")


_BOTH: tuple[Side, ...] = ("audio", "video")
_KINDS = (
    Kind("clap", "CLAP", ("audio",), True, "clap"),
    Kind("audio-spectrogram-transformer", "Audio Spectrogram Transformer", ("audio",), False, "ast"),
    Kind("mert_model", "MERT", ("audio",), False, "mert"),
    Kind("hubert", "HuBERT", ("audio",), False, "mert"),
    Kind("pe_audio", "Perception Encoder Audio", ("audio",), True, "pe"),
    Kind("clip", "CLIP", ("video",), True, "clip"),
    Kind("siglip", "SigLIP", ("video",), True, "siglip"),
    Kind("dinov3_vit", "DINOv3", ("video",), False, "dinov3"),
    Kind("videomae", "VideoMAE", ("video",), False, "videomae"),
    Kind("vjepa2", "V-JEPA 2", ("video",), False, "vjepa2"),
    Kind("pe_video", "Perception Encoder Video", ("video",), True, "pe", needs="timm"),
    Kind("embedding_gemma2", "EmbeddingGemma 2", _BOTH, True, "gemma"),
    Kind("pe_audio_video", "Perception Encoder AV", _BOTH, True, "pe", needs="timm"),
)
KINDS = {kind.model_type: kind for kind in _KINDS}
"""By `model_type`."""


def kind_of(name: str, config: Mapping[str, Any], *, is_adapter: bool = False) -> Kind:
    """Return the class of a model.

    Parameters
    ----------
    name : str
        Name of the model, for messages.
    config : mapping of str to object
        Its configuration.
    is_adapter : bool, default False
        Whether its folder holds an adapter.

    Returns
    -------
    Kind
        The class.

    Raises
    ------
    WeightsError
        The class is unknown, or the model is quantised or an adapter.
    """
    stated = config.get("model_type")
    if stated not in KINDS:
        known = ", ".join(sorted(KINDS))
        asks = " It asks for code of its own (auto_map), which Antiphon never runs." if config.get("auto_map") else ""
        said = "states no model_type" if stated is None else f"is of the class {stated!r}, which is not known"
        raise WeightsError(f"{name}: {said}.{asks}{did_you_mean(str(stated), list(KINDS))} Known are {known}.")
    if is_adapter:
        raise WeightsError(f"{name}: is an adapter of another model. Merge the two, and save them as one model.")
    if config.get("quantization_config"):
        raise WeightsError(f"{name}: has quantised weights, which are not read. Use the model in float32 or bfloat16.")
    return KINDS[stated]
