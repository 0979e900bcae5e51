"""`antiphon evaluate`: ranks of held-out videos."""

import json
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from rich.console import Console
from rich.table import Table

from antiphon.cli.opening import model_features, run_folder
from antiphon.cli.session import BRIEFLY_S, Here, Session
from antiphon.evaluation_log import freeze as freeze_test_set
from antiphon.evaluation_log import frozen, keep_evaluation
from antiphon.features import Features
from antiphon.presentation.numbers import rank, share
from antiphon.presentation.rank_sentences import few_videos_sentence
from antiphon.presentation.ranked_pools import pool_sentences, ranked_pools
from antiphon.presentation.result_tables import WAYS, resampled
from antiphon.runs import METRICS_FILE
from antiphon.tables import write_text


def evaluate(
    *,
    run: str | None = None,
    split: Literal["train", "validation", "test"] = "test",
    test_set: str | None = None,
    freeze: str | None = None,
    seed: int = 0,
    session: Here,
) -> None:
    """Rank held-out pairs in both directions, with pool size, chance, 95% intervals and the permutation null.

    Writes runs/RUN/metrics.json (for the test split), and keeps each evaluation in runs/RUN/evaluations by its date.
    The test split grows with the catalogue; a frozen test set does not, so that models of different days can be
    compared.

    Parameters
    ----------
    run
        Name of the run. Default: the one trained last.
    split
        Split to evaluate on.
    test_set
        Name of a frozen test set to evaluate on instead.
    freeze
        Write down the music videos of the test split as a test set of this name, and evaluate on it.
    seed
        Seed of the bootstrap and the permutations.
    """
    if freeze is not None:
        run_freeze(session, run, freeze)
        test_set = freeze
    found = run_evaluate(session, run, split, seed, test_set)
    if few := few_videos_sentence(found):
        session.warn(few)
    session.result(found, lambda out: show_ranks(found, out))


def run_freeze(session: Session, run: str | None, name: str) -> None:
    """Write down the music videos of a run's test split that have both sides as a test set.

    Parameters
    ----------
    session : Session
        Session of the command line.
    run : str or None
        Name of the run; None: the one trained last.
    name : str
        Name of the test set.
    """
    from antiphon.dual_encoder import DualEncoder

    workspace = session.existing_workspace()
    features = model_features(workspace, DualEncoder.load(run_folder(workspace, run)))
    with workspace.lock(BRIEFLY_S):
        path = freeze_test_set(workspace, name, set(features["test"].paired.groups.tolist()))
    session.say(f"Frozen as a test set: {path}")


def run_evaluate(
    session: Session, run: str | None, split: str, seed: int, test_set: str | None = None
) -> dict[str, Any]:
    """Evaluate a run and, on the test split, write its metrics.

    Parameters
    ----------
    session : Session
        Session of the command line.
    run : str or None
        Name of the run; None: the one trained last.
    split : str
        Split to evaluate on.
    seed : int
        Seed of the bootstrap and the permutations.
    test_set : str, optional
        Name of a frozen test set to evaluate on instead of the split.

    Returns
    -------
    dict
        The content of metrics.json.
    """
    from antiphon.dual_encoder import DualEncoder
    from antiphon.evaluation import evaluate as measure

    workspace = session.existing_workspace()
    folder = run_folder(workspace, run)
    model = DualEncoder.load(folder)
    features = model_features(workspace, model)
    found = {
        "run": workspace.run_name(folder),
        "split": split,
        "audio": model.audio_name,
        "video": model.video_name,
        "seed": seed,
    }
    found |= measure(model, features[split] if test_set is None else _frozen(session, features, test_set), seed=seed)
    if split == "test" or test_set is not None:
        with workspace.lock(BRIEFLY_S):
            keep_evaluation(folder, found, test_set or "")
            if test_set is None:
                write_text(json.dumps(found, indent=2), folder / METRICS_FILE)
    return found


def _frozen(session: Session, features: Features, name: str) -> Features:
    """Return the features of a frozen test set, and say what of it is gone."""
    ids = frozen(session.workspace, name)
    found = features.take(np.isin(features.groups, ids))
    gone = set(ids) - set(found.groups.tolist())
    if gone:
        session.warn(f"{len(gone)} of the {len(ids)} music videos of test set {name} have no features any more.")
    return found


def show_ranks(found: dict[str, Any], out: Console) -> None:
    """Print the ranks as a table with one line per pool and direction, and explain the columns and pools.

    Parameters
    ----------
    found : dict
        What `run_evaluate` returned.
    out : Console
        Where to print.
    """
    title = f"Run {found['run']}, {found['split']} split"
    out.print(_rank_table(title, ranked_pools(found)))
    out.print(
        f"95%: bootstrap over {resampled(found['a2v'])}, pool fixed. Null: the middle 95% of the same model's "
        "median rank when the videos' partners are permuted at random.",
        soft_wrap=True,
    )
    for sentence in pool_sentences(found):
        out.print(sentence, soft_wrap=True)


def _rank_table(title: str, pools: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for column in ("", "median rank", "95%", "null", "chance", "R@10", "MRR"):
        table.add_column(column, justify="left" if not column else "right", no_wrap=True)
    for pool, part in pools.items():
        for way, words in WAYS.items():
            ranks = part[way]
            table.add_row(
                f"{pool}, {words}",
                f"{rank(ranks['median_rank'])} of {ranks['n']}",
                "–".join(map(rank, ranks["ci95"])),
                "–".join(map(rank, ranks["null95"])),
                rank(ranks["chance"]),
                share(ranks["recall@10"]),
                f"{ranks['mrr']:.2f}",
            )
    return table
