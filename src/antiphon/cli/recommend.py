"""`antiphon recommend`: new music videos for a person, and whether that works."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.table import Table

from antiphon.catalogue import Catalogue
from antiphon.cli.session import Here, Session
from antiphon.cli.train import run_folder, workspace_features
from antiphon.errors import ConfigError
from antiphon.recommendation import Interactions, read_interactions
from antiphon.recommendation import recommend as recommended
from antiphon.recommendation.reasons import reasons
from antiphon.recommendation.space import Side, Space
from antiphon.runs import RECOMMENDATION_FILE
from antiphon.search import Where
from antiphon.search.facts import workspace_facts
from antiphon.tables import write_text

_SYNTHETIC = (
    "Synthetic interactions: taste is drawn from tags, years and genres, on a synthetic catalogue thus from the very "
    "styles that were rendered. This is circular; it says nothing about people."
)


def recommend(
    *,
    like: tuple[str, ...] = (),
    history: Path | None = None,
    user: str | None = None,
    genre: tuple[str, ...] = (),
    since: int | None = None,
    k: Annotated[int, Parameter(name="-k", validator=Number(gte=1))] = 10,
    weight: Annotated[float, Parameter(validator=Number(gte=0, lte=1))] = 0.5,
    evaluate: Annotated[bool, Parameter(negative="")] = False,
    hold_out: Literal["date", "random"] = "random",
    by: Literal["video", "artist"] = "video",
    share: float = 0.5,
    split: Literal["test", "all"] = "test",
    synthetic: Annotated[bool, Parameter(negative="")] = False,
    run: str | None = None,
    seed: int = 0,
    session: Here,
) -> None:
    """Recommend music videos that somebody has not had, near in sound and pictures to what they liked.

    Say what was liked by `--like ID`, or by a table of interactions with `--history FILE --user NAME`. With
    `--evaluate` videos are held out and recommended to the users who liked them: recall, nDCG and coverage, beside
    chance, the genre and the popularity of the artist. Writes runs/RUN/recommendation.json then.

    Parameters
    ----------
    like
        Ids of liked videos.
    history
        CSV or Parquet with user_id and video_id, and perhaps timestamp and weight or liked.
    user
        Whom to recommend to.
    genre
        Recommend these genres only.
    since
        Recommend what came out in this year or later.
    k
        Videos to recommend.
    weight
        Share of the sound, from 0 to 1; the rest is the pictures'.
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
    synthetic
        Draw synthetic interactions from the catalogue's tags. They say nothing about people.
    run
        Name of the run. Default: the one trained last.
    seed
        Draws synthetic interactions and held-out videos, and seeds the bootstrap.
    """
    workspace = session.existing_workspace()
    if evaluate:
        from antiphon.recommendation.holdout import HoldOut

        held = HoldOut(
            by="date" if hold_out == "date" else by, share=share, split="test" if split == "test" else None, seed=seed
        )
        folder = run_folder(workspace, run)
        found = run_evaluation(session, folder, _interactions(session, history, synthetic, seed), held, k, weight)
        session.result(found, lambda out: show_evaluation(found, out))
        return
    liked, had = _taste(session, like, history, user, synthetic, seed)
    space, _ = run_space(session, run_folder(workspace, run))
    hits = recommended(
        space,
        liked,
        k,
        weight=weight,
        had=had,
        where=Where(genre=genre, year_from=since),
    )
    because = reasons(space, liked, [hit.id for hit in hits], workspace_facts(workspace), weight)
    told = [asdict(hit) | asdict(reason) for hit, reason in zip(hits, because, strict=True)]
    result = {"user": user, "liked": liked, "synthetic": synthetic, "hits": told}
    session.result(result, lambda out: _show_hits(result, out))


def run_space(session: Session, folder: Path) -> tuple[Space, set[str]]:
    """The track embeddings of a run with the catalogue's metadata, and the videos that the model has seen."""
    from antiphon.dual_encoder import DualEncoder

    model = DualEncoder.load(folder)
    features = workspace_features(session.workspace, model.audio_name or None, model.video_name or None)
    ids = np.unique(features.groups)
    seen = set() if model.published is not None else set(features.groups[model.trained_on(features)].tolist())
    audio, video = model.embed(features, per="track")
    parts: dict[Side, Any] = {"audio": _there(ids, audio), "video": _there(ids, video)}
    return Space.joined(parts).described(Catalogue.load(session.workspace.catalogue).records()), seen


def _there(ids: npt.NDArray[Any], vectors: npt.NDArray[np.float32]) -> tuple[list[str], Any, list[dict[str, Any]]]:
    """The tracks that have this side."""
    rows = ~np.isnan(vectors).any(axis=1)
    return ids[rows].tolist(), vectors[rows], [{} for _ in range(int(rows.sum()))]


def run_evaluation(
    session: Session, folder: Path, interactions: Interactions, held: Any, k: int, weight: float
) -> dict[str, Any]:
    """Evaluate the recommendations of a run and write its numbers."""
    from antiphon.recommendation.evaluation import evaluate_recommendation

    space, seen = run_space(session, folder)
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
        out.print(f"Content is ahead of {name} by {by}.", soft_wrap=True)
    for name, ahead in null["differences"].items():
        by = " and ".join(f"{_with_interval(ahead[column])} in {column}" for column in columns)
        out.print(f"The null is ahead of {name} by {by}.", soft_wrap=True)
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


def _interactions(session: Session, history: Path | None, synthetic: bool, seed: int) -> Interactions:
    """The user's own table, or a synthetic one where it is asked for."""
    catalogue = Catalogue.load(session.workspace.catalogue)
    if synthetic == (history is not None):
        raise ConfigError("Give the interactions with --history FILE, or draw some with --synthetic: one of the two.")
    if history is None:
        from antiphon.recommendation.synthetic import SyntheticTaste, synthetic_interactions
        from antiphon.seeding import generator

        return synthetic_interactions(catalogue.records(), SyntheticTaste(), generator(seed, "synthetic interactions"))
    found = read_interactions(history, catalogue.ids)
    for part in found.left_out:
        session.warn(f"{history}: {part}")
    return found


def _taste(
    session: Session, like: tuple[str, ...], history: Path | None, user: str | None, synthetic: bool, seed: int
) -> tuple[list[str], list[str]]:
    """What was liked, and what was had."""
    if like:
        known = set(Catalogue.load(session.workspace.catalogue).ids)
        unknown = [name for name in like if name not in known]
        if unknown:
            raise ConfigError(f"--like {unknown[0]}: no such video in the catalogue.")
        return list(like), []
    if user is None:
        raise ConfigError("Say what was liked: --like ID, or --history FILE --user NAME. Or measure with --evaluate.")
    interactions = _interactions(session, history, synthetic, seed)
    return interactions.history(user), interactions.had(user)


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
