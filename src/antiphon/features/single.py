"""Features of one file or array that is not in a catalogue, and the tags of a file."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from antiphon import backbones
from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.backbones.musicnn import Musicnn
from antiphon.cores import usable_cores
from antiphon.errors import AntiphonError, ConfigError, DecodeError
from antiphon.features.computing import BATCH_WINDOWS, file_problem, window_features
from antiphon.media.arrays import frame_windows, waveform_windows
from antiphon.media.extents import EVERYWHERE, Extents
from antiphon.media.windows import DecodedWindow, DecodedWindows, WindowBatches
from antiphon.ordering import descending
from antiphon.segments.reading import FileJob, PatchesJob, PlannedWindows, read_file, read_patches
from antiphon.segments.sampling import SamplingConfig, segment_rows
from antiphon.workers.limits import WorkerLimits
from antiphon.workers.pool import stream_in_processes

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
        Windows that a network takes at a time. Default: 8.

    Raises
    ------
    DecodeError
        The file cannot be read, is too short, or has none of the sides that the backbones look at.
    """
    gathered = _Gathered(str(path), networks, sampling or SamplingConfig(), batch_size or BATCH_WINDOWS)
    for part in read_file(gathered.job):
        gathered.add(part)
    return gathered.whole()


def files_features(
    paths: Sequence[str | Path],
    networks: Sequence[Backbone],
    sampling: SamplingConfig | None = None,
    batch_size: int | None = None,
    *,
    workers: int | None = None,
    limits: WorkerLimits | None = None,
) -> Iterator[tuple[str | Path, SourceFeatures | AntiphonError]]:
    """Compute the features of several files as `file_features` does, each decoded in a worker process with limits.

    Parameters
    ----------
    paths, networks, sampling, batch_size
        As in `file_features`.
    workers : int, optional
        Number of decoding processes. Default: one per core.
    limits : WorkerLimits, optional
        Limits of each window. Default: 60 s and 2 GB.

    Yields
    ------
    path : str or Path
        A file, in order of completion.
    features : SourceFeatures or AntiphonError
        Its features, or why it has none.

    Raises
    ------
    ConfigError
        Worker processes cannot be started, or there is not enough memory for a backbone.
    """
    settings, size = sampling or SamplingConfig(), batch_size or BATCH_WINDOWS
    under_way = {number: _Gathered(str(path), networks, settings, size) for number, path in enumerate(paths)}
    jobs = [gathered.job for gathered in under_way.values()]
    count = min(workers or usable_cores(), len(jobs))
    with closing(stream_in_processes(read_file, jobs, count, limits or WorkerLimits())) as parts:
        for part in parts:
            if part.value is not None:
                under_way[part.number].try_to_add(part.value)
            if part.is_last:
                gathered = under_way.pop(part.number)
                yield paths[part.number], part.error or gathered.tried()


