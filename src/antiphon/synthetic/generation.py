"""Rendering of a catalogue: a folder of videos, the table that describes them, and a record of their settings."""

import multiprocessing
import re
import signal
from collections.abc import Callable, Generator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from pathlib import Path

import tomli_w

from antiphon.cores import usable_cores
from antiphon.documents import parsed_toml, read_document, reason
from antiphon.errors import CatalogueError
from antiphon.presentation.csv_text import csv_text
from antiphon.synthetic.config import SyntheticConfig
from antiphon.synthetic.instruments import FAMILIES
from antiphon.synthetic.rendering import draw_video, render_video
from antiphon.synthetic.styles import SongStyle
from antiphon.tables import write_text

VERSION = 2
"""Increment it whenever the same settings render other videos, so that old and new ones are never mixed."""

COLUMNS = ("id", "path", "artist", "title", "genre", "tags", "year")

_TABLE, _RECORD, _ABOUT = "catalogue.csv", "synthetic.toml", "README.txt"
_VIDEO_NAME = re.compile(r"synthetic-(\d{4,})\.mp4")
_PARTIAL_NAME = re.compile(rf"\.({_VIDEO_NAME.pattern}|{_TABLE}|{_RECORD}|{_ABOUT})\.[^.]+\.partial")

_README = """This folder holds a synthetic catalogue, rendered by Antiphon.

Its music videos were composed, synthesised and painted by a program. No artist, song, person or place in them is
real. They serve to try out and to test Antiphon without other people's media; results on them say nothing about real
music videos. How far the pictures follow the songs is the value of `coupling` in synthetic.toml (0: not at all).
"""


