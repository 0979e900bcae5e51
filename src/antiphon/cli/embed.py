"""`antiphon embed`: embeddings of files never seen."""

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from rich.console import Console

from antiphon.catalogue.reading import media_files
from antiphon.cli.opening import run_folder
from antiphon.cli.session import Here, Session
from antiphon.errors import ConfigError, DecodeError
from antiphon.tables import write_table

if TYPE_CHECKING:
    from antiphon.dual_encoder import DualEncoder


def embed(
    *files: Path, model: str | None = None, out: Path = Path("embeddings.parquet"), device: str = "auto", session: Here
) -> int:
    """Embed the sound and the pictures of media files with a trained model, and write them as Parquet.

    One row per window and modality: file, modality, start_s, end_s, vector (unit length). Files that cannot be used are
    listed with their reasons; exit code 1 where none could.

    Parameters
    ----------
    files
        Media files, or folders of them.
    model
        Name of a run of the workspace, or the path of a run's folder. Default: the run trained last.
    out
        The Parquet table to write.
    device
        cpu, cuda, or auto.
    """
    from antiphon.dual_encoder import DualEncoder

    _refuse_place(out)
    paths = media_files(files)
    if not paths:
        raise ConfigError("Name at least one media file, or a folder that holds some.")
    folder = Path(model) if model and Path(model).is_dir() else run_folder(session.workspace, model)
    encoder = DualEncoder.load(folder, device)
    rows: list[dict[str, object]] = []
    failures: dict[str, str] = {}
    with session.progress("Embedding files") as report:
        for number, path in enumerate(paths, start=1):
            report(number - 1, len(paths), path.name)
            try:
                rows += _rows(encoder, path)
            except DecodeError as error:
                failures[str(path)] = str(error)
            report(number, len(paths), path.name)
    if rows:
        _write(rows, encoder.dim, out)
    _show(session, rows, failures, out)
    return 0 if rows else 1


def _refuse_place(out: Path) -> None:
    """Say so before the work where the table could not be written, or not under its name."""
    if out.suffix.lower() != ".parquet":
        raise ConfigError(f"{out}: is written as Parquet; give it a name that ends in .parquet.")
    if not out.absolute().parent.is_dir():
        raise ConfigError(f"{out.absolute().parent}: no such folder to write {out.name} into.")


def _rows(encoder: "DualEncoder", path: Path) -> list[dict[str, object]]:
    """Rows of one file: every window of every side that it has."""
    return [
        {"file": str(path), "modality": modality, "start_s": start_s, "end_s": end_s, "vector": vector}
        for modality, side in encoder.encode_file(path).items()
        for (start_s, end_s), vector in zip(side.windows, side.segments, strict=True)
    ]


def _write(rows: list[dict[str, object]], dim: int, out: Path) -> None:
    schema = pa.schema(
        [
            pa.field("file", pa.string()),
            pa.field("modality", pa.string()),
            pa.field("start_s", pa.float64()),
            pa.field("end_s", pa.float64()),
            pa.field("vector", pa.list_(pa.float32(), dim)),
        ]
    )
    write_table(pa.Table.from_pylist(rows, schema), out)


def _show(session: Session, rows: list[dict[str, object]], failures: dict[str, str], path: Path) -> None:
    files = len({row["file"] for row in rows})
    data = {"out": str(path) if rows else None, "files": files, "rows": len(rows), "failures": failures}

    def show(out: Console) -> None:
        for reason in failures.values():
            out.print(f"  {reason}", markup=False, soft_wrap=True)
        if not rows:
            out.print("No file could be embedded.")
            return
        noun = "file" if files == 1 else "files"
        out.print(f"{path}: {len(rows)} embeddings, one per window and modality, of {files} {noun}.", soft_wrap=True)

    session.result(data, show)
