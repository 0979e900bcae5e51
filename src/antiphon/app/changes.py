"""Music videos added and removed by programs: files below folders that the operator allowed, and nothing else."""

import stat
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Depends, HTTPException, Response
from fastapi import Path as PathParameter
from pydantic import BaseModel, ConfigDict, Field

from antiphon.app.api import Count, refuse_unknown
from antiphon.app.jobs import BusyError, Job, Order
from antiphon.app.root import rooted
from antiphon.app.schemas import Problem, Schema, WholeText
from antiphon.app.state import Here, State
from antiphon.app.verbs import Step
from antiphon.catalogue import Catalogue
from antiphon.errors import CatalogueError
from antiphon.identifiers import fault_of_id
from antiphon.media.names import MEDIA_SUFFIXES
from antiphon.search import Index
from antiphon.tables import write_table
from antiphon.workspace import Workspace

router = APIRouter(prefix="/api", tags=["REST API"], dependencies=[Depends(refuse_unknown)])

_NOT_ALLOWED = (
    "This service lets no one add or remove music videos. To let clients do so for the files below a folder: "
    "antiphon serve --media-root FOLDER."
)
_NO_FILE = "There is no such media file below the folders that may be added from."
_REFUSED: dict[int | str, dict[str, Any]] = {
    403: {"model": Problem, "description": "The service is read-only, or no folder is allowed, or not this one."},
    404: {"model": Problem, "description": "No such file below the folders that are allowed, or no such video."},
    409: {"model": Problem, "description": "The id is another file's, or the file lies in the watched folder."},
    422: {"model": Problem, "description": "The body is not as described."},
    503: {"model": Problem, "description": "Too many jobs wait (see Retry-After)."},
}
_Text = Annotated[WholeText, Field(max_length=1000)]


