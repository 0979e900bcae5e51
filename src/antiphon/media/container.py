"""Opening of untrusted media files.

FFmpeg gets the bytes of one file and nothing else: it sees no file name, cannot open another file or a network address
(playlists, concat scripts, session descriptions and data references are refused), and tries only container formats on a
list. All of its errors become a `DecodeError`.
"""

import io
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from antiphon.errors import AntiphonError, DecodeError
from antiphon.media.foreign import encryption, foreign_kind
from antiphon.media.opening import CataloguedFile
from antiphon.media.ranges import RemoteFile, TransferError

CONTAINER_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,ogg,avi,flv,mpegts,mpeg,asf,mp3,flac,wav,w64,aac,aiff,caf,ac3,eac3,amr"
)
# Not even local files: FFmpeg gets its bytes from a Python reader.
_PROTOCOLS = "none"
# A header of a few bytes must not allocate gigabytes.
MAX_FRAME_PX = 8192 * 8192
_READ_BYTES = 1 << 17
_HEAD_BYTES = 512
# Of 512 random bytes 221 are different on average.
_RANDOM_VALUES = 200
# Pictures of an index that are looked at before the file is.
_FIRST_PICTURES = 100
MICROSECONDS = 1_000_000


MediaStream = AudioStream | VideoStream


Uri = str | Path | CataloguedFile
"""Path or address of a media file, or a file of the catalogue, which is checked when it is opened."""


@contextmanager
def media_errors(uri: Uri) -> Generator[None]:
    """Convert errors of FFmpeg and file systems in the block to `DecodeError`.

    Parameters
    ----------
    uri : str, Path or CataloguedFile
        Name of the file, for messages.

    Yields
    ------
    None

    Raises
    ------
    DecodeError
        The block raised such an error.
    """
    try:
        yield
    except AntiphonError:
        raise
    except MemoryError as error:
        raise DecodeError(f"{uri}: needs more memory than is available; the file may be damaged.") from error
    except (av.error.FFmpegError, OSError, ValueError, EOFError, ArithmeticError, LookupError, RuntimeError) as error:
        if isinstance(error.__cause__, TransferError):
            raise error.__cause__ from None
        raise DecodeError(f"{uri}: cannot be read: {_reason(error)}.") from error


@contextmanager
def open_container(uri: Uri) -> Generator[InputContainer]:
    """Open a media file for reading: a local path, or an address that fsspec knows (s3://, gs://, https://).

    Errors of the block are not converted; wrap reading in `media_errors`.

    Parameters
    ----------
    uri : str, Path or CataloguedFile
        Path or address; of a catalogued file, no other file that took its place is opened.

    Yields
    ------
    InputContainer
        The open container.

    Raises
    ------
    DecodeError
        The file is missing, empty, truncated, or not of a format in `CONTAINER_FORMATS`. When the block ends, also if
        the store failed within it (`TransferError`), whatever FFmpeg made of that.
    """
    with _open_bytes(uri) as file:
        source = _Source(file)
        head = _read_head(uri, source)
        kind = foreign_kind(head)
        if kind is not None:
            raise DecodeError(f"{uri}: is {kind}, not a media file.")
        container = _open_ffmpeg(uri, source, head)
        try:
            yield container
        except (AntiphonError, av.error.FFmpegError, OSError):
            if source.failure is None:
                raise
        finally:
            container.close()
        if source.failure is not None:  # FFmpeg, and whoever reads to the end, takes it for the end of the file
            raise source.failure


def read_start(uri: str | Path, size: int) -> bytes:
    """Read the first bytes of a file.

    Parameters
    ----------
    uri : str or Path
        Path or address.
    size : int
        Number of bytes.

    Returns
    -------
    bytes
        They, or all there are.

    Raises
    ------
    DecodeError
        The file is missing or cannot be read.
    """
    with _open_bytes(uri) as file, media_errors(uri):
        return file.read(size)


