"""DINOv3 (`transformers.DINOv3ViTModel`): pictures alone."""

from typing import Any

import torch
from torch import Tensor

from antiphon.backbones.hub.files import HubFiles
from antiphon.backbones.hub.loading import loaded_model
from antiphon.backbones.hub.models.clip import EVERY
from antiphon.backbones.hub.pictures import Pictures
from antiphon.backbones.hub.sides import Common, HubVideo, mean_of_frames

IMAGENET: dict[str, Any] = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
DEFAULT: dict[str, Any] = {"size": {"height": 224, "width": 224}, "resample": 2} | IMAGENET


def video(files: HubFiles, name: str, device: torch.device) -> HubVideo:
    """Build the picture side: the mean over frames of the class token after the last norm."""
    model = loaded_model(files, "DINOv3ViTModel", device)
    pictures = Pictures.of(files.name, files.processor("image_processor", "preprocessor_config.json"), DEFAULT)
    return HubVideo(
        Common(name, files.fingerprint, files.revision, device, model, int(model.config.hidden_size)),
        pictures.layout(EVERY),
        lambda windows: pictures(windows.reshape(-1, *windows.shape[2:]), device),
        _pictures,
        mean_of_frames,
    )


def _pictures(model: Any, pixels: Tensor) -> Tensor:
    return model(pixel_values=pixels).pooler_output
