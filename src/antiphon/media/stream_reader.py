"""One stream of an open media file, readable from any position."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

import av
import av.error
from av.audio.stream import AudioStream
from av.codec import CodecContext
from av.container import InputContainer
from av.packet import Packet, PacketSideData
from av.video.stream import VideoStream

from antiphon.errors import DecodeError
from antiphon.media.complaints import heard
from antiphon.media.container import MAX_FRAME_PX, MediaStream, Uri, open_container, origin_s, stream_start_s

S = TypeVar("S", AudioStream, VideoStream)

_BACK_OFF_S = (0.0, 2.0, 8.0, 32.0, 128.0)
# Seeking in a transport stream to its very start lands after the first frame.
_RUN_UP_S = 2.0
# If the first packet after seeking to the start is later than this, it is not the first of the stream.
_LATE_S = 1.0
_LIBVPX_FORMATS = frozenset({"yuv420p", "yuv422p", "yuv440p", "yuv444p", "gbrp"})
_AFTER_LOSS = "something before it could not be read"


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
    watchful : CodecContext or None
        Decoder to use in place of the stream's own, because it notices damage; see `watchful_decoder`.
    palette : PacketSideData or None
        Colours of frames of eight bits, which come with the first packet of a file alone.
    """

    uri: Uri
    container: InputContainer
    stream: S
    zero_s: float
    start_s: float
    stated_end_s: float | None
    watchful: CodecContext | None = None
    palette: PacketSideData | None = None

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
        palette = _palette(container, stream)
        start_s = stream_start_s(container, stream)
        length_s = None
        if stream.duration is not None and stream.time_base is not None:
            length_s = float(stream.duration * stream.time_base)
        end_s = None if length_s is None else start_s + length_s
        return cls(
            uri, container, stream, origin_s(container), start_s, end_s, watchful_decoder(container, stream), palette
        )

    @cached_property
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
            Packets in file order; `is_after_loss` tells of one whether the file is damaged just before it.

        Raises
        ------
        DecodeError
            The file cannot be read any further; raised during the iteration.
        """
        try:
            if position_s > self.start_s or self._starts_at_its_start():
                self._seek(position_s)
                yield from self._read(self.container, self.stream)
            else:
                yield from self._packets_of_another_opening()
        except MemoryError:
            raise
        except (av.error.FFmpegError, OSError) as error:
            raise DecodeError(f"{self.uri}: reading stopped before its end ({error.strerror}).") from error

    def decode(self, packet: "Packet[S]") -> list[Any]:
        """Decode a packet.

        Parameters
        ----------
        packet : Packet
            Packet that `packets` has read.

        Returns
        -------
        list of AudioFrame or VideoFrame
            The frames that are ready.

        Raises
        ------
        av.error.FFmpegError
            The packet cannot be decoded.
        """
        return packet.decode() if self.watchful is None else cast(Any, self.watchful).decode(packet)

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
        self._forget()
        with open_container(self.uri) as container:
            stream = cast(S, container.streams[self.stream.index])
            _set_up(stream)
            yield from self._read(container, stream)

    def _read(self, container: InputContainer, stream: S) -> "Iterator[Packet[S]]":
        packets = cast("Iterator[Packet[S]]", container.demux(stream))
        palette = self.palette
        while True:
            packet, complained = heard(lambda: next(packets, None))
            if packet is None:
                return
            if complained:
                packet.opaque = _AFTER_LOSS
            if palette is not None and packet.size and not packet.has_sidedata("palette"):
                packet.set_sidedata(palette)
            palette = None
            yield packet

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
        self._forget()

    def _forget(self) -> None:
        if self.watchful is not None and self.watchful.is_open:
            self.watchful.flush_buffers()


def _palette(container: InputContainer, stream: MediaStream) -> PacketSideData | None:
    if not isinstance(stream, VideoStream) or stream.codec_context.pix_fmt != "pal8":
        return None
    first = next(container.demux(stream))
    return first.get_sidedata("palette") if first.has_sidedata("palette") else None


def watchful_decoder(container: InputContainer, stream: MediaStream) -> CodecContext | None:
    """Return libvpx's decoder for VP9: FFmpeg's own shows whatever comes out of damaged data, and says nothing.

    Both give the same frames. FFmpeg's is kept where libvpx may lack the format, and for files that say how frames are
    to be turned, since only a stream's own decoder hands that on.

    Parameters
    ----------
    container : InputContainer
        Open container; it may read packets, so seek before reading any.
    stream : AudioStream or VideoStream
        Stream of the container.

    Returns
    -------
    CodecContext or None
        None where the stream's own decoder is to be used.
    """
    if not isinstance(stream, VideoStream) or stream.codec_context.name != "vp9":
        return None
    if "libvpx-vp9" not in av.codecs_available or stream.codec_context.pix_fmt not in _LIBVPX_FORMATS:
        return None
    try:
        container.seek(stream.start_time or 0, stream=stream)
        first = next(container.decode(stream), None)
    except av.error.FFmpegError:
        return None
    if first is None or stream.metadata.get("alpha_mode") or cast(Any, first).side_data.get("DISPLAYMATRIX"):
        return None
    context = CodecContext.create("libvpx-vp9", "r")
    context.thread_count = 1
    context.options = {"max_pixels": str(MAX_FRAME_PX)}
    return context


def is_after_loss(packet: "Packet[S]") -> bool:
    """Return whether FFmpeg complained about the file just before a packet that `StreamReader.packets` has read."""
    return packet.opaque is _AFTER_LOSS


def _set_up(stream: AudioStream | VideoStream) -> None:
    stream.codec_context.thread_count = 1
    # MP3 that ends before all of its values are decoded is damaged, and said to be so on this condition alone.
    detect = "crccheck+compliant" if stream.codec_context.name.startswith("mp3") else "crccheck"
    stream.codec_context.options = {"max_pixels": str(MAX_FRAME_PX), "err_detect": detect}
