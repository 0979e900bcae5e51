"""Features and tags of one file that is not in a catalogue."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon import backbones
from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.backbones.musicnn import Musicnn
from antiphon.errors import ConfigError, DecodeError
from antiphon.features.computing import window_features, windows_job
from antiphon.media.decoding import decode_stretches
from antiphon.media.probing import probe_media
from antiphon.media.windows import decode_windows
from antiphon.segments.sampling import SamplingConfig, segment_rows

_PATCH_S = 3.0


def file_features(
    path: str | Path,
    backbone: str | AudioBackbone | VideoBackbone,
    device: str = "auto",
    sampling: SamplingConfig | None = None,
) -> tuple[list[tuple[float, float]], npt.NDArray[np.float32]]:
    """Compute the features of a file's windows by one backbone.

    Parameters
    ----------
    path : str or Path
        Media file.
    backbone : str, AudioBackbone or VideoBackbone
        Name of a backbone, or a loaded one.
    device : str, default 'auto'
        Device of a backbone given by name.
    sampling : SamplingConfig, optional
        Position of the segments. Default: the paper's six sections.

    Returns
    -------
    windows : list of (float, float)
        Start and end of each window, in seconds on the track's time line.
    features : ndarray of float32, shape (windows, dim)
        One row per window.

    Raises
    ------
    DecodeError
        The file cannot be read, is too short, or lacks the backbone's modality.
    """
    network = _loaded(backbone, device) if isinstance(backbone, str) else backbone
    info = probe_media(path)
    if not (info.has_audio if network.modality == "audio" else info.has_video):
        raise DecodeError(f"{path}: has no {network.modality}.")
    settings = sampling or SamplingConfig()
    name = Path(path).name
    rows = segment_rows(name, info.duration_s, settings, info.start_s)
    windows = [(float(row["window_start_s"]), float(row["window_end_s"])) for row in rows]
    decoded = decode_windows(windows_job(name, str(path), windows, [network], settings.seed))
    return windows, window_features(network, decoded)


def predict_tags(path: str | Path, backbone: str = "musicnn-mtt") -> list[tuple[str, float]]:
    """Predict the tags of a whole file, as mean probabilities over its consecutive 3 s patches.

    Parameters
    ----------
    path : str or Path
        Media file.
    backbone : str, default 'musicnn-mtt'
        Name of a musicnn backbone with a tag output.

    Returns
    -------
    list of (str, float)
        Tags and probabilities, the most likely first.

    Raises
    ------
    DecodeError
        The file cannot be read, has no audio, or is shorter than a patch.
    ConfigError
        The backbone predicts no tags.
    """
    network = _loaded(backbone, "auto")
    if not isinstance(network, Musicnn):
        raise ConfigError(f"{backbone} predicts no tags. Use musicnn-mtt or musicnn-msd.")
    info = probe_media(path)
    if not info.has_audio:
        raise DecodeError(f"{path}: has no audio.")
    count = int(info.duration_s // _PATCH_S)
    if not count:
        raise DecodeError(f"{path}: is {info.duration_s:.2f} s long, but {backbone} needs at least {_PATCH_S:g} s.")
    starts = info.start_s + _PATCH_S * np.arange(count)
    windows = [(float(start_s), float(start_s) + _PATCH_S) for start_s in starts]
    scores = np.zeros(len(network.tags))
    for window in decode_stretches(str(path), windows, rate_hz=network.rate_hz):
        if window.waveform is not None:
            scores += network.outputs(network.log_mel(window.waveform)).taggram.mean(axis=0)
    order = np.argsort(-scores, kind="stable")
    return [(network.tags[place], float(scores[place] / count)) for place in order]


@lru_cache(maxsize=4)
def _loaded(name: str, device: str) -> AudioBackbone | VideoBackbone:
    return backbones.load(name, device=device)