class NewVideo(BaseModel):
    """A file to add, and what is known of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: WholeText = Field(
        min_length=1, max_length=4096, description="Path of the file: absolute, or within a folder that is allowed."
    )
    id: WholeText | None = Field(None, max_length=4096, description="Default: its path within that folder.")
    title: _Text | None = None
    artist: _Text | None = None
    genre: _Text | None = None
    tags: list[Annotated[WholeText, Field(min_length=1, max_length=200)]] = Field([], max_length=100)
    year: int | None = Field(None, ge=0, le=9999)


@router.post("/videos", status_code=202, responses=_REFUSED)
def add(asked: NewVideo, here: Here, answer: Response) -> Job:
    """Add a media file of the server to catalogue and index; follow the job that does it.

    The file stays where it is. One that is in the catalogue already gets the values that are given.
    """
    _refuse_unless_allowed(here)
    path, name = _allowed_file(here.folders, asked.path)
    id = asked.id or name
    if fault := fault_of_id(id):
        raise HTTPException(422, f"Field id: {fault}.")
    try:
        id = _free_id(here.workspace, id, path, is_given=asked.id is not None)
    except CatalogueError as error:
        raise HTTPException(409, str(error)) from error
    steps, check = partial(_adding, here.workspace, asked, id, path), partial(_lacking, here.workspace, id, path)
    return _taken(here, answer, Order("add", id, steps, check))


@router.delete("/videos/{id:path}", status_code=202, responses=_REFUSED)
def remove(
    id: Annotated[str, PathParameter(description="Id of the music video.")], here: Here, answer: Response
) -> Job:
    """Take a music video out of catalogue and index; follow the job that does it. Its file stays where it is."""
    _refuse_unless_allowed(here)
    rows = {row["id"]: row["path"] for row in Catalogue.load(here.workspace.catalogue).records()}
    if id not in rows:
        raise HTTPException(404, f"No video '{id[:200]}' in this catalogue.")
    path = Path(rows[id]).resolve() if rows[id] else None
    if path is None or not any(path.is_relative_to(folder) for folder in here.folders):
        raise HTTPException(403, "Its file does not lie below the folders that may be changed.")
    if here.upkeep is not None and path.is_relative_to(here.upkeep.folder.resolve()) and path.exists():
        raise HTTPException(
            409, "Its file lies in the watched folder, from which it would be added again. Move it away."
        )
    return _taken(here, answer, Order("remove", id, lambda: _removing(here.workspace, id), lambda: ""))


class JobList(Schema):
    """Jobs, of which the last one asked for is the first."""

    jobs: list[Job]


@router.get("/jobs", responses={422: {"model": Problem, "description": "A parameter is unknown or out of range."}})
def jobs(here: Here, k: Count = 10) -> JobList:
    """List the jobs that were asked for last, by any client; the newest first."""
    return JobList(jobs=here.jobs.newest(k))


@router.get("/jobs/{id}", responses={404: {"model": Problem, "description": "No such job."}})
def job(id: Annotated[str, PathParameter(description="Id of the job.")], here: Here) -> Job:
    """Report how far a job is. The last thousand are kept."""
    found = here.jobs.get(id)
    if found is None:
        raise HTTPException(404, "There is no such job.")
    return found


def _refuse_unless_allowed(here: State) -> None:
    if not here.folders:
        raise HTTPException(403, _NOT_ALLOWED)


def _taken(here: State, answer: Response, order: Order) -> Job:
    try:
        found = here.jobs.ask(order)
    except BusyError as error:
        raise HTTPException(503, str(error), {"Retry-After": "60"}) from error
    answer.headers["location"] = rooted(f"/api/jobs/{found.id}")
    return found


def _allowed_file(folders: Sequence[Path], text: str) -> tuple[Path, str]:
    """Return a regular media file below one of some folders, and its path within that; links lead nowhere else.

    Whatever else a path is, the refusal is the same, so that nobody learns what lies elsewhere.
    """
    for folder in folders:
        try:
            path = (folder / text).resolve(strict=True)
            is_file = path.is_relative_to(folder) and stat.S_ISREG(path.stat().st_mode)
        except (OSError, ValueError, RuntimeError):
            continue
        if is_file and path.suffix.lower() in MEDIA_SUFFIXES:
            return path, path.relative_to(folder).as_posix()
    raise HTTPException(404, _NO_FILE)


def _free_id(workspace: Workspace, id: str, path: Path, *, is_given: bool) -> str:
    """Return the id that a file has, or the one it is to have, unless that is another file's."""
    rows = Catalogue.load(workspace.catalogue).records() if workspace.catalogue.exists() else []
    own = next((row["id"] for row in rows if row["path"] and Path(row["path"]).resolve() == path), None)
    if own is not None and (own == id or not is_given):
        return own
    if own is not None:
        raise CatalogueError(f"This file is in the catalogue as '{own[:200]}'.")
    if any(row["id"] == id for row in rows):
        raise CatalogueError(f"'{id[:200]}' is another file's id. Give another one as id.")
    return id


def _adding(workspace: Workspace, asked: NewVideo, id: str, path: Path) -> Iterator[Step]:
    # Another job may have taken it since this one was asked for.
    _free_id(workspace, id, path, is_given=True)
    row = {"id": id, "path": str(path)} | asked.model_dump(exclude={"id", "path"}, exclude_none=True)
    table = workspace.page / "jobs" / f".adding-{abs(hash(id))}.parquet"
    write_table(pa.Table.from_pylist([row if asked.tags else {k: v for k, v in row.items() if k != "tags"}]), table)
    try:
        yield Step("Adding to the catalogue", ("catalogue", "add", str(table)))
        yield Step("Extracting features", ("extract",))
        yield Step("Adding to the index", ("index", "add"))
    finally:
        table.unlink(missing_ok=True)


def _removing(workspace: Workspace, id: str) -> Iterator[Step]:
    yield Step("Removing from the catalogue", ("catalogue", "remove", "--", id))
    if id in Index.open(workspace.index).ids:
        yield Step("Removing from the index", ("index", "remove", "--", id))


def _lacking(workspace: Workspace, id: str, path: Path) -> str:
    """Say why a music video that was added cannot be searched; "" if it can."""
    paths = {row["id"]: row["path"] for row in Catalogue.load(workspace.catalogue).records()}
    is_there = id in paths and Path(paths[id] or "").resolve() == path
    if is_there and id in Index.open(workspace.index).ids:
        return ""
    if not is_there:
        return "A file of the same content is in the catalogue already."
    found = [one.message for one in workspace.read_failures() if one.video_id == id]
    return found[0] if found else "It is in the catalogue, but has no features, and so is not in the index."
