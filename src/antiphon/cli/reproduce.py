"""`antiphon reproduce`: the experiments of the paper, on the workspace's features."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console

from antiphon.catalogue import Catalogue
from antiphon.cli.demo import COUPLING, VIDEOS, prepare_synthetic
from antiphon.cli.gallery import measured_attributes
from antiphon.cli.opening import workspace_features, yt8m_features
from antiphon.cli.session import BRIEFLY_S, Here, Report, Session
from antiphon.errors import ConfigError
from antiphon.features.importing import import_features
from antiphon.synthetic import SyntheticConfig
from antiphon.tables import write_text

if TYPE_CHECKING:
    from antiphon.experiments.reproduce import Progress

_FILE = "paper.json"
_WORDS = {
    "experiment_1": "Experiment 1: alignment",
    "experiment_2": "Experiment 2: genre",
    "experiment_3": "Experiment 3: tags",
    "audit": "Auditing",
    "qualitative": "Comparing neighbours",
}


def reproduce(
    *,
    experiment: Annotated[list[Literal[1, 2, 3]] | None, Parameter(consume_multiple=True)] = None,
    synthetic: bool = False,
    features: str | None = None,
    label_names: Path | None = None,
    audio: str | None = None,
    video: str | None = None,
    seeds: Annotated[int, Parameter(validator=Number(gte=1))] = 3,
    loss: Literal["info_nce", "decoupled"] = "info_nce",
    device: str = "auto",
    session: Here,
) -> None:
    """Run the experiments of Veldkamp et al. (2023) on your data, and write paper.html and paper.json.

    Includes table 1 (alignment of six configurations: true ranks, and what the published formula prints), table 2
    (genre and tags from six representations), galleries, the audit, and answers to the paper's questions. What the data
    do not allow is n/a, with the reason. It can be stopped at any time; the same command resumes. The tables are also
    written to paper/ as CSV and Markdown, and the trained models to runs/paper/.

    Parameters
    ----------
    experiment
        Run only these experiments, without galleries and audit: 1 alignment, 2 genre, 3 tags. The page shows earlier
        results of the others. Default: everything.
    synthetic
        Use the synthetic catalogue of `antiphon demo`, which is rendered if it does not exist.
    features
        yt8m:FILES: import video-level YouTube-8M features first, from shards (.tfrecord) or Parquet, by path or
        pattern.
    label_names
        With --features: YouTube-8M's vocabulary (CSV), which names the labels.
    audio
        Audio features. Default: the only ones in the workspace that are not of a tuned backbone.
    video
        Video features. Default: as for audio.
    seeds
        Number of trainings of each configuration and classifier.
    loss
        info_nce: as in the authors' code. decoupled: as in their equations.
    device
        cpu, cuda, or auto.
    """
    inner, source = _data(session, synthetic, features, label_names)
    given = {"experiment": experiment, "synthetic": synthetic, "features": features, "label-names": label_names}
    given |= {"audio": audio, "video": video, "seeds": seeds, "loss": loss}
    command = _command(session, given)
    found = run_reproduce(inner, experiment, audio, video, seeds, loss, device, source, command)

    def show(out: Console) -> None:
        for answer in found["verdict"].values():
            out.print(f"- {answer}", markup=False, soft_wrap=True)
        out.print(f"Page: {Path(found['page']).resolve().as_uri()}", soft_wrap=True)

    inner.result(found, show)


def run_reproduce(
    session: Session,
    experiments: list[Literal[1, 2, 3]] | None,
    audio: str | None,
    video: str | None,
    seeds: int,
    loss: Literal["info_nce", "decoupled"],
    device: str,
    source: str,
    command: str,
) -> dict[str, Any]:
    """Run the experiments and write numbers and page, with progress bars."""
    from antiphon.experiments.kept import Kept
    from antiphon.experiments.reproduce import PARTS
    from antiphon.experiments.reproduce import reproduce as run
    from antiphon.experiments.trials import Trials
    from antiphon.report.about import synthetic_notice
    from antiphon.report.paper import build_paper_page

    workspace = session.existing_workspace()
    features = workspace_features(workspace, audio, video, has_options=True)
    parts = PARTS if not experiments else [f"experiment_{number}" for number in sorted(set(experiments))]
    attributes, why_none = measured_attributes(session, features, "test", measure="qualitative" in parts)
    trials = Trials(features, lambda name: workspace.run(f"paper/{name}"), device)
    kept = Kept(workspace.folder / "paper", features.fingerprint())
    with workspace.lock(), session.progress("Reproducing") as report:
        found = run(
            trials,
            kept,
            parts=parts,
            seeds=seeds,
            loss=loss,
            attributes=attributes,
            why_no_attributes=why_none,
            progress=_progress(report),
        )
    found["run"] = f"paper/{found['run']}"
    synthetic = synthetic_notice(Catalogue.load(workspace.catalogue)) is not None
    found["data"] |= {"synthetic": synthetic, "source": source}
    found["commands"] = [command]
    with workspace.lock(BRIEFLY_S):
        write_text(json.dumps(found, indent=2, ensure_ascii=False), workspace.folder / _FILE)
        for name, text in _tables(found).items():
            write_text(text, workspace.folder / "paper" / name)
        with session.progress("Writing the page") as report:
            path = build_paper_page(workspace, found, progress=report)
    return found | {"page": str(path)}


def _data(session: Session, synthetic: bool, features: str | None, label_names: Path | None) -> tuple[Session, str]:
    """Return the session whose workspace has the features, made first if need be, and their source."""
    if synthetic and features is not None:
        raise ConfigError("--synthetic and --features exclude each other; choose one.")
    if synthetic:
        return prepare_synthetic(session, SyntheticConfig(videos=VIDEOS, coupling=COUPLING))[0], "synthetic"
    if features is None:
        return session, "the workspace"
    imported, source = yt8m_features(features, label_names)
    import_features(imported, session.workspace)
    return session, source


def _tables(found: dict[str, Any]) -> dict[str, str]:
    """Return the tables as CSV and Markdown, by file name."""
    from antiphon.report.paper_tables import table_1_csv, table_2_csv, tables_markdown

    return {"table-1.csv": table_1_csv(found), "table-2.csv": table_2_csv(found), "tables.md": tables_markdown(found)}


def _progress(report: Report) -> "Progress":
    return lambda part, done, total, note: report(done, total, f"{_WORDS[part]} {note}".rstrip())


def _command(session: Session, given: dict[str, Any]) -> str:
    """Return the command line that repeats the call."""
    words = ["antiphon", *(["--workspace", str(session.folder)] if session.folder else []), "reproduce"]
    for name, value in given.items():
        if value is True:
            words.append(f"--{name}")
        elif value:
            words += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    return shlex.join(words)
