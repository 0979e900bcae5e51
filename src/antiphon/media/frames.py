"""Frames of a file nearest to given times, decoding no more than they need."""

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import av.error
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from antiphon.errors import DecodeError
from antiphon.media.complaints import heard
from antiphon.media.deinterlacing import Deinterlacer
from antiphon.media.quality import Flag
from antiphon.media.stream_reader import StreamReader, is_after_loss

# Frames are stored in another order than they are shown in, at most 16 apart (H.264, HEVC).
_REORDER = 32
# How long the last frame is held beyond the end of its duration.
_HELD_S = 0.5
# A frame stands in for missing ones where it is shown twice as far from its time as frames follow each other, and this
# far. Slides follow each other slowly, so they do not.
_STANDING_IN_S = 0.25
_STANDING_IN_SHARE = 1 / 3
# Tolerance within which two frames are equally near, so that rounding errors do not decide.
_TIE_S = 1e-6


@dataclass(frozen=True)
class _TimedFrame:
    time_s: float
    frame: VideoFrame
    after_loss: bool  # between the previous frame and this one, something could not be decoded
    is_doubtful: bool  # it refers to something that is damaged


class FrameReader:
    """Reader of frames in display order, from the last key frame before a position.

    Parameters
    ----------
    reader : StreamReader[VideoStream]
        Video stream of an open file.
    position_s : float
        Position to start from, in seconds on the track's time line.
    times_s : sequence of float
        Times of the frames needed, ascending.
    """

    def __init__(self, reader: StreamReader[VideoStream], position_s: float, times_s: Sequence[float]) -> None:
        self._reader = reader
        self._position_s = position_s
        self._times_s = times_s
        self._trusted_from_s: float | None = None  # None: nothing until the next key frame
        self._by_dts = False
        self._unreadable: str | None = None
        self.loss: str | None = None  # what went wrong since the last frame
        self._deinterlacer = Deinterlacer()
        self._has_begun = False
        self._is_doubtful = False
        self._intact_from_s = math.inf  # the key frame after the damage

    def __iter__(self) -> Iterator[_TimedFrame]:
        last: VideoFrame | None = None
        for packet, needed in self._needed_packets():
            if not self._begins(packet):
                continue
            if packet.size == 0 and packet.pts is not None:
                # Theora repeats the previous frame.
                if last is not None and self._trusted_from_s is not None:
                    yield self._timed(self._reader.time_s(packet.pts), last)
                continue
            self._reader.stream.codec_context.skip_frame = "DEFAULT" if needed else "NONREF"
            for timed in self._trusted(self._whole(self._decode(packet))):
                last = timed.frame
                yield timed
        yield from self._trusted(list(self._deinterlacer.rest()))
        if self._unreadable is not None:
            self._lose(self._unreadable)

    def _whole(self, frames: Sequence[VideoFrame]) -> list[VideoFrame]:
        """Deinterlace frames, but for those long before the times, which are not shown."""
        whole: list[VideoFrame] = []
        for frame in frames:
            stamp = frame.dts if self._by_dts else frame.pts
            early = stamp is not None and self._reader.time_s(stamp) < self._times_s[0] - _HELD_S
            whole += [frame] if early else self._deinterlacer.take(frame)
        return whole

    def _trusted(self, frames: Sequence[VideoFrame]) -> Iterator[_TimedFrame]:
        for frame in frames:
            stamp = frame.dts if self._by_dts else frame.pts
            if stamp is not None and self._trusts(frame, self._reader.time_s(stamp)):
                yield self._timed(self._reader.time_s(stamp), frame)

    def _timed(self, time_s: float, frame: VideoFrame) -> _TimedFrame:
        if self._is_doubtful and time_s >= self._intact_from_s:
            self._is_doubtful = False
        timed = _TimedFrame(time_s, frame, self.loss is not None, self._is_doubtful)
        self.loss = None
        return timed

    def _begins(self, packet: "Packet[VideoStream]") -> bool:
        """Return whether decoding has started, as it does at a key frame."""
        time_s = self._reader.packet_time_s(packet)
        if self._trusted_from_s is None and packet.is_keyframe and time_s is not None:
            self._trusted_from_s = time_s
            # AVI has decoding but no presentation times; the decoding times of decoded frames are in order.
            self._by_dts = packet.pts is None or self._reader.container.format.name == "avi"
        elif self._trusted_from_s is None and packet.is_keyframe and self._position_s <= self._reader.start_s:
            # Matroska that starts before zero has no times until then. No frame comes before those of the first packet.
            self._trusted_from_s = -math.inf
        return self._trusted_from_s is not None or self.loss is not None or time_s is None

    def _trusts(self, frame: VideoFrame, time_s: float) -> bool:
        if frame.is_corrupt:
            # Gradual refresh begins with such frames.
            if self._has_begun:
                self._doubt()
            self.loss = self.loss or "a frame is incomplete"
        # Frames shown before the first key frame may depend on frames that were not read.
        trusted = not frame.is_corrupt and self._trusted_from_s is not None and time_s >= self._trusted_from_s
        self._has_begun = self._has_begun or trusted
        return trusted

    def _decode(self, packet: "Packet[VideoStream]") -> list[VideoFrame]:
        if packet.is_corrupt:
            self._lose("a packet is incomplete")
        if is_after_loss(packet):
            self._doubt()
        try:
            frames, complained = heard(lambda: self._reader.decode(packet))
        except MemoryError:
            raise
        except av.error.FFmpegError as error:
            self._lose(error.strerror or "it cannot be decoded")
            return []
        time_s = self._reader.packet_time_s(packet)
        # Frames shown before the first key frame refer to what was not read, and are not used.
        if complained and (time_s is None or self._trusted_from_s is None or time_s >= self._trusted_from_s):
            self._doubt()
        elif packet.is_keyframe and time_s is not None and not is_after_loss(packet):
            # After a loss its time is a guess.
            self._intact_from_s = min(self._intact_from_s, time_s)
        return frames

    def _doubt(self) -> None:
        self._is_doubtful = True
        self._intact_from_s = math.inf

    def _lose(self, what: str) -> None:
        self.loss = self.loss or what
        self._trusted_from_s = None

    def _needed_packets(self) -> "Iterator[tuple[Packet[VideoStream], bool]]":
        """Yield packets, and whether a frame at one of the times may need them; see `is_needed`."""
        ahead: deque[Packet[VideoStream]] = deque()
        stamps_s: deque[float] = deque()
        for packet in chain(self._readable_packets(), [None] * _REORDER):
            if packet is not None:
                ahead.append(packet)
                time_s = self._reader.packet_time_s(packet)
                if time_s is not None:
                    stamps_s.append(time_s)
                if len(ahead) <= _REORDER:
                    continue
            if ahead:
                yield ahead[0], self.is_needed(ahead[0], sorted(stamps_s))
                ahead.popleft()
            while len(stamps_s) > 2 * _REORDER:
                stamps_s.popleft()

    def is_needed(self, packet: "Packet[VideoStream]", stamps_s: Sequence[float]) -> bool:
        """Return whether a requested time is near a packet.

        A packet is needed if a time lies between the second packet before it and the second after it in display order.
        The decoder skips other packets if no other frame refers to them, which changes no pixel of the rest.

        Parameters
        ----------
        packet : Packet[VideoStream]
            Packet of the stream.
        stamps_s : sequence of float
            Times of the packets around it, ascending.

        Returns
        -------
        bool
            True if it is needed.
        """
        if packet.pts is None or self._reader.container.format.name == "avi":
            return True
        at = bisect_left(stamps_s, self._reader.time_s(packet.pts))
        before_s = stamps_s[at - 2] if at >= 2 else float("-inf")
        after_s = stamps_s[at + 2] if at + 2 < len(stamps_s) else float("inf")
        wanted = bisect_left(self._times_s, before_s)
        return wanted < len(self._times_s) and self._times_s[wanted] <= after_s

    def _readable_packets(self) -> "Iterator[Packet[VideoStream]]":
        try:
            yield from self._reader.packets(self._position_s)
        except DecodeError as error:
            # A loss only if a requested frame lies beyond those read.
            self._unreadable = str(error)


