"""`antiphon search`: music videos that suit one of the index, or a file never seen."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from antiphon.catalogue import Catalogue
from antiphon.cli.index import opened_index
from antiphon.cli.opening import run_folder
from antiphon.cli.session import Count, Here, Session
from antiphon.errors import DecodeError, SearchError
from antiphon.media.probing import probe_media
from antiphon.search import Hit, Index, Moment, Where
from antiphon.spelling import did_you_mean

Target = Literal["audio", "video"]
_ABOUT = ("artist", "title", "genre", "year")


def search(
    query: str,
    *,
    target: Target | None = None,
    like: bool = False,
    by: Literal["both", "audio", "video"] = "both",
    weight: float = 0.5,
    k: Count = 10,
    genre: tuple[str, ...] = (),
    artist: tuple[str, ...] = (),
    not_artist: tuple[str, ...] = (),
    year_from: int | None = None,
    year_to: int | None = None,
    diversity: float = 0.0,
    rerank: bool = False,
    path: str | None = None,
    device: str = "auto",
    session: Here,
) -> None:
    """Find music videos like one of the index or a media file, songs for its pictures, or pictures for its song.

    An index of another model than its run's, or of features that were made otherwise, is refused.

    Parameters
    ----------
    query
        Id of a music video of the index, or a media file, which need not be in any catalogue.
    target
        audio finds songs for the query's pictures, video finds pictures for its song. Default: more like this.
    like
        More like this; the same as leaving --target out.
    by
        For more like this: compare sound, pictures or both.
    weight
        The share of the sound where both are compared.
    k
        How many to find.
    genre
        Only of these genres.
    artist
        Only by these artists.
    not_artist
        By none of these artists.
    year_from
        First year.
    year_to
        Last year.
    diversity
        From 0 (the best) to 1 (as unlike each other as can be): above 0 one artist does not fill the list.
    rerank
        Order the best 100 by how well their segments match in order of time.
    path
        Folder or URI of the index. Default: index in the workspace.
    device
        cpu, cuda or auto, for a file.
    """
    if like and target:
        raise SearchError("--like and --target ask for different things; give one of them.")
    if target and by != "both":
        raise SearchError("--by goes with “more like this”; --target says already which side asks. Give one of them.")
    index = opened_index(session, path)
    where = Where(genre, artist, not_artist, year_from, year_to).without(*_strangers(session, index))
    wanted: dict[str, Any] = {"k": k, "where": where, "diversity": diversity, "rerank": rerank}
    if query in index:
        ask = partial(index.match, target=target) if target else partial(index.similar, by=by, weight=weight)
        hits = ask(query, **wanted)
    elif Path(query).is_file():
        hits = _of_file(session, index, Path(query), device, target, by, weight, wanted)
    else:
        hint = did_you_mean(query, index.ids) or " Check the id or the path."
        raise SearchError(f"'{query}' is neither a music video of this index nor a file.{hint}")
    _show(session, query, target, hits)


def _strangers(session: Session, index: Index) -> list[str]:
    """Videos of the index that the workspace's catalogue does not have any more."""
    if index.path != str(session.workspace.index) or not session.workspace.catalogue.exists():
        return []
    known = set(Catalogue.load(session.workspace.catalogue).ids)
    return [name for name in index.ids if name not in known]


def _of_file(
    session: Session,
    index: Index,
    path: Path,
    device: str,
    target: Target | None,
    by: Literal["both", "audio", "video"],
    weight: float,
    wanted: dict[str, Any],
) -> list[Hit]:
    """Encode a file by the model of the index, and search by what it has of what is asked."""
    from antiphon.dual_encoder import DualEncoder

    info = probe_media(path)
    sides: tuple[Target, ...] = ("audio", "video")
    if target:
        sides = ("video",) if target == "audio" else ("audio",)
    elif by != "both":
        sides = (by,)
    there: list[Target] = [side for side in sides if (info.has_audio if side == "audio" else info.has_video)]
    if not there:
        words = " and no ".join("sound" if side == "audio" else "pictures" for side in sides)
        raise DecodeError(f"{path}: has no {words} to search by.")
    encoder = DualEncoder.load(run_folder(session.workspace, index.origin.run or None), device)
    Index.open(index.path, encoder)  # refuses another model
    with session.progress("Encoding the file") as report:
        encoded: dict[str, tuple[list[tuple[float, float]], Any, Any]] = {}
        for number, side in enumerate(there):
            report(number, len(there), path.name)
            encoded[side] = encoder.encode_file(path, side)
            report(number + 1, len(there), path.name)
    vectors = {side: rows for side, (_, rows, _) in encoded.items()}
    starts = {side: [start_s for start_s, _ in windows] for side, (windows, _, _) in encoded.items()}
    tracks = {side: track for side, (_, _, track) in encoded.items()}
    if target:
        asked = there[0]
        return index.search(vectors[asked], target=target, starts_s=starts[asked], track=tracks[asked], **wanted)
    return index.similar_to(
        vectors.get("audio"),
        vectors.get("video"),
        weight=weight,
        audio_starts_s=starts.get("audio"),
        video_starts_s=starts.get("video"),
        audio_track=tracks.get("audio"),
        video_track=tracks.get("video"),
        **wanted,
    )


def _show(session: Session, query: str, target: Target | None, hits: list[Hit]) -> None:
    data = {"query": query, "target": target, "hits": [asdict(hit) for hit in hits]}
    title = {None: "More like", "audio": "Songs for the pictures of", "video": "Pictures for the song of"}[target]

    def show(out: Console) -> None:
        if not hits:
            out.print("Nothing was found under these conditions.")
            return
        table = Table(
            title=f"{title} {escape(query)}", title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0)
        )
        known = [name for name in _ABOUT if any(hit.metadata[name] for hit in hits)]
        for column in ("", "score", "id", *known, "best moment"):
            table.add_column(
                column,
                justify="right" if column in ("", "score", "year") else "left",
                no_wrap=column == "best moment",
                overflow="fold",
            )
        for place, hit in enumerate(hits, start=1):
            about = [str(hit.metadata[name] or "") for name in known]
            shown = _moment(hit.moments[0]) if hit.moments else ""
            table.add_row(str(place), f"{hit.score:.3f}", *map(escape, (hit.id, *about)), shown)
        out.print(table)

    session.result(data, show)


def _moment(moment: Moment) -> str:
    side = {"audio": "sound", "video": "pictures"}.get(moment.side, "")
    return f"{_clock(moment.query_start_s)}→{_clock(moment.start_s)} {side}".strip()


def _clock(seconds: float | None) -> str:
    """Seconds as m:ss."""
    return "?" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
