"""What LanceDB alone does: the approximate index, its upkeep, other processes, URIs."""

import multiprocessing
import subprocess
import sys

import numpy as np
import pytest

from antiphon.errors import ConfigError, SearchError
from antiphon.search import Index, Where, lance

DIM = 16
ROWS = 600


@pytest.fixture
def small_lists(monkeypatch):
    """An approximate index from 500 rows on, of lists of 20 rows, of which 12 are looked at."""
    for name, value in (("_INDEX_FROM_ROWS", 500), ("_LIST_ROWS", 20), ("_PROBES", 12)):
        monkeypatch.setattr(lance, name, value)


def _clustered(count, seed=0):
    draw = np.random.default_rng([1, seed])
    centres = np.random.default_rng(0).normal(size=(12, DIM))
    return centres[draw.integers(12, size=count)] + 0.7 * draw.normal(size=(count, DIM))


def _names(count, first=0):
    return [f"id{first + number:05d}" for number in range(count)]


def _recall(index, exact, where=None):
    queries = _clustered(40, seed=7)
    pairs = zip(index.search(queries, where=where), exact.search(queries, where=where), strict=True)
    return np.mean([len({hit.id for hit in some} & {hit.id for hit in every}) / len(every) for some, every in pairs])


@pytest.fixture
def both(tmp_path, small_lists):
    """The same rows in an approximate and in an exact index."""
    metadata = [{"genre": f"genre {number % 10}", "year": 2000 + number % 7} for number in range(ROWS)]
    vectors = _clustered(ROWS)
    return [
        Index.from_vectors(_names(ROWS), vectors, tmp_path / kind, kind=kind, metadata=metadata)
        for kind in ("lancedb", "exact")
    ]


def test_the_approximate_index_finds_nearly_all(both):
    assert both[0].stats()["unindexed"] == 0
    assert _recall(*both) > 0.95
    assert _recall(*both, where=Where(genre=("genre 3",))) > 0.99
    scores = [[hit.score for hit in index.search(_clustered(1, seed=3), k=1)[0]] for index in both]
    assert np.allclose(*scores, atol=1e-5)


def test_new_rows_are_found_before_they_are_indexed_and_removed_ones_are_not(both):
    for index in both:
        index.add_vectors(_names(100, ROWS), _clustered(100, seed=2))
        index.remove(_names(50))
    assert both[0].stats()["unindexed"] == 100
    assert _recall(*both) > 0.95
    new = _clustered(100, seed=2)[42:43]
    assert both[0].search(new, k=1)[0][0].id == f"id{ROWS + 42:05d}"
    gone = both[0].search(_clustered(ROWS)[:50], k=1)
    assert not {hits[0].id for hits in gone} & set(_names(50))


def test_after_enough_adds_the_index_takes_the_rows_up_by_itself(both):
    for first in range(0, 600, 100):
        both[0].add_vectors(_names(100, ROWS + first), _clustered(100, seed=first + 2))
    assert both[0].stats()["unindexed"] < 600
    both[0].compact()
    assert both[0].stats()["unindexed"] == 0
    assert len(both[0]) == ROWS + 600


def test_an_index_that_grew_large_enough_gets_its_approximate_index(tmp_path, small_lists):
    index = Index.from_vectors(_names(400), _clustered(400), tmp_path, kind="lancedb")
    assert index.stats()["unindexed"] == 400
    index.add_vectors(_names(600, 400), _clustered(600, seed=1))
    assert index.stats()["unindexed"] == 0


def test_auto_chooses_by_size(tmp_path, monkeypatch):
    monkeypatch.setattr("antiphon.search.index.LANCEDB_ROWS", 10)
    assert Index.from_vectors(_names(9), _clustered(9), tmp_path / "small").kind == "exact"
    assert Index.from_vectors(_names(10), _clustered(10), tmp_path / "large").kind == "lancedb"
    with pytest.raises(ConfigError, match="kind must be .*, not 'fast'"):
        Index.from_vectors(_names(9), _clustered(9), tmp_path, kind="fast")


def test_more_rows_than_a_page_are_read(tmp_path):
    count = 12_000
    index = Index.from_vectors(
        _names(count), np.random.default_rng(0).normal(size=(count, 2)), tmp_path, kind="lancedb"
    )
    assert index.ids == _names(count)
    assert index.add_vectors(_names(count), np.ones((count, 2))) == []
    assert index.remove(_names(count - 1)) == _names(count - 1)
    assert index.ids == _names(count)[-1:]


