"""`antiphon study`: recipes compared on several draws of one data set."""

import json
import shlex
import sys
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.table import Table

from antiphon.cli.opening import chosen_features
from antiphon.cli.session import Here, Session
from antiphon.errors import ConfigError
from antiphon.features import Features
from antiphon.tables import write_text

_FILE = "study.json"


def study(
    file: Path | None = None,
    *,
    example: Annotated[bool, Parameter(negative="")] = False,
    features: str | None = None,
    extra: str | None = None,
    out: Path | None = None,
    jobs: Annotated[int, Parameter(validator=Number(gte=1))] = 1,
    session: Here,
) -> None:
    """Train recipes, one change at a time, on several draws of the same data, and print what each change gains.

    FILE is TOML: recipes, or tables that inherit from one and change one thing; numbers of draws, trainings and videos.
    "cca" is the tuned linear analysis. Writes study.html (the staircase), study.csv, study.md, study.tex (booktabs),
    cells.csv and study.json. Each training is saved when it is done: stop at any time; the same command resumes.

    Parameters
    ----------
    file
        TOML file of the study.
    example
        Print a study to begin with, and what its keys mean: antiphon study --example > study.toml
    features
        yt8m:FILES (YouTube-8M shards or Parquet, a path or a pattern), or a workspace. Default: --workspace.
    extra
        Additional pairs, in the same form, for the steps that also train on these.
    out
        Output folder. Default: the file's name without its ending.
    jobs
        Number of concurrent trainings, of one thread each.
    """
    if example:
        sys.stdout.write(resources.files("antiphon.experiments").joinpath("example_study.toml").read_text("utf-8"))
        return
    if file is None:
        raise ConfigError("Name the TOML file of a study. To begin with one: antiphon study --example > study.toml")
    found = run_study_file(session, file, features, extra, out, jobs)

    def show(console: Console) -> None:
        console.print(found["verdict"], soft_wrap=True, markup=False)
        for size in found["sizes"]:
            console.print(_shown(found, size))
        console.print(f"Page: {Path(found['page']).resolve().as_uri()}", soft_wrap=True)

    session.result(found, show)


def run_study_file(
    session: Session, file: Path, features: str | None, extra: str | None, out: Path | None, jobs: int
) -> dict[str, Any]:
    """Run a study and write its tables and its page, with a progress bar.

    Parameters
    ----------
    session : Session
        Session of the command line.
    file : Path
        TOML file of the study.
    features, extra : str or None
        Pairs, and additional pairs, as the options name them.
    out : Path or None
        Output folder.
    jobs : int
        Number of concurrent trainings.

    Returns
    -------
    dict
        The content of study.json, and "page".
    """
    from antiphon.experiments.study import load_study, resolved_steps
    from antiphon.experiments.study_run import run_study
    from antiphon.experiments.study_table import study_table
    from antiphon.report.study_page import build_study_page
    from antiphon.report.study_tables import cells_csv, study_csv, study_markdown
    from antiphon.report.study_verdict import study_latex, study_verdict

    plan = load_study(file)
    steps = resolved_steps(plan, file.parent)
    pairs, source = chosen_features(session, features)
    more = None if extra is None else chosen_features(session, extra, "--extra")[0]
    folder = out or Path(file.stem)
    with session.progress("Training") as report:
        outcomes = run_study(plan, steps, pairs, folder, extra=more, jobs=jobs, progress=report)
    found: dict[str, Any] = {
        "name": plan.name,
        "description": plan.description,
        "reference": plan.reference or plan.step[-1].name,
        "seeds": plan.seeds,
        "sizes": list(plan.videos),
        "draws": plan.draws.model_dump(),
        "data": _about(pairs, more, source),
        "command": _command(session, file, features, extra, out, jobs),
        **study_table(plan, steps, outcomes),
        "steps": {step.name: step.model_dump(mode="json") for step in steps},
    }
    found["verdict"] = study_verdict(found)
    write_text(json.dumps(found, indent=2, ensure_ascii=False), folder / _FILE)
    texts = {"study.csv": study_csv, "cells.csv": cells_csv, "study.md": study_markdown, "study.tex": study_latex}
    for name, write in texts.items():
        write_text(write(found), folder / name)
    return found | {"page": str(build_study_page(folder, found))}


def _about(pairs: Features, extra: Features | None, source: str) -> dict[str, Any]:
    paired = pairs.paired
    return {
        "source": source,
        "audio": pairs.audio_name,
        "video": pairs.video_name,
        "pairs": len(paired),
        "videos": len(np.unique(paired.groups)),
        "extra": 0 if extra is None else len(extra.paired),
    }


def _command(session: Session, file: Path, features: str | None, extra: str | None, out: Path | None, jobs: int) -> str:
    words = ["antiphon", *(["--workspace", str(session.folder)] if session.folder else []), "study", str(file)]
    for name, value in {"features": features, "extra": extra, "out": out, "jobs": jobs}.items():
        words += [] if value is None else [f"--{name}", str(value)]
    return shlex.join(words)


def _shown(found: dict[str, Any], size: int | str) -> Table:
    from antiphon.presentation.numbers import brief, rank
    from antiphon.report.staircase import step_factor
    from antiphon.report.study_tables import bracketed, size_words

    table = Table("step", "audio → video", "video → audio", "chance", "gain over the step before", box=None)
    table.title = f"Median ranks, {size_words(size)}"
    for row in found["rows"]:
        if row["size"] != size:
            continue
        if row["trainings"]:
            ways = [bracketed(row[way]["median_rank"], brief) for way in ("a2v", "v2a")]
            table.add_row(row["label"], *ways, f"{rank(row['chance'])} of {row['n']:.0f}", step_factor(row))
        else:
            table.add_row(row["label"], f"failed: {row['failed'][0]}")
    return table
