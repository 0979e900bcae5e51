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
_ELSEWHERE = "vectors from elsewhere come without the files that they are of"


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
    nulls, and the answer in one sentence; writes compare.html, compare.md, compare.csv, compare.tex (booktabs) and
    compare.json. Each training is saved when it is done: stop at any time; the same command resumes.

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
        for line in _cost_lines(found["costs"]):
            console.print(line, markup=False, soft_wrap=True)
        console.print("Files:", soft_wrap=True)
        for path in found["files"]:
            console.print(f"  {path}", markup=False, highlight=False, soft_wrap=True)
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
        The content of compare.json, "text" (the table for people), "files" (paths of what was written) and "page".
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
    texts = {
        _FILE: json.dumps(found, indent=2, ensure_ascii=False),
        "compare.csv": result.to_frame().write_csv(),
        "compare.md": comparison_markdown(found),
        "compare.tex": result.to_latex(f"{result.title}.", "tab:compare") + "\n",
    }
    for name, text in texts.items():
        write_text(text, folder / name)
    page = build_comparison_page(folder, found)
    files = [str(path) for path in (page, *(folder / name for name in texts))]
    return found | {"text": repr(result), "files": files, "page": str(page)}


def _costs(session: Session, opened: dict[str, Source]) -> list[dict[str, Any]]:
    """Measure the backbones of the workspace; of vectors from elsewhere, say why there is nothing to measure."""
    backbones = dict.fromkeys(each for source in opened.values() for each in source.backbones)
    costs = [{"backbone": name, "reason": _ELSEWHERE} for name, source in opened.items() if not source.backbones]
    if not backbones:
        return costs
    from antiphon.experiments.comparison.costs import backbone_costs

    with session.progress("Measuring backbones") as report:
        return backbone_costs(session.existing_workspace(), backbones, report) + costs


def _cost_lines(costs: list[dict[str, Any]]) -> list[str]:
    """Say what each backbone costs, and once for each reason which were not measured."""
    lines = [
        f"{cost['backbone']}: {cost['processor_s']:.2f} s of processor time a music video, {cost['memory_mb']:,} MB."
        for cost in costs
        if "reason" not in cost
    ]
    unmeasured: dict[str, list[str]] = {}
    for cost in costs:
        if "reason" in cost:
            unmeasured.setdefault(cost["reason"].rstrip("."), []).append(cost["backbone"])
    return lines + [
        f"{', '.join(names)}: cost of a music video not measured: {reason}." for reason, names in unmeasured.items()
    ]


def _is_synthetic(session: Session, opened: dict[str, Source]) -> bool:
    """Whether features of the workspace are of music videos that Antiphon rendered."""
    if not any(source.backbones for source in opened.values()):
        return False
    from antiphon.catalogue import Catalogue
    from antiphon.catalogue.description import synthetic_ids

    return bool(synthetic_ids(Catalogue.load(session.existing_workspace().catalogue)))
