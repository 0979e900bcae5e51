"""Features and tags of single files: what is kept of them, and what one file's fault does to the others."""

import weakref

from antiphon.errors import DecodeError
from antiphon.features import single
from antiphon.media.extents import EVERYWHERE
from antiphon.segments.reading import PlannedWindows
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