class _Gathered:
    """What has been computed of a file so far."""

    def __init__(self, path: str, networks: Sequence[Backbone], sampling: SamplingConfig, batch_size: int) -> None:
        layouts = tuple(network.layout for network in networks if isinstance(network, VideoBackbone))
        rate_hz = next((network.rate_hz for network in networks if isinstance(network, AudioBackbone)), None)
        self.job = FileJob(path, layouts, rate_hz, sampling)
        self._networks, self._batches, self._batch_size = networks, WindowBatches(batch_size), batch_size
        self._planned = PlannedWindows([], EVERYWHERE)
        self._vectors: dict[Modality, list[FloatArray]] = {}
        self._problem: str | None = None
        self._error: AntiphonError | None = None

    def add(self, part: PlannedWindows | DecodedWindow) -> None:
        """Add what was read, and run the backbones where a batch is full."""
        if isinstance(part, PlannedWindows):
            self._planned, self._error = part, None
        else:
            self._compute(self._batches.add(part))

    def whole(self) -> SourceFeatures:
        """Return the features of the whole file."""
        self._compute(self._batches.rest())
        if not self._vectors:
            raise DecodeError(
                f"{self.job.path}: no window of {self.job.sampling.window_s:g} s lies within its"
                f" {self._networks[0].modality}."
            )
        if self._problem is not None:
            warnings.warn(f"Only one side of the file is used: {self._problem}", UserWarning, stacklevel=4)
        vectors: dict[Modality, FloatArray] = {side: np.concatenate(parts) for side, parts in self._vectors.items()}
        return SourceFeatures(self._planned.windows, vectors, self._planned.extents)

    def try_to_add(self, part: PlannedWindows | DecodedWindow) -> None:
        """Add what was read, and remember what a backbone raises; nothing is computed after that."""
        if self._error is None or isinstance(part, PlannedWindows):
            try:
                self.add(part)
            except Exception as error:  # noqa: BLE001 - whatever a backbone raises about one file
                self._error = file_problem(error)

    def tried(self) -> SourceFeatures | AntiphonError:
        """Return the features of the whole file, or why it has none."""
        try:
            return self._error or self.whole()
        except Exception as error:  # noqa: BLE001 - whatever a backbone raises about one file
            return file_problem(error)

    def _compute(self, batch: DecodedWindows | None) -> None:
        if batch is None:
            return
        if batch.first == 0:
            self._vectors, self._problem = {}, batch.problem
        for network in self._networks:
            audio = network.modality == "audio"
            if batch.waveforms is not None if audio else batch.frames:
                vectors = window_features(network, batch, self._batch_size)
                self._vectors.setdefault("audio" if audio else "video", []).append(vectors)


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
        return SourceFeatures(windows, {"audio": window_features(network, decoded, batch_size or BATCH_WINDOWS)})
    frames = _checked_pictures(source)
    windows = _windows("array", len(frames) / rate, settings)
    cropped = frame_windows(frames, rate, windows, network.layout, settings.seed)
    decoded = DecodedWindows(None, dict.fromkeys((network.layout,), cropped))
    return SourceFeatures(windows, {"video": window_features(network, decoded, batch_size or BATCH_WINDOWS)})


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
        The file cannot be read, has no audio, or is shorter than a patch; or none of its patches can be decoded.
    """
    scores = _Scores(str(path), _tagger(backbone))
    for part in read_patches(scores.job):
        scores.add(part)
    return scores.tags()


def predict_tags_of(
    paths: Sequence[str | Path], backbone: str = "musicnn-mtt", *, limits: WorkerLimits | None = None
) -> Iterator[tuple[str | Path, list[tuple[str, float]] | AntiphonError]]:
    """Predict the tags of several files as `predict_tags` does, each decoded in a worker process with limits.

    Parameters
    ----------
    paths : sequence of str or Path
        Media files.
    backbone : str, default 'musicnn-mtt'
        Name of a musicnn backbone with a tag output.
    limits : WorkerLimits, optional
        Limits of each patch. Default: 60 s and 2 GB.

    Yields
    ------
    path : str or Path
        A file, in order of completion.
    tags : list of (str, float) or AntiphonError
        Tags and probabilities, the most likely first; or why there are none.

    Raises
    ------
    ConfigError
        The backbone predicts no tags, or worker processes cannot be started.
    """
    network = _tagger(backbone)
    scores = [_Scores(str(path), network) for path in paths]
    jobs = [score.job for score in scores]
    workers = min(usable_cores(), len(jobs))
    with closing(stream_in_processes(read_patches, jobs, workers, limits or WorkerLimits())) as parts:
        for part in parts:
            if part.value is not None:
                scores[part.number].try_to_add(part.value)
            if part.is_last:
                yield paths[part.number], part.error or scores[part.number].tried()


def _tagger(backbone: str) -> Musicnn:
    network = loaded_backbone(backbone, "auto")
    if not isinstance(network, Musicnn):
        raise ConfigError(f"{backbone} predicts no tags. Use musicnn-mtt or musicnn-msd.")
    return network


class _Scores:
    """Sums of the tags' probabilities over a track."""

    def __init__(self, path: str, network: Musicnn) -> None:
        self.job = PatchesJob(path, _PATCH_S, network.rate_hz)
        self._network = network
        self._sums = np.zeros(len(network.tags))
        self._count = 0
        self._error: AntiphonError | None = None

    def add(self, part: PlannedWindows | FloatArray) -> None:
        """Add a patch; a plan begins anew, as where a worker crashed and the file is read again."""
        if isinstance(part, PlannedWindows):
            self._sums, self._count, self._error = np.zeros_like(self._sums), 0, None
        else:
            self._sums += self._network.outputs(self._network.log_mel(part)).taggram.mean(axis=0)
            self._count += 1

    def tags(self) -> list[tuple[str, float]]:
        """Return the means, the highest first."""
        if not self._count:
            raise DecodeError(f"{self.job.path}: no patch of {_PATCH_S:g} s of its audio can be decoded.")
        means = self._sums / self._count
        return [(self._network.tags[place], float(means[place])) for place in descending(means)]

    def try_to_add(self, part: PlannedWindows | FloatArray) -> None:
        """Add a patch, and remember what the backbone raises; nothing is computed after that."""
        if self._error is None or isinstance(part, PlannedWindows):
            try:
                self.add(part)
            except Exception as error:  # noqa: BLE001 - whatever a backbone raises about one file
                self._error = file_problem(error)

    def tried(self) -> list[tuple[str, float]] | AntiphonError:
        """Return the means, the highest first, or why there are none."""
        try:
            return self._error or self.tags()
        except DecodeError as error:
            return error


def loaded_backbone(name: str, device: str) -> Backbone:
    """Load a backbone once; one registered in this process may be replaced, so it is looked up each time."""
    return backbones.load(name, device=device) if backbones.registered(name) else _kept(name, device)


@lru_cache(maxsize=4)
def _kept(name: str, device: str) -> Backbone:
    return backbones.load(name, device=device)


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