def refuse_encrypted(uri: Uri) -> None:
    """Raise an error for a media file whose contents are encrypted, which FFmpeg would decode as noise.

    Parameters
    ----------
    uri : str, Path or CataloguedFile
        Path or address.

    Raises
    ------
    DecodeError
        It is encrypted, or cannot be opened.
    """
    with _open_bytes(uri) as file, media_errors(uri):
        source = _Source(file)
        found = encryption(cast(BinaryIO, source), source.read(_HEAD_BYTES))
    if found is not None:
        raise DecodeError(f"{uri}: is encrypted ({found}). Antiphon cannot read it; use a copy without protection.")


def audio_stream(container: InputContainer) -> AudioStream | None:
    """Select the audio stream: the one marked as default, or the first that can be decoded.

    Of several programmes in one file, it is the first whose video stream is selected too.

    Parameters
    ----------
    container : InputContainer
        Open container.

    Returns
    -------
    AudioStream or None
        None if there is none.
    """
    streams = sorted((s for s in container.streams.audio if _has_decoder(s)), key=_preference)
    if len(streams) > 1 and len(container.streams.video) > 1:
        shown = picture_stream(container)
        together = [s for s in streams if cast(Any, container.streams).best("video", related=s) is shown]
        return (together or streams)[0]
    return streams[0] if streams else None


def tracks_note(container: InputContainer, audio: AudioStream | None, video: VideoStream | None) -> str | None:
    """Say which of several audio or video streams are selected.

    Parameters
    ----------
    container : InputContainer
        Open container.
    audio, video : AudioStream or VideoStream or None
        The selected streams.

    Returns
    -------
    str or None
        Words for people; None where there is nothing to choose.
    """
    moving = [s for s in container.streams.video if _has_decoder(s) and not _is_still(s)]
    parts: list[str] = []
    for kind, streams, chosen in (("audio", list(container.streams.audio), audio), ("video", moving, video)):
        if chosen is not None and len(streams) > 1:
            number = [stream.index for stream in streams].index(chosen.index) + 1
            language = f" ({chosen.language})" if chosen.language not in (None, "und") else ""
            parts.append(f"{len(streams)} {kind} tracks, of which number {number}{language} is used")
    return f"has {' and '.join(parts)}" if parts else None


def video_stream(container: InputContainer) -> VideoStream | None:
    """Select the video stream as `audio_stream` does, without cover art, thumbnails and streams of a single picture.

    It may read packets, so seek before reading any.

    Parameters
    ----------
    container : InputContainer
        Open container.

    Returns
    -------
    VideoStream or None
        None if there is none.
    """
    streams = [s for s in container.streams.video if _has_decoder(s) and not _is_still(s)]
    return next((stream for stream in sorted(streams, key=_preference) if _has_pictures(container, stream)), None)


def picture_stream(container: InputContainer) -> VideoStream | None:
    """Select the video stream of a file that is known to have no cover, without reading packets.

    Parameters
    ----------
    container : InputContainer
        Open container.

    Returns
    -------
    VideoStream or None
        None if there is none.
    """
    return min((s for s in container.streams.video if _has_decoder(s)), key=_preference, default=None)


def origin_s(container: InputContainer) -> float:
    """Return the timestamp at which the container starts, the zero of the track's time line.

    Parameters
    ----------
    container : InputContainer
        Open container.

    Returns
    -------
    float
        Seconds.
    """
    # PyAV declares an int; FFmpeg leaves it unset for some formats.
    return (cast(int | None, container.start_time) or 0) / MICROSECONDS


def stream_start_s(container: InputContainer, stream: MediaStream) -> float:
    """Return the start of a stream according to the header.

    Parameters
    ----------
    container : InputContainer
        Open container.
    stream : MediaStream
        One of its streams.

    Returns
    -------
    float
        Seconds on the track's time line.
    """
    if stream.start_time is None or stream.time_base is None:
        return 0.0
    return float(stream.start_time * stream.time_base) - origin_s(container)


