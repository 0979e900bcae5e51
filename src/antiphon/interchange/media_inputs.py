"""What other libraries call sound and pictures, embedded track by track: paths, mappings of arrays, and features."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import MODALITIES, Modality, float_array
from antiphon.errors import ConfigError
from antiphon.features import Features

FloatArray = npt.NDArray[np.float32]


def embed_inputs(model: DualEncoder, side: Modality, items: Iterable[Any]) -> FloatArray:
    """Embed items, each as one track.

    Parameters
    ----------
    model : DualEncoder
        Fitted model.
    side : {'audio', 'video'}
        Modality.
    items : iterable
        Of media files: paths. Of sound: mappings with `array`, (samples,) or (channels, samples) in [-1, 1], and
        `sampling_rate`. Of pictures: mappings with `array`, (frames, height, width, 3) of uint8, and
        `video_metadata` with `fps`. Of features: vectors (dim,), or matrices (segments, dim) in order of time.

    Returns
    -------
    ndarray of float32, shape (n, dim)
        Unit rows.

    Raises
    ------
    ConfigError
        An item is nothing of these, or features are given to a model of whole tracks, which needs their times.
    DecodeError
        A media file cannot be read, or is too short.
    """
    rows = [_embedded(model, side, item) for item in items]
    return np.concatenate(rows) if rows else np.empty((0, model.dim), dtype=np.float32)


def _embedded(model: DualEncoder, side: Modality, item: Any) -> FloatArray:
    if isinstance(item, str | Path):
        encode = model.encode_audio if side == "audio" else model.encode_video
        return encode(item, per="track")
    if isinstance(item, Mapping):
        return _waveform(model, item) if side == "audio" else _frames(model, item)
    return _features(model, side, item)


def _waveform(model: DualEncoder, item: Mapping[str, Any]) -> FloatArray:
    try:
        samples, rate_hz = float_array(item["array"]), int(item["sampling_rate"])
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError("Sound is given as a path, or as a mapping with array and sampling_rate.") from error
    if samples.ndim == 2:
        samples = samples.mean(axis=0)
    return model.encode_audio(samples, per="track", rate_hz=rate_hz)


def _frames(model: DualEncoder, item: Mapping[str, Any]) -> FloatArray:
    try:
        frames, frames_per_s = np.asarray(item["array"]), float(item["video_metadata"]["fps"])
    except (KeyError, TypeError, ValueError) as error:
        wanted = "a path, or as a mapping with array and video_metadata, which has fps"
        raise ConfigError(f"Pictures are given as {wanted}.") from error
    return model.encode_video(frames, per="track", frames_per_s=frames_per_s)


def _features(model: DualEncoder, side: Modality, item: Any) -> FloatArray:
    if model.recipe.track is not None:
        raise ConfigError(
            "A model of whole tracks needs to know when segments begin, which features alone do not tell. Give media "
            "files, or a model without [track]."
        )
    try:
        rows = np.atleast_2d(float_array(item))
    except ValueError as error:
        raise ConfigError(f"A {type(item).__name__} is no path, no mapping with array, and no features.") from error
    sound, pictures = (rows, None) if side == "audio" else (None, rows)
    features = Features.from_arrays(sound, pictures, groups=["track"] * len(rows))
    return model.embed(features, per="track")[MODALITIES.index(side)]
