"""`antiphon recommend`: new music videos for a person, and whether that works."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.table import Table

from antiphon.catalogue import Catalogue
from antiphon.cli.index import ready_index
from antiphon.cli.opening import run_folder, workspace_features
from antiphon.cli.session import BRIEFLY_S, Count, Here, Session
from antiphon.errors import ConfigError, SearchError
from antiphon.recommendation import Interactions, read_interactions
from antiphon.recommendation import recommend as recommended
from antiphon.recommendation.reasons import reasons
from antiphon.recommendation.space import Side, Space
from antiphon.runs import RECOMMENDATION_FILE
from antiphon.search import Index, Where
from antiphon.search.explaining import workspace_facts
from antiphon.spelling import did_you_mean
from antiphon.tables import write_text
from antiphon.workspace import Workspace

if TYPE_CHECKING:
    from antiphon.recommendation.holdout import HoldOut

_SYNTHETIC = (
    "Synthetic interactions: taste is drawn from tags, years and genres, on a synthetic catalogue thus from the very "
    "styles that were rendered. This is circular; it says nothing about people."
)


@Parameter(name="*")
@dataclass(frozen=True)
class Taste:
    """What somebody has liked.

    Attributes
    ----------
    like
        Ids of liked videos.
    history
        CSV or Parquet with user_id and video_id, and perhaps timestamp and weight or liked.
    user
        Whom to recommend to.
    synthetic
        Draw synthetic interactions from the catalogue's tags. They say nothing about people.
    """

    like: tuple[str, ...] = ()
    history: Path | None = None
    user: str | None = None
    synthetic: Annotated[bool, Parameter(negative="")] = False


@Parameter(name="*")
@dataclass(frozen=True)
class Measure:
    """Which videos play the new ones, where recommendations are measured.

    Attributes
    ----------
    evaluate
        Measure with held-out videos instead.
    hold_out
        Take the newest of the test videos for new ones, or draw them at random.
    by
        Draw single videos at random, or whole artists.
    share
        How many of the videos to choose from are new.
    split
        Choose the new ones from the test split, which the model has not seen, or from all.
    """

    evaluate: Annotated[bool, Parameter(negative="")] = False
    hold_out: Literal["date", "random"] = "random"
    by: Literal["video", "artist"] = "video"
    share: float = 0.5
    split: Literal["test", "all"] = "test"


def recommend(
    *,
    taste: Taste = Taste(),
    genre: tuple[str, ...] = (),
    min_year: int | None = None,
    k: Count = 10,
    weight: Annotated[float, Parameter(validator=Number(gte=0, lte=1))] = 0.5,
    measure: Measure = Measure(),
    run: str | None = None,
    seed: int = 0,
    session: Here,
) -> None:
    """Recommend music videos that somebody has not had, near in sound and pictures to what they liked.

    Say what was liked by `--like ID`, or by a table of interactions with `--history FILE --user NAME`. The embeddings
    are read from the workspace's index, which is built first where there is none. With
    `--evaluate` videos are held out and recommended to the users who liked them: recall, nDCG and coverage, beside
    chance, the genre and the popularity of the artist. Writes runs/RUN/recommendation.json then.

    Parameters
    ----------
    genre
        Only these genres.
    min_year
        First year.
    k
        Videos to recommend.
    weight
        Share of the sound, from 0 to 1; the rest is the pictures'.
    run
        Name of the run. Default: the one trained last.
    seed
        Draws synthetic interactions and held-out videos, and seeds the bootstrap.
    """
    folder = run_folder(session.existing_workspace(), run)
    if measure.evaluate:
        interactions = _interactions(session, taste, seed)
        found = run_evaluation(session, folder, interactions, _held(measure, seed), k, weight)
        session.result(found, lambda out: show_evaluation(found, out))
    else:
        liked, had = _taste(session, taste, seed)
        hits = run_recommendation(session, folder, liked, had, Where(genre=genre, min_year=min_year), k, weight)
        result = {"user": taste.user, "liked": liked, "synthetic": taste.synthetic, "hits": hits}
        session.result(result, lambda out: _show_hits(result, out))


def run_recommendation(
    session: Session, folder: Path, liked: list[str], had: list[str], where: Where, k: int, weight: float
) -> list[dict[str, Any]]:
    """What a run recommends, each with what it shares with the nearest of the liked videos."""
    space = run_space(session, folder)
    unknown = [name for name in liked if name not in set(space.ids)]
    if len(unknown) == len(liked):
        raise ConfigError(
            f"{unknown[0]}: is not in the index, so nothing is known of what it is like. Add it: antiphon index add"
        )
    if unknown:
        session.warn(f"{len(unknown)} of {len(liked)} liked videos are not in the index; the first is {unknown[0]}.")
    hits = recommended(space, liked, k, weight=weight, had=had, where=where)
    because = reasons(space, liked, [hit.id for hit in hits], workspace_facts(session.workspace), weight)
    return [asdict(hit) | asdict(reason) for hit, reason in zip(hits, because, strict=True)]


def run_space(session: Session, folder: Path) -> Space:
    """The track embeddings of a run, of what the catalogue has and with what it knows.

    They are read from the workspace's index, which is built where there is none; any other than the run's stays as it
    is, and the features are embedded.
    """
    catalogue = Catalogue.load(session.workspace.catalogue)
    others = _is_of_another_run(session.workspace, session.workspace.run_name(folder))
    space = _embedded(session, folder) if others else Space.of(ready_index(session, folder))
    return space.only(catalogue.ids).described(catalogue.records())


def _is_of_another_run(workspace: Workspace, run: str) -> bool:
    try:
        return Index.open(workspace.index).origin.run != run
    except SearchError:
        return False


def _embedded(session: Session, folder: Path) -> Space:
    from antiphon.dual_encoder import DualEncoder

    model = DualEncoder.load(folder)
    features = workspace_features(session.workspace, model.audio_name or None, model.video_name or None)
    ids = np.unique(features.groups)
    parts: dict[Side, Any] = {}
    sides: tuple[Side, Side] = ("audio", "video")
    for side, rows in zip(sides, model.embed(features, per="track"), strict=True):
        there = ~np.isnan(rows).any(axis=1)
        parts[side] = ids[there].tolist(), rows[there], [{}] * int(there.sum())
    return Space.joined(parts)


def _seen(session: Session, folder: Path) -> set[str]:
    """The videos that the model has seen in training."""
    from antiphon.dual_encoder import DualEncoder

    model = DualEncoder.load(folder)
    if model.published is not None:
        return set()
    features = workspace_features(session.workspace, model.audio_name or None, model.video_name or None)
    return set(features.groups[model.trained_on(features)].tolist())


def _held(measure: Measure, seed: int) -> "HoldOut":
    from antiphon.recommendation.holdout import HoldOut

    by = "date" if measure.hold_out == "date" else measure.by
    return HoldOut(by=by, share=measure.share, split="test" if measure.split == "test" else None, seed=seed)


def run_evaluation(
    session: Session, folder: Path, interactions: Interactions, held: "HoldOut", k: int, weight: float
) -> dict[str, Any]:
    """Evaluate the recommendations of a run and write its numbers."""
    from antiphon.recommendation.evaluation import evaluate_recommendation

    space, seen = run_space(session, folder), _seen(session, folder)
    with session.progress("Recommending") as report:
        found = evaluate_recommendation(
            space, interactions, held, k=k, weight=weight, seen=seen, progress=lambda done, of: report(done, of, "")
        )
    found = {"run": session.workspace.run_name(folder)} | found
    if found["seen_by_model"]:
        session.warn(
            f"{found['seen_by_model']} of {found['new']} new videos were seen in training, so they are not new to the "
            "model. Choose among the test split."
        )
    with session.workspace.lock(BRIEFLY_S):
        write_text(json.dumps(found, indent=2), folder / RECOMMENDATION_FILE)
    return found


def show_evaluation(found: dict[str, Any], out: Console) -> None:
    """Print the methods as a table, one a line, then what content has over each of the others."""
    k = found["k"]
    columns = (f"recall@{k}", f"ndcg@{k}")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", *columns, f"coverage@{k}"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for name, numbers in found["methods"].items():
        shown = (_with_interval(numbers[column]) for column in columns)
        table.add_row(name, *shown, f"{numbers[f'coverage@{k}']['value']:.2f}")
    chance = {key: number["chance"] for key, number in found["methods"]["content"].items()}
    table.add_row("chance", *(f"{chance[column]:.3f}" for column in columns), f"{chance[f'coverage@{k}']:.2f}")
    null = found["null"]
    table.add_row("the null", *(_with_interval(null[column], "middle95") for column in columns))
    held = found["hold_out"]
    how = f"out since {held['since']}" if held["since"] else f"drawn by {held['by']}"
    out.print(
        f"Run {found['run']}: {found['new']} new videos, {how}, {found['old']} old ones; {found['users']} users who "
        f"liked both ({found['users_left_out']} others left out), {found['relevant']:.1f} new ones each.",
        soft_wrap=True,
    )
    out.print(table)
    for name, ahead in found["differences"].items():
        by = " and ".join(f"{_with_interval(ahead[column])} in {column}" for column in columns)
        out.print(f"Content less {name}: {by}.", soft_wrap=True)
    for name, ahead in null["differences"].items():
        by = " and ".join(f"{_with_interval(ahead[column])} in {column}" for column in columns)
        out.print(f"The null less {name}: {by}.", soft_wrap=True)
    out.print("Brackets: 95% bootstrap over users, paired for the differences; the videos are kept.", soft_wrap=True)
    out.print(
        f"The null: content with the vectors of other videos, in {null['permutations']} permutations; brackets: the "
        "middle 95% of them, and over permutations and users for its differences.",
        soft_wrap=True,
    )
    if found["synthetic"]:
        out.print(_SYNTHETIC, soft_wrap=True)


def _with_interval(number: dict[str, Any], interval: str = "ci95") -> str:
    low, high = number[interval]
    return f"{number['value']:.3f} ({low:.3f} to {high:.3f})"


def _interactions(session: Session, taste: Taste, seed: int) -> Interactions:
    """The user's own table, or a synthetic one where it is asked for."""
    catalogue, history, synthetic = Catalogue.load(session.workspace.catalogue), taste.history, taste.synthetic
    if synthetic == (history is not None):
        raise ConfigError("Give the interactions with --history FILE, or draw some with --synthetic: one of the two.")
    if history is None:
        from antiphon.seeding import generator
        from antiphon.synthetic.listeners import SyntheticTaste, synthetic_interactions

        return synthetic_interactions(catalogue.records(), SyntheticTaste(), generator(seed, "synthetic interactions"))
    found = read_interactions(history, catalogue.ids)
    for part in found.left_out:
        session.warn(f"{history}: {part}")
    return found


