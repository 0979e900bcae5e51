"""Tables of interactions: reading and validation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from antiphon.catalogue.file_names import NearestNames, composed
from antiphon.errors import CatalogueError
from antiphon.recommendation.histories import read_history

_TRUE, _FALSE = ("1", "true", "yes", "y", "t"), ("0", "false", "no", "n", "f")
_MOMENT = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?\s?(Z|UTC|[+-]\d\d:?\d\d)?$"
_EXAMPLES = 5


@dataclass(frozen=True)
class LeftOut:
    """Rows that were not used: reason, number, first examples, and the known name most like the first."""

    reason: str
    rows: int
    examples: tuple[str, ...]
    nearest: str | None = None

    def __str__(self) -> str:
        more = ", …" if self.rows > len(self.examples) else ""
        nearest = f" The nearest name to '{self.examples[0]}' is '{self.nearest}'." if self.nearest else ""
        return f"{self.rows} rows skipped: {self.reason} ({', '.join(self.examples)}{more}).{nearest}"


@dataclass(frozen=True, eq=False)
class Interactions:
    """Which videos each user knows, and which of them they liked.

    Attributes
    ----------
    table : DataFrame
        Columns user_id, video_id, liked and, if known, time; one row per user and video, sorted.
    left_out : tuple of LeftOut
        Unused rows, by reason.
    synthetic : bool
        Whether they were generated, so that results say nothing about people.
    ignored : tuple of str
        Columns of the table that mean nothing here.
    """

    table: pl.DataFrame
    left_out: tuple[LeftOut, ...] = ()
    synthetic: bool = False
    ignored: tuple[str, ...] = ()

    @property
    def users(self) -> list[str]:
        """Names of the users, sorted."""
        return self.table["user_id"].unique().sort().to_list()

    def history(self, user: str) -> list[str]:
        """List the videos that a user liked.

        Parameters
        ----------
        user : str
            The user.

        Returns
        -------
        list of str
            Ids.

        Raises
        ------
        CatalogueError
            There is no such user.
        """
        return self._of(user).filter(pl.col("liked"))["video_id"].to_list()

    def interacted(self, user: str) -> list[str]:
        """List all videos that a user has interacted with, liked or not, which are not recommended again.

        Parameters
        ----------
        user : str
            The user.

        Returns
        -------
        list of str
            Ids.

        Raises
        ------
        CatalogueError
            There is no such user.
        """
        return self._of(user)["video_id"].to_list()

    def _of(self, user: str) -> pl.DataFrame:
        rows = self.table.filter(pl.col("user_id") == user)
        if rows.is_empty():
            some = ", ".join(self.users[:_EXAMPLES])
            raise CatalogueError(f"user '{user}': no interactions with videos of the catalogue. Known users: {some}.")
        return rows


def read_interactions(path: str | Path, known: Iterable[str]) -> Interactions:
    """Read a CSV or Parquet table of interactions, as a stream.

    A row is a user and a video, in columns such as user_id and video_id. It may have a time, a weight (plays; 0 or less
    means not liked) or a flag `liked`; with neither of these two, the video counts as liked. Several rows of one user
    and video count as liked if any does, at the time of the first that does.

    A time is a year, a day, or a day and a time of day, in UTC unless it has an offset; or seconds, milliseconds or
    microseconds since 1970, distinguished by magnitude, from 1973 on.

    Parameters
    ----------
    path : str or Path
        The table.
    known : iterable of str
        Ids of the catalogue; interactions with other videos are skipped and counted.

    Returns
    -------
    Interactions
        The usable interactions.

    Raises
    ------
    CatalogueError
        The file cannot be read, lacks a column, has an invalid value, or no row with a known video.
    """
    path, known = Path(path), list(known)
    table, ignored = read_history(path)
    table = table.with_columns(pl.col("user_id", "video_id").str.strip_chars())
    table = table.select("user_id", _as_known(table["video_id"], known), _liked(path, table), *_time(path, table))
    return replace(checked(table, known, str(path)), ignored=ignored)


def _as_known(written: pl.Series, known: Sequence[str]) -> pl.Series:
    """Return the ids of the catalogue that a table means; how letters are composed makes no difference."""
    ids = set(known)
    other = [name for name in written.unique().to_list() if name and name not in ids]
    by_form = {composed(name): name for name in known} if other else {}
    meant = {name: by_form[composed(name)] for name in other if composed(name) in by_form}
    return written.replace(meant) if meant else written


def checked(table: pl.DataFrame, known: Iterable[str], source: str, *, synthetic: bool = False) -> Interactions:
    """Skip unusable rows of a table with the columns of `Interactions.table`.

    Parameters
    ----------
    table : DataFrame
        The table.
    known : iterable of str
        Ids of the catalogue.
    source : str
        Name of the table, for messages.
    synthetic : bool
        Whether it was generated.

    Returns
    -------
    Interactions
        The usable interactions.

    Raises
    ------
    CatalogueError
        Nothing is left.
    """
    left_out: list[LeftOut] = []

    def keep(rows: pl.DataFrame, usable: pl.Expr, reason: str, name: str) -> pl.DataFrame:
        refused = rows.filter(~usable)
        if len(refused):
            examples = refused[name].fill_null("empty").unique(maintain_order=True).head(_EXAMPLES).to_list()
            left_out.append(LeftOut(reason, len(refused), tuple(examples)))
        return rows.filter(usable)

    known = list(known)
    ids = pl.Series(known, dtype=pl.String)
    table = keep(table, pl.col("user_id").fill_null("") != "", "no user", "video_id")
    table = keep(table, pl.col("video_id").fill_null("") != "", "no video", "user_id")
    table = keep(table, pl.col("video_id").is_in(ids.implode()), "not in the catalogue", "video_id")
    if left_out and left_out[-1].reason == "not in the catalogue":
        left_out[-1] = replace(left_out[-1], nearest=NearestNames(known).nearest(left_out[-1].examples[0]))
    if table.is_empty():
        found = " ".join(map(str, left_out)) or "It has no rows."
        raise CatalogueError(
            f"{source}: no interactions with videos of the catalogue. {found} "
            "Videos must be named by the catalogue's ids."
        )
    first_like = pl.coalesce(pl.col("time").filter("liked").min(), pl.col("time").min())
    further = [first_like] if "time" in table.columns else []
    once = table.group_by("user_id", "video_id").agg(pl.col("liked").any(), *further).sort("user_id", "video_id")
    if len(once) < len(table):
        repeated = table.filter(table.select("user_id", "video_id").is_duplicated())
        examples = tuple(repeated["video_id"].unique(maintain_order=True).head(_EXAMPLES).to_list())
        left_out.append(LeftOut("the same user and video again", len(table) - len(once), examples))
    return Interactions(once, tuple(left_out), synthetic)


def _liked(path: Path, table: pl.DataFrame) -> pl.Series:
    """Return whether each row's video was liked."""
    if "liked" in table.columns:
        words = table["liked"].str.strip_chars().str.to_lowercase()
        _refuse(path, table, "liked", words.is_in([*_TRUE, *_FALSE]), "yes or no, 1 or 0")
        return words.is_in(_TRUE).alias("liked")
    if "weight" in table.columns:
        weights = table["weight"].str.strip_chars().cast(pl.Float64, strict=False)
        _refuse(path, table, "weight", weights.is_finite().fill_null(value=False), "a number")
        return (weights > 0).alias("liked")
    return pl.repeat(value=True, n=len(table), dtype=pl.Boolean, eager=True).alias("liked")


