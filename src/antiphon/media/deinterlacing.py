"""Interlaced pictures made whole: each line of a frame from its own moment, the other half made up from around it."""

from collections import deque
from collections.abc import Iterator

import av.error
from av.filter import Graph
from av.video.frame import VideoFrame

_FILTER, _SETTINGS = "bwdif", "mode=send_frame:parity=auto:deint=interlaced"


class Deinterlacer:
    """Deinterlacing of consecutive frames by FFmpeg's bwdif; frames that are not marked as interlaced stay as they are.

    A frame comes out when the next one has come in, as soon as the first interlaced one has been met.
    """

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._shape: tuple[int, int, str] | None = None
        self._stamps: deque[tuple[int | None, int | None, int]] = deque()

    def take(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """Take a frame in.

        Parameters
        ----------
        frame : VideoFrame
            The next decoded frame.

        Yields
        ------
        VideoFrame
            Frames that are ready, with the time stamps that they came with.
        """
        shape = (frame.width, frame.height, frame.format.name)
        if self._graph is not None and shape != self._shape:
            yield from self.rest()
        if self._graph is None and frame.interlaced_frame:
            self._graph, self._shape = _graph(frame), shape
        if self._graph is None:
            yield frame
            return
        self._stamps.append((frame.pts, frame.dts, frame.duration or 0))
        self._graph.push(frame)
        yield from self._ready()

    def rest(self) -> Iterator[VideoFrame]:
        """Yield the frames that are still held back, and start anew."""
        if self._graph is not None:
            self._graph.push(None)
            yield from self._ready()
        self._graph = None
        self._stamps.clear()

    def _ready(self) -> Iterator[VideoFrame]:
        while self._graph is not None and self._stamps:
            try:
                frame = self._graph.pull()
            except (BlockingIOError, av.error.EOFError):
                return
            if isinstance(frame, VideoFrame):
                # The filter counts in half ticks.
                frame.pts, frame.dts, frame.duration = self._stamps.popleft()
                yield frame


def _graph(frame: VideoFrame) -> Graph:
    graph = Graph()
    graph.threads = 1
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    made_whole, sink = graph.add(_FILTER, _SETTINGS), graph.add("buffersink")
    source.link_to(made_whole)
    made_whole.link_to(sink)
    graph.configure()
    return graph
