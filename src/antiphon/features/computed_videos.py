"""Videos from files to features: worker processes decode windows, networks run on batches of them as they come.

Memory grows neither with the number of videos nor with their length: what a worker has decoded waits until it is taken.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import numpy.typing as npt

from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.errors import AntiphonError, DecodeError
from antiphon.features.computing import BATCH_WINDOWS, compute_in_threads, file_problem, window_features
from antiphon.media.quality import Flag
from antiphon.media.windows import DecodedWindow, DecodedWindows, WindowBatches, WindowsJob, decode_windows
from antiphon.workers.limits import WorkerLimits
from antiphon.workers.pool import Part, stream_in_processes

Backbone = AudioBackbone | VideoBackbone


@dataclass(frozen=True)
class SideFeatures:
    """Features of consecutive windows by one backbone.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n, dim)
        One row per window.
    flags : tuple of tuple of Flag
        What is wrong with each window; see `antiphon.media.quality`.
    """

    vectors: npt.NDArray[np.float32]
    flags: tuple[tuple[Flag, ...], ...]


@dataclass(frozen=True)
class VideoAttributes:
    """Attributes of one video.

    Attributes
    ----------
    windows : dict of int to tuple of float
        Visual attributes by number of the window, in the order of `ATTRIBUTE_NAMES`.
    tempo_bpm : float or None
        Tempo of the track in beats per minute; None without a clear beat.
    """

    windows: dict[int, tuple[float, ...]] = field(default_factory=dict[int, tuple[float, ...]])
    tempo_bpm: float | None = None


@dataclass(frozen=True)
class ComputedVideo:
    """Features of one video.

    Attributes
    ----------
    job : WindowsJob
        What was decoded.
    features : dict of str to SideFeatures
        Features by name of the backbone; those of which a part failed are left out.
    problem : AntiphonError or None
        Why some are missing.
    attributes : VideoAttributes
        What was measured; empty where it was not asked for, or pictures are damaged.
    """

    job: WindowsJob
    features: dict[str, SideFeatures]
    problem: AntiphonError | None
    attributes: VideoAttributes = VideoAttributes()


@dataclass(frozen=True)
class _Batch:
    """Windows of a job, and whether they are the last ones."""

    number: int
    job: WindowsJob
    decoded: DecodedWindows | None
    is_last: bool
    error: AntiphonError | None = None


@dataclass
class _Gathered:
    """What has been computed of one video so far."""

    parts: dict[str, list[SideFeatures]] = field(default_factory=dict[str, list[SideFeatures]])
    errors: dict[str, AntiphonError] = field(default_factory=dict[str, AntiphonError])
    problem: AntiphonError | None = None
    attributes: VideoAttributes = VideoAttributes()

    def measure(self, decoded: DecodedWindows) -> None:
        self.attributes = VideoAttributes(
            self.attributes.windows | decoded.attributes, decoded.tempo_bpm or self.attributes.tempo_bpm
        )

    def add(self, computed: "_Computed") -> None:
        for name, found in computed.items():
            if isinstance(found, AntiphonError):
                self.errors.setdefault(name, found)
            else:
                self.parts.setdefault(name, []).append(found)

    def whole(self, job: WindowsJob, error: AntiphonError | None) -> ComputedVideo:
        if error is not None:
            return ComputedVideo(job, {}, error)
        features = {name: _joined(parts) for name, parts in self.parts.items() if name not in self.errors}
        return ComputedVideo(job, features, next(iter(self.errors.values()), self.problem), self.attributes)


_Computed = dict[str, SideFeatures | AntiphonError]


def computed_videos(
    jobs: Iterable[WindowsJob],
    networks_of: Callable[[WindowsJob], Sequence[Backbone]],
    workers: int,
    limits: WorkerLimits | None = None,
) -> Generator[ComputedVideo]:
    """Decode videos and run backbones on their windows.

    Whatever a file does to a decoder or a backbone is the problem of that video alone.

    Parameters
    ----------
    jobs : iterable of WindowsJob
        Videos.
    networks_of : callable
        Backbones to run on a video.
    workers : int
        Number of decoding processes.
    limits : WorkerLimits, optional
        Limits of each window. Default: none.

    Yields
    ------
    ComputedVideo
        Videos, in order of completion.

    Raises
    ------
    ConfigError
        Worker processes cannot be started, or there is not enough memory for a backbone.
    OSError
        Too many files are open.
    """
    gathered: dict[int, _Gathered] = {}
    with (
        closing(stream_in_processes(decode_windows, jobs, workers, limits, ahead=2 * BATCH_WINDOWS)) as parts,
        closing(compute_in_threads(lambda batch: (batch, _compute(batch, networks_of)), _batches(parts))) as computed,
    ):
        for batch, found in computed:
            if batch.decoded is not None and batch.decoded.first == 0:
                problem = batch.decoded.problem
                gathered[batch.number] = _Gathered(problem=None if problem is None else DecodeError(problem))
            video = gathered.setdefault(batch.number, _Gathered())
            video.add(found)
            if batch.decoded is not None:
                video.measure(batch.decoded)
            if batch.is_last:
                yield gathered.pop(batch.number).whole(batch.job, batch.error)


def batch_features(networks: Iterable[Backbone], decoded: DecodedWindows) -> _Computed:
    """Run backbones on a batch of windows, each on its own.

    Parameters
    ----------
    networks : iterable of AudioBackbone or VideoBackbone
        Backbones; those whose modality is missing are left out.
    decoded : DecodedWindows
        Windows of one video.

    Returns
    -------
    dict of str to SideFeatures or AntiphonError
        Features by name of the backbone, or why it has none.

    Raises
    ------
    ConfigError
        There is not enough memory for a backbone.
    """
    computed: _Computed = {}
    for network in networks:
        audio = isinstance(network, AudioBackbone)
        if decoded.waveforms is not None if audio else decoded.frames:
            try:
                vectors = window_features(network, decoded)
            except Exception as error:  # noqa: BLE001 - whatever a backbone raises about one video
                computed[network.name] = file_problem(error)
            else:
                computed[network.name] = SideFeatures(vectors, decoded.audio_flags if audio else decoded.video_flags)
    return computed


def _compute(batch: _Batch, networks_of: Callable[[WindowsJob], Sequence[Backbone]]) -> _Computed:
    return {} if batch.decoded is None else batch_features(networks_of(batch.job), batch.decoded)


def _batches(parts: Iterable[Part[WindowsJob, DecodedWindow]]) -> Iterator[_Batch]:
    """Gather the windows of each video, which arrive in turn with those of others."""
    waiting: dict[int, WindowBatches] = {}
    for part in parts:
        windows = waiting.setdefault(part.number, WindowBatches(BATCH_WINDOWS))
        if part.value is not None:
            batch = windows.add(part.value)
            if batch is not None:
                yield _Batch(part.number, part.job, batch, is_last=False)
        if part.is_last:
            rest = waiting.pop(part.number).rest()
            yield _Batch(part.number, part.job, None if part.error else rest, is_last=True, error=part.error)


def _joined(parts: Sequence[SideFeatures]) -> SideFeatures:
    if len(parts) == 1:
        return parts[0]
    flags = tuple(chain.from_iterable(part.flags for part in parts))
    return SideFeatures(np.concatenate([part.vectors for part in parts]), flags)
