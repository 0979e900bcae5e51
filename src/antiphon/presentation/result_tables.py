"""Tables of ranks, probes and audits."""

import textwrap
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from antiphon.presentation.numbers import brief, rank, share, whole
from antiphon.presentation.rank_sentences import videos_drawn
from antiphon.presentation.tables import Table

WAYS = {"a2v": "audio → video", "v2a": "video → audio"}
STATUSES = ("fail", "warn", "n/a", "pass")
"""Statuses of an audit's checks, in the order in which they are shown."""

_RECALL = "recall@"
METRICS = {"roc_auc": "ROC-AUC", "pr_auc": "PR-AUC", "f1": "F1"}


def rank_table(title: str, pools: Mapping[str, Mapping[str, Any]], *, pool_apart: bool = False) -> Table:
    """Return the ranks of one or several pools, one row per pool and direction.

    Parameters
    ----------
    title : str
        Title of the table.
    pools : mapping of str to mapping
        Name of each pool ("" for the only one) and its "a2v" and "v2a", as `antiphon.metrics.retrieval` returns them.
    pool_apart : bool, default False
        Put the size of the pool in a column of its own instead of writing "12 of 1,000".
    """
    k = shown_recall([both["a2v"] for both in pools.values()])
    size = ("N",) if pool_apart else ()
    recall = (f"R@{k}",) if k else ()
    columns = ("", *size, "median rank", "95%", "null", "chance", *recall, "MRR")
    rows = [
        (f"{pool}, {words}" if pool else words, *_rank_cells(both[way], k, pool_apart))
        for pool, both in pools.items()
        for way, words in WAYS.items()
    ]
    first = next(iter(pools.values()))["a2v"]
    note = f"95%: bootstrap over {resampled(first)}, pool fixed. Null: the middle 95% with partners permuted at random."
    return Table(title, columns, rows, [note])


def resampled(ranks: Mapping[str, Any]) -> str:
    """Say what the interval of some ranks is over.

    Parameters
    ----------
    ranks : mapping
        One direction of what `antiphon.metrics.retrieval` returns.

    Examples
    --------
    >>> resampled({"groups": 66, "resampled": 41})
    '66 videos in 41 groups by artist'
    >>> resampled({"groups": 66, "resampled": 66})
    '66 videos'
    """
    return videos_drawn(ranks["groups"], ranks.get("resampled", ranks["groups"]))


def shown_recall(several: list[Mapping[str, Any]]) -> int:
    """Return the cut-off of the recall to show: 10 where it was computed, else the largest; 0 where there is none.

    Parameters
    ----------
    several : list of mapping
        Numbers of one direction of each pool.

    Examples
    --------
    >>> shown_recall([{"recall@1": 0.1, "recall@5": 0.2}])
    5
    """
    known = [{int(key.removeprefix(_RECALL)) for key in ranks if key.startswith(_RECALL)} for ranks in several]
    common = set.intersection(*known)
    return 10 if 10 in common else max(common, default=0)


def _rank_cells(ranks: Mapping[str, Any], k: int, pool_apart: bool) -> tuple[str, ...]:
    median, pool = rank(ranks["median_rank"]), whole(ranks["n"])
    return (
        *((pool, median) if pool_apart else (f"{median} of {pool}",)),
        "–".join(map(brief, ranks["ci95"])),
        "–".join(map(brief, ranks["null95"])),
        rank(ranks["chance"]),
        *((share(ranks[f"{_RECALL}{k}"]),) if k else ()),
        f"{ranks['mrr']:.3f}",
    )


def probe_tables(found: Mapping[str, Any]) -> list[Table]:
    """Return the classifiers of a probe: a table for each kind and level, with a 95% interval beside each number.

    Parameters
    ----------
    found : mapping
        What `antiphon.probe` returns.
    """
    sections = dict.fromkeys((row["kind"], row["level"]) for row in found["table"])
    tables: list[Table] = []
    for kind, level in sections:
        rows = [row for row in found["table"] if (row["kind"], row["level"]) == (kind, level)]
        title = f"{found['target']}, {kind}, {whole(rows[0]['n'])} {level}"
        cells = [(row["representation"], *_probe_cells(row)) for row in rows]
        tables.append(Table(title, ("", *METRICS.values()), cells))
    return [*tables[:-1], replace(tables[-1], notes=[_probe_note(found)])]


def probe_table(title: str, found: Mapping[str, Any]) -> Table:
    """Return the classifiers of a probe in one table, a row each.

    Parameters
    ----------
    title : str
        Title of the table.
    found : mapping
        What `antiphon.probe` returns.
    """
    rows = [
        (f"{row['representation']}, {row['kind']}, {row['level']}", whole(row["n"]), *_probe_cells(row))
        for row in found["table"]
    ]
    return Table(title, ("", "N", *METRICS.values()), rows, [_probe_note(found)])


def _probe_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_bracketed(row[metric]) for metric in METRICS)


def _probe_note(found: Mapping[str, Any]) -> str:
    first = found["table"][0]
    chance = ", ".join(f"{first[metric]['chance']:.3f} {words}" for metric, words in METRICS.items())
    return f"In brackets: 95%, bootstrap over videos. Chance: {chance}."


def classification_table(title: str, found: Mapping[str, Any]) -> Table:
    """Return the three numbers of a classification with interval, null and chance.

    Parameters
    ----------
    title : str
        Title of the table.
    found : mapping
        What `antiphon.metrics.classification` returns.
    """
    rows = [
        (
            words,
            f"{found[metric]['value']:.3f}",
            "–".join(f"{edge:.3f}" for edge in found[metric]["ci95"]),
            "–".join(f"{edge:.3f}" for edge in found[metric]["null95"]),
            f"{found[metric]['chance']:.3f}",
        )
        for metric, words in METRICS.items()
    ]
    return Table(title, ("", "value", "95%", "null", "chance"), rows)


def _bracketed(part: Mapping[str, Any]) -> str:
    low, high = part["ci95"]
    return f"{part['value']:.3f} [{low:.3f}, {high:.3f}]"


def audit_table(found: Mapping[str, Any]) -> Table:
    """Return the checks of an audit, those that failed first.

    Parameters
    ----------
    found : mapping
        What `antiphon.audit` returns.
    """
    ordered = sorted(found["checks"], key=lambda check: STATUSES.index(check["status"]))
    rows = [(check["status"], f"{check['name']}. {check['finding']}") for check in ordered]
    return Table(found["verdict"], ("", "check"), rows)


def audit_text(found: Mapping[str, Any], width: int = 100) -> str:
    """Return the checks of an audit as wrapped lines, the verdict first.

    Parameters
    ----------
    found : mapping
        What `antiphon.audit` returns.
    width : int, default 100
        Columns of the text.
    """
    table = audit_table(found)
    lines = textwrap.wrap(table.title, width)
    for status, finding in table.rows:
        lines += textwrap.wrap(finding, width, initial_indent=f"{status:<6}", subsequent_indent=" " * 6)
    return "\n".join(lines)
