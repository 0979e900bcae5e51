"""Features and tags of single files: what is kept of them, and what one file's fault does to the others."""

import weakref
from types import SimpleNamespace

import numpy as np
import pytest

from antiphon.errors import DecodeError
from antiphon.features import single
from antiphon.media.extents import EVERYWHERE
from antiphon.segments.reading import PlannedWindows
from antiphon.workers.limits import JobError
from antiphon.workers.pool import Part


def delivered(parts, monkeypatch):
    """Have the worker processes deliver these parts."""

    def stream(function, jobs, workers, limits):
        del function, workers, limits
        for number, value, *end in parts:
            error = next(iter(end), None)
            yield Part(number, jobs[number], value, is_last=value is None, error=error)

    monkeypatch.setattr(single, "stream_in_processes", stream)


def test_what_was_gathered_of_a_file_goes_with_it(monkeypatch):
    gathered = weakref.WeakSet()

    class Watched(single._Gathered):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            gathered.add(self)

    monkeypatch.setattr(single, "_Gathered", Watched)
    planned = PlannedWindows([(0.0, 1.0)], EVERYWHERE)
    delivered([(n, what, DecodeError("bad")) for n in range(6) for what in (planned, None)], monkeypatch)
    left = [len(gathered) for _ in single.files_features([f"{n}.mp4" for n in range(6)], [])]
    assert left == [6, 5, 4, 3, 2, 1]


class Tagger:
    """Tags a patch with its only sample."""

    tags, rate_hz = ("loud", "quiet"), 1

    def log_mel(self, patch):
        return float(patch[0])

    def outputs(self, level):
        if level > 1:
            raise OSError(28, "No space left on device") if level == 28 else KeyError("too loud")
        return SimpleNamespace(taggram=np.array([[level, 1 - level]]))


PLANNED = PlannedWindows([(0.0, 3.0)], EVERYWHERE)


def tagged(parts, monkeypatch):
    monkeypatch.setattr(single, "_tagger", lambda backbone: Tagger())
    delivered([(n, np.array([what]) if isinstance(what, float) else what) for n, what in parts], monkeypatch)
    return dict(single.predict_tags_of(["0.mp3", "1.mp3"]))


def test_a_file_that_a_tagger_fails_on_leaves_the_others_their_tags(monkeypatch):
    parts = [(0, PLANNED), (0, 2.0), (0, 0.5), (1, PLANNED), (1, 0.75), (0, None), (1, None)]
    found = tagged(parts, monkeypatch)
    assert isinstance(found["0.mp3"], JobError) and found["0.mp3"].kind == "KeyError"
    assert found["1.mp3"] == [("loud", 0.75), ("quiet", 0.25)]


def test_a_full_disk_ends_tagging(monkeypatch):
    with pytest.raises(OSError, match="No space left"):
        tagged([(0, PLANNED), (0, 28.0), (0, None)], monkeypatch)


def test_a_file_that_is_read_again_is_counted_once(monkeypatch):
    parts = [(0, PLANNED), (0, 0.0), (0, 2.0), (0, PLANNED), (0, 0.75), (0, 0.25), (0, None)]
    assert dict(tagged(parts, monkeypatch)["0.mp3"]) == {"loud": 0.5, "quiet": 0.5}


def test_a_file_without_a_usable_patch_has_no_tags(monkeypatch):
    found = tagged([(1, PLANNED), (1, None)], monkeypatch)
    assert isinstance(found["1.mp3"], DecodeError)
    assert str(found["1.mp3"]) == "1.mp3: no patch of 3 s of its audio can be decoded."
    monkeypatch.setattr(single, "read_patches", lambda job: iter([PLANNED]))
    with pytest.raises(DecodeError, match="no patch of 3 s"):
        single.predict_tags("1.mp3")
