"""`antiphon judge`: similarity judgements by people."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
from cyclopts import App, Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.table import Table

from antiphon.catalogue import Catalogue
from antiphon.cli.opening import model_features, run_folder
from antiphon.cli.session import Here, Session
from antiphon.embeddings import within_side
from antiphon.errors import ConfigError
from antiphon.judging import Judgements, RoundConfig, RunEmbeddings, judging_report, prepare_round, score_round
from antiphon.judging.answers import answer_rows
from antiphon.judging.records import Round
from antiphon.judging.simulated import simulate_judge
from antiphon.presentation.csv_text import safe_cell
from antiphon.tables import atomic_path
from antiphon.workspace import Workspace

app = App(
    name="judge",
    help="""Ask people which of two music videos is more like a third, and compare runs with their answers.

```
antiphon judge prepare    choose and store the questions
antiphon serve            collect answers at /judge
antiphon judge report     print the agreement, with intervals
```""",
    help_format="markdown",
)

Share = Annotated[float, Parameter(validator=Number(gte=0, lte=1))]


@app.command
def prepare(
    *,
    run: Annotated[tuple[str, ...], Parameter(negative_iterable=())] = (),
    questions: Annotated[int, Parameter(validator=Number(gte=1, lte=10_000))] = 60,
    per_judge: Annotated[int, Parameter(validator=Number(gte=1, lte=1_000))] = 30,
    repeats: Annotated[float, Parameter(validator=Number(gte=0, lte=0.5))] = 0.1,
    split: Literal["train", "validation", "test", "all"] = "test",
    seed: int = 0,
    session: Here,
) -> None:
    """Choose triplets on which similarities disagree, and store them as a round of questions for the page.

    A third of the questions compares neighbours by two runs, a third a neighbour by audio with one by video, and a
    third a neighbour with a random track; with one run there is no first third. The two candidates of a triplet differ
    in rank by at least a tenth of the pool. Tracks by the seed's artist are never candidates. The same call again
    changes nothing; a different one starts another round, and earlier rounds are kept.

    Parameters
    ----------
    run
        Name of a run to compare; repeat it for several runs. Default: the one trained last.
    questions
        Number of triplets, over all three aspects: overall, by sound, by pictures.
    per_judge
        Number of questions for each judge.
    repeats
        Fraction of these that is asked twice, with sides swapped, to measure each judge's consistency.
    split
        Split to choose from.
    seed
        Seed of the questions and the judges' sheets.
    """
    workspace = session.existing_workspace()
    catalogue = Catalogue.load(workspace.catalogue)
    runs = [_embedded(session, workspace, name) for name in (run or (None,))]
    config = RoundConfig(questions=questions, per_judge=per_judge, repeat_share=repeats, seed=seed)
    artists = {row["id"]: row["artist"] for row in catalogue.records()}
    judgements = Judgements(workspace.judgements)
    made = prepare_round(judgements, runs, artists, config, _playable(catalogue, split))
    if made.questions < questions:
        session.warn(f"Found only {made.questions} of {questions} triplets on which the similarities differ enough.")
    found = _described(judgements, made)

    def show(out: Console) -> None:
        out.print(f"Round {made.number}: {made.questions} questions from {made.pool} videos ({_counts(found)}).")
        out.print("Collect answers at /judge of antiphon serve, then run antiphon judge report.")

    session.result(found, show)


@app.command
def report(*, round: int | None = None, simulated: bool = False, seed: int = 0, session: Here) -> None:
    """Print how often each similarity agrees with the judges, and how often the judges agree with each other.

    Parameters
    ----------
    round
        Number of the round. Default: the latest.
    simulated
        Report on simulated judges instead of people.
    seed
        Seed of the bootstraps.
    """
    judgements, asked = _round(session, round)
    found = judging_report(judgements, asked, simulated=simulated, seed=seed)
    session.result(found, lambda out: _show(found, out))


@app.command
def score(*, run: str | None = None, round: int | None = None, session: Here) -> None:
    """Score the questions of a round with another run, so that the report compares it too.

    The questions were not chosen to distinguish this run from others.

    Parameters
    ----------
    run
        Name of the run. Default: the one trained last.
    round
        Number of the round. Default: the latest.
    """
    judgements, asked = _round(session, round)
    embedded = _embedded(session, session.existing_workspace(), run)
    count = score_round(judgements, asked, embedded)
    data = {"round": asked.number, "run": embedded.run, "scored": count, "questions": asked.questions}
    session.result(
        data, lambda out: out.print(f"Scored {count} of {asked.questions} questions with run {embedded.run}.")
    )


@app.command
def export(
    out: Path = Path("judgements.csv"), *, round: int | None = None, simulated: bool = False, session: Here
) -> None:
    """Write every answer, with all that is known about it, as a .csv or .parquet table.

    Parameters
    ----------
    out
        File to write.
    round
        Number of the round. Default: the latest.
    simulated
        Export the answers of simulated judges instead of people's.
    """
    if out.suffix.lower() not in {".csv", ".parquet"}:
        raise ConfigError(f"{out}: unknown table format; choose a name that ends in .csv or .parquet.")
    judgements, asked = _round(session, round)
    table = pl.DataFrame(answer_rows(judgements.path, asked.number, simulated=simulated), infer_schema_length=None)
    with atomic_path(out) as partial:
        if out.suffix.lower() == ".csv":
            texts = pl.col(pl.String).map_elements(safe_cell, pl.String)
            table.with_columns(texts).write_csv(partial)
        else:
            table.write_parquet(partial)
    data = {"file": str(out), "round": asked.number, "answers": len(table)}
    session.result(data, lambda console: console.print(f"{len(table)} answers in {out}."))


@app.command
def simulate(
    *,
    run: str | None = None,
    judges: Annotated[int, Parameter(validator=Number(gte=1, lte=1_000))] = 3,
    noise: Share = 0.2,
    unsure: Share = 0.0,
    seed: int = 0,
    session: Here,
) -> None:
    """Let simulated judges answer, to try out the report. They are never counted as people.

    Parameters
    ----------
    run
        Run whose similarity they follow. Default: none; they answer at random.
    judges
        Number of judges.
    noise
        Probability of choosing the other candidate.
    unsure
        Probability of answering "cannot tell".
    seed
        Seed of their answers.
    """
    judgements, asked = _round(session, None)
    before, _ = judgements.known(asked)
    settings = hashlib.sha256(repr((run, noise, unsure, seed)).encode()).hexdigest()[:6]
    way = ("at random" if run is None else f"by {run}")[:20]  # The hash of the settings keeps truncated names apart.
    names = [
        simulate_judge(
            judgements, f"judge {number + 1} {way} ({settings})", run=run, noise=noise, unsure=unsure, seed=seed
        )
        for number in range(judges)
    ]
    answers = judgements.known(asked)[0] - before
    data = {"round": asked.number, "judges": names, "answers": answers}

    def show(out: Console) -> None:
        again = "" if answers else " They had already answered."
        out.print(
            f"{judges} simulated judges gave {answers} new answers.{again} See antiphon judge report --simulated."
        )

    session.result(data, show)


def _embedded(session: Session, workspace: Workspace, run: str | None) -> RunEmbeddings:
    """Return a run's track embeddings of all videos that have its features."""
    import numpy as np

    from antiphon.dual_encoder import DualEncoder

    folder = run_folder(workspace, run)
    model = DualEncoder.load(folder)
    features = model_features(workspace, model)
    # Judges hear sound beside sound and see pictures beside pictures.
    audio, video = (within_side(rows, model.correction_dim) for rows in model.embed(features, per="track"))
    ids = tuple(str(name) for name in np.unique(features.groups))
    return RunEmbeddings(workspace.run_name(folder), model.fingerprint[:16], ids, audio, video)


