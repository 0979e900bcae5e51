"""`antiphon export`: a model, or the embeddings of a catalogue, for other tools."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import App
from rich.console import Console

from antiphon.cli.opening import model_features, run_folder
from antiphon.cli.session import Here, Session
from antiphon.errors import ConfigError

if TYPE_CHECKING:
    from antiphon.dual_encoder import DualEncoder

app = App(name="export", help="Write a model, or the embeddings of the catalogue, for other tools.")

_VIEW = {
    "parquet": "Any tool reads it; the columns are described in docs/how-to/export.md.",
    "lancedb": 'To read it: lancedb.connect("{out}").open_table("embeddings")',
    "embedding-atlas": "To look at it: embedding-atlas {out} --text name --vector vector",
    "fiftyone": "To look at it: see docs/how-to/export.md.",
    "tensorboard": "To look at it: tensorboard --logdir {out}",
}


@app.command
def onnx(*, run: str | None = None, out: Path = Path("onnx"), session: Here) -> None:
    """Write both heads as ONNX, from a backbone's features to embeddings, and compare them with PyTorch.

    Writes audio.onnx and video.onnx. What they give for random features is compared, in OpenVINO, with the model's own
    embeddings; a difference above 1e-5 is an error.

    Parameters
    ----------
    run
        Name of the run. Default: the one trained last.
    out
        Folder to write to.
    """
    from antiphon.interchange.onnx_check import write_checked

    model = _model(session, run)
    differences = write_checked(model, out)
    data = {"files": [str(out / f"{side}.onnx") for side in differences], "differences": differences}

    def show(out: Console) -> None:
        for file, difference in zip(data["files"], differences.values(), strict=True):
            out.print(f"{file}: at most {difference:.1g} from PyTorch.", markup=False, soft_wrap=True)

    session.result(data, show)


@app.command
def embeddings(
    *,
    out: Path,
    format: Literal["parquet", "lancedb", "embedding-atlas", "fiftyone", "tensorboard"] = "parquet",
    per: Literal["track", "segment"] = "track",
    run: str | None = None,
    session: Here,
) -> None:
    """Write the embeddings of all music videos that have features, with artist, title, genre, tags, year and split.

    Parameters
    ----------
    out
        File (parquet, embedding-atlas) or folder to write.
    format
        Of which tool.
    per
        One embedding per track, or per segment.
    run
        Name of the run. Default: the one trained last.
    """
    from antiphon.catalogue import Catalogue
    from antiphon.interchange.embedding_files import WRITERS, write_fiftyone
    from antiphon.interchange.embedding_table import embedding_table

    workspace, model = session.existing_workspace(), _model(session, run)
    catalogue = Catalogue.load(workspace.catalogue)
    table = embedding_table(model, model_features(workspace, model, catalogue), catalogue, per)
    if format == "fiftyone":
        paths = {row["id"]: str(row["path"]) for row in catalogue.records() if row["path"]}
        written = write_fiftyone(table, out, paths)
    else:
        written = WRITERS[format](table, out)
    data = {"files": [str(path) for path in written], "rows": len(table), "dim": model.dim, "per": per}

    def show(console: Console) -> None:
        console.print(f"{len(table)} embeddings of {model.dim} values, one per {per} and modality:", soft_wrap=True)
        for path in written:
            console.print(f"  {path}", markup=False, soft_wrap=True)
        console.print(_VIEW[format].format(out=out), markup=False, soft_wrap=True)

    session.result(data, show)


@app.command(name="sentence-transformers")
def sentence_transformers(*, run: str | None = None, out: Path, session: Here) -> None:
    """Write a folder that sentence-transformers 6 loads as a model of songs and pictures.

    The package antiphon must be installed beside it; the folder has no code.

    Parameters
    ----------
    run
        Name of the run. Default: the one trained last.
    out
        Folder to write to.
    """
    from antiphon.interchange.sentence_folder import write_sentence_folder

    written = write_sentence_folder(_model(session, run), out)
    _show(session, written, "To load it: antiphon.interchange.sentence_folder.load({out})", out)


@app.command
def hub(
    *,
    out: Path,
    licence: str = "other",
    data: str = "not stated",
    use: str | None = None,
    run: str | None = None,
    session: Here,
) -> None:
    """Write a folder for the Hugging Face Hub: weights, configuration, ONNX heads and a model card.

    The card has the run's metrics with pool sizes, intervals and nulls, and the licence of each part. No music video of
    the catalogue is named.

    Parameters
    ----------
    out
        Folder to write to. Its name is the model's.
    licence
        Licence of the trained heads, as the Hub names it: apache-2.0, cc-by-nc-4.0, …
    data
        What the model was trained on, and on what terms.
    use
        What it is meant for. Default: search among music videos.
    run
        Name of the run. Default: the one trained last.
    """
    from antiphon.interchange.hub_folder import write_hub_folder
    from antiphon.interchange.model_card import CardFacts
    from antiphon.runs import read_metrics

    model = _model(session, run)
    metrics = read_metrics(run_folder(session.workspace, run))
    if metrics is None:
        session.warn("The run has no metrics yet, and the card says so. To measure it: antiphon evaluate")
    facts = CardFacts(licence, data) if use is None else CardFacts(licence, data, use)
    written = write_hub_folder(model, out, facts, metrics)
    _show(session, written, "Read README.md, then: antiphon export push {out} USER/NAME", out)


@app.command
def push(folder: Path, repo: str, *, public: bool = False, endpoint: str | None = None, session: Here) -> None:
    """Push what `antiphon export hub` wrote to the Hugging Face Hub, with the token that `hf auth login` keeps.

    Parameters
    ----------
    folder
        The folder.
    repo
        Name of the repository, USER/NAME. It is created where there is none.
    public
        Create it public; a repository that is there stays as it is.
    endpoint
        Address of another Hub.
    """
    from antiphon.interchange.hub_folder import push as push_folder

    address = push_folder(folder, repo, private=not public, endpoint=endpoint)
    session.result({"commit": address}, lambda out: out.print(address, markup=False, soft_wrap=True))


def _show(session: Session, written: list[Path], then: str, out: Path) -> None:
    def show(console: Console) -> None:
        for path in written:
            console.print(f"  {path}", markup=False, soft_wrap=True)
        console.print(then.format(out=out), markup=False, soft_wrap=True)

    session.result({"files": [str(path) for path in written]}, show)


def _model(session: Session, run: str | None) -> "DualEncoder":
    from antiphon.dual_encoder import DualEncoder

    workspace = session.existing_workspace()
    if not workspace.is_local:
        raise ConfigError("Export from a workspace on the disk: run antiphon pull first.")
    return DualEncoder.load(run_folder(workspace, run))
