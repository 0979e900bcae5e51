"""`antiphon embed`: embeddings of new media files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from rich.console import Console

from antiphon.addresses import is_address
from antiphon.catalogue.reading import media_files
from antiphon.cli.limits import USUAL_LIMITS, FileLimits, told
from antiphon.cli.opening import run_folder
from antiphon.cli.session import Here, Session
from antiphon.credentials import shown_address
from antiphon.embeddings import Modality, ModalityEmbeddings
from antiphon.errors import AntiphonError, ConfigError
from antiphon.media.names import file_name
from antiphon.tables import write_table

if TYPE_CHECKING:
    from antiphon.dual_encoder import DualEncoder


def embed(
    *files: str,
    model: str | None = None,
    out: Path = Path("embeddings.parquet"),
    device: str = "auto",
    each: FileLimits = USUAL_LIMITS,
    session: Here,
) -> int:
    """Embed the audio and video of media files with a trained model, and write the embeddings as Parquet.

    One row per window and modality: file, modality, start_s, end_s, vector (unit length). Files that cannot be embedded
    are listed with the reason. Exit code 1 if any could not.

    Parameters
    ----------
    files
        Media files or addresses of such, or folders of media files.
    model
        Name of a run of the workspace, or path of a run's folder. Default: the run trained last.
    out
        Parquet file to write.
    device
        cpu, cuda, or auto.
    """
    from antiphon.dual_encoder import DualEncoder

    _check_output(out)
    paths = _listed(files)
    if not paths:
        raise ConfigError("No media files: name at least one file, or a folder that contains some.")
    folder = Path(model) if model and Path(model).is_dir() else run_folder(session.workspace, model)
    encoder = DualEncoder.load(folder, device)
    found: dict[str, list[dict[str, object]]] = {}
    failures: dict[str, str] = {}
    with session.progress("Embedding files") as report:
        report(0, len(paths), "")
        for done, (given, embedded) in enumerate(encoder.encode_files(paths, limits=each.limits), start=1):
            path = str(given)
            if isinstance(embedded, AntiphonError):
                failures[path] = told(session, path, embedded)
            else:
                found[path] = _rows(path, embedded)
            report(done, len(paths), file_name(path))
    rows = [row for path in paths for row in found.get(path, ())]
    if rows:
        _write(rows, encoder, out)
    _show(session, rows, {shown_address(path): failures[path] for path in paths if path in failures}, out)
    return 1 if failures else 0


def _listed(files: Sequence[str]) -> list[str]:
    """List files and addresses as they are, and the media files in folders."""
    return [str(path) for given in files for path in ([given] if is_address(given) else media_files([Path(given)]))]


def _check_output(out: Path) -> None:
    """Check before the work that the table can be written."""
    if out.suffix.lower() != ".parquet":
        raise ConfigError(f"{out}: the output is a Parquet table; choose a name that ends in .parquet.")
    if not out.absolute().parent.is_dir():
        raise ConfigError(f"{out.absolute().parent}: no such folder; create it, or write {out.name} elsewhere.")


def _rows(path: str, embedded: Mapping[Modality, ModalityEmbeddings]) -> list[dict[str, object]]:
    """Return the rows of one file: every window of each modality that it has."""
    return [
        {"file": shown_address(path), "modality": modality, "start_s": start_s, "end_s": end_s, "vector": vector}
        for modality, side in embedded.items()
        for (start_s, end_s), vector in zip(side.windows, side.segments, strict=True)
    ]


def _write(rows: list[dict[str, object]], encoder: "DualEncoder", out: Path) -> None:
    schema = pa.schema(
        [
            pa.field("file", pa.string()),
            pa.field("modality", pa.string()),
            pa.field("start_s", pa.float64()),
            pa.field("end_s", pa.float64()),
            pa.field("vector", pa.list_(pa.float32(), encoder.dim)),
        ],
        metadata={"correction_dim": str(encoder.correction_dim)},
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
