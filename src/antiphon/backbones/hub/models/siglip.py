"""SigLIP and SigLIP 2 of one picture size (`transformers.SiglipModel`): pictures and text."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from antiphon.backbones.hub.files import HubFiles
from antiphon.backbones.hub.loading import loaded_model
from antiphon.backbones.hub.models.clip import EVERY
from antiphon.backbones.hub.pictures import Pictures
from antiphon.backbones.hub.sides import Common, HubVideo, mean_direction
from antiphon.backbones.hub.text import HubText

DEFAULT: dict[str, Any] = {
    "size": {"height": 224, "width": 224},
    "default_to_square": False,
    "resample": 3,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


def video(files: HubFiles, name: str, device: torch.device) -> HubVideo:
    """Build the picture side: each frame's embedding, of length 1, and the direction of their mean."""
    model = loaded_model(files, "SiglipModel", device)
    pictures = Pictures.of(files.name, files.processor("image_processor", "preprocessor_config.json"), DEFAULT)
    dim = int(model.config.vision_config.hidden_size)
    # The text side was trained on texts of one length, and takes its last token for all of the text.
    padded_to = int(model.config.text_config.max_position_embeddings)
    text = HubText(files, model, device, dim, _words, padded_to=padded_to)
    return HubVideo(
        Common(name, files.fingerprint, files.revision, device, model, dim, text),
        pictures.layout(EVERY),
        lambda windows: pictures(windows.reshape(-1, *windows.shape[2:]), device),
        _pictures,
        mean_direction,
    )


def _pictures(model: Any, pixels: Tensor) -> Tensor:
    return F.normalize(model.get_image_features(pixel_values=pixels).pooler_output, dim=-1)


def _words(model: Any, ids: Tensor) -> Tensor:
    return F.normalize(model.get_text_features(input_ids=ids).pooler_output, dim=-1)
