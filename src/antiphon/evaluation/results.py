"""Results of evaluating a model: mappings that print as tables and compare with each other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from antiphon.metrics.classification_metrics import METRICS, measured
from antiphon.metrics.results import Comparison, Direction, Result, RetrievalResult, direction_rows, flat_number

if TYPE_CHECKING:
    import polars as pl

FloatArray = npt.NDArray[np.floating]
Metric = Literal["roc_auc", "pr_auc", "f1"]

_POOL_WORDS = {"other_tracks": "others", "authors_dot_product": "authors"}
_POOL_NOTES = {
    "other_tracks": "Others: segments; candidates exclude the other segments of the partner's track.",
    "authors_dot_product": "Authors: scored as in the paper's code: dot product, audio not normalised.",
}


class Evaluation(Result):
    """Ranks of held-out pairs in every pool that was ranked.

    Reads as `antiphon.evaluate` describes: {"a2v": …, "v2a": …, "seen": …, "tracks": …, …}.

    Parameters
    ----------
    values : mapping
        The numbers.
    pools : mapping of str to RetrievalResult
        The same numbers by pool, with the rank of every query: "tracks" (one embedding a music video), "segments",
        "other_tracks", "authors_dot_product", as far as they were ranked.
    name : str
        Name of the model.

    Attributes
    ----------
    pools, name
        As given.
    """

    def __init__(self, values: Mapping[str, Any], pools: Mapping[str, RetrievalResult], name: str) -> None:
        super().__init__(values)
        self.pools = dict(pools)
        self.name = name

    @property
    def ranks(self) -> dict[str, npt.NDArray[np.float64]]:
        """The (n,) ranks of all rows, under "a2v" and "v2a"."""
        return self.pools["segments" if "segments" in self.pools else "tracks"].ranks

    @property
    def title(self) -> str:
        """The name of the model and the number of videos, in words."""
        return f"{self.name} on {self['a2v']['groups']:,} music videos"

    def __repr__(self) -> str:
        from antiphon.presentation.tables import table_text

        return table_text(self._table())

    def _repr_html_(self) -> str:
        from antiphon.presentation.tables import notebook_html, rank_chart, table_html

        pool, ranks = next(iter(self.pools.items()))
        return notebook_html(rank_chart(ranks, pool), table_html(self._table()))

    def to_frame(self) -> "pl.DataFrame":
        """Return a polars table with one row per pool and direction.

        Columns are `model` and `pool`, then those of `RetrievalResult.to_frame`.

        Returns
        -------
        polars.DataFrame
            The table.
        """
        import polars as pl

        rows = [
            {"model": self.name, "pool": pool} | row
            for pool, ranks in self.pools.items()
            for row in direction_rows(ranks)
        ]
        return pl.DataFrame(rows)

    def to_latex(self, caption: str | None = None, label: str | None = None) -> str:
        """Return a LaTeX table for booktabs, with pool size, interval, null and chance.

        Parameters
        ----------
        caption : str, optional
            Caption. If given, the tabular is put in a `table` environment.
        label : str, optional
            Label of that environment.
        """
        from antiphon.presentation.tables import table_latex

        return table_latex(self._table(pool_apart=True), caption, label)

    def compare(
        self,
        other: "Evaluation",
        pool: str | None = None,
        *,
        direction: Direction = "both",
        names: tuple[str, str] | None = None,
        seed: int = 0,
    ) -> Comparison:
        """Compare with another model's ranks, paired by query.

        Parameters
        ----------
        other : Evaluation
            Another model, evaluated on the same features.
        pool : str, optional
            Which of `pools` to compare. Default: "tracks" where both have it, else "segments".
        direction : {"both", "a2v", "v2a"}, default "both"
            Queries to compare. Both directions of a row count as one query, by the mean of their log ranks.
        names : (str, str), optional
            What to call the two. Default: the names of the models.
        seed : int, default 0
            Seed of the bootstrap.

        Raises
        ------
        ValueError
            The models ranked other queries, or one of them has no such pool.
        """
        if pool is None:
            pool = "tracks" if "tracks" in self.pools and "tracks" in other.pools else "segments"
        for result in (self, other):
            if pool not in result.pools:
                raise ValueError(f"{result.name} has no ranks of {pool!r}; it has {', '.join(result.pools)}.")
        mine, theirs = self.pools[pool], other.pools[pool]
        return mine.compare(theirs, direction=direction, names=names, seed=seed)

    def _table(self, *, pool_apart: bool = False) -> Any:
        from dataclasses import replace

        from antiphon.presentation.result_tables import rank_table

        words = {_POOL_WORDS.get(pool, pool): ranks for pool, ranks in self.pools.items()}
        table = rank_table(self.title, words, pool_apart=pool_apart)
        return replace(table, notes=[*table.notes, *self._notes()])

    def _notes(self) -> Iterable[str]:
        from antiphon.presentation.moment_sentences import moment_sentences

        yield from (note for pool, note in _POOL_NOTES.items() if pool in self.pools)
        times = self.get("tracks", {}).get("times_alone")
        if times is not None:
            alone = " and ".join(f"{value:,g}" for value in times.values())
            yield f"Number and times of the segments alone rank the tracks {alone} (medians)."
        yield from moment_sentences(self.get("moments", {}))
        if self["seen"]:
            yield f"{self['seen']:,} of these videos were seen in training or early stopping: this is not a test."


@dataclass(frozen=True, eq=False)
class ProbeScores:
    """Scores of one classifier's trainings on held-out items.

    Attributes
    ----------
    by_seed : list of ndarray
        One (n, labels) float array per training.
    targets : ndarray of int64
        Classes, shape (n,), or 0 and 1, shape (n, labels).
    groups, ids : ndarray of str, shape (n,)
        Music video and name of each item.
    """

    by_seed: list[FloatArray]
    targets: npt.NDArray[np.int64]
    groups: npt.NDArray[np.str_]
    ids: npt.NDArray[np.str_]


@dataclass(frozen=True, repr=False)
class Difference:
    """Difference between the classifiers of two probes, on the same music videos.

    Attributes
    ----------
    name, other : str
        Names of the two.
    metric : str
        "roc_auc", "pr_auc" or "f1".
    value : float
        `name` minus `other`: positive if `name` is better.
    low, high : float
        95% bootstrap interval, with music videos resampled for both at once.
    n, groups : int
        Number of items, and of their music videos.
    """

    name: str
    other: str
    metric: Metric
    value: float
    low: float
    high: float
    n: int
    groups: int

    def __str__(self) -> str:
        from antiphon.presentation.result_tables import METRICS as WORDS

        word, over = WORDS[self.metric], f"paired over {self.n:,} items of {self.groups:,} videos"
        if self.low > 0 or self.high < 0:
            sign, edges = ("higher", (self.low, self.high)) if self.low > 0 else ("lower", (-self.high, -self.low))
            gap = f"(95% {edges[0]:.3f}–{edges[1]:.3f}, {over})"
            return f"{self.name} reaches a {word} {abs(self.value):.3f} {sign} than {self.other} {gap}."
        gap = f"{self.value:+.3f} (95% {self.low:+.3f} to {self.high:+.3f}, {over})"
        return f"{self.name} and {self.other} do not differ measurably in {word}: {gap}."

    __repr__ = __str__


class ProbeResult(Result):
    """How well classifiers tell genre or tags from each representation.

    Reads as `antiphon.probe` describes: {"target": …, "table": [...], …}.

    Parameters
    ----------
    values : mapping
        The numbers.
    scores : mapping of (str, str, str) to ProbeScores
        What the classifiers said, by representation, kind and level.

    Attributes
    ----------
    scores
        As given.
    """

    def __init__(self, values: Mapping[str, Any], scores: Mapping[tuple[str, str, str], ProbeScores]) -> None:
        super().__init__(values)
        self.scores = dict(scores)

    @property
    def title(self) -> str:
        """What was probed, in words."""
        return f"Probe of {self['recipe']}: {self['target']}, {len(self['labels'])} labels"

    def __repr__(self) -> str:
        from antiphon.presentation.result_tables import probe_tables
        from antiphon.presentation.tables import table_text

        return "\n\n".join([self.title, *map(table_text, probe_tables(self))])

    def _repr_html_(self) -> str:
        from antiphon.presentation.result_tables import probe_tables
        from antiphon.presentation.tables import notebook_html, table_html

        return notebook_html(*map(table_html, probe_tables(self)))

    def to_frame(self) -> "pl.DataFrame":
        """Return a polars table with one row per representation, kind of classifier and level.

        Columns are `representation`, `of`, `dim`, `kind`, `level`, `n` and `groups`; for each metric its value, `_low`,
        `_high`, `_null_low`, `_null_high` and `_chance`; and for rows with embeddings `_baseline`, `_difference`,
        `_difference_low` and `_difference_high`.

        Returns
        -------
        polars.DataFrame
            The table.
        """
        import polars as pl

        return pl.DataFrame([_probe_row(row) for row in self["table"]], infer_schema_length=None)

    def to_latex(self, caption: str | None = None, label: str | None = None) -> str:
        """Return a LaTeX table for booktabs, with the number of items, intervals and, as a comment, chance.

        Parameters
        ----------
        caption : str, optional
            Caption. If given, the tabular is put in a `table` environment.
        label : str, optional
            Label of that environment.
        """
        from antiphon.presentation.result_tables import probe_table
        from antiphon.presentation.tables import table_latex

        return table_latex(probe_table(self.title, self), caption, label)

    def compare(
        self,
        other: "ProbeResult",
        *,
        metric: Metric = "roc_auc",
        representation: str = "contrastive aggregated",
        kind: str = "perceptron",
        level: str = "tracks",
        names: tuple[str, str] | None = None,
        seed: int = 0,
    ) -> Difference:
        """Compare one classifier with that of another probe, paired by music video.

        Parameters
        ----------
        other : ProbeResult
            A probe of the same target on the same features.
        metric : {"roc_auc", "pr_auc", "f1"}, default "roc_auc"
            Number to compare.
        representation, kind, level : str
            Row of the table to compare, in both probes.
        names : (str, str), optional
            What to call the two. Default: the names of the recipes.
        seed : int, default 0
            Seed of the bootstrap.

        Raises
        ------
        ValueError
            A probe has no such row, or the two judged other items or labels.
        """
        if metric not in METRICS:
            raise ValueError(f"metric must be one of {', '.join(METRICS)}, not {metric!r}.")
        row = (representation, kind, level)
        for result in (self, other):
            if row not in result.scores:
                rows = "; ".join(", ".join(each) for each in result.scores)
                raise ValueError(f"This probe has no row {', '.join(row)}; it has {rows}.")
        mine, theirs = self.scores[row], other.scores[row]
        if self["labels"] != other["labels"] or not np.array_equal(mine.targets, theirs.targets):
            raise ValueError("The probes judged other labels. Probe the same target of the same features.")
        if not np.array_equal(mine.ids, theirs.ids) or not np.array_equal(mine.groups, theirs.groups):
            raise ValueError("The probes judged other items. Probe the same features, split or folded alike.")
        one, another = (measured(it.by_seed, it.targets, it.groups, seed=seed) for it in (mine, theirs))
        gap = one.difference(another, metric)
        name, other_name = names or (self["recipe"], other["recipe"])
        if name == other_name:
            name, other_name = "this model", "the other"
        sizes = {"n": len(mine.ids), "groups": len(np.unique(mine.groups))}
        return Difference(name, other_name, metric, gap["value"], *gap["ci95"], **sizes)


def _probe_row(row: Mapping[str, Any]) -> dict[str, Any]:
    flat = {key: row[key] for key in ("representation", "of", "dim", "kind", "level", "n", "groups")}
    for metric in METRICS:
        flat |= flat_number(metric, row[metric])
        gap = row[metric].get("difference")
        flat[f"{metric}_baseline"] = None if gap is None else gap["baseline"]
        low, high = (None, None) if gap is None else gap["ci95"]
        flat |= {
            f"{metric}_difference": None if gap is None else gap["value"],
            f"{metric}_difference_low": low,
            f"{metric}_difference_high": high,
        }
    return flat


class AuditResult(Result):
    """Checks of an evaluation, with their findings.

    Reads as `antiphon.audit` describes: {"checks": [...], "counts": …, "verdict": …}.
    """

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return not self["counts"]["fail"]

    @property
    def failed(self) -> list[str]:
        """The names of the checks that failed."""
        return [check["name"] for check in self["checks"] if check["status"] == "fail"]

    def __repr__(self) -> str:
        from antiphon.presentation.result_tables import audit_text

        return audit_text(self)

    def _repr_html_(self) -> str:
        from markupsafe import Markup

        from antiphon.presentation.result_tables import audit_table
        from antiphon.presentation.tables import notebook_html, table_html

        return notebook_html(Markup('<div class="prose">{}</div>').format(table_html(audit_table(self))))

    def to_frame(self) -> "pl.DataFrame":
        """Return a polars table with one row per check: `name`, `part`, `status` and `finding`.

        Returns
        -------
        polars.DataFrame
            The table.
        """
        import polars as pl

        columns = ("name", "part", "status", "finding")
        return pl.DataFrame([{name: check[name] for name in columns} for check in self["checks"]])

    def to_latex(self, caption: str | None = None, label: str | None = None) -> str:
        """Return a LaTeX table for booktabs: each check with its status.

        Parameters
        ----------
        caption : str, optional
            Caption. If given, the tabular is put in a `table` environment.
        label : str, optional
            Label of that environment.
        """
        from antiphon.presentation.tables import Table, table_latex

        rows = [(check["name"], check["status"]) for check in self["checks"]]
        return table_latex(Table(self["verdict"], ("Check", "Status"), rows), caption, label)
