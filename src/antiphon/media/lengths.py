"""Where a stream starts and ends: by its packets, since headers and single time stamps are often wrong."""

import math
from array import array
from pathlib import Path
from typing import TypeAlias

import av.error
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.video.stream import VideoStream

from antiphon.errors import DecodeError
from antiphon.media.container import MICROSECONDS, MediaStream, origin_s, stream_start_s
from antiphon.media.extents import Extent
from antiphon.workers.steps import finish_step

_LOOK_BACK_S = (2.0, 8.0, 32.0, 128.0, 512.0)
# A stated end within the last, padded packet is trusted; if it is further off, the packets are.
_HEADER_TRUST_S = 0.12
# Without a gap as long as this, the end of a stream is what it seems.
_STEADY_GAP_S = 1.0
# Sound: what follows a gap and is shorter than this, such as one packet an hour later, does not belong to the track.
_STRAY_GAP_S, _STRAY_S = 2.0, 1.0
# Pictures: one or two, after a gap that is long beside the usual one (slide shows have few pictures throughout).
_STRAY_PICTURES, _PICTURE_GAP_S, _USUAL_GAPS = 2, 10.0, 20.0
# Files with fewer bytes a second are read whole: it takes no time, and they may consist of a gap.
_THIN_BYTES_PER_S = 500
# More sound than fits between the first and the last time stamp, by this factor: the stamps stand still.
_OVERFULL = 2.0
# A file that is read through may be long, on slow storage: so many packets are a step, with a time limit of its own.
_STEP_PACKETS = 256


Spans: TypeAlias = npt.NDArray[np.float64]
"""(packets, 2) Start and end in seconds of what packets cover, in order; long files have millions of packets."""


def stream_extent(
    uri: str | Path, container: InputContainer, stream: MediaStream, sound_end_s: float | None = None
) -> Extent | None:
    """Find the start and end of a stream.

    Parameters
    ----------
    uri : str or Path
        Name of the file, for messages.
    container : InputContainer
        Open container.
    stream : MediaStream
        One of its streams.
    sound_end_s : float, optional
        End of the sound that accompanies pictures: the last picture may stand as long as it lasts.

    Returns
    -------
    (float, float) or None
        Seconds on the track's time line; None where no packet can be read.

    Raises
    ------
    DecodeError
        The time stamps of the sound stand still.
    """
    stated_s = _stated_end_s(container, stream)
    spans, from_s = _last_spans(container, stream, stated_s)
    if not len(spans):
        return None
    start_s, end_s = stream_start_s(container, stream), float(spans[:, 1].max())
    if not _reach_the_end(spans, from_s) or _is_thin(container, end_s - start_s):
        if from_s is not None:
            whole = _read_spans(container, stream, None)
            spans = whole if len(whole) else spans
        if isinstance(stream, VideoStream):
            return start_s, _pictures_end_s(spans, sound_end_s)
        return _sound_extent(uri, spans, start_s)
    if stated_s is not None and abs(stated_s - end_s) < _HEADER_TRUST_S:
        return start_s, stated_s
    return start_s, end_s