def nearest_frames(
    reader: StreamReader[VideoStream],
    times_s: Sequence[float],
    flags: set[Flag] | None = None,
    judged: Collection[int] | None = None,
) -> Iterator[tuple[int, VideoFrame]]:
    """Find the source frame nearest to each of some times; of two equally near, the earlier.

    Parameters
    ----------
    reader : StreamReader[VideoStream]
        Video stream of an open file.
    times_s : sequence of float
        Ascending times in seconds on the track's time line. The first frame stands in for times before it, and the last
        one for up to half a second after it.
    flags : set of Flag, optional
        What is wrong with the frames is added to it.
    judged : collection of int, optional
        Indices into `times_s` of the frames that the flags are about. Default: all.

    Yields
    ------
    index : int
        Index into `times_s`, ascending.
    frame : VideoFrame
        The nearest frame.

    Raises
    ------
    DecodeError
        A requested frame is damaged, or there is no video at these times.
    """
    for position_s in reader.positions_s(times_s[0]):
        frame_reader = FrameReader(reader, position_s, times_s)
        stream = iter(frame_reader)
        first = next(stream, None)
        at_start = position_s <= reader.start_s
        if first is not None and (first.time_s <= times_s[0] or at_start):
            found: set[Flag] = set() if flags is None else flags
            looked_at = range(len(times_s)) if judged is None else judged
            yield from _choose(reader, chain([first], stream), times_s, frame_reader, found, looked_at)
            return
    raise DecodeError(f"{reader.uri}: no frame can be decoded at {times_s[0]:.2f} s.")


