"""`antiphon recommend`: new music videos for a user, and how good the recommendations are."""

import json
from collections.abc import Sequence
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
from antiphon.cli.opening import model_features, run_folder
from antiphon.cli.session import BRIEFLY_S, Here, ResultCount, Session
from antiphon.embeddings import within_side
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
    "Synthetic interactions: tastes are drawn from tags, years and genres, which on a synthetic catalogue are the "
    "rendered styles themselves. This is circular and says nothing about people."
)


@Parameter(name="*")
@dataclass(frozen=True)
class Taste:
    """What a user has liked.

    Attributes
    ----------
    like
        Ids of liked videos.
    dislike
        Ids of disliked videos: what is close to them comes later.
    history
        CSV or Parquet with user_id and video_id, and optionally timestamp and weight or liked.
    user
        User to recommend to.
    synthetic
        Draw synthetic interactions from the catalogue's tags. They say nothing about people.
    """

    like: tuple[str, ...] = ()
    dislike: tuple[str, ...] = ()
    history: Path | None = None
    user: str | None = None
    synthetic: Annotated[bool, Parameter(negative="")] = False


@Parameter(name="*")
@dataclass(frozen=True)
class Measure:
    """How recommendations are evaluated.

    Attributes
    ----------
    evaluate
        Evaluate recommendations of held-out videos instead.
    hold_out
        Treat as new: the newest test videos, or random ones.
    by
        Draw random videos, or random artists.
    share
        Fraction of the candidate videos that are treated as new.
    split
        Draw new videos from the test split, which the model has not seen, or from all.
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
    k: ResultCount = 10,
    weight: Annotated[float, Parameter(validator=Number(gte=0, lte=1))] = 0.5,
    measure: Measure = Measure(),
    run: str | None = None,
    seed: int = 0,
    session: Here,
) -> None:
    """Recommend music videos that a user does not know yet, close in sound and pictures to what they liked.

    Give what was liked with `--like ID`, or a table of interactions with `--history FILE --user NAME`. Embeddings are
    read from the workspace's index, which is built if there is none. `--evaluate` holds out videos and recommends them
    to the users who liked them; it prints recall, nDCG and coverage, compared with chance and with recommending by
    genre and by the artist's popularity, and writes runs/RUN/recommendation.json.

    Parameters
    ----------
    genre
        Only these genres.
    min_year
        First year.
    k
        Number of recommendations.
    weight
        Weight of audio, from 0 to 1; video has the rest.
    run
        Name of the run. Default: the one trained last.
    seed
        Seed of synthetic interactions, held-out videos and the bootstrap.
    """
    folder = run_folder(session.existing_workspace(), run)
    if measure.evaluate:
        interactions = _interactions(session, taste, seed)
        found = run_evaluation(session, folder, interactions, _held(measure, seed), k, weight)
        session.result(found, lambda out: show_evaluation(found, out))
    else:
        liked, known = _taste(session, taste, seed)
        where = Where(genre=genre, min_year=min_year)
        hits = run_recommendation(session, folder, liked, known, where, k, weight, taste.dislike)
        result = {"user": taste.user, "liked": liked, "synthetic": taste.synthetic, "hits": hits}
        session.result(result, lambda out: _show_hits(result, out))


def run_recommendation(
    session: Session,
    folder: Path,
    liked: list[str],
    known: list[str],
    where: Where,
    k: int,
    weight: float,
    disliked: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Recommend with a run, and explain each recommendation by what it shares with the nearest liked video.

    Parameters
    ----------
    session : Session
        Session of the command line.
    folder : Path
        Folder of the run.
    liked : list of str
        Ids of the liked videos.
    known : list of str
        Ids that are not recommended again.
    where : Where
        Conditions.
    k : int
        Number of recommendations.
    weight : float
        Weight of audio.
    disliked : sequence of str
        Ids of disliked videos.

    Returns
    -------
    list of dict
        Recommendations, best first.

    Raises
    ------
    ConfigError
        None of the liked videos is in the index.
    """
    space = run_space(session, folder)
    unknown = [name for name in liked if name not in set(space.ids)]
    if len(unknown) == len(liked):
        raise ConfigError(f"{unknown[0]}: not in the index. Add it: antiphon index add")
    if unknown:
        session.warn(f"{len(unknown)} of {len(liked)} liked videos are not in the index, such as {unknown[0]}.")
    hits = recommended(space, liked, k, disliked=disliked, weight=weight, exclude=known, where=where)
    because = reasons(space, liked, [hit.id for hit in hits], workspace_facts(session.workspace), weight)
    return [asdict(hit) | asdict(reason) for hit, reason in zip(hits, because, strict=True)]