def _playable(catalogue: Catalogue, split: str) -> set[str]:
    return {
        row["id"]
        for row in catalogue.records()
        if row["path"] and row["has_audio"] and row["has_video"] and split in {row["split"], "all"}
    }


def _round(session: Session, number: int | None) -> tuple[Judgements, Round]:
    judgements = Judgements(session.workspace.judgements)
    found = judgements.round(number)
    if found is None:
        what = "no questions yet" if number is None else f"no round {number}"
        raise ConfigError(f"{judgements.path}: {what}. Run antiphon judge prepare first.")
    return judgements, found


def _described(judgements: Judgements, made: Round) -> dict[str, Any]:
    asked = judgements.questions(made.number).values()
    return vars(made) | {
        "aspects": dict(Counter(question.aspect for question in asked)),
        "kinds": dict(Counter(question.kind for question in asked)),
    }


def _counts(found: dict[str, Any]) -> str:
    from antiphon.presentation.judging_sentences import KIND_WORDS

    return ", ".join(f"{count} of {KIND_WORDS[kind]}" for kind, count in found["kinds"].items())


def _show(found: dict[str, Any], out: Console) -> None:
    from antiphon.presentation.judging_sentences import ASPECT_WORDS, BY_WORDS, judging_sentences, share_with_interval

    for sentence in judging_sentences(found):
        out.print(f"- {sentence}", markup=False, soft_wrap=True)
    if not found["answers"]:
        return
    table = Table("similarity", *(ASPECT_WORDS[name] for name in ("overall", "sound", "pictures")), box=None)
    table.title = "Agreement with the judges (chance 50%)"
    for item in found["similarities"]:
        if item["by"] != "matching":
            cells = (share_with_interval(item["aspects"][name]) for name in ("overall", "sound", "pictures"))
            table.add_row(f"{item['run']}, {BY_WORDS[item['by']]}", *cells)
    majority = found["majority"]
    lines = {f"{run}, the majority but one": parts for run, parts in majority["runs"].items()}
    for name, parts in (lines | {"one judge, the others' majority": majority["judge"]}).items():
        table.add_row(name, *(share_with_interval(parts[aspect]) for aspect in ("overall", "sound", "pictures")))
    out.print(table)
    out.print(f"95% bootstrap intervals over {found['resampled']}.", soft_wrap=True)
