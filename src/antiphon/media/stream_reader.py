"""One stream of an open media file, readable from any position."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from antiphon.errors import DecodeError
from antiphon.media.container import MAX_FRAME_PX, Uri, open_container, origin_s, stream_start_s

S = TypeVar("S", AudioStream, VideoStream)

_BACK_OFF_S = (0.0, 2.0, 8.0, 32.0, 128.0)
# Seeking in a transport stream to its very start lands after the first frame.
_RUN_UP_S = 2.0
# If the first packet after seeking to the start is later than this, it is not the first of the stream.
_LATE_S = 1.0


@dataclass(frozen=True)
class StreamReader(Generic[S]):
    """Stream with its time line, in seconds since the container's start.

    Attributes
    ----------
    uri : str, Path or CataloguedFile
        Name of the file, for messages.
    container : InputContainer
        Open container.
    stream : AudioStream or VideoStream
        Stream of the container.
    zero_s : float
        Timestamp at which the container starts.
    start_s : float
        Start of the stream according to its header.
    stated_end_s : float or None
        End of the stream according to its header; None where the header states none.
    """

    uri: Uri
    container: InputContainer
    stream: S
    zero_s: float
    start_s: float
    stated_end_s: float | None

    @classmethod
    def of(cls, uri: Uri, container: InputContainer, stream: S) -> "StreamReader[S]":
        """Set up a stream for decoding in one thread.

        Parameters
        ----------
        uri : str, Path or CataloguedFile
            Name of the file, for messages.
        container : InputContainer
            Open container.
        stream : AudioStream or VideoStream
            Stream of the container.

        Returns
        -------
        StreamReader
            Reader of the stream.
        """
        _set_up(stream)
        start_s = stream_start_s(container, stream)
        length_s = None
        if stream.duration is not None and stream.time_base is not None:
            length_s = float(stream.duration * stream.time_base)
        end_s = None if length_s is None else start_s + length_s
        return cls(uri, container, stream, origin_s(container), start_s, end_s)

    @property
    def tick_s(self) -> float:
        """Resolution of the timestamps in seconds.

        Raises
        ------
        DecodeError
            The stream has no time base.
        """
        if self.stream.time_base is None:
            raise DecodeError(f"{self.uri}: a stream has no time base.")
        return float(self.stream.time_base)

    def time_s(self, stamp: int) -> float:
        """Convert a timestamp of the stream.

        Parameters
        ----------
        stamp : int
            Timestamp in ticks.

        Returns
        -------
        float
            Seconds on the track's time line.
        """
        return stamp * self.tick_s - self.zero_s

    def packet_time_s(self, packet: "Packet[S]") -> float | None:
        """Return the presentation time of a packet, or its decoding time where that is unknown.

        Parameters
        ----------
        packet : Packet
            Packet of the stream.

        Returns
        -------
        float or None
            Seconds on the track's time line; None where neither is known.
        """
        stamp = packet.dts if packet.pts is None else packet.pts
        return None if stamp is None else self.time_s(stamp)

    def positions_s(self, time_s: float) -> Iterator[float]:
        """List positions to seek to in order to decode a time: that time, then ever earlier ones, finally the start.

        Containers may land after the requested position (Ogg), or at a frame that depends on earlier ones.

        Parameters
        ----------
        time_s : float
            Time to decode.

        Yields
        ------
        float
            Positions in seconds.
        """
        for back_s in _BACK_OFF_S:
            if time_s - back_s > self.start_s:
                yield time_s - back_s
        yield self.start_s

    def packets(self, position_s: float) -> "Iterator[Packet[S]]":
        """Seek to a position and read the stream's packets to the end of the file.

        Parameters
        ----------
        position_s : float
            Seconds on the track's time line.

        Yields
        ------
        Packet
            Packets in file order.

        Raises
        ------
        DecodeError
            The file cannot be read any further; raised during the iteration.
        """
        try:
            if position_s > self.start_s or self._starts_at_its_start():
                self._seek(position_s)
                for packet in self.container.demux(self.stream):
                    yield cast("Packet[S]", packet)
            else:
                yield from self._packets_of_another_opening()
        except (av.error.FFmpegError, OSError) as error:
            raise DecodeError(f"{self.uri}: reading stopped before its end ({error.strerror}).") from error

    def _starts_at_its_start(self) -> bool:
        """Return whether seeking to the start leads there."""
        try:
            self._seek(self.start_s)
            first = next(self.container.demux(self.stream))
        except av.error.FFmpegError:
            return False
        time_s = self.packet_time_s(cast("Packet[S]", first))
        return first.size > 0 if time_s is None else time_s < self.start_s + _LATE_S

    def _packets_of_another_opening(self) -> "Iterator[Packet[S]]":
        """Read from the very start, where there are no times to seek by, as in Matroska that starts before zero."""
        with open_container(self.uri) as container:
            stream = cast(S, container.streams[self.stream.index])
            _set_up(stream)
            for packet in container.demux(stream):
                yield cast("Packet[S]", packet)

    def _seek(self, position_s: float) -> None:
        if position_s <= self.start_s:
            try:
                self._seek_stamp(self.start_s - _RUN_UP_S)
            except av.error.FFmpegError:
                self._seek_stamp(self.start_s)  # AVI cannot seek before its start
        else:
            self._seek_stamp(position_s)

    def _seek_stamp(self, time_s: float) -> None:
        self.container.seek(int((time_s + self.zero_s) / self.tick_s), stream=self.stream)


def _set_up(stream: AudioStream | VideoStream) -> None:
    stream.codec_context.thread_count = 1
    stream.codec_context.options = {"max_pixels": str(MAX_FRAME_PX)}
