"""Who reads while others write, and in what processes."""

import multiprocessing
import subprocess
import sys

import numpy as np
import pytest

from antiphon.errors import SearchError
from antiphon.search import Index, store

DIM = 16


def _vectors(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, DIM))


def _names(count):
    return [f"id{number:05d}" for number in range(count)]


def test_a_view_stays_as_it_was(tmp_path, layout):
    index = Index.from_vectors(_names(5), _vectors(5), tmp_path)
    before = index._store.view()
    index.add_vectors(["new"], _vectors(1, seed=3))
    after = index._store.view()
    index.remove(["id00002"])
    index.compact()
    assert index._store.view() is not after
    for view, names in ((before, set(_names(5))), (after, {*_names(5), "new"})):
        assert view.ids() == names
        assert set(view.items(["new", "id00002"])) == names & {"new", "id00002"}
        assert sum(view.counts.values()) == len(names)


def test_a_query_that_a_new_build_overtakes_is_asked_again(tmp_path, monkeypatch):
    Index.from_vectors(_names(5), _vectors(5), tmp_path)
    index = Index.open(tmp_path)
    take, taken = store.Store.view, []

    def overtaken(self):
        if not taken:
            taken.append(self)
            Index.from_vectors(["new"], _vectors(1), tmp_path)
        return take(self)

    monkeypatch.setattr(store.Store, "view", overtaken)
    assert [hit.id for hit in index.search(_vectors(1))[0]] == ["new"]
    with pytest.raises(SearchError, match=r"is missing.*antiphon index build"):
        taken[0].view()


def test_a_spawned_process_searches_without_torch(tmp_path):
    Index.from_vectors(_names(9), _vectors(9), tmp_path)
    script = (
        "import sys, numpy as np; from antiphon.search import Index; index = Index.open(sys.argv[1]); "
        "print(index.search(np.ones((1, 16)), k=9)[0] != [], index.ids[4], 'torch' in sys.modules)"
    )
    command = [sys.executable, "-W", "error", "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True id00004 False\n", "")


def _found(path, queue):
    queue.put([hit.id for hit in Index.open(path).search(_vectors(1), k=3)[0]])


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning", "ignore:.*fork:RuntimeWarning")
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
def test_a_forked_process_searches_too(tmp_path, layout):
    expected = [hit.id for hit in Index.from_vectors(_names(9), _vectors(9), tmp_path).search(_vectors(1), k=3)[0]]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=_found, args=(tmp_path, queue))
    process.start()
    assert queue.get(timeout=120) == expected
    process.join()


def test_twelve_thousand_music_videos_are_known_and_removed(tmp_path, layout):
    count = 12_000
    vectors = np.random.default_rng(0).normal(size=(count, 2))
    index = Index.from_vectors(_names(count), vectors, tmp_path)
    assert index.ids == _names(count)
    assert index.add_vectors(_names(count), np.ones((count, 2))) == []
    assert index.remove(_names(count - 1)) == _names(count - 1)
    assert index.ids == _names(count)[-1:]
