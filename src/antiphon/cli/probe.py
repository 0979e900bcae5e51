"""`antiphon probe`: genre and tag classifiers on the backbones' features and on the embeddings."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from antiphon.cli.opening import model_features, run_folder
from antiphon.cli.session import Here, Session
from antiphon.runs import probe_file, probe_scores_file
from antiphon.tables import write_text

_METRICS = {"roc_auc": "ROC-AUC", "pr_auc": "PR-AUC", "f1": "F1"}
_WRITTEN_LABELS = 5


def probe(
    *,
    run: str | None = None,
    target: Literal["genre", "tags"] = "genre",
    folds: int | None = None,
    seeds: int = 3,
    aggregate: Literal["concatenation", "mean"] = "concatenation",
    most_frequent: int = 10,
    min_positives: int | None = None,
    seed: int = 0,
    session: Here,
) -> None:
    """Train classifiers of genre or tags on representations, and test them on held-out videos.

    Covers the paper's six representations, the embeddings joined with the backbones' features, and, for comparison,
    networks that fuse audio and video under supervision (late, gated and bilinear fusion).

    Writes runs/RUN/probe-TARGET.json, and all scores to probe-TARGET.parquet.

    Parameters
    ----------
    run
        Name of the run. Default: the one trained last.
    target
        genre: one per video. tags: any number per video.
    folds
        Cross-validate over all videos: number of folds; heads and classifiers are trained anew for each.
        Default: train on the training split and test on the test split.
    seeds
        Number of trainings of the perceptron and of each fusion.
    aggregate
        How audio and video embeddings are joined; the paper does not say.
    most_frequent
        Number of tags: the most frequent among the training videos.
    min_positives
        Instead of most_frequent: take every tag (or genre) of at least this many training videos.
    seed
        Seed of folds, classifiers, bootstrap and permutations.
    """
    options = {"folds": folds, "seeds": seeds, "aggregate": aggregate, "seed": seed}
    options |= {"most_frequent": most_frequent, "min_positives": min_positives}
    found = run_probe(session, run, target, **options)
    session.result(found, lambda out: show_probe(found, out))


def run_probe(session: Session, run: str | None, target: Literal["genre", "tags"], **options: Any) -> dict[str, Any]:
    """Probe a run with a progress bar, and write the results.

    Parameters
    ----------
    session : Session
        Session of the command line.
    run : str or None
        Name of the run; None: the one trained last.
    target : {"genre", "tags"}
        What to classify.
    **options
        Arguments of `antiphon.evaluation.probe`.

    Returns
    -------
    dict
        The content of probe-TARGET.json.
    """
    from antiphon.dual_encoder import DualEncoder
    from antiphon.evaluation import probe as measure

    workspace = session.existing_workspace()
    folder = run_folder(workspace, run)
    model = DualEncoder.load(folder)
    features = model_features(workspace, model)
    with workspace.lock(), session.progress(f"Probing {target}") as progress:
        scores = folder / probe_scores_file(target)
        found = {
            "run": workspace.run_name(folder),
            **measure(model, features, target, progress=progress, scores_to=scores, **options),
        }
        write_text(json.dumps(found, indent=2, ensure_ascii=False), folder / probe_file(target))
    return found


def show_probe(found: dict[str, Any], out: Console) -> None:
    """Print a table for each classifier and level, and the difference of the embeddings to the best backbone.

    Parameters
    ----------
    found : dict
        What `run_probe` returned.
    out : Console
        Where to print.
    """
    sections = dict.fromkeys((_family(row), row["level"]) for row in found["table"])
    for kind, level in sections:
        rows = [row for row in found["table"] if (_family(row), row["level"]) == (kind, level)]
        judged = f"{rows[0]['n']} {level}" + (f" of {rows[0]['groups']} tracks" if level == "segments" else "")
        out.print(_table(f"Run {found['run']}, {found['target']}, {kind}, {judged}", map(_values, rows)))
        heads = [row for row in rows if "difference" in row["roc_auc"]]
        out.print(_table("Difference to the backbone that is best on the validation videos", map(_differences, heads)))
        out.print(_best_backbone(heads[0]), soft_wrap=True)
        out.print()
    out.print(_explained(found), soft_wrap=True)


def _family(row: Mapping[str, Any]) -> str:
    """Return the name of the table that a row belongs to: one for each classifier, one for all fusions."""
    return "supervised fusion" if _is_fusion(row) else row["kind"]


def _is_fusion(row: Mapping[str, Any]) -> bool:
    return row["kind"].startswith("fusion-")


def _name(row: Mapping[str, Any]) -> str:
    return row["kind"].removeprefix("fusion-") if _is_fusion(row) else row["representation"]


def _table(title: str, rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for column in ("", *_METRICS.values()):
        table.add_column(column, justify="left" if not column else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _values(row: dict[str, Any]) -> tuple[str, ...]:
    return (_name(row), *(_with_interval(row[metric]) for metric in _METRICS))


def _differences(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        _name(row).removeprefix("contrastive "),
        *(_with_interval(row[metric]["difference"]) for metric in _METRICS),
    )


def _with_interval(part: dict[str, Any]) -> str:
    low, high = part["ci95"]
    return f"{_short(part['value'])} [{_short(low)}, {_short(high)}]"


def _short(value: float) -> str:
    """Format a number from −1 to 1 with three decimals and no leading zero."""
    text = f"{value:z.3f}".replace("-", "\N{MINUS SIGN}")
    return text[:-1] if text.endswith("1.000") else text.replace("0.", ".", 1)


def _best_backbone(row: dict[str, Any]) -> str:
    names = {words: row[metric]["difference"]["baseline"] for metric, words in _METRICS.items()}
    if len(set(names.values())) == 1:
        return f"Best: {names['ROC-AUC']}."
    return "Best: " + ", ".join(f"{name} ({words})" for words, name in names.items()) + "."


def _explained(found: dict[str, Any]) -> str:
    first = found["table"][0]
    chance = ", ".join(f"{_short(first[metric]['chance'])} {words}" for metric, words in _METRICS.items())
    how = "trained on the training split, tested on the test split"
    if found["folds"]:
        how = f"{found['folds']}-fold cross-validation, of heads and classifiers alike"
    text = (
        f"{len(first['labels'])} labels, macro averages; {how}. Brackets: 95% bootstrap over videos. Chance: {chance}."
    )
    left_out = [one["label"] for one in first["left_out"]]
    if left_out:
        more = f" and {len(left_out) - _WRITTEN_LABELS} more" if len(left_out) > _WRITTEN_LABELS else ""
        text += f" Skipped, for too few positives or negatives: {', '.join(left_out[:_WRITTEN_LABELS])}{more}."
    return text