def _stated_end_s(container: InputContainer, stream: MediaStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return stream_start_s(container, stream) + float(stream.duration * stream.time_base)
    return container.duration / MICROSECONDS if container.duration else None


def _last_spans(container: InputContainer, stream: MediaStream, stated_s: float | None) -> tuple[Spans, float | None]:
    """Return the last packets and from where they were read: from shortly before the stated end, or ever earlier."""
    for back_s in _LOOK_BACK_S:
        if stated_s is None or stated_s <= back_s:
            break
        spans = _read_spans(container, stream, stated_s - back_s)
        if len(spans):
            return spans, stated_s - back_s
    return _read_spans(container, stream, None), None


def _read_spans(container: InputContainer, stream: MediaStream, from_s: float | None) -> Spans:
    """Read what the packets cover, in order of time, from a time or from the start on."""
    if stream.time_base is None:
        return np.empty((0, 2))
    zero_s, first = origin_s(container), stream.start_time or 0
    edges_s = array("d")
    try:
        container.seek(
            first if from_s is None else max(first, int((from_s + zero_s) / stream.time_base)), stream=stream
        )
        for number, packet in enumerate(container.demux(stream), start=1):
            if number % _STEP_PACKETS == 0:
                finish_step()
            stamp = packet.dts if packet.pts is None else packet.pts
            if stamp is not None and not packet.is_corrupt and not packet.is_discard:
                for edge in (stamp, stamp + (packet.duration or 0)):
                    edges_s.append(float(edge * stream.time_base) - zero_s)
    except (av.error.FFmpegError, OSError):
        pass  # a truncated file ends like this; what was read up to here counts
    spans = np.array(edges_s).reshape(-1, 2)
    return spans[np.lexsort((spans[:, 1], spans[:, 0]))]


def _reach_the_end(spans: Spans, from_s: float | None) -> bool:
    """Return whether the packets follow each other to the end, from where they were looked for."""
    if from_s is not None and spans[0, 0] > from_s + _STEADY_GAP_S:
        return False
    steps_s = [*np.diff(spans[:, 0]), spans[-1, 1] - spans[-1, 0]]
    return max(steps_s) < _STEADY_GAP_S and not _stand_still(spans)


def _is_thin(container: InputContainer, length_s: float) -> bool:
    return 0 < container.size < _THIN_BYTES_PER_S * length_s


def _lengths_s(spans: Spans) -> npt.NDArray[np.float64]:
    return spans[:, 1] - spans[:, 0]


def _stand_still(spans: Spans) -> bool:
    covered_s = _lengths_s(spans).sum()
    return bool(covered_s > _STRAY_S and covered_s > _OVERFULL * (spans[-1, 1] - spans[0, 0]))


def _pictures_end_s(spans: Spans, sound_end_s: float | None) -> float:
    """Return the end of the pictures without one or two that come long after all others, and after the sound."""
    until_s = -math.inf if sound_end_s is None else sound_end_s + _STRAY_GAP_S
    starts_s = spans[:, 0]
    steps_s = np.diff(starts_s)
    usual_s = float(np.median(steps_s if len(steps_s) else _lengths_s(spans)))
    long_s = max(_PICTURE_GAP_S, _USUAL_GAPS * usual_s)
    kept = len(spans)
    for last in range(len(spans) - 1, max(0, len(spans) - 1 - _STRAY_PICTURES), -1):
        if steps_s[last - 1] > long_s and starts_s[last] > until_s:
            kept = last
    last_s, end_s = float(starts_s[kept - 1]), float(spans[:kept, 1].max())
    return last_s + usual_s if end_s - last_s > long_s and end_s > until_s else end_s


def _sound_extent(uri: str | Path, spans: Spans, start_s: float) -> Extent:
    """Return the extent of the sound without moments of it that stand far away from the rest."""
    lengths_s = _lengths_s(spans)
    if _stand_still(spans):
        raise DecodeError(
            f"{uri}: the time stamps of its sound do not advance ({lengths_s.sum():.1f} s of sound within "
            f"{spans[-1, 1] - spans[0, 0]:.1f} s). Write the file anew with another program."
        )
    # MP4 makes a packet last until the next one comes.
    lasts_s = np.where(lengths_s < _STRAY_GAP_S, lengths_s, np.median(lengths_s))
    ends_s = spans[:, 0] + lasts_s
    first_of_groups = np.flatnonzero(spans[1:, 0] - ends_s[:-1] > _STRAY_GAP_S) + 1
    groups = np.split(np.arange(len(spans)), first_of_groups)
    lasting = [group for group in groups if lasts_s[group].sum() >= _STRAY_S] or groups
    first_s, end_s = float(spans[lasting[0][0], 0]), float(ends_s[lasting[-1]].max())
    return (first_s if first_s > start_s + _STRAY_GAP_S else start_s), end_s
