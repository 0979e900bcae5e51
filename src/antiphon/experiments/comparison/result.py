"""Result of a comparison: a mapping that prints as a table."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from antiphon.experiments.cells import WAYS
from antiphon.experiments.study import ZERO_SHOT
from antiphon.metrics.results import Result, flat_number
from antiphon.plurals import counted
from antiphon.presentation.numbers import brief, duration, rank, score, whole
from antiphon.presentation.tables import Table

if TYPE_CHECKING:
    import polars as pl

_NOTES = (
    "Median ranks are means over draws and trainings, with 95% bootstrap intervals over test videos. Null: the middle "
    "95% with partners permuted. Gain: factor by which partners rank higher than with the best method without "
    "contrastive training (ratio of geometric mean ranks, both ways, paired by query); below 1 they rank lower. "
    "Intervals do not cover differences between trainings."
)
_MRR = ("MRR a→v", "MRR v→a")


class BackboneComparison(Result):
    """Backbones with and without training, on the same test videos.

    Reads as `antiphon.compare` describes.
    """

    @property
    def sentence(self) -> str:
        """Whether training is worth it, in one sentence."""
        return self["verdict"]["sentence"]

    @property
    def title(self) -> str:
        """What was compared on, in words."""
        draws = self["draws"]
        test = f"at least {whole(draws['test'])} test videos"
        return f"{whole(self['videos'])} music videos, {counted(draws['count'], 'draw')} of {test}"

    @property
    def notes(self) -> str:
        """How to read the numbers."""
        return _NOTES

    def __repr__(self) -> str:
        from antiphon.presentation.tables import table_text

        return table_text(self._table())

    def _repr_html_(self) -> str:
        from antiphon.presentation.tables import notebook_html, table_html

        return notebook_html(table_html(self._table()))

    def to_frame(self) -> "pl.DataFrame":
        """Return a polars table with one row per pair of backbones, method and direction.

        Returns
        -------
        polars.DataFrame
            Columns "backbones", "method", "direction", "n", "chance", each metric with its interval, the null, and the
            gain with its interval.
        """
        import polars as pl

        return pl.DataFrame([_flat(row, way) for row in self["rows"] if row["trainings"] for way in WAYS])

    def to_latex(self, caption: str | None = None, label: str | None = None) -> str:
        """Return a LaTeX table for booktabs.

        Parameters
        ----------
        caption : str, optional
            Caption. If given, the tabular is put in a `table` environment.
        label : str, optional
            Label of that environment.
        """
        from antiphon.presentation.tables import table_latex

        return table_latex(self._table(), caption, label)

    def _table(self) -> Table:
        columns = ("backbones, method", "audio → video", "video → audio", "null", "chance", *_MRR, "gain", "training")
        failed = [
            f"{row['backbones']}, {row['method']}: {reason}"
            for row in self["rows"]
            for reason in row["failed"]
            if not lacks_space(row)
        ]
        return Table(
            self.title, columns, [comparison_cells(row) for row in self["rows"]], [self.sentence, self.notes, *failed]
        )


def comparison_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the cells of a row, as text.

    Parameters
    ----------
    row : mapping
        Row of a comparison.

    Returns
    -------
    tuple of str
        Name, median ranks both ways, null, chance, MRR both ways, gain, processor time of a training.
    """
    name = f"{row['backbones']}, {row['method']}"
    if not row["trainings"]:
        return (name, "no common space" if lacks_space(row) else "failed", *[""] * 7)
    medians = [row[way]["median_rank"] for way in WAYS]
    low, high = min(row[way]["null95"][0] for way in WAYS), max(row[way]["null95"][1] for way in WAYS)
    return (
        name,
        *(f"{brief(found['value'])} ({brief(found['ci95'][0])}–{brief(found['ci95'][1])})" for found in medians),
        f"{brief(low)}–{brief(high)}",
        f"{rank(row['chance'])} of {whole(row['n'])}",
        *(score(row[way]["mrr"]["value"]) for way in WAYS),
        gain_words(row),
        duration(row["train_s"]),
    )


def lacks_space(row: Mapping[str, Any]) -> bool:
    """Return whether a row is zero-shot of backbones whose features differ in size, which cannot share a space."""
    return row["method"] == ZERO_SHOT and row["dims"][0] != row["dims"][1]


def gain_words(row: Mapping[str, Any]) -> str:
    """Return the gain of a row with its interval, or "–" for the one that others are compared with.

    Examples
    --------
    >>> gain_words({"gain": {"ratio": 1.432, "ci95": [1.345, 1.529]}})
    '×1.43 (1.34–1.53)'
    """
    gain = row["gain"]
    return "–" if gain is None else f"×{gain['ratio']:.2f} ({gain['ci95'][0]:.2f}–{gain['ci95'][1]:.2f})"


def _flat(row: Mapping[str, Any], way: str) -> dict[str, Any]:
    found: dict[str, Any] = {name: row[name] for name in ("backbones", "method")} | {"direction": way}
    found |= {name: row[name] for name in ("n", "chance")}
    for name in ("median_rank", "recall@10", "mrr"):
        found |= flat_number(name, row[way][name])
    found |= dict(zip(("null_low", "null_high"), row[way]["null95"], strict=True))
    gain = (None, None, None) if row["gain"] is None else (row["gain"]["ratio"], *row["gain"]["ci95"])
    return found | dict(zip(("gain", "gain_low", "gain_high"), gain, strict=True))
