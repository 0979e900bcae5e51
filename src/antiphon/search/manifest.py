"""The one file that says what an index is and what belongs to it; whoever replaces it has written."""

import fcntl
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Self

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from antiphon.errors import SearchError
from antiphon.search.store import State
from antiphon.tables import sweep_partials, write_text

MANIFEST_FILE = "index.toml"
Kind = Literal["exact", "lancedb"]


class Origin(BaseModel):
    """What the embeddings are of; empty where the vectors were brought ready-made.

    Attributes
    ----------
    model : fingerprint of the model's weights.
    audio, video : the backbones of the features.
    sampling : where segments lie, as text; None where that is not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = ""
    audio: str = ""
    video: str = ""
    sampling: str | None = None


class Manifest(BaseModel):
    """What an index is.

    Attributes
    ----------
    kind : which store holds the rows.
    dim : size of the vectors.
    uri : where they are; None where that is the folder of the index.
    origin : what they are of.
    state : which rows there are, in the words of the store.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    kind: Kind
    dim: int = Field(ge=1)
    uri: str | None = None
    origin: Origin = Origin()
    state: State

    def write(self, folder: Path) -> None:
        """Replace `index.toml` in `folder`, atomically."""
        write_text(tomli_w.dumps(self.model_dump(exclude_none=True)), folder / MANIFEST_FILE)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read `index.toml` of `folder`.

        Raises
        ------
        SearchError
            There is none, or it is damaged.
        """
        path = folder / MANIFEST_FILE
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise SearchError(f"{folder}: no index here. Build one: antiphon index build.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
            raise SearchError(f"{path}: is damaged ({error}). Build the index again.") from error


@contextmanager
def writing(folder: Path) -> Generator[None]:
    """Hold an index for writing; the lock goes with the process, however it ends.

    Raises
    ------
    SearchError
        Another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SearchError(f"{folder}: another process is writing to this index. Wait for it.") from None
        sweep_partials(folder)
        yield
