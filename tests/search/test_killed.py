"""A second process killed while it adds, removes or builds; processes that read while one adds or removes."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from antiphon.errors import SearchError
from antiphon.search import Index, lists

DIM = 8
ROUNDS, EACH = 12, 50

_ADD = """
import sys
import numpy as np
from antiphon.search import Index, lists

index, (rounds, each, dim, lists.MIN_ROWS) = Index.open(sys.argv[1]), map(int, sys.argv[2:])
print("ready", flush=True)
for batch in range(1, 1 + rounds):
    names = [f"{batch:03d}/{row:03d}" for row in range(each)]
    index.add_vectors(names, np.random.default_rng(batch).normal(size=(each, dim)))
    print(batch, flush=True)
"""

_READ = """
import sys
from collections import Counter
import numpy as np
from antiphon.search import Index

index, (rounds, each) = Index.open(sys.argv[1]), map(int, sys.argv[2:])
print("ready", flush=True)
seen = 0
while seen < (1 + rounds) * each:
    ids, vectors, _ = index.embeddings("")
    batches = Counter(name[:3] for name in ids)
    assert set(batches.values()) == {each}, batches
    assert len(ids) >= seen, (len(ids), seen)
    seen = len(ids)
    (hits,) = index.search(vectors[:1], k=10 * seen)
    assert hits[0].id == ids[0] and abs(hits[0].score - 1) < 1e-5, hits[0]
    assert len(hits) >= seen and len(hits) % each == 0, (len(hits), seen)
    assert len({hit.id for hit in hits}) == len(hits)
print("done", flush=True)
"""

_REMOVE = """
import sys, time
import numpy as np
from antiphon.search import Index, store

path, stop = sys.argv[1:]
done = getattr(store, stop)

def stopped(*arguments, **options):
    done(*arguments, **options)
    print(stop, flush=True)
    time.sleep(600)

index = Index.open(path)
removed = [name for name in index.ids if name[:3] in ("000", "002") and name[3:] != "/000"]
setattr(store, stop, stopped)
print("ready", flush=True)
index.remove(removed)
"""

_READ_LESS = """
import sys
from collections import Counter
from antiphon.search import Index

index, (rounds, each) = Index.open(sys.argv[1]), map(int, sys.argv[2:])
print("ready", flush=True)
seen = rounds * each
while seen:
    ids, vectors, _ = index.embeddings("")
    assert set(Counter(name[:3] for name in ids).values()) <= {each}
    assert len(ids) <= seen, (len(ids), seen)
    seen = len(ids)
    if ids:
        (hits,) = index.search(vectors[:1], k=rounds * each)
        assert len(hits) <= seen and len(hits) % each == 0, (len(hits), seen)
print("done", flush=True)
"""


_BUILD = """
import sys, time
import numpy as np
from antiphon.search import Index, lists
from antiphon.search import storage as places

path, stop, rows, dim, lists.MIN_ROWS = *sys.argv[1:3], *map(int, sys.argv[3:])

def stopped(name, at, told):
    done = getattr(at, name)
    def call(*arguments):
        done(*arguments)
        print(told, flush=True)
        time.sleep(600)
    setattr(at, name, call)

if stop == "rows written":
    stopped("create", places.Store, stop)
if stop == "record written":
    stopped("write_text", places, stop)
