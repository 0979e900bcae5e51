"""Other pairs lose what is held out: videos by their names, their artists, and their vectors."""

import numpy as np

from antiphon.features import Features
from antiphon.features.unseen import unseen


def pairs(names, seed, artists=None, segments=2):
    """Segments of some videos."""
    random, groups = np.random.default_rng(seed), np.repeat(names, segments)
    audio, video = (random.normal(size=(len(groups), 3)).astype(np.float32) for _ in range(2))
    by = None if artists is None else np.repeat(artists, segments)
    ids = [f"{seed} {row}" for row in range(len(groups))]
    return Features.from_arrays(audio=audio, video=video, ids=ids, groups=groups, artists=by)


def test_each_reason_leaves_out_whole_videos_and_counts_once():
    train = pairs(["a", "b"], 1, ["Ann", "Bob"])
    held_out = pairs(["c", "d"], 2, ["Cleo", ""])
    extra = pairs(["a", "c", "e", "f", "g", "h"], 3, ["Ann", "Cleo", "CLEO", "Bob", "", ""])
    extra.video[9] = held_out.video[3]
    found = unseen(extra, [train, held_out], [held_out])
    assert found.features.groups.tolist() == ["f", "f", "h", "h"], "artists of training videos may stay"
    assert (found.by_id, found.by_artist, found.by_vector) == (2, 1, 1)
    assert found.left_out == (
        "2 videos that the catalogue has too, 1 video by artists of held-out videos, "
        "1 video with a vector of a held-out video"
    )


def test_vectors_of_training_videos_and_nearly_equal_ones_stay():
    train, held_out, extra = pairs(["a"], 1), pairs(["b"], 2), pairs(["e", "f"], 3)
    extra.audio[0] = train.audio[0]
    extra.audio[3] = np.nextafter(held_out.audio[0], np.float32(9))
    found = unseen(extra, [train, held_out], [held_out])
    assert len(found.features) == 4
    assert found.left_out == ""


def test_rows_without_a_partner_are_no_pairs():
    extra = pairs(["e", "f"], 3)
    extra.audio[1] = np.nan
    assert unseen(extra, [pairs(["a"], 1)], []).features.ids.tolist() == ["3 0", "3 2", "3 3"]
