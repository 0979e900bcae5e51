"""`antiphon compare`: backbones with and without training, on the same test videos."""

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console

from antiphon.cli.compare_sources import Source, opened_sources
from antiphon.cli.session import Here, Session
from antiphon.tables import write_text

_FILE = "compare.json"


@Parameter(name="*")
@dataclass(frozen=True)
class CompareOptions:
    """How to compare.

    Attributes
    ----------
    methods
        zero-shot (features as they are), cca (linear, in closed form), and recipes: names, or TOML files of your own.
    draws
        Number of disjoint test sets. Each has at most 1,000 music videos; of few, all are tested once.
    seeds
        Trainings of each recipe on each draw.
    seed
        Seed of the draws.
    probes
        Also predict genre and tags from features and embeddings.
    costs
        Also measure what a music video costs each backbone of the workspace, on a few of its files.
    jobs
        Number of concurrent trainings, of one thread each.
    """

    methods: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (
        "zero-shot",
        "cca",
        "paper-base",
        "antiphon-base",
    )
    draws: Annotated[int, Parameter(validator=Number(gte=1))] = 5
    seeds: Annotated[int, Parameter(validator=Number(gte=1))] = 1
    seed: int = 0
    probes: bool = True
    costs: bool = True
    jobs: Annotated[int, Parameter(validator=Number(gte=1))] = 1


def compare(
    *sources: str,
    options: CompareOptions = CompareOptions(),
    out: Path | None = None,
    session: Here,
) -> None:
    """Find out whether training is worth it on your music videos, and on which backbones.

    Every method is fitted and tested on the same music videos: the features as they are (zero-shot, for backbones of
    one joint space), the linear analysis, the paper's recipe, and the default. Prints the ranks with intervals and
    nulls, and the answer in one sentence; writes compare.html, compare.md, compare.csv and compare.json. Each training
    is saved when it is done: stop at any time; the same command resumes.

    Parameters
    ----------
    sources
        What to compare: AUDIO+VIDEO (features of the workspace, such as musicnn-mtt+efficientnet_lite0), a Parquet
        table with the columns id, audio and video (vectors from anywhere), another workspace, or yt8m:FILES.
        NAME=SOURCE gives a name. Default: each audio with each video features of the workspace.
    out
        Output folder. Default: compare in the workspace.
    """
    found = run_compare(session, sources, options, out)
    page = Path(found["page"]).resolve().as_uri()

    def show(console: Console) -> None:
        console.print(found["text"], markup=False, highlight=False, soft_wrap=True)
        for cost in found["costs"]:
            if "reason" not in cost:
                console.print(
                    f"{cost['backbone']}: {cost['processor_s']:.2f} s of processor time a music video, "
                    f"{cost['memory_mb']:,} MB.",
                    markup=False,
                )
        console.print(f"Page: {page}", soft_wrap=True)

    session.result({name: value for name, value in found.items() if name != "text"}, show)


def run_compare(
    session: Session, sources: tuple[str, ...], options: CompareOptions, out: Path | None
) -> dict[str, Any]:
    """Compare backbones with a progress bar, and write the tables and the page.

    Parameters
    ----------
    session : Session
        Session of the command line.
    sources : tuple of str
        What to compare.
    options : CompareOptions
        How.
    out : Path or None
        Output folder.

    Returns
    -------
    dict
        The content of compare.json, "text" (the table for people) and "page".
    """
    from antiphon.experiments.comparison import compare as compare_features
    from antiphon.report.comparison_page import build_comparison_page
    from antiphon.report.comparison_tables import comparison_markdown

    opened = opened_sources(session, sources)
    folder = out or session.workspace.folder / "compare"
    with session.progress("Comparing") as report:
        result = compare_features(
            {name: source.features for name, source in opened.items()},
            options.methods,
            draws=options.draws,
            seeds=options.seeds,
            seed=options.seed,
            probes=options.probes,
            folder=folder,
            jobs=options.jobs,
            progress=report,
        )
    found: dict[str, Any] = {
        **result,
        "source": "; ".join(dict.fromkeys(source.words for source in opened.values())),
        "synthetic": _is_synthetic(session, opened),
        "costs": _costs(session, opened) if options.costs else [],
        "command": shlex.join(["antiphon", *sys.argv[1:]]),
    }
    write_text(json.dumps(found, indent=2, ensure_ascii=False), folder / _FILE)
    write_text(result.to_frame().write_csv(), folder / "compare.csv")
    write_text(comparison_markdown(found), folder / "compare.md")
    write_text(result.to_latex(f"{result.title}.", "tab:compare") + "\n", folder / "compare.tex")
    return found | {"text": repr(result), "page": str(build_comparison_page(folder, found))}


def _costs(session: Session, opened: dict[str, Source]) -> list[dict[str, Any]]:
    backbones = dict.fromkeys(each for source in opened.values() for each in source.backbones)
    if not backbones:
        return []
    from antiphon.experiments.comparison.costs import backbone_costs

    with session.progress("Measuring backbones") as report:
        return backbone_costs(session.existing_workspace(), backbones, report)


def _is_synthetic(session: Session, opened: dict[str, Source]) -> bool:
    """Whether features of the workspace are of music videos that Antiphon rendered."""
    if not any(source.backbones for source in opened.values()):
        return False
    from antiphon.catalogue import Catalogue
    from antiphon.catalogue.description import synthetic_ids

    return bool(synthetic_ids(Catalogue.load(session.existing_workspace().catalogue)))
