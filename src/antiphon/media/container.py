"""Opening media files that nobody vouches for.

FFmpeg gets the bytes of one file and nothing else: it never sees a name, cannot open another file or a network
address (playlists, concat scripts, session descriptions and data references are refused), and tries only container
formats on a list. All that it raises becomes a `DecodeError`.
"""

import io
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import av
import av.error
import fsspec
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from antiphon.errors import AntiphonError, DecodeError

CONTAINER_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,ogg,avi,flv,mpegts,mpeg,asf,mp3,flac,wav,w64,aac,aiff,caf,ac3,eac3,amr"
)
# Not even local files: FFmpeg gets its bytes from us.
_PROTOCOLS = "none"
# A header of a few bytes may not ask for gigabytes.
MAX_PICTURE_PX = 8192 * 8192
_READ_BYTES = 1 << 17
MICROSECONDS = 1_000_000


MediaStream = AudioStream | VideoStream


@contextmanager
def media_errors(uri: str | Path) -> Generator[None]:
    """Turn what FFmpeg and file systems raise in the block into `DecodeError`."""
    try:
        yield
    except AntiphonError:
        raise
    except (av.error.FFmpegError, OSError, ValueError, EOFError, ArithmeticError, LookupError, RuntimeError) as error:
        raise DecodeError(f"{uri}: cannot be read: {_reason(error)}.") from error
    except MemoryError as error:
        raise DecodeError(f"{uri}: asks for more memory than there is; the file may be damaged.") from error


@contextmanager
def open_container(uri: str | Path) -> Generator[InputContainer]:
    """Open a media file for reading; local paths and whatever fsspec knows (s3://, gs://, https://).

    Errors that the block raises while it reads are its own: wrap reading in `media_errors`.

    Raises
    ------
    DecodeError
        The file is missing, empty, cut short, or not a media file of a format in `CONTAINER_FORMATS`.
    """
    with _open_bytes(uri) as file:
        source = _Source(file)
        head = _read_head(uri, source)
        container = _open_ffmpeg(uri, source, head)
        try:
            yield container
        finally:
            container.close()


def audio_stream(container: InputContainer) -> AudioStream | None:
    """The sound to use: the stream marked as default, else the first that can be decoded."""
    streams = [s for s in container.streams.audio if _has_decoder(s)]
    return min(streams, key=_preference, default=None)


def video_stream(container: InputContainer) -> VideoStream | None:
    """The pictures to use, chosen as for sound; cover art and thumbnails are not pictures."""
    streams = [s for s in container.streams.video if _has_decoder(s) and not _is_still(s)]
    return min(streams, key=_preference, default=None)


def origin_s(container: InputContainer) -> float:
    """Time stamp in seconds at which the container starts: zero of the track's time line."""
    # PyAV declares an int; FFmpeg leaves it unset for some formats.
    return (cast(int | None, container.start_time) or 0) / MICROSECONDS


def stream_start_s(container: InputContainer, stream: MediaStream) -> float:
    """Where the header says that a stream starts, in seconds on the track's time line."""
    if stream.start_time is None or stream.time_base is None:
        return 0.0
    return float(stream.start_time * stream.time_base) - origin_s(container)


class _Source:
    """The bytes of one file, and nothing else of it: FFmpeg would guess the format by the ending of a name."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except Exception as error:
            raise OSError(f"reading failed ({error})") from error

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return self._file.seek(offset, whence)
        except Exception as error:
            raise OSError(f"reading from another position failed ({error})") from error

    def tell(self) -> int:
        return self._file.tell()


@contextmanager
def _open_bytes(uri: str | Path) -> Generator[BinaryIO]:
    try:
        opened = cast(Any, fsspec).open(str(uri), "rb").open() if "://" in str(uri) else _open_local(Path(uri))
    except FileNotFoundError as error:
        dangling = "://" not in str(uri) and Path(uri).is_symlink()
        what = f"is a link to {Path(uri).readlink()}, which is not there" if dangling else "no such file"
        raise DecodeError(f"{uri}: {what}.") from error
    except Exception as error:  # network file systems raise types of their own
        raise DecodeError(f"{uri}: cannot be opened: {_reason(error)}.") from error
    with opened as file:
        yield file


def _open_local(path: Path) -> BinaryIO:
    if path.exists() and not path.is_file():
        raise OSError("it is not a file")
    return path.open("rb")


def _read_head(uri: str | Path, source: _Source) -> bytes:
    with media_errors(uri):
        head = source.read(512)
        source.seek(0)
    if not head:
        raise DecodeError(f"{uri}: is empty (0 bytes).")
    return head


def _open_ffmpeg(uri: str | Path, source: _Source, head: bytes) -> InputContainer:
    try:
        return av.open(
            source,
            "r",
            options={"max_pixels": str(MAX_PICTURE_PX)},
            container_options={"format_whitelist": CONTAINER_FORMATS, "protocol_whitelist": _PROTOCOLS},
            metadata_errors="replace",
            buffer_size=_READ_BYTES,
        )
    except (av.error.FFmpegError, OSError, ValueError, EOFError, LookupError, RuntimeError) as error:
        raise DecodeError(f"{uri}: {_why_unopened(head, error)}") from error


def _why_unopened(head: bytes, error: BaseException) -> str:
    if head[4:8] == b"ftyp" and isinstance(error, av.error.InvalidDataError):
        return (
            "is an MP4 without its index (no moov atom): it was cut short, by a download that"
            " stopped for instance. Get the file again."
        )
    if not any(byte < 9 for byte in head):
        return "is text or a playlist, not a media file."
    if isinstance(error, av.error.InvalidDataError | av.error.ArgumentError):
        return "is not a media file of a known format, or is damaged at its start."
    return f"cannot be opened: {_reason(error)}."


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).rstrip(".")


def _has_decoder(stream: MediaStream) -> bool:
    # PyAV gives no codec context to a stream whose codec it does not know.
    return cast(Any, stream.codec_context) is not None


def _is_still(stream: VideoStream) -> bool:
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def _preference(stream: MediaStream) -> tuple[bool, int]:
    return (not stream.disposition & Disposition.default, stream.index)
