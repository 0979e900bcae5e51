"""CLIP (`transformers.CLIPModel`): pictures and text."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from antiphon.backbones.hub.files import HubFiles
from antiphon.backbones.hub.loading import loaded_model
from antiphon.backbones.hub.pictures import Pictures
from antiphon.backbones.hub.sides import Common, HubVideo, mean_direction
from antiphon.backbones.hub.text import HubText

EVERY = 5
"""Two frames a second."""
DEFAULT: dict[str, Any] = {
    "size": {"shortest_edge": 224},
    "crop_size": 224,
    "do_center_crop": True,
    "default_to_square": False,
    "resample": 3,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}


def video(files: HubFiles, name: str, device: torch.device) -> HubVideo:
    """Build the picture side: each frame's projected embedding, of length 1, and the direction of their mean."""
    model = loaded_model(files, "CLIPModel", device)
    pictures = Pictures.of(files.name, files.processor("image_processor", "preprocessor_config.json"), DEFAULT)
    dim = int(model.config.projection_dim)
    max_tokens = int(model.config.text_config.max_position_embeddings)
    text = HubText(files, model, device, dim, _words, max_tokens=max_tokens)
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
