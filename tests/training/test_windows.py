"""Windows of kept segments: where they lie, and that sound and pictures are of the same moment."""

import numpy as np
import pytest

from antiphon.errors import DecodeError
from antiphon.media.layout import FrameLayout
from antiphon.segments.kept import KeptSegment, encode_segment
from antiphon.training.augmentation import AugmentationConfig
from antiphon.training.windows import KeptRow, planned_window, random_window

PLAIN = AugmentationConfig(flip_share=0, blur_share=0, gain_db=0, noise_share=0)


@pytest.fixture(scope="module")
def row(tmp_path_factory):
    """A segment whose frame i has the grey 4 i, and whose sound has the value i / 100 all through frame i."""
    path = tmp_path_factory.mktemp("kept") / "0.mkv"
    frames = np.repeat(np.arange(50, dtype=np.uint8) * 4, 32 * 48 * 3).reshape(50, 32, 48, 3)
    waveform = np.repeat(np.arange(50, dtype=np.float32) / 100, 1600)
    path.write_bytes(encode_segment(KeptSegment(frames, waveform)))
    return KeptRow("v#0", "v", path, 50, 30, 0.52)


def moments(video):
    return np.round(np.asarray(video, float).reshape(len(video), -1).mean(1) / 4).astype(int).tolist()


def test_the_planned_window_is_where_extraction_takes_it(row):
    frames, waveform = planned_window(row, FrameLayout(size_px=16))
    assert frames.shape == (30, 32, 48, 3)
    assert moments(frames) == list(range(5, 35))
    assert waveform.shape == (48_000,)
    first = round(0.52 * 16_000)
    expected = np.repeat(np.arange(50) / 100, 1600)[first : first + 48_000]
    np.testing.assert_allclose(waveform, expected, atol=1e-4)


def test_random_windows_are_thinned_out_and_sound_is_of_the_same_moment(row):
    starts = set()
    for seed in range(40):
        layout = FrameLayout(size_px=16, every=3)
        video, audio = random_window(row, layout, PLAIN, np.random.default_rng(seed))
        assert video.shape == (10, 3, 16, 16)
        assert audio.shape == (48_000,)
        first = moments(video)[0]
        assert moments(video) == list(range(first, first + 30, 3))
        np.testing.assert_allclose(audio[::1600].numpy() * 100, np.arange(first, first + 30), atol=1e-2)
        starts.add(first)
    assert min(starts) <= 2
    assert max(starts) >= 18
    assert starts <= set(range(21))


def test_a_file_that_is_not_whole_is_refused(row, tmp_path):
    path = tmp_path / "0.mkv"
    path.write_bytes(encode_segment(KeptSegment(np.zeros((50, 32, 48, 3), np.uint8), np.zeros(40_000, np.float32))))
    with pytest.raises(DecodeError, match="is incomplete"):
        planned_window(KeptRow("v#0", "v", path, 50, 30, 0.0), FrameLayout(size_px=16))
