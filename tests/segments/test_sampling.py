"""Where segments lie."""

import math
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from antiphon.errors import DecodeError
from antiphon.segments.sampling import SamplingConfig, sample_catalogue, sample_segments, segment_rows
from antiphon.tables import CATALOGUE, FAILURES, SEGMENTS

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
    with pytest.raises(DecodeError, match=r"lasts .* s: too short for a window of 3 s"):
        sample_segments(duration_s, SamplingConfig(), np.random.default_rng(0))


@pytest.mark.parametrize(
    "wrong",
    [{"sections": 0}, {"segment_s": -1}, {"window_s": 5.1}, {"window_s": math.inf}, {"windows": 3}],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        SamplingConfig(**wrong)


def test_rows_depend_on_seed_and_id_only():
    def table(*ids: str, seed: int = 0) -> list[dict]:
        rows = [{"id": i, "path": i, "duration_s": 100.0} for i in ids]
        catalogue = pa.Table.from_pylist(rows, CATALOGUE)
        return sample_catalogue(catalogue, SamplingConfig(seed=seed))[0].to_pylist()

    by_id = {row["segment_id"]: row for row in table("a", "b", "c")}
    assert list(by_id) == [f"{i}#{section}" for i in "abc" for section in range(6)]
    assert table("c", "a") == [by_id[f"{i}#{s}"] for i in "ca" for s in range(6)]
    assert {row["start_s"] for row in by_id.values()}.isdisjoint(row["start_s"] for row in table("a", "b", "c", seed=1))
    starts = [row["start_s"] for row in segment_rows("a", 100.0, SamplingConfig())]
    assert starts != [row["start_s"] for row in segment_rows("b", 100.0, SamplingConfig())]


def test_a_catalogue_gives_segments_and_failures():
    catalogue = pa.Table.from_pylist(
        [
            {"id": "whole", "path": "a.mp4", "duration_s": 60.0},
            {"id": "short", "path": "b.mp4", "duration_s": 1.0},
            {"id": "unknown", "path": "c.mp4"},
            {"id": "features only", "duration_s": 60.0},
        ],
        CATALOGUE,
    )
    segments, failures = sample_catalogue(catalogue, SamplingConfig(seed=3))
    assert segments.schema == SEGMENTS
    assert failures.schema == FAILURES
    assert set(segments["video_id"].to_pylist()) == {"whole"}
    assert set(segments["seed"].to_pylist()) == {3}
    assert [(row["video_id"], row["stage"], row["error"]) for row in failures.to_pylist()] == [
        ("short", "segments", "DecodeError"),
        ("unknown", "segments", "DecodeError"),
    ]
    assert "c.mp4: its duration is unknown" in failures["message"][1].as_py()


def test_a_late_start_moves_the_segments():
    catalogue = pa.table({"id": ["a"], "path": ["a"], "duration_s": [30.0], "start_s": [2.0]})
    moved, _ = sample_catalogue(catalogue, SamplingConfig())
    there, _ = sample_catalogue(catalogue.drop_columns("start_s"), SamplingConfig())
    np.testing.assert_allclose(moved["start_s"].to_numpy(), there["start_s"].to_numpy() + 2)
    np.testing.assert_allclose(moved["window_end_s"].to_numpy(), there["window_end_s"].to_numpy() + 2)