def _choose(
    reader: StreamReader[VideoStream],
    stream: Iterator[_TimedFrame],
    times_s: Sequence[float],
    frame_reader: FrameReader,
    flags: set[Flag],
    judged: Collection[int],
) -> Iterator[tuple[int, VideoFrame]]:
    before: _TimedFrame | None = None
    index = standing_in = 0
    half_s = 0.5 * _spacing_s(reader.stream)
    far_s = max(4 * half_s, _STANDING_IN_S)
    for timed in stream:
        while index < len(times_s) and times_s[index] <= timed.time_s:
            chosen = _nearer(before, timed, times_s[index])
            if timed.after_loss and abs(chosen.time_s - times_s[index]) > half_s:
                raise DecodeError(f"{reader.uri}: the video is damaged near {times_s[index]:.2f} s.")
            if index in judged:
                if chosen.is_doubtful:
                    flags.add("concealed")
                standing_in += before is not None and abs(chosen.time_s - times_s[index]) > far_s
                if standing_in > _STANDING_IN_SHARE * len(judged):
                    flags.add("duplicated")
            yield index, chosen.frame
            index += 1
        if before is None and index and times_s[-1] < timed.time_s - _HELD_S:
            raise DecodeError(f"{reader.uri}: the video starts at {timed.time_s:.2f} s, after {times_s[-1]:.2f} s.")
        if index == len(times_s):
            return
        before = timed
    if before is not None and before.is_doubtful and any(index <= place for place in judged):
        flags.add("concealed")
    yield from _hold(reader, before, times_s, index, frame_reader.loss)


def _nearer(before: _TimedFrame | None, after: _TimedFrame, time_s: float) -> _TimedFrame:
    if before is not None and time_s - before.time_s <= after.time_s - time_s + _TIE_S:
        return before
    return after


def _hold(
    reader: StreamReader[VideoStream],
    last: _TimedFrame | None,
    times_s: Sequence[float],
    index: int,
    loss: str | None,
) -> Iterator[tuple[int, VideoFrame]]:
    """Yield the last frame for the remaining times."""
    if last is None:
        raise DecodeError(f"{reader.uri}: no frame can be decoded at {times_s[0]:.2f} s.")
    spacing_s = _spacing_s(reader.stream)
    shown_s = max(spacing_s, (last.frame.duration or 0) * reader.tick_s)
    reach_s = 0.5 * spacing_s if loss else shown_s + _HELD_S
    for i in range(index, len(times_s)):
        if times_s[i] > last.time_s + reach_s:
            cause = f" ({loss})" if loss else ""
            raise DecodeError(
                f"{reader.uri}: the video ends at {last.time_s + shown_s:.2f} s{cause}, before the requested"
                f" {times_s[i]:.2f} s."
            )
        yield i, last.frame


def _spacing_s(stream: VideoStream) -> float:
    rate = stream.average_rate or stream.guessed_rate
    return float(1 / rate) if rate else 0.04
