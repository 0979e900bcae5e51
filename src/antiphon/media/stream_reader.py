"""One stream of an open media file, read from any moment on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from antiphon.errors import DecodeError
from antiphon.media.container import MAX_PICTURE_PX, origin_s, stream_start_s

S = TypeVar("S", AudioStream, VideoStream)

_BACK_OFF_S = (0.0, 2.0, 8.0, 32.0, 128.0)
# Seeking in a transport stream to its very start lands after the first picture.
_RUN_UP_S = 2.0


@dataclass(frozen=True)
class StreamReader(Generic[S]):
    """A stream with its time line: seconds since the container's start.

    Attributes
    ----------
    uri : the file's name, for messages.
    zero_s : time stamp in seconds at which the container starts.
    start_s : where the stream starts by its header.
    stated_end_s : where the stream itself ends by its header, None where the header does not say.
    """

    uri: str
    container: InputContainer
    stream: S
    zero_s: float
    start_s: float
    stated_end_s: float | None

    @classmethod
    def of(cls, uri: str, container: InputContainer, stream: S) -> "StreamReader[S]":
        """The reader of a stream of a container, set to decode in one thread."""
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(MAX_PICTURE_PX)}
        start_s = stream_start_s(container, stream)
        length_s = None
        if stream.duration is not None and stream.time_base is not None:
            length_s = float(stream.duration * stream.time_base)
        end_s = None if length_s is None else start_s + length_s
        return cls(uri, container, stream, origin_s(container), start_s, end_s)

    @property
    def tick_s(self) -> float:
        """Resolution of the time stamps in seconds."""
        if self.stream.time_base is None:
            raise DecodeError(f"{self.uri}: a stream states no time base.")
        return float(self.stream.time_base)

    def time_s(self, stamp: int) -> float:
        """A time stamp of the stream in seconds on the track's time line."""
        return stamp * self.tick_s - self.zero_s

    def packet_time_s(self, packet: "Packet[S]") -> float | None:
        """When a packet is presented; by its decoding time where that is not known."""
        stamp = packet.dts if packet.pts is None else packet.pts
        return None if stamp is None else self.time_s(stamp)

    def positions_s(self, time_s: float) -> Iterator[float]:
        """Where to seek so as to have `time_s` decoded: there, then earlier and earlier, at last the start.

        Containers may land after the moment asked for (Ogg), or at a picture that cannot be shown on its own.
        """
        for back_s in _BACK_OFF_S:
            if time_s - back_s > self.start_s:
                yield time_s - back_s
        yield self.start_s

    def packets(self, position_s: float) -> "Iterator[Packet[S]]":
        """Seek to `position_s` and read the stream's packets to the end of the file.

        Raises
        ------
        DecodeError
            In the middle of the iteration: the file cannot be read any further.
        """
        try:
            self._seek(position_s)
            for packet in self.container.demux(self.stream):
                yield cast("Packet[S]", packet)
        except (av.error.FFmpegError, OSError) as error:
            raise DecodeError(f"{self.uri}: cannot be read further ({error.strerror}).") from error

    def _seek(self, position_s: float) -> None:
        if position_s <= self.start_s:
            try:
                self._seek_stamp(self.start_s - _RUN_UP_S)
            except av.error.FFmpegError:
                self._seek_stamp(self.start_s)  # AVI has nothing before its start
        else:
            self._seek_stamp(position_s)

    def _seek_stamp(self, time_s: float) -> None:
        self.container.seek(int((time_s + self.zero_s) / self.tick_s), stream=self.stream)