def render_catalogue(
    folder: Path,
    config: SyntheticConfig,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Render the missing videos of a synthetic catalogue into a folder.

    Videos that an earlier, perhaps interrupted, call with the same settings left there are kept; those of other
    settings or versions are rendered again. A larger `videos` extends a catalogue.

    Parameters
    ----------
    folder : Path
        Gets `synthetic-0001.mp4` and so on, `catalogue.csv`, `synthetic.toml` and `README.txt`. It must be new or
        empty, or, according to `synthetic.toml`, rendered before: there these files are replaced, and no others.
    config : SyntheticConfig
        Settings.
    processes : int, optional
        Number of worker processes. Default: one per core. With 1 everything runs in this process.
    progress : callable, optional
        Called with videos done and their total, first with those already there.

    Returns
    -------
    Path
        `folder/catalogue.csv`, with the columns id, path (relative to the folder), artist, title, genre, tags
        (separated by semicolons) and year.

    Raises
    ------
    CatalogueError
        `processes` is not positive, `folder` is a file or has other files and no record, or its `synthetic.toml` is not
        readable.
    """
    if processes is not None and processes < 1:
        raise CatalogueError(f"processes must be at least 1, not {processes}.")
    if folder.exists() and not folder.is_dir():
        raise CatalogueError(f"{folder}: is a file. Name a folder to render the synthetic catalogue into.")
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, config)
    missing = [index for index in range(config.videos) if not _path(folder, index).exists()]
    done = config.videos - len(missing)
    if progress:
        progress(done, config.videos)
    # Closed at once if `progress` raises, so that pending videos do not keep the workers busy.
    with closing(_rendered(folder, config, missing, processes)) as rendered:
        for number, _ in enumerate(rendered, done + 1):
            if progress:
                progress(number, config.videos)
    table = folder / _TABLE
    write_text(_table(config), table)
    return table


def _path(folder: Path, index: int) -> Path:
    return folder / f"synthetic-{index + 1:04d}.mp4"


def _claim(folder: Path, config: SyntheticConfig) -> None:
    """Record the settings of the folder, after removing videos of other settings."""
    record = folder / _RECORD
    # The number of videos changes none of them.
    wanted = {"version": VERSION, "synthetic": config.model_dump(exclude={"videos"})}
    if record.exists():
        found = _read_record(record)
        for path in sorted(folder.iterdir()):
            number = _number(path)
            if number is not None and (found != wanted or number > config.videos):
                path.unlink()
        (folder / _TABLE).unlink(missing_ok=True)
    else:
        _refuse_other_files(folder)
    for path in sorted(folder.iterdir()):
        if _PARTIAL_NAME.fullmatch(path.name) and path.is_file():
            path.unlink()
    write_text(tomli_w.dumps(wanted), record)
    write_text(_README, folder / _ABOUT)


def _number(path: Path) -> int | None:
    """Return the number of a video named by `_path`; None for other files."""
    match = _VIDEO_NAME.fullmatch(path.name)
    number = int(match[1]) if match and path.is_file() else 0
    return number if number and path == _path(path.parent, number - 1) else None


def _refuse_other_files(folder: Path) -> None:
    others = [path.name for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    if others:
        raise CatalogueError(
            f"{folder}: contains {others[0]}{' and other files' if len(others) > 1 else ''} but no {_RECORD}, so it is "
            "not a synthetic catalogue. Name a new or empty folder; nothing was changed in this one."
        )


def _read_record(record: Path) -> dict[str, object]:
    advice = "Name a new or empty folder; nothing was changed in this one."
    try:
        found = parsed_toml(read_document(record))
    except (OSError, ValueError) as error:
        raise CatalogueError(f"{record}: is not readable ({reason(error)}). {advice}") from error
    if found.keys() != {"version", "synthetic"}:
        raise CatalogueError(f"{record}: is not the record of a synthetic catalogue. {advice}")
    return found


def _rendered(folder: Path, config: SyntheticConfig, indices: list[int], processes: int | None) -> Generator[int]:
    """Render videos, and yield the number of each when its file is in place."""
    workers = min(processes or usable_cores(), max(len(indices), 1))
    if workers == 1:
        for index in indices:
            render_video(config, index, _path(folder, index))
            yield index
        return
    # Spawned, not forked: media libraries and their threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=_leave_interrupts_to_the_parent)
    try:
        futures = {executor.submit(render_video, config, index, _path(folder, index)): index for index in indices}
        for future in as_completed(futures):
            future.result()
            yield futures[future]
    finally:
        # Reached on Ctrl-C and on errors too: pending videos are dropped, and unfinished files never in place.
        executor.shutdown(wait=True, cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    """Ignore Ctrl-C, which reaches all processes of a terminal: the parent stops handing out work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _table(config: SyntheticConfig) -> str:
    rows: list[dict[str, object]] = []
    for index in range(config.videos):
        video = draw_video(config, index)
        style = video.style
        tags = ";".join(tags_of(style))
        row = (video.id, f"{video.id}.mp4", style.artist, style.title, style.genre.name, tags, style.year)
        rows.append(dict(zip(COLUMNS, row, strict=True)))
    return csv_text(COLUMNS, rows)


def tags_of(style: SongStyle) -> list[str]:
    """List the tags of a song: instruments, tempo, mood, texture and era.

    Parameters
    ----------
    style : SongStyle
        Style of the song.

    Returns
    -------
    list of str
        Sorted tags.
    """
    return sorted(_instruments(style) | _mood(style) | _texture(style) | {_tempo(style), f"{style.year // 10 * 10}s"})


def _instruments(style: SongStyle) -> set[str]:
    families = {FAMILIES[name] for name in (style.lead, style.comp, style.pad) if name != "none"}
    return families | {"no drums" if style.drums == "none" else "drums"}


def _tempo(style: SongStyle) -> str:
    if style.tempo_bpm < 84:
        return "slow"
    return "fast" if style.tempo_bpm > 130 else "mid-tempo"


def _mood(style: SongStyle) -> set[str]:
    traits = style.traits
    worded = {
        "energetic": traits.energy > 0.7,
        "calm": traits.energy < 0.35,
        "happy": style.is_bright_mode and traits.energy > 0.45,
        "sad": not style.is_bright_mode and traits.energy < 0.5,
        "dark": not style.is_bright_mode and traits.brightness < 0.45,
        "dreamy": traits.space > 0.65,
        "aggressive": traits.energy > 0.75 and traits.dirt > 0.55,
    }
    return {word for word, holds in worded.items() if holds}


def _texture(style: SongStyle) -> set[str]:
    traits = style.traits
    worded = {
        "acoustic": traits.acoustic > 0.7,
        "electronic": traits.acoustic < 0.3,
        "distorted": traits.dirt > 0.6,
        "swing": style.genre.swing_steps == 2,
        "waltz": style.beats_per_bar == 3,
        "bright": traits.brightness > 0.68,
        "sparse": traits.density < 0.3,
    }
    return {word for word, holds in worded.items() if holds}
