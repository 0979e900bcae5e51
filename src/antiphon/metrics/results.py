"""What measuring returns: objects that read as dictionaries, print as tables, and compare themselves."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from antiphon.metrics.groups import group_numbers
from antiphon.metrics.paired import rank_ratio

if TYPE_CHECKING:
    import polars as pl

FloatArray = npt.NDArray[np.float64]
Direction = Literal["both", "a2v", "v2a"]

WAYS = ("a2v", "v2a")
_SIDES = {"a2v": ("audio", "video"), "v2a": ("video", "audio")}


class Result(dict[str, Any], ABC):
    """Nested numbers under names: a dictionary, also to `json.dumps`, that prints as a table."""

    def to_dict(self) -> dict[str, Any]:
        """Return a plain nested dictionary, which is a copy."""
        return copy.deepcopy(dict(self))

    @abstractmethod
    def __repr__(self) -> str: ...

    @abstractmethod
    def _repr_html_(self) -> str: ...

    @abstractmethod
    def to_frame(self) -> "pl.DataFrame":
        """Return the numbers as a polars table, a row each."""

    @abstractmethod
    def to_latex(self, caption: str | None = None, label: str | None = None) -> str:
        """Return the numbers as a LaTeX table for the package booktabs.

        Parameters
        ----------
        caption : str, optional
            Caption. With it the tabular stands in a `table` environment.
        label : str, optional
            Label of that environment.
        """


@dataclass(frozen=True, repr=False)
class Comparison:
    """By what factor one model ranks partners higher than another, for the same queries in the same pool.

    Attributes
    ----------
    name : str
        The model in question.
    other : str
        The model it is compared with.
    ratio : float
        Geometric mean rank of `other` divided by that of `name`: above 1 where `name` is better.
    low, high : float
        95% bootstrap interval of the ratio, groups resampled, or artists where they are known.
    n : int
        Queries in each direction.
    groups : int
        Number of groups (videos).
    direction : {"both", "a2v", "v2a"}
        Which queries were compared.
    pool : int
        Candidates of each query.
    resampled : int
        Number of groups, or of artists, that were resampled.
    """

    name: str
    other: str
    ratio: float
    low: float
    high: float
    n: int
    groups: int
    direction: Direction
    pool: int
    resampled: int

    @property
    def verdict(self) -> Literal["better", "worse", "none"]:
        """Return on which side of 1 the interval lies, "none" where it holds 1."""
        if self.low > 1:
            return "better"
        return "worse" if self.high < 1 else "none"

    def __str__(self) -> str:
        from antiphon.presentation.rank_sentences import comparison_sentence

        return comparison_sentence(self)

    __repr__ = __str__


class RetrievalResult(Result):
    """Ranks of partners in both directions, with chance, intervals and nulls.

    Reads as {"a2v": …, "v2a": …}; `antiphon.metrics.retrieval` describes the keys.

    Parameters
    ----------
    values : mapping
        The numbers of both directions.
    ranks : mapping of str to ndarray
        (n,) float64 rank of each query's partner under "a2v" and "v2a".
    groups : ndarray
        (n,) video of each query.
    ids : ndarray, optional
        (n,) name of each query.
    artists : ndarray, optional
        (n,) artist of each query, whose videos are resampled together.
    name : str, default ""
        What was measured, such as a model.
    exclude_same_group : bool, default False
        Whether the rest of the partner's group was left out of the pool.

    Attributes
    ----------
    ranks, groups, ids, artists, name, exclude_same_group
        As given.

    Examples
    --------
    >>> from antiphon.metrics import retrieval
    >>> found = retrieval(np.eye(50), np.eye(50), name="perfect")
    >>> found["a2v"]["median_rank"], found.ranks["a2v"][:3].tolist()
    (1.0, [1.0, 1.0, 1.0])
    >>> print(found)
    perfect: 50 pairs of 50 videos
                   median rank  95%   null  chance  R@10    MRR
    audio → video      1 of 50  1–1  26–26    25.5  100%  1.000
    video → audio      1 of 50  1–1  26–26    25.5  100%  1.000
    95%: bootstrap over 50 videos, pool fixed. Null: the middle 95% with partners permuted at random.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        ranks: Mapping[str, FloatArray],
        groups: npt.NDArray[Any],
        ids: npt.NDArray[Any] | None = None,
        *,
        artists: npt.NDArray[Any] | None = None,
        name: str = "",
        exclude_same_group: bool = False,
    ) -> None:
        super().__init__(values)
        self.ranks = dict(ranks)
        self.groups = groups
        self.ids = ids
        self.artists = artists
        self.name = name
        self.exclude_same_group = exclude_same_group

    @property
    def title(self) -> str:
        """Return the name and the number of pairs and videos, in words."""
        pairs = f"{len(self.groups):,} pairs of {self['a2v']['groups']:,} videos"
        return f"{self.name}: {pairs}" if self.name else pairs

    def __repr__(self) -> str:
        from antiphon.presentation.result_tables import rank_table
        from antiphon.presentation.tables import table_text

        return table_text(rank_table(self.title, {"": self}))

    def _repr_html_(self) -> str:
        from antiphon.presentation.result_tables import rank_table
        from antiphon.presentation.tables import notebook_html, rank_chart, table_html

        return notebook_html(rank_chart(self), table_html(rank_table(self.title, {"": self})))

    def to_frame(self) -> "pl.DataFrame":
        """Return a polars table with a row a direction.

        Columns are `query` and `target` ("audio" or "video"), `n` and `groups`; and for each metric its value under
        its own name and `_low`, `_high`, `_null_low`, `_null_high` and `_chance`.

        Examples
        --------
        >>> from antiphon.metrics import retrieval
        >>> retrieval(np.eye(50), np.eye(50)).to_frame().select("query", "target", "n", "median_rank", "mrr_low").rows()
        [('audio', 'video', 50, 1.0, 1.0), ('video', 'audio', 50, 1.0, 1.0)]
        """
        import polars as pl

        return pl.DataFrame(direction_rows(self))

    def to_latex(self, caption: str | None = None, label: str | None = None) -> str:
        """Return a LaTeX table for booktabs, with pool size, interval, null and chance.

        Parameters
        ----------
        caption : str, optional
            Caption. With it the tabular stands in a `table` environment.
        label : str, optional
            Label of that environment.
        """
        from antiphon.presentation.result_tables import rank_table
        from antiphon.presentation.tables import table_latex

        return table_latex(rank_table(self.title, {"": self}, pool_apart=True), caption, label)

    def compare(
        self,
        other: "RetrievalResult",
        *,
        direction: Direction = "both",
        names: tuple[str, str] | None = None,
        seed: int = 0,
    ) -> Comparison:
        """Compare with the ranks of another model, paired by query.

        Parameters
        ----------
        other : RetrievalResult
            Ranks of the same queries, in the same order and pool. Where neither result has ids, row i of both is
            taken for the same query.
        direction : {"both", "a2v", "v2a"}, default "both"
            Queries to compare. Both directions of a row count as one query, by the mean of their log ranks.
        names : (str, str), optional
            What to call the two. Default: their own names.
        seed : int, default 0
            Seed of the bootstrap.

        Raises
        ------
        ValueError
            The queries, their groups or their pools differ.

        Examples
        --------
        >>> from antiphon.metrics import retrieval
        >>> random = np.random.default_rng(0)
        >>> audio, noise = random.normal(size=(2, 200, 8))
        >>> near = retrieval(audio, audio + noise, name="near")
        >>> print(near.compare(retrieval(audio, audio + 3 * noise, name="far")))  # doctest: +ELLIPSIS
        near ranks partners higher than far, by a factor of ... (95% ..., paired over 200 queries each way, 200 videos).
        """
        if direction not in ("both", *WAYS):
            raise ValueError(f"direction must be 'both', 'a2v' or 'v2a', not {direction!r}.")
        self._check_same_queries(other)
        ways = WAYS if direction == "both" else (direction,)
        mine, theirs = (np.stack([result.ranks[way] for way in ways]) for result in (self, other))
        units = next((found.artists for found in (self, other) if found.artists is not None), self.groups)
        ratio, (low, high) = rank_ratio(mine, theirs, units, seed)
        name, other_name = names or _distinct(self.name, other.name)
        sizes = {"n": len(self.groups), "groups": int(self["a2v"]["groups"]), "pool": int(self["a2v"]["n"])}
        sizes["resampled"] = len(np.unique(units))
        return Comparison(name, other_name, ratio, low, high, direction=direction, **sizes)

    def _check_same_queries(self, other: "RetrievalResult") -> None:
        if len(self.groups) != len(other.groups):
            raise ValueError(
                f"One result has {len(self.groups):,} queries and the other {len(other.groups):,}: a paired comparison "
                "needs the same queries. Rank the same rows with both models."
            )
        if self.ids is not None and other.ids is not None and not np.array_equal(self.ids, other.ids):
            row = int(np.flatnonzero(self.ids != other.ids)[0])
            raise ValueError(
                f"The queries differ: row {row} is '{self.ids[row]}' in one result and '{other.ids[row]}' in the "
                "other. Rank the same rows with both models, in the same order."
            )
        count = len(self.groups)
        if not np.array_equal(group_numbers(self.groups, count), group_numbers(other.groups, count)):
            raise ValueError("The results group their queries differently. Pass the same groups to both.")
        if self.exclude_same_group != other.exclude_same_group:
            raise ValueError("The pools differ: exclude_same_group is set for one result and not for the other.")


