"""EmbeddingGemma 2 (`transformers.EmbeddingGemma2Model`): sound, pictures and text, each as tokens of one encoder.

As its authors publish it: the mean over all tokens of their projected states, made one of length 1. Texts have no
prompt; who wants the one that its authors suggest for queries puts it before the text.
"""

import math
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from antiphon.backbones.base import FloatArray
from antiphon.backbones.hub.audio_features import extractor_of
from antiphon.backbones.hub.files import HubFiles
from antiphon.backbones.hub.loading import loaded_model
from antiphon.backbones.hub.pictures import Pictures
from antiphon.backbones.hub.sides import Common, HubAudio, HubVideo
from antiphon.backbones.hub.text import HubText, tokenizer_of
from antiphon.errors import WeightsError

_EVERY = 10
"""One frame a second, as the library samples videos."""
_MAX_TOKENS = 8_192
_MAX_SAMPLES = 480_000
DEFAULT: dict[str, Any] = {
    "resample": 3,
    "image_mean": [0.0, 0.0, 0.0],
    "image_std": [1.0, 1.0, 1.0],
    "patch_size": 16,
    "max_soft_tokens": 70,
    "pooling_kernel_size": 3,
}


def audio(files: HubFiles, name: str, device: torch.device) -> HubAudio:
    """Build the sound side; longer waveforms than 30 s are refused, because the library drops what comes after."""
    model = loaded_model(files, "EmbeddingGemma2Model", device)
    if model.config.audio_config is None:
        raise WeightsError(f"{files.name}: was saved without the part that hears. Use the whole model.")
    extractor = extractor_of(files, "Gemma4AudioFeatureExtractor")
    rate_hz, tokens = int(extractor.sampling_rate), _Tokens(files, model.config)

    def prepare(waveforms: FloatArray) -> Tensor:
        # The mask comes along as one more column, since a network here takes one tensor.
        told = [extractor([one], sampling_rate=rate_hz) for one in waveforms]
        joined = [
            np.concatenate([one["input_features"][0], one["input_features_mask"][0][:, None]], axis=1) for one in told
        ]
        return torch.from_numpy(np.stack(joined).astype(np.float32))

    def compute(network: Any, rows: Tensor) -> Tensor:
        # All rows are of one length; those that only fill up a batch are taken as full.
        mask = (rows[:1, :, -1] > 0.5).expand(len(rows), -1)
        ids = tokens.of_sound(_halved_twice(mask[0])).expand(len(rows), -1).to(rows.device)
        return _pooled(network(input_ids=ids, input_features=rows[..., :-1], input_features_mask=mask))

    return HubAudio(_common(files, name, device, model), rate_hz, prepare, compute, _MAX_SAMPLES, min_samples=2_000)


def video(files: HubFiles, name: str, device: torch.device) -> HubVideo:
    """Build the picture side: a frame a second, the largest square that the model's budget of tokens allows."""
    model = loaded_model(files, "EmbeddingGemma2Model", device)
    if model.config.vision_config is None:
        raise WeightsError(f"{files.name}: was saved without the part that sees. Use the whole model.")
    stated = DEFAULT | files.processor("video_processor", "video_preprocessor_config.json")
    if stated.get("add_timestamps"):
        raise WeightsError(f"{files.name}: its processor writes times between frames, which is not done here.")
    patch_px, together = int(stated["patch_size"]), int(stated["pooling_kernel_size"])
    most = int(stated["max_soft_tokens"]) * together**2
    side = int(math.isqrt(most) // together) * together
    square = {"size": {"shortest_edge": side * patch_px}, "crop_size": side * patch_px, "do_center_crop": True}
    pictures = Pictures.of(files.name, stated | square, DEFAULT)
    tokens = _Tokens(files, model.config)

    def prepare(windows: npt.NDArray[np.uint8]) -> Tensor:
        pixels = pictures(windows.reshape(-1, *windows.shape[2:]), device)
        patches = pixels.unfold(2, patch_px, patch_px).unfold(3, patch_px, patch_px).permute(0, 2, 3, 4, 5, 1)
        flat = patches.reshape(len(pixels), side**2, -1)
        return F.pad(flat, (0, 0, 0, most - side**2)).unflatten(0, windows.shape[:2])

    def compute(network: Any, rows: Tensor) -> Tensor:
        count, frames = rows.shape[:2]
        ids = tokens.of_frames(frames, side**2 // together**2).expand(count, -1).to(rows.device)
        return _pooled(
            network(
                input_ids=ids,
                pixel_values_videos=rows.flatten(0, 1),
                video_position_ids=_positions(side, most).to(rows.device).expand(count * frames, -1, -1),
                num_frames_per_video=torch.full((count,), frames),
            )
        )

    return HubVideo(_common(files, name, device, model), pictures.layout(_EVERY), prepare, compute)


class _Tokens:
    """Token ids of what is no text, as the model's tokenizer writes them."""

    def __init__(self, files: HubFiles, config: Any) -> None:
        self._files, self._config = files, config
        self.of_sound = cache(self._of_sound)
        self.of_frames = cache(self._of_frames)

    def _of_sound(self, count: int) -> Tensor:
        return self._around(
            [self._config.boa_token_id, *[self._config.audio_token_id] * count, self._config.eoa_token_index]
        )

    def _of_frames(self, frames: int, count: int) -> Tensor:
        one = [self._config.boi_token_id, *[self._config.video_token_id] * count, self._config.eoi_token_id]
        return self._around(one * frames)

    def _around(self, ids: list[int]) -> Tensor:
        """Return ids with what the tokenizer puts around every text: shape (1, tokens)."""
        tokenizer = tokenizer_of(self._files)
        found = tokenizer("".join(map(str, tokenizer.convert_ids_to_tokens(ids))))["input_ids"]
        if sum(one in set(ids) for one in found) != len(ids):
            raise WeightsError(
                f"{self._files.name}: its tokenizer does not know the tokens that its configuration names for sound "
                "and pictures. Save the model's processor beside it."
            )
        return torch.tensor([found])


def _common(files: HubFiles, name: str, device: torch.device, model: Any) -> Common:
    dim = int(model.config.text_config.embedding_dim)
    text = HubText(files, model, device, dim, _words, max_tokens=_MAX_TOKENS)
    return Common(name, files.fingerprint, files.revision, device, model, dim, text)


def _words(model: Any, ids: Tensor) -> Tensor:
    return _pooled(model(input_ids=ids))


def _pooled(told: Any) -> Tensor:
    return F.normalize(told.last_hidden_state.mean(1), dim=-1)


def _halved_twice(mask: Tensor) -> int:
    """Count the tokens of sound: every fourth step of the spectrogram, as two convolutions of stride 2 leave them."""
    for _ in range(2):
        mask = mask[::2][: (len(mask) - 1) // 2 + 1]
    return int(mask.sum())


def _positions(side: int, most: int) -> Tensor:
    """Return column and row of each patch, and -1 where there is none: shape (1, most, 2)."""
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    there = torch.stack([columns, rows], dim=-1).reshape(1, side**2, 2)
    return F.pad(there, (0, 0, 0, most - side**2), value=-1)
