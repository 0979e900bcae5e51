"""`antiphon evaluate`: ranks of held-out videos."""

import json
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from antiphon.cli.opening import run_folder, workspace_features
from antiphon.cli.session import BRIEFLY_S, Here, Session
from antiphon.runs import METRICS_FILE
from antiphon.tables import write_text

_WAYS = {"a2v": "sound → pictures", "v2a": "pictures → sound"}


def evaluate(
    *, run: str | None = None, split: Literal["train", "validation", "test"] = "test", seed: int = 0, session: Here
) -> None:
    """Rank the held-out pairs both ways, with pool size, chance, 95% interval and the permutation null.

    Writes runs/RUN/metrics.json (for the test split).

    Parameters
    ----------
    run
        Name of the run. Default: the one trained last.
    split
        Which videos to rank.
    seed
        Of the bootstrap and the permutations.
    """
    found = run_evaluate(session, run, split, seed)
    session.result(found, lambda out: show_ranks(found, out))


def run_evaluate(session: Session, run: str | None, split: str, seed: int) -> dict[str, Any]:
    """Evaluate a run and write its metrics."""
    from antiphon.dual_encoder import DualEncoder
    from antiphon.evaluation import evaluate as measure

    workspace = session.existing_workspace()
    folder = run_folder(workspace, run)
    model = DualEncoder.load(folder)
    features = workspace_features(workspace, model.audio_name or None, model.video_name or None)
    found = {
        "run": workspace.run_name(folder),
        "split": split,
        "audio": model.audio_name,
        "video": model.video_name,
        "seed": seed,
    }
    found |= measure(model, features[split], seed=seed)
    if split == "test":
        with workspace.lock(BRIEFLY_S):
            write_text(json.dumps(found, indent=2), folder / METRICS_FILE)
    return found


def show_ranks(found: dict[str, Any], out: Console) -> None:
    """Print the ranks as a table: one line a pool and direction."""
    from antiphon.presentation.numbers import rank, share

    table = Table(
        title=f"Run {found['run']}, {found['split']} split",
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for column in ("", "median rank", "95%", "null", "chance", "R@10", "MRR"):
        table.add_column(column, justify="left" if not column else "right", no_wrap=True)
    rows = "segments" if "tracks" in found else "tracks"
    parts = {
        "tracks": found.get("tracks"),
        rows: found,
        "others": found.get("other_tracks"),
        "authors": found.get("authors_dot_product"),
    }
    for pool, part in parts.items():
        if part is None:
            continue
        for way, words in _WAYS.items():
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
    out.print(table)
    out.print(
        f"95%: bootstrap over {found['a2v']['groups']} videos, pool kept. Null: the middle 95% of the same model's "
        "median rank when the videos' partners are permuted at random.",
        soft_wrap=True,
    )
    if parts["others"] is not None:
        out.print("others: segments, without the other segments of the true partner's track among the candidates.")
    if "times_alone" in (found.get("tracks") or {}):
        alone = " and ".join(rank(value) for value in found["tracks"]["times_alone"].values())
        out.print(f"Number and times of the segments alone, all features alike, give the tracks ranks of {alone}.")
    if parts["authors"] is not None:
        out.print("authors: the same pairs scored as in the paper's code, by the dot product with sound of any length.")