class ClassificationResult(Result):
    """Macro ROC-AUC, PR-AUC and F1 of some scores, with chance, intervals and nulls.

    Reads as `antiphon.metrics.classification` describes: {"roc_auc": …, "pr_auc": …, "f1": …, "n": …, …}.

    Examples
    --------
    >>> from antiphon.metrics import classification
    >>> scores, targets = np.eye(2)[[0, 1] * 20], np.array([0, 1] * 20)
    >>> print(classification(scores, targets, seed=0))
    40 items of 40 videos, 2 labels
             value          95%         null  chance
    ROC-AUC  1.000  1.000–1.000  0.350–0.650   0.500
    PR-AUC   1.000  1.000–1.000  0.447–0.597   0.500
    F1       1.000  1.000–1.000  0.350–0.650   0.500
    """

    @property
    def title(self) -> str:
        """Return the number of items, videos and labels, in words."""
        return f"{self['n']:,} items of {self['groups']:,} videos, {len(self['labels'])} labels"

    def __repr__(self) -> str:
        from antiphon.presentation.result_tables import classification_table
        from antiphon.presentation.tables import table_text

        return table_text(classification_table(self.title, self))

    def _repr_html_(self) -> str:
        from antiphon.presentation.result_tables import classification_table
        from antiphon.presentation.tables import notebook_html, table_html

        return notebook_html(table_html(classification_table(self.title, self)))

    def to_frame(self) -> "pl.DataFrame":
        """Return a polars table with a row a label: `label`, `positives` and the three metrics."""
        import polars as pl

        return pl.DataFrame([{"label": label} | numbers for label, numbers in self["by_label"].items()])

    def to_latex(self, caption: str | None = None, label: str | None = None) -> str:
        """Return a LaTeX table for booktabs, with intervals, nulls and chance; the number of items is a comment.

        Parameters
        ----------
        caption : str, optional
            Caption. With it the tabular stands in a `table` environment.
        label : str, optional
            Label of that environment.
        """
        from antiphon.presentation.result_tables import classification_table
        from antiphon.presentation.tables import table_latex

        return table_latex(classification_table(self.title, self), caption, label)