vectors = np.random.default_rng(7).normal(size=(rows, dim))
print("ready", flush=True)
Index.from_vectors([f"new {row:05d}" for row in range(rows)], vectors, path)
print("built", flush=True)
"""
BUILT = 20_000


def _batch(number):
    return [f"{number:03d}/{row:03d}" for row in range(EACH)], np.random.default_rng(number).normal(size=(EACH, DIM))


def _started(script, *arguments):
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n", process.communicate()[1]
    return process


def _assert_whole(index, batches, without=()):
    expected = {name: row for number in batches for name, row in zip(*_batch(number), strict=True)}
    expected = {name: row for name, row in expected.items() if name not in without}
    ids, vectors, _ = index.embeddings("")
    assert ids == sorted(expected)
    wanted = np.array([expected[name] for name in ids])
    assert np.allclose(vectors, wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize("seed", range(2))
def test_an_add_that_was_killed_and_repeated_loses_and_doubles_nothing(tmp_path, layout, seed):
    index = Index.from_vectors(*_batch(0), tmp_path)
    draw = np.random.default_rng(seed)
    process = _started(_ADD, tmp_path, ROUNDS, EACH, DIM, lists.MIN_ROWS)
    for _ in range(draw.integers(ROUNDS // 2)):
        process.stdout.readline()
    time.sleep(draw.uniform(0, 0.02))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    whole = len(index)
    assert whole % EACH == 0
    _assert_whole(index, range(whole // EACH))
    for number in range(1, 1 + ROUNDS):
        names, vectors = _batch(number)
        assert len(index.add_vectors(names, vectors)) == (0 if number < whole // EACH else EACH)
    _assert_whole(index, range(1 + ROUNDS))
    index.compact()
    _assert_whole(Index.open(tmp_path), range(1 + ROUNDS))
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize("stop", ["write_table", "write_text"])
def test_a_removal_that_was_killed_is_there_as_a_whole_or_not_at_all(tmp_path, stop):
    """Killed when the rows that are left of parts have been written, and when the manifest names them."""
    index = Index.from_vectors(*_batch(0), tmp_path)
    for number in range(1, 4):
        index.add_vectors(*_batch(number))
    process = _started(_REMOVE, tmp_path, stop)
    assert process.stdout.readline() == f"{stop}\n", process.communicate()[1]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    removed = _batch(0)[0][1:] + _batch(2)[0][1:]
    for reader in (index, Index.open(tmp_path)):
        _assert_whole(reader, range(4), () if stop == "write_table" else removed)
    index.remove(removed)
    _assert_whole(index, range(4), removed)
    index.remove(["000/000"])
    index.add_vectors(*_batch(0))
    _assert_whole(Index.open(tmp_path), range(4), removed[EACH - 1 :])
    assert len(list(tmp_path.rglob("part-*"))) == index.stats()["parts"] == 4


def _killed_build(folder, stop):
    """A build that was killed after so many seconds, or where it was to stop."""
    process = _started(_BUILD, folder, stop, BUILT, DIM, lists.MIN_ROWS)
    if isinstance(stop, str):
        assert process.stdout.readline() == f"{stop}\n", process.communicate()[1]
    else:
        time.sleep(stop)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL or not isinstance(stop, str)


@pytest.mark.parametrize("earlier", [True, False])
@pytest.mark.parametrize("stop", [0.01, 0.1, "rows written", "record written"])
def test_after_a_build_that_was_killed_the_earlier_index_answers_and_a_new_build_works(tmp_path, layout, stop, earlier):
    folder = tmp_path / "index"
    names, vectors = _batch(0)
    if earlier:
        held = Index.from_vectors(names, vectors, folder)
    _killed_build(folder, stop)
    taken = (folder / "index.toml").exists() and len(Index.open(folder)) == BUILT
    assert taken == (stop == "record written") or not isinstance(stop, str)
    if taken:
        assert Index.open(folder).search(np.eye(1, DIM), k=3)[0]
    elif earlier:
        _assert_whole(Index.open(folder), [0])
        assert held.search(vectors[:1], k=1)[0][0].id == names[0]
    else:
        with pytest.raises(SearchError, match=r"no index here\. Build one first: antiphon index build"):
            Index.open(folder)
    Index.from_vectors(*_batch(1), folder)
    index = Index.open(folder)
    _assert_whole(index, [1])
    (entries,) = (path.name for path in folder.iterdir() if path.name not in (".lock", "index.toml"))
    assert entries.startswith("entries-")
    index.add_vectors(*_batch(2))
    _assert_whole(index, [1, 2])


def test_two_processes_read_whole_adds_while_one_adds(tmp_path, layout):
    index = Index.from_vectors(*_batch(0), tmp_path)
    readers = [_started(_READ, tmp_path, ROUNDS, EACH) for _ in range(2)]
    for number in range(1, 1 + ROUNDS):
        index.add_vectors(*_batch(number))
        if number % 4 == 0:
            index.compact()
    for reader in readers:
        out, errors = reader.communicate(timeout=120)
        assert (reader.returncode, out) == (0, "done\n"), errors


def test_two_processes_read_whole_removals_while_one_removes(tmp_path):
    index = Index.from_vectors(*_batch(0), tmp_path)
    for number in range(1, ROUNDS):
        index.add_vectors(*_batch(number))
        if number % 4 == 0:
            index.compact()
    readers = [_started(_READ_LESS, tmp_path, ROUNDS, EACH) for _ in range(2)]
    for number in range(ROUNDS):
        index.remove(_batch(number)[0])
    for reader in readers:
        out, errors = reader.communicate(timeout=120)
        assert (reader.returncode, out) == (0, "done\n"), errors