def _time(path: Path, table: pl.DataFrame) -> list[pl.Series]:
    """Return each row's time in UTC; empty if the table has none."""
    if "time" not in table.columns:
        return []
    text = pl.col("time").str.strip_chars()
    day, clock = text.str.slice(0, 10), text.str.slice(11, 8)
    moment = (day + " " + clock).str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")
    forms = [
        pl.when(text.str.contains(r"^\d{4}$")).then(text + "-01-01").str.to_date("%Y-%m-%d", strict=False),
        pl.when(text.str.contains(r"^\d{8}$")).then(text).str.to_date("%Y%m%d", strict=False),
        pl.when(text.str.contains(r"^\d{4}-\d\d-\d\d$")).then(text).str.to_date("%Y-%m-%d", strict=False),
        pl.when(text.str.contains(_MOMENT)).then(moment - _offset(text)),
        *_since_1970(text.cast(pl.Float64, strict=False)),
    ]
    times = table.select(pl.coalesce(form.cast(pl.Datetime("us")) for form in forms).alias("time")).to_series()
    _refuse(path, table, "time", times.is_not_null(), "a date such as 2026-01-31 or seconds since 1970")
    return [times]


def _offset(text: pl.Expr) -> pl.Expr:
    """Return the offset from UTC; 0 if there is none."""
    parts = text.str.extract_groups(r"([+-])(\d\d):?(\d\d)$")
    minutes = parts.struct[1].cast(pl.Int64) * 60 + parts.struct[2].cast(pl.Int64)
    signed = pl.when(parts.struct[0] == "-").then(-minutes).otherwise(minutes)
    return pl.duration(minutes=pl.when(text.str.len_chars() > 19).then(signed).fill_null(0))


def _since_1970(number: pl.Expr) -> list[pl.Expr]:
    """Interpret numbers as seconds, milliseconds or microseconds, by magnitude."""
    return [
        pl.when(number.is_between(low, 100 * low, closed="left"))
        .then(number * factor)
        .cast(pl.Int64, strict=False)
        .cast(pl.Datetime("us"))
        for low, factor in ((1e8, 1_000_000), (1e11, 1_000), (1e14, 1))
    ]


def _refuse(path: Path, table: pl.DataFrame, column: str, usable: pl.Series, wanted: str) -> None:
    wrong = (~usable.fill_null(value=False)).arg_true()
    if len(wrong):
        row, value = table["row"][int(wrong[0])], table[column][int(wrong[0])]
        raise CatalogueError(f"{path}: row {row}: {column} is '{value}', which is not {wanted}.")
