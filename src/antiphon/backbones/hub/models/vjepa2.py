"""V-JEPA 2 (`transformers.VJEPA2Model`): all frames of a window, whose number is even."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.backbones.hub.files import HubFiles
from antiphon.backbones.hub.loading import loaded_model
from antiphon.backbones.hub.models.dinov3 import IMAGENET
from antiphon.backbones.hub.pictures import Pictures, chosen_frames
from antiphon.backbones.hub.sides import Common, HubVideo

DEFAULT: dict[str, Any] = {"crop_size": 256, "do_center_crop": True, "resample": 2} | IMAGENET


def video(files: HubFiles, name: str, device: torch.device) -> HubVideo:
    """Build the picture side: the mean of all patches, without the predictor.

    Windows have at most as many frames as the model was trained with; of more, so many are chosen evenly.
    """
    model = loaded_model(files, "VJEPA2Model", device)
    stated = dict(files.processor("video_processor", "video_preprocessor_config.json", "preprocessor_config.json"))
    # Whatever size is stated, the library's processor derives it from the crop.
    crop = stated.get("crop_size") or DEFAULT["crop_size"]
    stated["size"] = {"shortest_edge": int(int(crop["height"] if isinstance(crop, dict) else crop) * 256 / 224)}
    pictures = Pictures.of(files.name, stated, DEFAULT)
    most, together = int(model.config.frames_per_clip), int(model.config.tubelet_size)

    def prepare(windows: npt.NDArray[np.uint8]) -> Tensor:
        count = max(min(windows.shape[1], most) // together, 1) * together
        chosen = windows[:, chosen_frames(windows.shape[1], count)]
        return pictures(chosen.reshape(-1, *windows.shape[2:]), device).unflatten(0, (len(windows), count))

    common = Common(name, files.fingerprint, files.revision, device, model, int(model.config.hidden_size))
    return HubVideo(common, pictures.layout(1), prepare, _pictures)


def _pictures(model: Any, pixels: Tensor) -> Tensor:
    return model(pixel_values_videos=pixels, skip_predictor=True).last_hidden_state.mean(1)
