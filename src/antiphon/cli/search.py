"""`antiphon search`: music videos similar to one of the index or to a media file."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from antiphon.catalogue.unknown import is_unknown
from antiphon.cli.limits import USUAL_LIMITS, FileLimits, told
from antiphon.cli.opening import opened_index, run_folder, say_of_arithmetic
from antiphon.cli.session import Here, ResultCount, Session
from antiphon.credentials import shown_address
from antiphon.errors import AntiphonError, ConfigError, DecodeError, SearchError
from antiphon.media.names import file_name
from antiphon.presentation.csv_text import csv_text
from antiphon.search import Hit, Hits, Index, Query, Where
from antiphon.search.filters import Conditions
from antiphon.search.hits import moment_words, reason_words
from antiphon.spelling import did_you_mean, plain
from antiphon.words.interpretation import understood

if TYPE_CHECKING:
    from antiphon.dual_encoder import DualEncoder

Side = Literal["both", "audio", "video"]
_COLUMNS: tuple[str, ...] = (
    "rank",
    "score",
    "id",
    "title",
    "artist",
    "genre",
    "year",
    "tags",
    "query_start_s",
    "start_s",
    "end_s",
    "reasons",
)
_TIMES = ("query_start_s", "start_s", "end_s")
_SHORTENED = ("title", "artist", "genre")
_SHORTEST = 8
_INDENT = 11
"""Columns of a rank and a score, with the spaces behind them."""


@Parameter(name="*")
@dataclass(frozen=True)
class Options(Conditions):
    __doc__ = Conditions.__doc__

    k: ResultCount = 10


_DEFAULTS = Options()


def _said(_: object, text: str | None) -> None:
    if text is not None and not text.strip():
        raise ValueError("is empty: say what to find, such as --text guitar")


def search(
    query: str | None = None,
    *,
    text: Annotated[str | None, Parameter(validator=_said)] = None,
    nudge: Annotated[list[str] | None, Parameter(negative="")] = None,
    target: Side = "both",
    by: Side = "both",
    conditions: Options = _DEFAULTS,
    csv: Annotated[bool, Parameter(negative="")] = False,
    path: str | None = None,
    device: str = "auto",
    each: FileLimits = USUAL_LIMITS,
    session: Here,
) -> None:
    """Find music videos similar to one of the index or to a media file, songs for its video, or videos for its song.

    Words say what to find, alone or beside one of these: antiphon search --text "calm acoustic guitar, no drums, 90s".

    An index whose run or features have changed since it was built is refused.

    Parameters
    ----------
    query
        Id or title of a music video of the index, or a media file, which need not be in the catalogue. Not needed with
        --text.
    text
        What to find, in words: moods, instruments, genres, tags, artists, years ("90s"), tempo, light and motion of the
        pictures, and what is to be absent ("no drums"); in English, with common words of German and Spanish.
    nudge
        Move the query: calmer, faster, brighter, darker, or "more live". Repeat it for several.
    target
        both: similar music videos. audio: songs for its video. video: videos for its song.
    by
        With target both: compare audio, video or both.
    csv
        Print the hits as CSV.
    path
        Folder of the index. Default: index in the workspace.
    device
        Where to embed a file: cpu, cuda or auto.
    """
    if csv and session.json:
        raise ConfigError("--csv and --json exclude each other; choose one.")
    index = opened_index(session, path)
    asked = _asked(session, index, query, text, device, each)
    for name in nudge or ():
        asked = asked.nudge(index, name)
        if not index.nudge_effect(name).works:
            session.warn(f"Nudge {name}: on this catalogue it does no more than directions learned on shuffled values.")
    if conditions.other_artists and is_unknown(asked.artist):
        session.warn(f"The artist of {asked.name} is unknown, so --other-artists excludes nobody.")
    hits = index.search(asked, target=target, by=by, **conditions.arguments())
    if csv:
        sys.stdout.write(_csv(hits))
    else:
        shown = None if query is None else asked.id or shown_address(query)
        data: dict[str, Any] = {"query": shown, "target": target, "by": by, "hits": hits.to_dicts()}
        if hits.words is not None:
            data["words"] = hits.words.to_dict() | {"silent": [term.label for term in hits.silent]}
        session.result(data, lambda out: _show(hits, out))
    if not hits and conditions.where != Where():
        session.say(index.explain(conditions.where))


def _asked(session: Session, index: Index, query: str | None, text: str | None, device: str, each: FileLimits) -> Query:
    """Ask with a music video or a file, with words, or with both."""
    if query is None and text is None:
        raise ConfigError("Name what to search with: the id or title of a music video, a media file, or --text.")
    if query is None:
        return Query.from_text(index, text or "", _text_side(session, index, device))
    asked = _query(session, index, query, device, each)
    return asked if text is None else asked.and_words(index, text, _text_side(session, index, device))


def _text_side(session: Session, index: Index, device: str) -> "DualEncoder | None":
    """Load the index's model where one of its backbones may know words."""
    from antiphon.backbones.hub.entries import is_of_hub

    if not any(is_of_hub(name) for name in (index.origin.audio, index.origin.video)):
        return None
    return _model(session, index, device)


