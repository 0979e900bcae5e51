"""Features of one file or array that is not in a catalogue, and the tags of a file."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from antiphon import backbones
from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.backbones.musicnn import Musicnn
from antiphon.errors import ConfigError, DecodeError
from antiphon.features.computing import window_features, windows_job
from antiphon.media.arrays import frame_windows, waveform_windows
from antiphon.media.decoding import decode_stretches
from antiphon.media.extents import EVERYWHERE, Extents
from antiphon.media.probing import MediaInfo, probe_media
from antiphon.media.windows import DecodedWindows, decode_windows
from antiphon.ordering import descending
from antiphon.segments.sampling import SamplingConfig, segment_rows

FloatArray = npt.NDArray[np.float32]
Backbone = AudioBackbone | VideoBackbone
Source = str | Path | npt.NDArray[Any]
Windows = list[tuple[float, float]]
Modality = Literal["audio", "video"]

_PATCH_S = 3.0


@dataclass(frozen=True, eq=False)
class SourceFeatures:
    """Features of the windows of one file or array.

    Attributes
    ----------
    windows : list of (float, float)
        Start and end in seconds on the track's time line.
    vectors : dict
        Modality → (windows, dim) float32, for the sides that there are; see `windows_of`.
    extents : Extents
        Where audio and video lie.
    """

    windows: Windows
    vectors: dict[Modality, FloatArray]
    extents: Extents = EVERYWHERE

    def windows_of(self, side: Modality) -> Windows:
        """Return the windows that the rows of a side are of: those within its extent."""
        return [window for window in self.windows if self.extents.hold(side, *window)]


def file_features(
    path: str | Path,
    networks: Sequence[Backbone],
    sampling: SamplingConfig | None = None,
    batch_size: int | None = None,
) -> SourceFeatures:
    """Compute the features of a file's windows by one backbone a side; it is probed once and decoded once.

    Parameters
    ----------
    path : str or Path
        Local path, or an address that fsspec knows.
    networks : sequence of AudioBackbone or VideoBackbone
        At most one of each modality. A side that the file lacks is left out.
    sampling : SamplingConfig, optional
        Where the windows lie. Default: the paper's six sections.
    batch_size : int, optional
        Windows that a network takes at a time. Default: all of them.

    Raises
    ------
    DecodeError
        The file cannot be read, is too short, or has none of the sides that the backbones look at.
    """
    info = probe_media(path)
    present = [network for network in networks if _has(info, network)]
    if not present:
        lacking = " and no ".join(network.modality for network in networks)
        raise DecodeError(f"{path}: has no {lacking}.")
    settings = sampling or SamplingConfig()
    name = Path(path).name
    windows = _windows(name, info.duration_s, settings, info.start_s)
    job = windows_job(name, str(path), windows, present, settings.seed, Extents.of(vars(info)))
    decoded = decode_windows(job)
    if decoded.problem is not None:
        warnings.warn(f"Only one side of the file is used: {decoded.problem}", UserWarning, stacklevel=3)
    vectors: dict[Modality, FloatArray] = {
        "audio" if network.modality == "audio" else "video": window_features(network, decoded, batch_size)
        for network in present
        if (decoded.waveforms is not None if network.modality == "audio" else decoded.frames)
    }
    if not vectors:
        raise DecodeError(f"{path}: no window of {settings.window_s:g} s lies within its {present[0].modality}.")
    return SourceFeatures(windows, vectors, job.extents)


def source_features(
    source: Source,
    network: Backbone,
    rate: float | None = None,
    sampling: SamplingConfig | None = None,
    batch_size: int | None = None,
) -> SourceFeatures:
    """Compute the features of a file, a waveform or an array of frames by one backbone.

    Parameters
    ----------
    source : str, Path or ndarray
        A media file; a mono waveform, (samples,) floats in [-1, 1]; or frames, (frames, height, width, 3) uint8 RGB.
    network : AudioBackbone or VideoBackbone
    rate : float, optional
        Samples or frames a second; needed for arrays.
    sampling, batch_size
        As in `file_features`.

    Raises
    ------
    ConfigError
        An array has no rate, or another shape or type.
    DecodeError
        The file cannot be read, or the track is too short.
    """
    if isinstance(source, (str, Path)):
        return file_features(source, [network], sampling, batch_size)
    if rate is None or rate <= 0:
        raise ConfigError(f"Pass {'rate_hz' if network.modality == 'audio' else 'frames_per_s'} with an array.")
    settings = sampling or SamplingConfig()
    if isinstance(network, AudioBackbone):
        sound = _checked_sound(source)
        windows = _windows("array", len(sound) / rate, settings)
        decoded = DecodedWindows(waveform_windows(sound, int(rate), windows, network.rate_hz), {})
        return SourceFeatures(windows, {"audio": window_features(network, decoded, batch_size)})
    frames = _checked_pictures(source)
    windows = _windows("array", len(frames) / rate, settings)
    cropped = frame_windows(frames, rate, windows, network.layout, settings.seed)
    decoded = DecodedWindows(None, dict.fromkeys((network.layout,), cropped))
    return SourceFeatures(windows, {"video": window_features(network, decoded, batch_size)})


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
    ConfigError
        The backbone predicts no tags.
    DecodeError
        The file cannot be read, has no audio, or is shorter than a patch.
    """
    network = loaded_backbone(backbone, "auto")
    if not isinstance(network, Musicnn):
        raise ConfigError(f"{backbone} predicts no tags. Use musicnn-mtt or musicnn-msd.")
    info = probe_media(path)
    if not info.has_audio:
        raise DecodeError(f"{path}: has no audio.")
    count = int(info.duration_s // _PATCH_S)
    if not count:
        raise DecodeError(f"{path}: is {info.duration_s:.2f} s long, but {backbone} needs at least {_PATCH_S:g} s.")
    starts = max(info.start_s, 0.0) + _PATCH_S * np.arange(count)
    every = [(float(start_s), float(start_s) + _PATCH_S) for start_s in starts]
    windows = [window for window in every if Extents.of(vars(info)).hold("audio", *window)]
    scores = np.zeros(len(network.tags))
    for window in decode_stretches(str(path), windows, rate_hz=network.rate_hz):
        if window.waveform is not None:
            scores += network.outputs(network.log_mel(window.waveform)).taggram.mean(axis=0)
    scores /= len(windows)
    return [(network.tags[place], float(scores[place])) for place in descending(scores)]


def loaded_backbone(name: str, device: str) -> Backbone:
    """Load a backbone once; one registered in this process may be replaced, so it is looked up each time."""
    return backbones.load(name, device=device) if backbones.registered(name) else _kept(name, device)


@lru_cache(maxsize=4)
def _kept(name: str, device: str) -> Backbone:
    return backbones.load(name, device=device)


def _has(info: MediaInfo, network: Backbone) -> bool:
    return info.has_audio if network.modality == "audio" else info.has_video


def _windows(name: str, duration_s: float, sampling: SamplingConfig, start_s: float = 0.0) -> Windows:
    rows = segment_rows(name, duration_s, sampling, start_s)
    return [(float(row["window_start_s"]), float(row["window_end_s"])) for row in rows]


def _checked_sound(waveform: npt.NDArray[Any]) -> npt.NDArray[np.floating]:
    """Return a mono waveform, or raise `ConfigError` where it is none."""
    if waveform.ndim != 1 or not np.issubdtype(waveform.dtype, np.floating):
        raise ConfigError(
            f"A waveform must be (samples,) floats in [-1, 1], not {waveform.dtype} of shape {waveform.shape}."
        )
    return waveform


def _checked_pictures(frames: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return RGB frames, or raise `ConfigError` where they are none."""
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8:
        raise ConfigError(
            f"Frames must be uint8 RGB of shape (frames, height, width, 3), not {frames.dtype} of shape {frames.shape}."
        )
    return frames