def test_a_table_that_is_gone_is_named(tmp_path):
    import shutil

    Index.from_vectors(_names(5), _clustered(5), tmp_path, kind="lancedb")
    shutil.rmtree(next(tmp_path.glob("entries-*.lance")))
    with pytest.raises(SearchError, match=r"the table entries-\w+ cannot be read or written .*antiphon index build"):
        Index.open(tmp_path).search(_clustered(1))


def test_a_view_stays_as_it_was(tmp_path):
    index = Index.from_vectors(_names(5), _clustered(5), tmp_path, kind="lancedb")
    before = index._store.view()
    index.add_vectors(["new"], _clustered(1, seed=3))
    after = index._store.view()
    index.remove(["id00002"])
    assert index._store.view() is not after
    for view, names in ((before, set(_names(5))), (after, {*_names(5), "new"})):
        assert view.ids() == names
        assert set(view.rows(["new", "id00002"])["id"].to_pylist()) == names & {"new", "id00002"}
        assert sum(view.counts().values()) == len(names)


def test_a_query_that_a_new_build_overtakes_is_asked_again(tmp_path, monkeypatch):
    index = Index.from_vectors(_names(5), _clustered(5), tmp_path, kind="lancedb")
    take, taken = lance.LanceStore.view, []

    def overtaken(self):
        view = take(self)
        if not taken:
            taken.append(view)
            Index.from_vectors(["new"], _clustered(1), tmp_path, kind="lancedb")
        return view

    monkeypatch.setattr(lance.LanceStore, "view", overtaken)
    assert [hit.id for hit in index.search(_clustered(1))[0]] == ["new"]
    with pytest.raises(SearchError, match=r"cannot be read.*antiphon index build"):
        taken[0].rows(["id00001"])


def test_a_uri_holds_record_and_rows_and_knows_no_folder(tmp_path):
    uri = f"file-object-store://{tmp_path}/bucket"
    with pytest.raises(SearchError, match="no index here"):
        Index.open(uri)
    with pytest.raises(SearchError, match="kept by LanceDB"):
        Index.from_vectors(_names(5), _clustered(5), uri, kind="exact")
    Index.from_vectors(_names(5), _clustered(5), uri)
    Index.from_vectors(_names(9), _clustered(9), uri).remove(["id00003"])
    index = Index.open(uri)
    assert (index.kind, len(index), index.stats()["bytes"]) == ("lancedb", 8, None)
    assert index.search(_clustered(9)[4:5], k=1)[0][0].id == "id00004"
    assert len(list((tmp_path / "bucket").glob("entries-*"))) == 1
    assert not (tmp_path / "bucket" / "index.toml").exists()


def _ids_or_error(path, queue):
    try:
        queue.put(Index.open(path).ids)
    except SearchError as error:
        queue.put(str(error))


def test_a_spawned_process_searches_too(tmp_path):
    Index.from_vectors(_names(9), _clustered(9), tmp_path, kind="lancedb")
    script = "import sys; from antiphon.search import Index; print(Index.open(sys.argv[1]).ids[4])"
    command = [sys.executable, "-W", "error", "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "id00004\n", "")


def _forked(path):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=_ids_or_error, args=(path, queue))
    process.start()
    answer = queue.get(timeout=60)
    process.join()
    return answer


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning", "ignore:.*fork:RuntimeWarning")
def test_a_forked_process_says_that_it_lacks_threads_instead_of_waiting_for_them(tmp_path):
    Index.from_vectors(_names(9), _clustered(9), tmp_path, kind="lancedb")
    assert "was forked from one that had loaded LanceDB" in _forked(tmp_path)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning", "ignore:.*fork:RuntimeWarning")
def test_a_forked_process_searches_the_exact_store(tmp_path):
    Index.from_vectors(_names(9), _clustered(9), tmp_path, kind="exact").search(_clustered(1))
    assert _forked(tmp_path) == _names(9)


def test_the_exact_store_never_loads_lancedb(tmp_path):
    script = (
        "import sys, numpy as np; from antiphon.search import Index; "
        "Index.from_vectors(['a'], np.ones((1, 2)), sys.argv[1]).search(np.ones((1, 2))); "
        "print('lancedb' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
