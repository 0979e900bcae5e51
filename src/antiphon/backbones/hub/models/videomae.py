"""VideoMAE (`transformers.VideoMAEModel`): a fixed number of frames, usually 16."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.backbones.hub.files import HubFiles
from antiphon.backbones.hub.loading import loaded_model
from antiphon.backbones.hub.pictures import Pictures, chosen_frames
from antiphon.backbones.hub.sides import Common, HubVideo

DEFAULT: dict[str, Any] = {
    "size": {"shortest_edge": 224},
    "crop_size": 224,
    "do_center_crop": True,
    "default_to_square": False,
    "resample": 2,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


def video(files: HubFiles, name: str, device: torch.device) -> HubVideo:
    """Build the picture side: the mean of all patches of frames that are chosen evenly from the window."""
    model = loaded_model(files, "VideoMAEModel", device)
    stated = files.processor("video_processor", "video_preprocessor_config.json", "preprocessor_config.json")
    pictures = Pictures.of(files.name, stated, DEFAULT)
    count = int(model.config.num_frames)

    def prepare(windows: npt.NDArray[np.uint8]) -> Tensor:
        chosen = windows[:, chosen_frames(windows.shape[1], count)]
        return pictures(chosen.reshape(-1, *windows.shape[2:]), device).unflatten(0, (len(windows), count))

    common = Common(name, files.fingerprint, files.revision, device, model, int(model.config.hidden_size))
    return HubVideo(common, pictures.layout(1), prepare, _pictures)


def _pictures(model: Any, pixels: Tensor) -> Tensor:
    return model(pixel_values=pixels).last_hidden_state.mean(1)