class _Source:
    """Bytes of one file without its name, from whose ending FFmpeg would guess the format."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failure: TransferError | None = None

    def read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except TransferError as error:
            self.failure = error
            raise OSError(str(error)) from error
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
def _open_bytes(uri: Uri) -> Generator[BinaryIO]:
    file = uri if isinstance(uri, CataloguedFile) else CataloguedFile(str(uri))
    try:
        opened = cast(BinaryIO, RemoteFile(file.path)) if file.local is None else _open_local(file)
    except FileNotFoundError as error:
        link = Path(file.local or "")
        what = f"is a link to {link.readlink()}, which does not exist" if link.is_symlink() else "no such file"
        raise DecodeError(f"{uri}: {what}.") from error
    except DecodeError:
        raise
    except (OSError, ValueError) as error:
        raise DecodeError(f"{uri}: cannot be opened: {_reason(error)}.") from error
    with opened as file:
        yield file


def _open_local(file: CataloguedFile) -> BinaryIO:
    return io.BufferedReader(file.open())


def _read_head(uri: Uri, source: _Source) -> bytes:
    with media_errors(uri):
        head = source.read(_HEAD_BYTES)
        source.seek(0)
    if not head:
        raise DecodeError(f"{uri}: is empty (0 bytes).")
    return head


def _open_ffmpeg(uri: Uri, source: _Source, head: bytes) -> InputContainer:
    try:
        return av.open(
            source,
            "r",
            options={"max_pixels": str(MAX_FRAME_PX)},
            container_options={"format_whitelist": CONTAINER_FORMATS, "protocol_whitelist": _PROTOCOLS},
            metadata_errors="replace",
            buffer_size=_READ_BYTES,
        )
    except MemoryError as error:
        raise DecodeError(f"{uri}: needs more memory than is available; the file may be damaged.") from error
    except (av.error.FFmpegError, OSError, ValueError, EOFError, LookupError, RuntimeError) as error:
        if source.failure is not None:
            raise source.failure from error
        raise DecodeError(f"{uri}: {_why_unopened(head, error)}") from error


def _why_unopened(head: bytes, error: BaseException) -> str:
    if head[4:8] == b"ftyp" and isinstance(error, av.error.InvalidDataError):
        return "is an MP4 without an index (no moov atom), probably an incomplete download. Download the file again."
    if not any(byte < 9 for byte in head):
        return "is text or a playlist, not a media file."
    if len(head) == _HEAD_BYTES and len(set(head)) > _RANDOM_VALUES:
        return "is not a media file of a known format; its first bytes look random, as those of encrypted files do."
    if isinstance(error, av.error.InvalidDataError | av.error.ArgumentError):
        return "is not a media file of a known format, or is damaged at its start."
    return f"cannot be opened: {_reason(error)}."


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).rstrip(".")


def _has_decoder(stream: MediaStream) -> bool:
    # PyAV has no codec context for a stream of an unknown codec.
    return cast(Any, stream.codec_context) is not None


def _is_still(stream: VideoStream) -> bool:
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def _has_pictures(container: InputContainer, stream: VideoStream) -> bool:
    """Return whether there are two pictures at least: a single one, however long it is shown, is a cover."""
    if container.format.name.startswith(("mov", "avi")):  # whose index is whole, and tells the size of each picture
        entries = stream.index_entries
        if sum(entries[place].size > 0 for place in range(min(len(entries), _FIRST_PICTURES))) > 1:
            return True
    pictures = 0
    try:
        container.seek(stream.start_time or 0, stream=stream)
        for packet in container.demux(stream):
            # Theora repeats the last picture by an empty packet.
            pictures += packet.size > 0 and not packet.is_discard
            if pictures > 1:
                return True
    except (av.error.FFmpegError, OSError):
        return True  # whoever reads on meets the error, and reports it
    return False


def _preference(stream: MediaStream) -> tuple[bool, int]:
    return (not stream.disposition & Disposition.default, stream.index)
