"""`antiphon reproduce`: the paper, whole, on the workspace's features."""

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

    Table 1 (alignment by six configurations, true ranks beside what the published formula prints), table 2 (genre and
    tags from six representations), the galleries, the audit, and the answers to the paper's questions. What the data
    lack is n/a, with the reason. Stop it at any time; the same command goes on from there. The tables are in paper/ as
    CSV and Markdown too, the trained models in runs/paper/.

    Parameters
    ----------
    experiment
        Only these experiments: 1 alignment, 2 genre, 3 tags, without galleries and audit; the page shows what was found
        before of the others. Default: everything.
    synthetic
        Run it on the synthetic catalogue of `antiphon demo`, which is made if it is not there.
    features
        yt8m:FILES imports video-level YouTube-8M features first: shards (.tfrecord) or Parquet, a path or a pattern.
    label_names
        With --features: YouTube-8M's vocabulary (CSV), so that labels have names.
    audio
        Features of the sound. Default: the only ones in the workspace that are not of a tuned backbone.
    video
        Features of the pictures. Default: as for the sound.
    seeds
        Trainings of each configuration and classifier.
    loss
        info_nce as in the authors' code, or decoupled as in their equations.
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
    kept = Kept(workspace.root / "paper", features.fingerprint())
    with workspace.lock(), session.progress("Reproducing") as report:
        found = run(
            trials,
            kept,
            parts=parts,
            seeds=seeds,
            loss=loss,
            attributes=attributes,
            why_no_attributes=why_none,
            progress=_told(report),
        )
    found["run"] = f"paper/{found['run']}"
    synthetic = synthetic_notice(Catalogue.load(workspace.catalogue)) is not None
    found["data"] |= {"synthetic": synthetic, "source": source}
    found["commands"] = [command]
    with workspace.lock(BRIEFLY_S):
        write_text(json.dumps(found, indent=2, ensure_ascii=False), workspace.root / _FILE)
        for name, text in _tables(found).items():
            write_text(text, workspace.root / "paper" / name)
        with session.progress("Writing the page") as report:
            path = build_paper_page(workspace, found, progress=report)
    return found | {"page": str(path)}


def _data(session: Session, synthetic: bool, features: str | None, label_names: Path | None) -> tuple[Session, str]:
    """The session in whose workspace the features are, made first where asked for; and where they come from."""
    if synthetic and features is not None:
        raise ConfigError("--synthetic and --features are two data sets; choose one.")
    if synthetic:
        return prepare_synthetic(session, SyntheticConfig(videos=VIDEOS, coupling=COUPLING))[0], "synthetic"
    if features is None:
        return session, "the workspace"
    imported, source = yt8m_features(features, label_names)
    import_features(imported, session.workspace)
    return session, source


def _tables(found: dict[str, Any]) -> dict[str, str]:
    """The tables for other programs and for a repository, by file."""
    from antiphon.report.paper_tables import table_1_csv, table_2_csv, tables_markdown

    return {"table-1.csv": table_1_csv(found), "table-2.csv": table_2_csv(found), "tables.md": tables_markdown(found)}


def _told(report: Report) -> "Progress":
    return lambda part, done, total, note: report(done, total, f"{_WORDS[part]} {note}".rstrip())


def _command(session: Session, given: dict[str, Any]) -> str:
    """What to call to do it again."""
    words = ["antiphon", *(["--workspace", str(session.folder)] if session.folder else []), "reproduce"]
    for name, value in given.items():
        if value is True:
            words.append(f"--{name}")
        elif value:
            words += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    return shlex.join(words)
