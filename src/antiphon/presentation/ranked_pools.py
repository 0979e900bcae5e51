"""The pools of an evaluation: which there are, what is to be known of them, and their numbers to be copied."""

from collections.abc import Mapping
from typing import Any

from antiphon.plurals import counted
from antiphon.presentation.csv_text import csv_text
from antiphon.presentation.flag_words import flag_list
from antiphon.presentation.moment_sentences import moment_sentences
from antiphon.presentation.numbers import rank
from antiphon.presentation.result_tables import WAYS, rank_table
from antiphon.presentation.tables import table_latex, table_text

_COLUMNS = (
    *("pool", "query", "target", "n", "groups", "resampled", "median_rank", "median_rank_low", "median_rank_high"),
    *("median_rank_null_low", "median_rank_null_high", "median_rank_chance", "recall@10", "mrr"),
)


def ranked_pools(metrics: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the pools that were ranked.

    Parameters
    ----------
    metrics : mapping
        Content of a run's metrics.json.

    Returns
    -------
    dict of str to mapping
        "a2v" and "v2a" by the pool's name: "tracks", and where they were ranked "segments", "others" and "authors".
    """
    pools = {
        "tracks": metrics.get("tracks"),
        "segments" if "tracks" in metrics else "tracks": metrics,
        "others": metrics.get("other_tracks"),
        "authors": metrics.get("authors_dot_product"),
    }
    return {name: {way: both[way] for way in WAYS} for name, both in pools.items() if both}


def pool_sentences(metrics: Mapping[str, Any]) -> list[str]:
    """Tell what is to be known of the pools beside their ranks.

    Parameters
    ----------
    metrics : mapping
        Content of a run's metrics.json.

    Returns
    -------
    list of str
        Sentences: flagged segments, what the pools are, what the times alone give away, moments.

    Examples
    --------
    >>> ranks = {"a2v": {"n": 12}, "v2a": {"n": 12}}
    >>> pool_sentences(ranks | {"other_tracks": ranks})
    ["others: segments; candidates exclude the other segments of the true partner's track."]
    """
    told: list[str] = []
    if flagged := metrics.get("flagged"):
        of = f"{flagged} of the {counted(metrics['a2v']['n'], 'segment')} {'is' if flagged == 1 else 'are'} flagged"
        told.append(f"{of} ({flag_list()}); they are ranked like the others.")
    if metrics.get("other_tracks"):
        told.append("others: segments; candidates exclude the other segments of the true partner's track.")
    if times := (metrics.get("tracks") or {}).get("times_alone"):
        alone = " and ".join(rank(times[way]) for way in WAYS)
        told.append(f"With the sound of other tracks, number and times of the segments alone rank the tracks {alone}.")
    told += moment_sentences(metrics.get("moments", {}))
    if metrics.get("authors_dot_product"):
        told.append("authors: the same pairs scored as in the paper's code: dot product, audio not normalised.")
    return told


def ranks_to_copy(title: str, metrics: Mapping[str, Any]) -> dict[str, str]:
    """Return the ranks of all pools, with pool size, interval, null and chance, as people take them elsewhere.

    Parameters
    ----------
    title : str
        Title of the tables.
    metrics : mapping
        Content of a run's metrics.json.

    Returns
    -------
    dict of str to str
        The same numbers as "text", "LaTeX" (for booktabs) and "CSV" (not rounded).
    """
    pools = ranked_pools(metrics)
    shown = {name: {way: _shown(both[way]) for way in WAYS} for name, both in pools.items()}
    rows = [_row(name, way, both[way]) for name, both in pools.items() for way in WAYS]
    return {
        "text": table_text(rank_table(title, shown)),
        "LaTeX": table_latex(rank_table(title, shown, pool_apart=True)),
        "CSV": csv_text(_COLUMNS, rows),
    }


def _shown(ranks: Mapping[str, Any]) -> dict[str, Any]:
    names = ("n", "groups", "resampled", "median_rank", "ci95", "null95", "chance", "recall@10", "mrr")
    return {name: ranks[name] for name in names if name in ranks}


def _row(pool: str, way: str, ranks: Mapping[str, Any]) -> dict[str, Any]:
    query, target = WAYS[way].split(" → ")
    sizes = (ranks["n"], ranks["groups"], ranks.get("resampled"))
    median = (ranks["median_rank"], *ranks["ci95"], *ranks["null95"], ranks["chance"])
    values = (pool, query, target, *sizes, *median, ranks.get("recall@10"), ranks["mrr"])
    return dict(zip(_COLUMNS, values, strict=True))
