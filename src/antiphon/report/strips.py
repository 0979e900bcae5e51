"""A few stills side by side, so that a video can be taken in at a glance."""

from collections.abc import Sequence

import numpy as np
from av.video.frame import VideoFrame

from antiphon.media.container import media_errors, open_container, video_stream
from antiphon.media.frames import nearest_frames
from antiphon.media.stream_reader import Track
from antiphon.presentation.previews import jpeg, shrunk

STILL_PX = (96, 54)


def make_strip(uri: str, times_s: Sequence[float]) -> bytes | None:
    """A JPEG with one still of 96 × 54 px for each time, whole and on black; None where there are no pictures.

    Parameters
    ----------
    uri : local path, or an address that fsspec knows.
    times_s : in seconds on the track's time line.

    Raises
    ------
    DecodeError
        The file cannot be read there.
    """
    with open_container(uri) as container, media_errors(uri):
        stream = video_stream(container)
        if stream is None or not times_s:
            return None
        track = Track.of(uri, container, stream)
        aspect = float(stream.sample_aspect_ratio or 1)
        frames = [frame for time_s in times_s for _, frame in nearest_frames(track, [time_s])]
        return jpeg(np.concatenate([_still(frame, aspect) for frame in frames], axis=1))


def _still(frame: VideoFrame, aspect: float) -> np.ndarray:
    width, height = STILL_PX
    picture = shrunk(frame, aspect, width)
    if picture.shape[0] > height:
        picture = shrunk(frame, aspect, max(16, round(width * height / picture.shape[0])))
    still = np.zeros((height, width, 3), np.uint8)
    rows, columns = min(height, picture.shape[0]), min(width, picture.shape[1])
    top, left = (height - rows) // 2, (width - columns) // 2
    still[top : top + rows, left : left + columns] = picture[:rows, :columns]
    return still