def _taste(session: Session, taste: Taste, seed: int) -> tuple[list[str], list[str]]:
    """What was liked, and what was had."""
    if taste.like:
        known = set(Catalogue.load(session.workspace.catalogue).ids)
        unknown = [name for name in taste.like if name not in known]
        if unknown:
            hint = did_you_mean(unknown[0], known)
            raise ConfigError(f"--like {unknown[0]}: no such video in the catalogue.{hint}")
        return list(taste.like), []
    if taste.user is None:
        raise ConfigError("Say what was liked: --like ID, or --history FILE --user NAME. Or measure with --evaluate.")
    interactions = _interactions(session, taste, seed)
    return interactions.history(taste.user), interactions.had(taste.user)


def _show_hits(result: dict[str, Any], out: Console) -> None:
    out.print(f"From {len(result['liked'])} liked videos:")
    for place, hit in enumerate(result["hits"], start=1):
        about = hit["metadata"]
        words = ", ".join(str(about[name]) for name in ("artist", "title", "genre", "year") if about.get(name))
        out.print(f"{place:3}. {hit['id']}  {hit['score']:.3f}  {words}", markup=False, soft_wrap=True)
        shared = "; ".join(hit["shared"]) or "nothing that can be named"
        out.print(f"     like {hit['like']}: {shared}", markup=False, soft_wrap=True, style="dim")
    if result["synthetic"]:
        out.print(_SYNTHETIC, soft_wrap=True)