def _model(session: Session, index: Index, device: str) -> "DualEncoder":
    from antiphon.dual_encoder import DualEncoder

    model = DualEncoder.load(run_folder(session.workspace, index.origin.run or None), device)
    Index.open(index.path, model)  # Refuses an index of another model.
    return model


def _query(session: Session, index: Index, text: str, device: str, each: FileLimits) -> Query:
    """Interpret the query as an id of the index, a file, or a title, in this order."""
    if text in index:
        return Query.from_id(index, text)
    if Path(text).is_file() or "://" in text:
        return _file_query(session, index, text, device, each)
    titles = index.titles()
    named = [id for id, title in titles.items() if plain(title) == plain(text)]
    if len(named) == 1:
        return Query.from_id(index, named[0])
    if named:
        raise SearchError(f"'{text}' is the title of {len(named)} music videos: {', '.join(named[:5])}. Use an id.")
    hint = did_you_mean(text, [*titles, *filter(None, titles.values())]) or " Check the id, the title or the path."
    raise SearchError(f"'{text}' is neither a music video of this index nor a file.{hint}")


def _file_query(session: Session, index: Index, path: str, device: str, each: FileLimits) -> Query:
    """Embed the file as `Query.from_file` does, but with limits, since anybody may have sent it."""
    model = _model(session, index, device)
    with session.progress("Encoding the file") as report:
        report(0, 1, file_name(path))
        ((_, sides),) = model.encode_files([path], limits=each.limits)
        report(1, 1, file_name(path))
    if isinstance(sides, AntiphonError):
        raise DecodeError(told(session, path, sides))
    for side in sides:
        say_of_arithmetic(session, index.origin.of(side), partial(model.arithmetic, side))
    return Query(audio=sides.get("audio"), video=sides.get("video"), name=file_name(path))


_MORE: Mapping[str, Callable[[Hit], str]] = {"best moment": moment_words, "why": reason_words}


def _show(hits: Hits, out: Console) -> None:
    out.print(Text(hits.heading), soft_wrap=True)
    if hits.words is not None:
        for line in understood(hits.words, hits.silent):
            out.print(Text(line), soft_wrap=True)
    if not hits:
        out.print("No hits.")
        return
    more = [name for name, of in _MORE.items() if any(map(of, hits))]
    known = [name for name in ("title", "artist", "genre", "year") if any(hit.metadata.get(name) for hit in hits)]
    rows = [
        (
            str(rank),
            f"{hit.score:.3f}",
            hit.id,
            *_known(hit, known),
            *(_MORE[name](hit) for name in more),
        )
        for rank, hit in enumerate(hits, start=1)
    ]
    columns = ("rank", "score", "id", *known, *more)
    # Reasons of a line too long for the terminal stand below it: they are what words are asked for.
    below = [cells[-1] if more[-1:] == ["why"] and _length(columns, rows) > out.width else "" for cells in rows]
    if any(below):
        columns, rows = columns[:-1], [cells[:-1] for cells in rows]
    widths = _widths(columns, rows, out.width)
    # Not a table of rich, which squeezes every column, ids too, once a line is longer than the terminal.
    for cells, why in zip((columns, *rows), ("", *below), strict=True):
        line = " ".join(map(_cell, columns, cells, widths)).rstrip()
        out.print(Text(line, "bold" if cells is columns else ""), soft_wrap=True)
        if why:
            out.print(Padding(Text(why), (0, 0, 0, _INDENT)))


def _longest(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, (name, *cells))) for name, cells in zip(columns, zip(*rows, strict=True), strict=True)]


def _length(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return the length of the longest line in which nothing is shortened."""
    return sum(_longest(columns, rows)) + len(columns) - 1


def _cell(column: str, text: str, width: int) -> str:
    """Fit a text to its column: shortened, or padded on the left for numbers."""
    if column in ("rank", "score", "year"):
        return text.rjust(width)
    return set_cell_size(text, width - 1) + "…" if cell_len(text) > width else set_cell_size(text, width)


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]], space: int) -> list[int]:
    """Shorten titles, artists and genres, the longest first, until a line fits; an id stays whole, for copying."""
    widths = _longest(columns, rows)
    short = [place for place, column in enumerate(columns) if column in _SHORTENED]
    while short and sum(widths) + len(widths) - 1 > space:
        longest = max(short, key=widths.__getitem__)
        if widths[longest] <= _SHORTEST:
            break
        widths[longest] -= 1
    return widths


def _known(hit: Hit, names: Sequence[str]) -> list[str]:
    return [str(hit.metadata.get(name) or "") for name in names]


def _csv(hits: Hits) -> str:
    """Format one row per hit, with its best moment and why it suits words; several are separated by semicolons."""
    rows: list[dict[str, Any]] = []
    for rank, hit in enumerate(hits, start=1):
        row = hit.to_dict()
        best = row["moments"][0] if row["moments"] else {}
        rows.append(
            row
            | {name: best.get(name) for name in _TIMES}
            | {"rank": rank, "tags": ";".join(row["tags"]), "reasons": "; ".join(hit.reasons)}
        )
    return csv_text(_COLUMNS, rows)
