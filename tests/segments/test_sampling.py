"""Where segments lie."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from antiphon.errors import DecodeError
from antiphon.segments.sampling import SamplingConfig, sample_segments, segment_rows
from antiphon.tables import SEGMENTS

EPSILON = 1e-6


@st.composite
def configs(draw: st.DrawFn) -> SamplingConfig:
    window_s = draw(st.floats(0.1, 10))
    return SamplingConfig(
        sections=draw(st.integers(1, 12)),
        window_s=window_s,
        segment_s=window_s + draw(st.floats(0, 10)),
        seed=draw(st.integers(0, 2**31)),
    )


@given(configs(), st.floats(0, 2000), st.floats(0, 100))
def test_segments_lie_in_their_sections_and_windows_in_their_segments(config, duration_s, start_s):
    duration_s = max(duration_s, config.window_s)
    segments = sample_segments(duration_s, config, np.random.default_rng(config.seed), start_s)
    length_s = min(config.segment_s, duration_s)
    count = max(1, min(config.sections, math.floor(duration_s / config.segment_s)))
    assert [segment.section for segment in segments] == list(range(count))
    section_s = duration_s / count
    for segment in segments:
        assert segment.end_s - segment.start_s == pytest.approx(length_s, abs=EPSILON)
        assert segment.start_s >= start_s + segment.section * section_s - EPSILON
        assert segment.end_s <= start_s + (segment.section + 1) * section_s + EPSILON
        assert segment.window_end_s - segment.window_start_s == pytest.approx(config.window_s, abs=EPSILON)
        assert segment.start_s - EPSILON <= segment.window_start_s
        assert segment.window_end_s <= segment.end_s + EPSILON
    for before, after in pairwise(segments):
        assert before.end_s <= after.start_s


@given(st.integers(1, 6), st.floats(0, 4.9))
def test_short_tracks_have_fewer_sections(sections, rest_s):
    segments = sample_segments(sections * 5.0 + rest_s, SamplingConfig(), np.random.default_rng(0))
    assert len(segments) == sections


def test_positions_are_spread_evenly_over_the_section():
    config = SamplingConfig(sections=2)
    drawn = [sample_segments(50, config, np.random.default_rng(seed)) for seed in range(2000)]
    for section in (0, 1):
        free = np.array([(segments[section].start_s - 25 * section) / 20 for segments in drawn])
        inner = np.array([(s[section].window_start_s - s[section].start_s) / 2 for s in drawn])
        for sample in (free, inner):
            deciles = np.quantile(sample, np.linspace(0.1, 0.9, 9))
            np.testing.assert_allclose(deciles, np.linspace(0.1, 0.9, 9), atol=0.05)
        assert abs(np.corrcoef(free, inner)[0, 1]) < 0.1


def test_a_track_shorter_than_a_segment_is_one_segment():
    (segment,) = sample_segments(4.0, SamplingConfig(), np.random.default_rng(0), start_s=1.5)
    assert (segment.section, segment.start_s, segment.end_s) == (0, 1.5, 5.5)
    assert 1.5 <= segment.window_start_s <= 2.5


@pytest.mark.parametrize("duration_s", [0.0, 2.99, -1.0, math.nan, math.inf])
def test_a_track_shorter_than_a_window_is_refused(duration_s):
    with pytest.raises(DecodeError, match=r"is .* s long, too short for a window of 3 s"):
        sample_segments(duration_s, SamplingConfig(), np.random.default_rng(0))


@pytest.mark.parametrize(
    "wrong",
    [{"sections": 0}, {"segment_s": -1}, {"window_s": 5.1}, {"window_s": math.inf}, {"windows": 3}],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        SamplingConfig(**wrong)


def test_rows_depend_on_the_seed_and_not_on_the_name():
    """So that a copy under another name has the same segments, and can be found by their features."""

    def starts(video, seed=0):
        return [row["start_s"] for row in segment_rows(video, 100.0, SamplingConfig(seed=seed))]

    assert starts("a") == starts("a")
    assert starts("a") == starts("b")
    assert set(starts("a")).isdisjoint(starts("a", seed=1))


def test_rows_name_their_segment_and_seed():
    rows = segment_rows("a", 100.0, SamplingConfig(seed=3))
    assert [row["segment_id"] for row in rows] == [f"a#{section}" for section in range(6)]
    assert set(rows[0]) == set(SEGMENTS.names)
    assert {row["seed"] for row in rows} == {3}


def test_a_late_start_moves_the_segments():
    moved, there = segment_rows("a", 30.0, SamplingConfig(), 2.0), segment_rows("a", 30.0, SamplingConfig())
    for name in ("start_s", "window_end_s"):
        np.testing.assert_allclose([row[name] for row in moved], [row[name] + 2 for row in there])


@given(st.floats(5, 400), st.floats(0.5, 40), st.floats(0, 50))
def test_dense_segments_start_every_few_seconds_and_stay_inside_the_track(duration_s, every_s, start_s):
    config = SamplingConfig(every_s=every_s)
    segments = sample_segments(duration_s, config, np.random.default_rng(0), start_s)
    assert [segment.section for segment in segments] == list(range(len(segments)))
    for number, segment in enumerate(segments):
        assert segment.start_s == pytest.approx(start_s + number * every_s, abs=EPSILON)
        assert segment.end_s == pytest.approx(segment.start_s + 5, abs=EPSILON)
        assert segment.start_s - EPSILON <= segment.window_start_s
        assert segment.window_end_s <= segment.end_s + EPSILON <= start_s + duration_s + 2 * EPSILON
    assert (len(segments) - 1) * every_s + 5 <= duration_s + EPSILON
    assert len(segments) * every_s + 5 > duration_s - EPSILON


def test_a_track_no_longer_than_a_segment_is_one_dense_segment():
    (segment,) = sample_segments(4.0, SamplingConfig(every_s=2.0), np.random.default_rng(0))
    assert (segment.start_s, segment.end_s) == (0.0, 4.0)


def test_a_sampling_by_sections_is_written_as_it_was_before_there_was_a_dense_one():
    assert SamplingConfig().model_dump_json() == '{"sections":6,"segment_s":5.0,"window_s":3.0,"seed":0}'
    dense = SamplingConfig(every_s=4.0)
    assert SamplingConfig.model_validate_json(dense.model_dump_json()) == dense
