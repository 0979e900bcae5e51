"""A re-encoded copy of a test video in training is found, by the features of real files."""

import subprocess
from dataclasses import replace

import imageio_ffmpeg
import pytest

import antiphon as ap
from antiphon.evaluation.auditing.copies import copy_checks
from antiphon.segments.sampling import SamplingConfig


@pytest.fixture(scope="module")
def features(synthetic_table, tmp_path_factory):
    """Twelve synthetic videos, and the last one again: smaller, of lower quality, under another name and artist."""
    catalogue = ap.Catalogue.from_csv(synthetic_table)
    victim = catalogue.records()[-1]
    copy = tmp_path_factory.mktemp("copy") / "something-else.mp4"
    encode = ["-vf", "scale=240:-2", "-c:v", "libx264", "-crf", "28", "-c:a", "aac", "-b:a", "96k"]
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([ffmpeg, "-loglevel", "error", "-i", victim["path"], *encode, copy], check=True)
    rows = [*catalogue.records(), victim | {"id": "something-else.mp4", "path": str(copy), "artist": "Somebody Else"}]
    held_out = {row["id"] for row in catalogue.records()[-3:]}
    rows = [row | {"split": "test" if row["id"] in held_out else "train"} for row in rows]
    found = ap.extract(
        ap.Catalogue(rows), sampling=SamplingConfig(sections=2), audio="musicnn-mtt", video="efficientnet_lite0",
        workspace=tmp_path_factory.mktemp("copies") / "w",
    )  # fmt: skip
    return found, victim["id"]


def test_a_re_encoded_copy_of_a_test_video_in_training_is_found(features):
    found, victim = features
    check = next(check for check in copy_checks(found) if check.name == "Leakage: copies")
    assert check.status == "fail"
    assert [(pair["held_out"], pair["train"]) for pair in check.numbers["pairs"]] == [(victim, "something-else.mp4")]


def test_without_the_copy_nothing_is_found(features):
    found, _ = features
    clean = found.take(found.groups != "something-else.mp4")
    assert {check.status for check in copy_checks(clean)} <= {"pass"}
    assert {check.status for check in copy_checks(replace(clean, video=clean.video[::-1].copy()))} <= {"pass"}