def run_space(session: Session, folder: Path) -> Space:
    """Return a run's track embeddings of the videos in the catalogue, with their metadata.

    They are read from the workspace's index, which is built if there is none. An index of another run is left alone,
    and the features are embedded instead.

    Parameters
    ----------
    session : Session
        Session of the command line.
    folder : Path
        Folder of the run.

    Returns
    -------
    Space
        The embeddings.
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
    features = model_features(session.workspace, model)
    ids = np.unique(features.groups)
    parts: dict[Side, Any] = {}
    sides: tuple[Side, Side] = ("audio", "video")
    for side, rows in zip(sides, model.embed(features, per="track"), strict=True):
        there = ~np.isnan(rows).any(axis=1)
        parts[side] = ids[there].tolist(), within_side(rows[there], model.correction_dim), [{}] * int(there.sum())
    return Space.joined(parts)


def _seen(session: Session, folder: Path) -> set[str]:
    """Return the videos that the model was trained on."""
    from antiphon.dual_encoder import DualEncoder

    model = DualEncoder.load(folder)
    if model.published is not None:
        return set()
    features = model_features(session.workspace, model)
    return set(features.groups[model.trained_on(features)].tolist())


def _held(measure: Measure, seed: int) -> "HoldOut":
    from antiphon.recommendation.holdout import HoldOut

    by = "date" if measure.hold_out == "date" else measure.by
    return HoldOut(by=by, share=measure.share, split="test" if measure.split == "test" else None, seed=seed)


def run_evaluation(
    session: Session, folder: Path, interactions: Interactions, held: "HoldOut", k: int, weight: float
) -> dict[str, Any]:
    """Evaluate the recommendations of a run, and write the numbers.

    Parameters
    ----------
    session : Session
        Session of the command line.
    folder : Path
        Folder of the run.
    interactions : Interactions
        Who liked what.
    held : HoldOut
        Which videos are treated as new.
    k : int
        Number of recommendations.
    weight : float
        Weight of audio.

    Returns
    -------
    dict
        The content of recommendation.json.
    """
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
            "model. Use --split test."
        )
    with session.workspace.lock(BRIEFLY_S):
        write_text(json.dumps(found, indent=2), folder / RECOMMENDATION_FILE)
    return found


def show_evaluation(found: dict[str, Any], out: Console) -> None:
    """Print the methods as a table, then the differences of content-based recommendation to each other method.

    Parameters
    ----------
    found : dict
        What `run_evaluation` returned.
    out : Console
        Where to print.
    """
    k, null, held = found["k"], found["null"], found["hold_out"]
    columns = (f"recall@{k}", f"ndcg@{k}")
    how = f"released since {held['since']}" if held["since"] else f"drawn by {held['by']}"
    out.print(
        f"Run {found['run']}: {found['new']} new videos, {how}, {found['old']} old ones; {found['users']} users who "
        f"liked both ({found['users_left_out']} others excluded), {found['relevant']:.1f} new ones each.",
        soft_wrap=True,
    )
    out.print(_method_table(found))
    for first, differences in (("Content", found["differences"]), ("Null", null["differences"])):
        for name, ahead in differences.items():
            by = " and ".join(f"{_with_interval(ahead[column])} in {column}" for column in columns)
            out.print(f"{first} minus {name}: {by}.", soft_wrap=True)
    out.print("Brackets: 95% bootstrap over users, paired for the differences; videos fixed.", soft_wrap=True)
    out.print(
        f"Null: content with each video's vectors swapped for another's, over {null['permutations']} permutations; "
        "brackets: the middle 95% of these; for its differences, over permutations and users.",
        soft_wrap=True,
    )
    if found["synthetic"]:
        out.print(_SYNTHETIC, soft_wrap=True)


def _method_table(found: dict[str, Any]) -> Table:
    columns, coverage = (f"recall@{found['k']}", f"ndcg@{found['k']}"), f"coverage@{found['k']}"
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", *columns, coverage):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for name, numbers in found["methods"].items():
        shown = (_with_interval(numbers[column]) for column in columns)
        table.add_row(name, *shown, f"{numbers[coverage]['value']:.2f}")
    chance = {key: number["chance"] for key, number in found["methods"]["content"].items()}
    table.add_row("chance", *(f"{chance[column]:.3f}" for column in columns), f"{chance[coverage]:.2f}")
    table.add_row("null", *(_with_interval(found["null"][column], "middle95") for column in columns))
    return table


def _with_interval(number: dict[str, Any], interval: str = "ci95") -> str:
    low, high = number[interval]
    return f"{number['value']:.3f} ({low:.3f} to {high:.3f})"


def _interactions(session: Session, taste: Taste, seed: int) -> Interactions:
    """Return the given interactions, or synthetic ones."""
    catalogue, history, synthetic = Catalogue.load(session.workspace.catalogue), taste.history, taste.synthetic
    if synthetic == (history is not None):
        raise ConfigError("Give exactly one of --history FILE and --synthetic.")
    if history is None:
        from antiphon.seeding import generator
        from antiphon.synthetic.listeners import SyntheticTaste, synthetic_interactions

        return synthetic_interactions(catalogue.records(), SyntheticTaste(), generator(seed, "synthetic interactions"))
    found = read_interactions(history, catalogue.ids)
    for part in found.left_out:
        session.warn(f"{history}: {part}")
    if found.ignored:
        session.warn(f"{history}: nothing reads the columns {', '.join(found.ignored)}.")
    return found


def _taste(session: Session, taste: Taste, seed: int) -> tuple[list[str], list[str]]:
    """Return the ids that were liked, and all ids that the user has interacted with."""
    known = set(Catalogue.load(session.workspace.catalogue).ids) if taste.like or taste.dislike else set[str]()
    for flag, names in (("--like", taste.like), ("--dislike", taste.dislike)):
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ConfigError(f"{flag} {unknown[0]}: no such video in the catalogue.{did_you_mean(unknown[0], known)}")
    if taste.like:
        return list(taste.like), []
    if taste.user is None:
        raise ConfigError("Nothing to recommend from: give --like ID, or --history FILE --user NAME, or --evaluate.")
    interactions = _interactions(session, taste, seed)
    return interactions.history(taste.user), interactions.interacted(taste.user)


def _show_hits(result: dict[str, Any], out: Console) -> None:
    out.print(f"From {len(result['liked'])} liked videos:")
    for place, hit in enumerate(result["hits"], start=1):
        about = hit["metadata"]
        words = ", ".join(str(about[name]) for name in ("artist", "title", "genre", "year") if about.get(name))
        out.print(f"{place:3}. {hit['id']}  {hit['score']:.3f}  {words}", markup=False, soft_wrap=True)
        shared = "; ".join(hit["shared"]) or "nothing in particular"
        out.print(f"     like {hit['like']}: {shared}", markup=False, soft_wrap=True, style="dim")
    if result["synthetic"]:
        out.print(_SYNTHETIC, soft_wrap=True)
