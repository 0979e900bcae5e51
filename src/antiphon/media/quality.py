"""What is wrong with a decoded stretch, although it could be decoded.

A decoder that meets damage guesses what was there, and a film can be black or silent for minutes. Such stretches have
features like any other; flags tell them apart.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

Flag = Literal["concealed", "silent", "clipped", "black", "duplicated"]
"""concealed: the decoder guessed, or something is missing. silent, clipped: the sound. black: the pictures. duplicated:
for more than a third of the stretch, pictures stand in for others that the frame rate promises and the file lacks."""

# −60 dB below full scale.
_SILENT_PEAK = 1e-3
_FULL_SCALE = 0.99
_CLIPPED_SHARE = 0.05
# Above the black of video levels (16 of 255) with room for noise.
_BLACK_LEVEL = 32
_BLACK_SHARE = 0.99

CRITERIA: dict[Flag, str] = {
    "silent": "No sample of the sound exceeds −60 dB of full scale.",
    "clipped": f"At least {_CLIPPED_SHARE:.0%} of samples are within {1 - _FULL_SCALE:.0%} of full scale or beyond.",
    "black": f"At least {_BLACK_SHARE:.0%} of all values of the pictures are at most {_BLACK_LEVEL} of 255.",
    "duplicated": "For more than a third of the time, pictures stand in for others that the file lacks.",
    "concealed": "The decoder guessed what is damaged, or something is missing.",
}
"""What each flag says of a stretch."""


def waveform_flags(waveform: npt.NDArray[np.float32]) -> tuple[Flag, ...]:
    """Examine the sound of a stretch.

    Parameters
    ----------
    waveform : ndarray of float32, shape (samples,)
        Mono, nominally in [-1, 1].

    Returns
    -------
    tuple of Flag
        "silent" where no sample exceeds −60 dB of full scale, "clipped" where a twentieth of the samples is within 1%
        of full scale or beyond.

    Examples
    --------
    >>> waveform_flags(np.zeros(16_000, np.float32))
    ('silent',)
    """
    loudness = np.abs(waveform)
    if not loudness.size or float(loudness.max()) <= _SILENT_PEAK:
        return ("silent",)
    return ("clipped",) if float(np.mean(loudness >= _FULL_SCALE)) >= _CLIPPED_SHARE else ()


def frames_flags(frames: Sequence[npt.NDArray[np.uint8]]) -> tuple[Flag, ...]:
    """Examine the pictures of a stretch.

    Parameters
    ----------
    frames : sequence of ndarray of uint8, shape (frames, height, width, 3)
        RGB of one or more layouts; the first is looked at.

    Returns
    -------
    tuple of Flag
        "black" where 99% of the values of all frames are dark.
    """
    if not frames or not frames[0].size:
        return ()
    return ("black",) if float(np.mean(frames[0] <= _BLACK_LEVEL)) >= _BLACK_SHARE else ()
