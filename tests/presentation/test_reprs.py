"""What objects say of themselves, as text and in a notebook."""

from pathlib import Path

import numpy as np

import antiphon as ap
from antiphon.catalogue import Catalogue


def music_videos() -> ap.Features:
    audio = np.random.default_rng(0).normal(size=(60, 5))
    audio[0] = np.nan
    video = np.random.default_rng(1).normal(size=(60, 3))
    groups = np.repeat(np.arange(30), 2)
    splits = np.repeat(["train", "validation", "test"], 20)
    return ap.Features.from_arrays(audio=audio, video=video, groups=groups, splits=splits, audio_name="ears<")


def test_features_say_how_many_of_what() -> None:
    features = music_videos()
    assert repr(features).splitlines() == [
        "Features of 60 segments of 30 music videos",
        "  audio   5 values of ears<, missing in 1 segments",
        "  video   3 values",
        "  splits  20 train, 20 validation, 20 test",
    ]
    assert "ears&lt;" in features._repr_html_()
    assert "  video   none" in repr(ap.Features.from_arrays(audio=np.ones((2, 3))))


def test_a_model_says_whether_it_is_fitted_and_on_what(tmp_path: Path) -> None:
    model = ap.DualEncoder("paper-base", seed=3)
    assert repr(model) == "DualEncoder paper-base\n  state  not fitted\n  seed   3"
    model.fit(music_videos(), verbose=False)
    expected = [
        "DualEncoder paper-base",
        "  audio       ears<, 5 values",
        "  video       features without a name, 3 values",
        "  embeddings  256 values",
        f"  state       fitted, {len(model.history)} epochs, seed 3",
    ]
    assert repr(model).splitlines() == expected
    model.save(tmp_path)
    assert repr(ap.DualEncoder.load(tmp_path)).splitlines() == expected
    page = model._repr_html_()
    assert "ears&lt;, 5 values" in page
    assert page.count("<style") == 1


def test_a_catalogue_says_how_many_videos_artists_and_splits(tmp_path: Path) -> None:
    table = tmp_path / "videos.csv"
    table.write_text(
        "id,artist,genre,split\na,Nova,rock,train\nb,nova,rock,test\nc,Lux,,train\nd,,,\n", encoding="utf-8"
    )
    catalogue = Catalogue.from_csv(table)
    assert repr(catalogue).splitlines() == [
        "Catalogue of 4 music videos",
        "  splits   2 train, 1 test, 1 unsplit",
        "  artists  2",
        "  genres   1",
    ]
    assert "<th>artists</th><td>2</td>" in catalogue._repr_html_()
