"""Training on very few videos: what is said, and that what it says works."""

import shlex

import numpy as np
import pytest

from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.features import Features
from antiphon.features.importing import import_features
from antiphon.workspace import Workspace

from ..media.media_files import join, make_sound, make_video, noise

pytestmark = pytest.mark.usefixtures("quick_default")


def workspace_of(folder, videos, artists=None):
    """A workspace of so many videos, all of them training videos, with made-up features."""
    random = np.random.default_rng(0)
    names = [f"v{number}" for number in range(videos) for _ in range(2)]
    features = Features.from_arrays(
        audio=random.normal(size=(2 * videos, 8)),
        video=random.normal(size=(2 * videos, 8)),
        ids=[f"{name}/{row % 2}" for row, name in enumerate(names)],
        groups=names,
        splits=["train"] * len(names),
        artists=None if artists is None else np.repeat(artists, 2),
        audio_name="ears",
        video_name="eyes",
    )
    workspace = Workspace(folder)
    import_features(features, workspace)
    return workspace


def train(workspace, capsys):
    code = run(["-w", str(workspace.root), "train", "--no-learning-curve"])
    return code, capsys.readouterr().err


@pytest.mark.parametrize("artists", [None, list("aabbcd"), list("aaaaab")])
def test_the_command_that_is_named_makes_training_possible(tmp_path, capsys, artists):
    workspace = workspace_of(tmp_path / "a workspace", 6, artists)
    code, told = train(workspace, capsys)
    assert code == 1
    assert "The validation split has no videos with both audio and video" in told
    antiphon, *command = shlex.split(told.strip().splitlines()[-1])
    assert antiphon == "antiphon"
    assert run(command) == 0
    found = Catalogue.load(workspace.catalogue)
    assert ("artist" in command) == (artists != list("aaaaab"))
    assert "artist" not in command or not found.artists_in_two_splits()
    code, told = train(workspace, capsys)
    assert code == 0, told
    assert run(command) == 1
    refused = " ".join(capsys.readouterr().err.split())
    assert "trained on the current splits" in refused
    assert str(workspace.run("antiphon-base")) in refused
    assert Catalogue.load(workspace.catalogue).split_counts() == found.split_counts()


def test_with_fewer_than_five_videos_only_more_of_them_help(tmp_path, capsys):
    code, told = train(workspace_of(tmp_path / "w", 4), capsys)
    assert code == 1
    assert "has no videos" in told
    assert "the workspace has only 4 such videos" in " ".join(told.split())
    assert "catalogue split" not in told


def test_a_catalogue_whose_test_split_is_too_small_says_so_when_it_is_made(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    for number in range(8):
        join(
            tmp_path / "in" / f"v{number}.mp4",
            make_video(tmp_path / "v.mp4", 40, "10", "-c:v", "libx264", "-preset", "ultrafast"),
            make_sound(tmp_path / "a.wav", noise(4, 16_000, 1, number), 16_000),
        )
    place = ["-w", str(tmp_path / "w")]
    assert run([*place, "catalogue", "add", str(tmp_path / "in"), "--fractions", "0.5", "0.5", "0"]) == 0
    told = capsys.readouterr().err
    assert "8 music videos with sound and pictures" in told
    assert "0 in test; training and ranking need at least 2 in each" in " ".join(told.split())
    command = shlex.split(told.strip().splitlines()[-1])
    assert run(command[1:]) == 0
    assert "at least 2 in each" not in capsys.readouterr().err
    assert min(Catalogue.load(Workspace(tmp_path / "w").catalogue).split_counts().values()) >= 2
