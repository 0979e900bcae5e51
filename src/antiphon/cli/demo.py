"""`antiphon demo`: the whole pipeline, on synthetic music videos."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console

from antiphon.cli.audit import run_audit
from antiphon.cli.catalogue import add_to_workspace
from antiphon.cli.demo_page import DemoPage
from antiphon.cli.evaluate import run_evaluate, show_ranks
from antiphon.cli.extract import ExtractOptions, run_extract
from antiphon.cli.index import run_build, run_facts
from antiphon.cli.opening import model_features
from antiphon.cli.report import run_report
from antiphon.cli.session import Here, Session
from antiphon.cli.train import TrainOptions, run_train
from antiphon.plurals import counted
from antiphon.synthetic import SyntheticConfig, render_catalogue

DEMO_FOLDER = Path("antiphon-demo")
FRACTIONS = (0.55, 0.15, 0.3)
VIDEOS, COUPLING, SECTIONS = 200, 0.85, 3
WORDS = "calm folk from the nineties, no drums"


def demo(
    *,
    videos: Annotated[int, Parameter(validator=Number(gte=40))] = VIDEOS,
    coupling: Annotated[float, Parameter(validator=Number(gte=0, lte=1))] = COUPLING,
    seed: int = 0,
    sections: Annotated[int, Parameter(validator=Number(gte=1, lte=6))] = SECTIONS,
    recipe: str = "antiphon-base",
    session: Here,
) -> None:
    """Run the whole pipeline on synthetic music videos: extract, train, evaluate on held-out artists, report and index.

    The music videos are composed, synthesised and rendered by Antiphon; from then on they are processed like your own.
    It can be stopped at any time; the same command resumes.

    Parameters
    ----------
    videos
        Number of videos to render.
    coupling
        How far the video follows the song: 0 not at all, 1 completely.
    seed
        Seed of songs, videos, splits, segments and initial weights.
    sections
        Segments per video. The paper has six; the demo takes fewer, to finish in minutes on two cores.
    recipe
        Recipe of the heads.
    """
    config = SyntheticConfig(videos=videos, coupling=coupling, seed=seed)
    root = _of_its_own(session, config, sections).workspace.folder.resolve()
    page = DemoPage(root, f"{videos} music videos, coupling {coupling:g}: rendered, then processed like your own.")
    page.start(0)
    session.say(
        f"Renders {videos} music videos and extracts their features, each about a second of one core for every video; "
        "then trains, evaluates and audits, a minute or more. How far it is, with the first videos: "
        f"{page.path.as_uri()}. Report and index will be in {root}."
    )
    with page.watched():
        done = _pipeline(session, config, sections, recipe, page)

    def show(out: Console) -> None:
        out.print(f"{videos} synthetic music videos, coupling {coupling:g}; ranks are on held-out artists.")
        show_ranks(done.evaluated, out)
        for found in ("against_cca", "learning_curve"):
            if done.trained[found]:
                out.print(done.trained[found]["verdict"], soft_wrap=True)
        out.print(
            f"Audit: {_audit_in_words(done.audited)}; see “Can these numbers be trusted?” in the report.",
            soft_wrap=True,
        )
        _show_neighbours(done.neighbours, out)
        _show_words(done.words, out)
        out.print(f"Report: {done.report.resolve().as_uri()}", soft_wrap=True)
        place = shlex.quote(str(done.workspace))
        out.print(f"Search and play: {_command_name()} --workspace {place} serve", soft_wrap=True, markup=False)

    data = done._asdict() | {"workspace": str(done.workspace), "report": str(done.report)}
    session.result({"synthetic": config.model_dump()} | data, show)


class _Done(NamedTuple):
    """What each stage found."""

    workspace: Path
    report: Path
    extracted: dict[str, Any]
    trained: dict[str, Any]
    evaluated: dict[str, Any]
    audited: dict[str, Any]
    neighbours: dict[str, Any] | None
    words: dict[str, Any]


def _pipeline(session: Session, config: SyntheticConfig, sections: int, recipe: str, page: DemoPage) -> _Done:
    """Run all stages, and tell the page."""
    seed = config.seed
    inner, extracted = prepare_synthetic(session, config, sections, page)
    page.start(2, f"{counted(extracted['segments'], 'segment')} of {counted(extracted['videos'], 'video')}")
    trained = run_train(inner, TrainOptions(recipe, seed=seed))
    run = trained["run"]
    page.start(3, _curve_in_words(trained))
    evaluated = run_evaluate(inner, run, "test", seed)
    page.start(4, _ranks_in_words(evaluated))
    audited = run_audit(inner, run, "exact", retrain=True, seed=seed)
    page.start(5, _audit_in_words(audited))
    report = run_report(inner, run)
    page.start(6)
    run_build(inner, run)
    run_facts(inner)
    neighbours = _neighbours(inner, run, seed)
    page.finish(report.resolve())
    words = _asked_in_words(inner)
    return _Done(inner.workspace.folder, report, extracted, trained, evaluated, audited, neighbours, words)


def _curve_in_words(trained: dict[str, Any]) -> str:
    return trained["learning_curve"]["verdict"] if trained["learning_curve"] else ""


def _audit_in_words(audited: dict[str, Any]) -> str:
    counts = audited["counts"]
    return f"{counts['pass']} checks passed, {counts['warn']} with warnings, {counts['fail']} failed"


def _ranks_in_words(found: dict[str, Any]) -> str:
    from antiphon.presentation.numbers import rank

    ways = {"a2v": "from sound to pictures", "v2a": "from pictures to sound"}
    parts = [
        f"{rank(found[way]['median_rank'])} (95%: {'–'.join(map(rank, found[way]['ci95']))}) {words}"
        for way, words in ways.items()
    ]
    return f"Median rank {' and '.join(parts)}, of {found['a2v']['n']}; chance {rank(found['a2v']['chance'])}"


def _command_name() -> str:
    """Return the command as it was called, for the next one to be copied from the screen."""
    name = Path(sys.argv[0])
    return shlex.quote(str(name)) if name.name == "antiphon" else "antiphon"


def _neighbours(session: Session, run: str, seed: int) -> dict[str, Any] | None:
    """Measure whether held-out neighbours share genre and tags."""
    from antiphon.dual_encoder import DualEncoder
    from antiphon.evaluation.neighbours import neighbour_precision

    model = DualEncoder.load(session.workspace.run(run))
    features = model_features(session.workspace, model)
    return neighbour_precision(model, features["test"], seed=seed)


def _show_neighbours(found: dict[str, Any] | None, out: Console) -> None:
    from antiphon.presentation.numbers import share

    if found is None:
        return
    out.print(
        f"The {found['k']} nearest videos by other artists, of {found['videos']} held out (95% interval over artists):",
        soft_wrap=True,
    )
    for target, words in (("genre", "same genre"), ("tags", "tags in common")):
        for way, side in (("audio", "audio"), ("video", "video"), ("aggregated", "both")):
            if number := found[target][way]:
                value, chance = share(number["value"]), share(number["base_rate"])
                interval = "–".join(map(share, number["ci95"]))
                out.print(f"  by {side}, {words}: {value} ({interval}); chance {chance}")


def _asked_in_words(session: Session) -> dict[str, Any]:
    """Search the index in words."""
    from antiphon.search import Index, Query
    from antiphon.words.interpretation import understood

    index = Index.open(session.workspace.index)
    hits = index.search(Query.from_text(index, WORDS), k=3)
    told = [] if hits.words is None else understood(hits.words, hits.silent)
    return {"text": WORDS, "understood": told, "hits": hits.to_dicts()}


def _show_words(found: dict[str, Any], out: Console) -> None:
    out.print(f"Search in words: “{found['text']}”. {' '.join(found['understood'])}", soft_wrap=True, markup=False)
    for hit in found["hits"]:
        about = ", ".join(filter(None, (hit.get("title"), hit.get("artist"), hit.get("genre"))))
        out.print(f"  {hit['id']}: {about} ({'; '.join(hit['reasons'])})", soft_wrap=True, markup=False)


def _of_its_own(session: Session, config: SyntheticConfig, sections: int) -> Session:
    """Return the session in the workspace of these settings."""
    name = f"coupling-{config.coupling:g}-seed-{config.seed}-videos-{config.videos}-sections-{sections}"
    return Session((session.folder or DEMO_FOLDER) / name, session.json)


def prepare_synthetic(
    session: Session, config: SyntheticConfig, sections: int = SECTIONS, page: DemoPage | None = None
) -> tuple[Session, dict[str, Any]]:
    """Render a synthetic catalogue and extract its features, in a workspace of its own. Existing files are reused.

    Parameters
    ----------
    session : Session
        Session of the command line, which names the parent folder.
    config : SyntheticConfig
        What to render.
    sections : int
        Segments per video.
    page : DemoPage, optional
        Page that shows how far it is.

    Returns
    -------
    session : Session
        The session in that workspace.
    extracted : dict
        What `run_extract` returned.
    """
    inner = _of_its_own(session, config, sections)
    with inner.progress("Rendering synthetic videos") as report:

        def progress(done: int, total: int) -> None:
            report(done, total, "")
            if page is not None:
                page.progress(0, done, total)

        table = render_catalogue(inner.workspace.folder / "synthetic", config, progress=progress)
    if page is not None:
        page.start(1, counted(config.videos, "video"))
    add_to_workspace(inner, table, None, "artist", FRACTIONS, config.seed)
    return inner, run_extract(inner, ExtractOptions(sections=sections, seed=config.seed))
