"""Music videos are added and removed by programs, below allowed folders alone, and jobs are followed."""

import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from antiphon.app import jobs
from antiphon.app.admission import Access
from antiphon.app.application import create_app
from antiphon.app.jobs import Job, Jobs, Order
from antiphon.app.verbs import Step
from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.search import Index
from antiphon.workspace import Failure, Workspace

from .conftest import HOST
from .serving import until

HOSTILE_IDS = ("--help", "-x", "a/../b", "=1+1", "<b>")


@pytest.fixture
def place(tmp_path: Path, synthetic_table: Path) -> Workspace:
    """A workspace of one music video, and a folder beside it with more."""
    found = Workspace(tmp_path / "work")
    media = tmp_path / "media"
    (media / "inner").mkdir(parents=True)
    names = ("first.mp4", "inner/second.mp4", *(f"{n}.mp4" for n in range(len(HOSTILE_IDS))), "../secret.mp4")
    for name, film in zip(names, sorted(synthetic_table.parent.glob("*.mp4")), strict=False):
        shutil.copy(film, media / name)
    Catalogue([{"id": "first", "path": str(media / "first.mp4")}]).save(found.catalogue)
    Index.from_vectors(["first"], np.ones((1, 1), dtype=np.float32), path=found.index)
    return found


@pytest.fixture
def verbs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Verbs that were called, in this process, but for those that need a model; `index add` adds a vector."""
    called = list[tuple[str, ...]]()

    def call(self: Any, verb: tuple[str, ...]) -> str:
        called.append(tuple(verb))
        workspace = self._workspace
        self._said("1 of 1")
        if verb == ("extract",):
            return ""
        if verb == ("index", "add"):
            ids = Catalogue.load(workspace.catalogue).ids
            Index.from_vectors(list(ids), np.ones((len(ids), 1), dtype=np.float32), path=workspace.index)
            return ""
        return "" if run(["--workspace", str(workspace.root), "--json", *verb]) == 0 else "did not work"

    monkeypatch.setattr(jobs.Verbs, "call", call)
    return called


@pytest.fixture
def client(place: Workspace, tmp_path: Path, verbs: list[tuple[str, ...]]) -> Iterator[TestClient]:
    """A service that allows the folder."""
    app = create_app(place, Index.open(place.index), access=Access(folders=(tmp_path / "media",)))
    with TestClient(app, base_url=HOST) as found:
        yield found


def followed(client: TestClient, answer: Any) -> dict[str, Any]:
    """The job when it is over."""
    assert answer.status_code == 202, answer.text
    address = answer.headers["location"]
    assert address == f"/api/jobs/{answer.json()['id']}"
    until(lambda: client.get(address).json()["state"] in {"done", "failed"})
    return client.get(address).json()


def test_a_file_is_added_with_what_is_known_of_it_and_removed(
    client: TestClient, place: Workspace, verbs: list[tuple[str, ...]]
) -> None:
    about = {"path": "inner/second.mp4", "title": "=Title, “x”", "artist": "A; B", "tags": ["a,b", "c"], "year": 1999}
    found = followed(client, client.post("/api/videos", json=about))
    assert (found["state"], found["what"], found["video"], found["fault"]) == ("done", "add", "inner/second.mp4", "")
    assert [verb[:2] for verb in verbs] == [("catalogue", "add"), ("extract",), ("index", "add")]
    row = next(row for row in Catalogue.load(place.catalogue).records() if row["id"] == "inner/second.mp4")
    assert (row["title"], row["artist"], row["year"], row["tags"]) == ("=Title, “x”", "A; B", 1999, ["a,b", "c"])
    assert row["path"] == str(place.folder.parent / "media" / "inner" / "second.mp4")
    again = followed(client, client.post("/api/videos", json={"path": str(row["path"]), "genre": "jazz"}))
    assert again["video"] == "inner/second.mp4"
    assert Catalogue.load(place.catalogue).records()[1]["genre"] == "jazz"
    assert not list((place.page / "jobs").glob(".adding*"))
    gone = followed(client, client.delete("/api/videos/inner%2Fsecond.mp4"))
    assert (gone["state"], gone["what"]) == ("done", "remove")
    assert list(Catalogue.load(place.catalogue).ids) == Index.open(place.index).ids == ["first"]
    assert Path(str(row["path"])).exists()


@pytest.mark.parametrize("number", range(len(HOSTILE_IDS)))
def test_ids_that_look_like_something_else_are_ids(client: TestClient, place: Workspace, number: int) -> None:
    id = HOSTILE_IDS[number]
    assert followed(client, client.post("/api/videos", json={"path": f"{number}.mp4", "id": id}))["state"] == "done"
    assert id in Index.open(place.index).ids
    from urllib.parse import quote

    assert followed(client, client.delete(f"/api/videos/{quote(id, safe='')}"))["state"] == "done"
    assert id not in Catalogue.load(place.catalogue).ids


def test_nothing_outside_the_allowed_folders_is_added_or_told_of(
    client: TestClient, tmp_path: Path, verbs: list[tuple[str, ...]]
) -> None:
    media = tmp_path / "media"
    (media / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (media / "up").symlink_to(tmp_path)
    (media / "loop.mp4").symlink_to(media / "loop.mp4")
    (media / "notes.txt").write_text("x")
    (media / "folder.mp4").mkdir()
    os.mkfifo(media / "pipe.mp4")
    (tmp_path / "media-other").mkdir()
    shutil.copy(tmp_path / "secret.mp4", tmp_path / "media-other" / "x.mp4")
    said = set[str]()
    for path in (
        *("../secret.mp4", str(tmp_path / "secret.mp4"), "link.mp4", "up/secret.mp4", "loop.mp4", "notes.txt"),
        *("folder.mp4", "pipe.mp4", "nothing.mp4", ".", "/", "a\0b.mp4", "x" * 4000, "inner", "/etc/passwd"),
        *("../media-other/x.mp4", f"file://{media}/first.mp4", "s3://bucket/x.mp4", "inner/../../secret.mp4"),
    ):
        answer = client.post("/api/videos", json={"path": path})
        assert answer.status_code == 404, path
        said.add(answer.json()["detail"])
    assert said == {"There is no such media file below the folders that may be added from."}
    for body in (
        {"path": ""},
        {"path": "x" * 5000},
        {"path": "first.mp4", "year": -1},
        {"path": "first.mp4", "tags": [""]},
        {"path": "first.mp4", "split": "test"},
        {"path": "inner/second.mp4", "id": "a\tb"},
        {},
    ):
        assert client.post("/api/videos", json=body).status_code == 422, body
    taken = client.post("/api/videos", json={"path": "inner/second.mp4", "id": "first"})
    assert taken.status_code == 409 and "another file's id" in taken.json()["detail"]
    other = client.post("/api/videos", json={"path": "first.mp4", "id": "second"})
    assert other.status_code == 409 and "in the catalogue as 'first'" in other.json()["detail"]
    assert verbs == []


def test_what_may_not_be_removed_stays(client: TestClient, place: Workspace, tmp_path: Path) -> None:
    rows = [{"id": "first", "path": str(tmp_path / "media" / "first.mp4")}]
    rows += [{"id": "secret", "path": str(tmp_path / "secret.mp4")}, {"id": "features", "path": None}]
    Catalogue(rows).save(place.catalogue)
    assert client.delete("/api/videos/secret").status_code == 403
    assert client.delete("/api/videos/features").status_code == 403
    assert client.delete("/api/videos/nobody").status_code == 404
    assert client.get("/api/videos/first").headers["allow"] == "DELETE"


def test_who_may_not_change_things_cannot(place: Workspace, tmp_path: Path, verbs: list[tuple[str, ...]]) -> None:
    index, folder, body = Index.open(place.index), tmp_path / "media", {"path": "first.mp4"}
    for access, code in (
        (Access(), 403),
        (Access(folders=(folder,), read_only=True), 403),
        (Access(folders=(folder,), token="a" * 20), 401),
    ):
        with TestClient(create_app(place, index, access=access), base_url=HOST) as one:
            assert one.post("/api/videos", json=body).status_code == code
            assert one.delete("/api/videos/first").status_code == code
            signed = {"authorization": f"Bearer {'a' * 20}"}
            assert one.get("/api/jobs/x", headers=signed).status_code == 404
            other = {"origin": "https://evil.example"} | signed
            assert one.post("/api/videos", json=body, headers=other).status_code in {401, 403}
    assert verbs == []


def test_why_a_file_cannot_be_searched_is_told_without_folders(
    client: TestClient, place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.Verbs, "call", lambda self, verb: "")
    path = place.folder.parent / "media" / "inner" / "second.mp4"
    place.write_failures([Failure("inner/second.mp4", "extract", "DecodeError", f"{path}: is damaged.")])
    found = followed(client, client.post("/api/videos", json={"path": "inner/second.mp4"}))
    assert (found["state"], found["fault"]) == ("failed", "A file of the same content is in the catalogue already.")
    Catalogue([*Catalogue.load(place.catalogue).records(), {"id": "inner/second.mp4", "path": str(path)}]).save(
        place.catalogue
    )
    found = followed(client, client.post("/api/videos", json={"path": "inner/second.mp4"}))
    assert (found["state"], found["fault"]) == ("failed", "media/inner/second.mp4: is damaged.")
    monkeypatch.setattr(jobs.Verbs, "call", lambda self, verb: f"{place.folder}/x: the disk is full")
    found = followed(client, client.post("/api/videos", json={"path": "inner/second.mp4"}))
    assert (found["state"], found["fault"]) == ("failed", "x: the disk is full")


def test_jobs_outlive_nobody_and_are_told_of_by_other_processes(tmp_path: Path) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def steps() -> Iterator[Step]:
        begun.set()
        goes_on.wait(30)
        yield Step("never", ("catalogue", "describe"))

    here, there = (Jobs(Workspace(tmp_path), str) for _ in range(2))
    first, second = (here.ask(Order("add", id, steps, lambda: "")) for id in ("a", "b"))
    assert begun.wait(30)
    assert there.get(second.id) == second and second.state == "waiting"
    stopping = threading.Thread(target=here.stop)
    stopping.start()
    until(lambda: here._verbs.is_stopping)
    goes_on.set()
    stopping.join(30)
    states = [there.get(one.id) for one in (first, second)]
    assert [one and (one.state, one.fault) for one in states] == 2 * [
        ("failed", "The service was stopped before this was done. Ask again.")
    ]
    for wrong in ("", "../x", "a" * 15, "x" * 65, "é" * 20):
        assert there.get(wrong) is None
    record = tmp_path / "page" / "jobs" / f"{first.id}.json"
    for damaged in ("", "{", json.dumps({"id": 1}), "[" * 5000):
        record.write_text(damaged)
        assert there.get(first.id) is None


def test_jobs_are_listed_from_the_newest_on(client: TestClient, place: Workspace) -> None:
    assert client.get("/api/jobs").json() == {"jobs": []} and "Asked for by programs" not in client.get("/status").text
    asked = [followed(client, client.post("/api/videos", json={"path": f"{n}.mp4", "id": f"<{n}>"})) for n in range(3)]
    folder = place.page / "jobs"
    os.utime(folder / f"{asked[0]['id']}.json")  # as though it had been worked on last
    (folder / "damaged-record-of-a-job.json").write_text("{")
    assert client.get("/api/jobs").json() == {"jobs": asked[::-1]}
    assert client.get("/api/jobs?k=2").json() == {"jobs": asked[:0:-1]}
    assert {client.get(f"/api/jobs?{wrong}").status_code for wrong in ("k=0", "k=101", "n=2")} == {422}
    page = client.get("/status", headers={"hx-request": "true"}).text
    rows = [page.index(f"&lt;{n}&gt;</th><td>added</td><td>done<") for n in range(3)]
    assert rows == sorted(rows, reverse=True)


def test_jobs_of_a_process_that_has_ended_are_listed_as_failed(tmp_path: Path) -> None:
    here, there = (Jobs(Workspace(tmp_path), str) for _ in range(2))
    asked = here.ask(Order("remove", "x", lambda: iter([]), lambda: ""))
    until(lambda: (told := here.get(asked.id)) is not None and told.state == "done")
    here.stop()
    record = tmp_path / "page" / "jobs" / f"{asked.id}.json"
    record.write_text(record.read_text().replace('"done"', '"working"'))
    assert [(one.state, one.fault) for one in there.newest(1)] == [("failed", jobs._INTERRUPTED)]


def test_too_many_jobs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_MAX_WAITING", 2)
    monkeypatch.setattr(jobs, "_MAX_KEPT", 3)
    goes_on = threading.Event()
    here = Jobs(Workspace(tmp_path), str)
    wait = Order("add", "x", lambda: (goes_on.wait(30) and iter(())) or iter(()), lambda: "")
    here.ask(wait)
    until(lambda: here._waiting.qsize() == 0)
    asked: list[Job] = [here.ask(wait), here.ask(wait)]
    with pytest.raises(jobs.BusyError):
        here.ask(wait)
    goes_on.set()
    until(lambda: all((found := here.get(one.id)) and found.state == "done" for one in asked))
    for _ in range(3):
        last = here.ask(wait)
        time.sleep(0.02)
        until(lambda last=last: (found := here.get(last.id)) is not None and found.state == "done")
    assert len(list((tmp_path / "page" / "jobs").glob("*.json"))) == 3
    here.stop()


def test_an_id_that_another_job_has_taken_meanwhile_is_no_success(client: TestClient, place: Workspace) -> None:
    asked = [client.post("/api/videos", json={"path": path, "id": "same"}) for path in ("0.mp4", "1.mp4")]
    if asked[1].status_code == 202:  # the first was not done yet
        first, second = (followed(client, one) for one in asked)
        assert (first["state"], second["state"]) == ("done", "failed")
        assert "another file's id" in second["fault"]
    assert list(Catalogue.load(place.catalogue).ids) == ["first", "same"]
    assert Catalogue.load(place.catalogue).records()[1]["path"].endswith("0.mp4")


def test_jobs_go_on_after_one_whose_end_could_not_be_written(
    place: Workspace, verbs: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [True]
    write = jobs.write_text

    def writing(text: str, path: Path) -> None:
        if full[0] and '"failed"' in text:
            raise OSError(28, "No space left on device")
        write(text, path)

    monkeypatch.setattr(jobs, "write_text", writing)
    queue = Jobs(place, lambda text: text)
    try:
        queue.ask(Order("add", "x", lambda: iter([Step("x", ("no-verb",))]), lambda: ""))
        until(lambda: len(verbs) == 1)
        full[0] = False
        found = queue.ask(Order("add", "y", lambda: iter([]), lambda: ""))
        until(lambda: (told := queue.get(found.id)) is not None and told.state == "done")
    finally:
        queue.stop()
