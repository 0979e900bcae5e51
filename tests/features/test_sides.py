"""A music video whose pictures end early, from the catalogue to features, attributes and kept segments."""

from pathlib import Path

import numpy as np
import pytest

import antiphon as ap
from antiphon import backbones
from antiphon.catalogue import Catalogue
from antiphon.features.keeping import keep_segments, keeping_jobs, kept_path
from antiphon.features.single import file_features, predict_tags
from antiphon.presentation.previews import make_preview, make_strip
from antiphon.segments.kept import read_kept
from antiphon.segments.sampling import SamplingConfig
from antiphon.tables import ATTRIBUTES, SEGMENTS, read_table
from antiphon.training.windows import kept_rows
from antiphon.workspace import Workspace

from ..media.media_files import join, make_sound, make_video, noise

SAMPLING = SamplingConfig(sections=3)


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    """Eighteen seconds of sound; the pictures end after seven."""
    folder = tmp_path_factory.mktemp("sides")
    pictures = make_video(folder / "v.mp4", 70, "10", "-c:v", "libx264", "-preset", "ultrafast")
    sound = make_sound(folder / "a.wav", noise(18, 16_000, 1), 16_000)
    (folder / "in").mkdir()
    return join(folder / "in" / "av.mp4", pictures, sound, "-c:a", "aac")


@pytest.fixture(scope="module")
def extracted(video, tmp_path_factory):
    place = tmp_path_factory.mktemp("workspace")
    catalogue = Catalogue.from_folder(video.parent).split(fractions=(1, 0, 0))
    return Workspace(place), ap.extract(catalogue, workspace=place, sampling=SAMPLING, workers=1)


def test_the_sound_lies_over_its_whole_length_and_the_pictures_over_theirs(extracted):
    workspace, features = extracted
    (row,) = Catalogue.load(workspace.catalogue).records()
    assert (row["audio_start_s"], row["audio_end_s"]) == (0.0, pytest.approx(18.0, abs=0.1))
    assert (row["video_start_s"], row["video_end_s"]) == (0.0, pytest.approx(7.0, abs=0.1))
    assert (row["start_s"], row["duration_s"]) == (0.0, pytest.approx(18.0, abs=0.1))
    assert features.starts_s[-1] > 12
    np.testing.assert_array_equal(features.has_audio, [True, True, True])
    np.testing.assert_array_equal(features.has_video, [True, False, False])
    assert np.isnan(features.video[1:]).all()
    assert workspace.read_failures() == []


def test_nothing_is_missing_then(extracted):
    workspace, features = extracted
    states = []
    catalogue = Catalogue.load(workspace.catalogue)
    again = ap.extract(catalogue, workspace=workspace.root, sampling=SAMPLING, progress=states.append)
    assert states == []
    np.testing.assert_array_equal(again.audio, features.audio)


def test_pictures_are_measured_and_kept_where_they_are(extracted):
    workspace, _ = extracted
    catalogue = Catalogue.load(workspace.catalogue)
    assert [row["segment_id"] for row in read_table(workspace.attributes, ATTRIBUTES).to_pylist()] == ["av.mp4#0"]
    keep_segments(workspace, catalogue, workers=1)
    segments = read_table(workspace.segments, SEGMENTS).to_pylist()
    kept = [read_kept(kept_path(workspace, segment)) for segment in segments]
    assert [part.frames is not None for part in kept] == [True, False, False]
    assert all(part.waveform is not None for part in kept)
    assert keeping_jobs(workspace, catalogue) == []
    assert [row.segment_id for row in kept_rows(workspace)["train"]] == ["av.mp4#0"]
    assert workspace.read_failures() == []


def test_one_file_alone(video, extracted):
    _, features = extracted
    found = file_features(video, [backbones.load("musicnn-mtt"), backbones.load("efficientnet_lite0")], SAMPLING)
    assert found.windows_of("audio") == found.windows
    assert found.windows_of("video") == found.windows[:1]
    np.testing.assert_array_equal(found.vectors["video"], features.video[:1])
    np.testing.assert_array_equal(found.vectors["audio"], features.audio)
    assert len(predict_tags(video)) == 50


def test_a_catalogue_of_before_knows_no_extents(video, tmp_path):
    (row,) = Catalogue.from_folder(video.parent).split(fractions=(1, 0, 0)).records()
    known = {"has_audio": True, "has_video": True, "start_s": 0.0, "duration_s": 7.0}
    features = ap.extract(Catalogue([row | known]), workspace=tmp_path, sampling=SAMPLING, workers=1)
    assert (len(features), len(features.paired)) == (1, 1)


def test_a_page_plays_the_side_that_is_there(video):
    preview = make_preview(str(video), 10.0, 13.0, 50_000, 160)
    assert (preview.has_audio, preview.has_video) == (True, False)
    assert make_strip(str(video), [2.0, 9.0, 15.0]) is not None