def direction_rows(both: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the numbers of one pool flat, a row a direction.

    Parameters
    ----------
    both : mapping
        Numbers under "a2v" and "v2a".
    """
    rows: list[dict[str, Any]] = []
    for way, (query, target) in _SIDES.items():
        row: dict[str, Any] = {"query": query, "target": target} | {key: both[way][key] for key in ("n", "groups")}
        for metric, number in both[way]["by_metric"].items():
            row |= flat_number(metric, number)
        rows.append(row)
    return rows


def flat_number(name: str, number: Mapping[str, Any]) -> dict[str, float]:
    """Return a number with its interval, null and chance as columns.

    Parameters
    ----------
    name : str
        Name of the column with the value, and prefix of the others.
    number : mapping
        With "value" and "ci95", and maybe "null95" and "chance".

    Examples
    --------
    >>> flat_number("mrr", {"value": 0.5, "ci95": [0.4, 0.6]})
    {'mrr': 0.5, 'mrr_low': 0.4, 'mrr_high': 0.6}
    """
    columns = {name: number["value"], f"{name}_low": number["ci95"][0], f"{name}_high": number["ci95"][1]}
    if "null95" in number:
        columns |= {f"{name}_null_low": number["null95"][0], f"{name}_null_high": number["null95"][1]}
    return columns | ({f"{name}_chance": number["chance"]} if "chance" in number else {})


def _distinct(name: str, other: str) -> tuple[str, str]:
    return (name, other) if name and other and name != other else ("this model", "the other")
