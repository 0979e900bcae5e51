"""Videos from files to features: worker processes decode windows, networks run on batches of them as they come.

Memory grows neither with the number of videos nor with their length: what a worker has decoded waits until it is taken.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import numpy.typing as npt

from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.errors import AntiphonError, DecodeError
from antiphon.features.batches import Batch, batches_of, groups_of
from antiphon.features.computing import BATCH_WINDOWS, compute_in_threads, features_together, file_problem
from antiphon.media.quality import Flag
from antiphon.media.windows import DecodedWindow, DecodedWindows, WindowsJob, decode_windows
from antiphon.workers.limits import WorkerLimits
from antiphon.workers.pool import lasting_workers, stream_in_processes
from antiphon.workers.worker import Worker

Backbone = AudioBackbone | VideoBackbone

GPU_WINDOWS = 64
"""Windows that a GPU computes at a time: with fewer most of it waits."""


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
    workers: int | Sequence[Worker[WindowsJob, DecodedWindow]],
    limits: WorkerLimits | None = None,
    *,
    gpu: bool = False,
    threads: int | None = None,
) -> Generator[ComputedVideo]:
    """Decode videos and run backbones on their windows.

    Whatever a file does to a decoder or a backbone is the problem of that video alone.

    Parameters
    ----------
    jobs : iterable of WindowsJob
        Videos.
    networks_of : callable
        Backbones to run on a video.
    workers : int or sequence of Worker
        Number of decoding processes, or `decoders` that stay for further calls.
    limits : WorkerLimits, optional
        Limits of each window. Default: none.
    gpu : bool, default False
        Whether a GPU computes: windows of several videos are then computed together, and by one thread.
    threads : int, optional
        Number of batches that a processor computes at a time. Default: as in `compute_in_threads`.

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
        closing(
            compute_in_threads(
                lambda group: list(zip(group, _compute(group, networks_of), strict=True)),
                groups_of(batches_of(parts), GPU_WINDOWS if gpu else 1),
                threads=1 if gpu else threads,
            )
        ) as computed,
    ):
        for batch, found in chain.from_iterable(computed):
            if batch.decoded is not None and batch.decoded.first == 0:
                problem = batch.decoded.problem
                gathered[batch.number] = _Gathered(problem=None if problem is None else DecodeError(problem))
            video = gathered.setdefault(batch.number, _Gathered())
            video.add(found)
            if batch.decoded is not None:
                video.measure(batch.decoded)
            if batch.is_last:
                yield gathered.pop(batch.number).whole(batch.job, batch.error)


def decoders(count: int, limits: WorkerLimits | None = None) -> list[Worker[WindowsJob, DecodedWindow]]:
    """Make decoding processes for several calls of `computed_videos`, at the same time or one after the other.

    Parameters
    ----------
    count : int
        Number of processes.
    limits : WorkerLimits, optional
        Limits of each window. Default: none.

    Returns
    -------
    list of Worker
        The processes.
    """
    return lasting_workers(decode_windows, count, limits)


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
    return _compute_all([(decoded, list(networks))])[0]


def _compute(group: Sequence[Batch], networks_of: Callable[[WindowsJob], Sequence[Backbone]]) -> list[_Computed]:
    found = iter(_compute_all([(one.decoded, networks_of(one.job)) for one in group if one.decoded is not None]))
    return [{} if one.decoded is None else next(found) for one in group]


def _compute_all(batches: Sequence[tuple[DecodedWindows, Sequence[Backbone]]]) -> list[_Computed]:
    """Run the backbones of each batch on it, each backbone on all of its batches at once."""
    computed: list[_Computed] = [{} for _ in batches]
    for network in dict.fromkeys(network for _, networks in batches for network in networks):
        own = [
            place
            for place, (decoded, networks) in enumerate(batches)
            if network in networks and _fits(network, decoded)
        ]
        found = _vectors(network, [batches[place][0] for place in own]) if own else []
        for place, vectors in zip(own, found, strict=True):
            decoded = batches[place][0]
            flags = decoded.audio_flags if isinstance(network, AudioBackbone) else decoded.video_flags
            failed = isinstance(vectors, AntiphonError)
            computed[place][network.name] = vectors if failed else SideFeatures(vectors, flags)
    return computed


def _fits(network: Backbone, decoded: DecodedWindows) -> bool:
    """Return whether a batch has the modality of a backbone."""
    return decoded.waveforms is not None if isinstance(network, AudioBackbone) else bool(decoded.frames)


def _vectors(network: Backbone, batches: Sequence[DecodedWindows]) -> list[npt.NDArray[np.float32] | AntiphonError]:
    """Compute the features of batches at once; where that fails, one by one, so that one video fails alone."""
    try:
        return [*features_together(network, batches)]
    except Exception as error:  # noqa: BLE001 - whatever a backbone raises about one video
        if len(batches) > 1:
            return [found for batch in batches for found in _vectors(network, [batch])]
        return [file_problem(error)]


def _joined(parts: Sequence[SideFeatures]) -> SideFeatures:
    if len(parts) == 1:
        return parts[0]
    flags = tuple(chain.from_iterable(part.flags for part in parts))
    return SideFeatures(np.concatenate([part.vectors for part in parts]), flags)
