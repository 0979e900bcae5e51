"""Lists in the layout of AudioSet: `YTID, start_seconds, end_seconds, "label,label"`, with comments before; no media.

https://research.google.com/audioset/download.html (Gemmeke et al. 2017). The names of labels are those of
class_labels_indices.csv.
"""

import csv
import math
from collections.abc import Iterator
from pathlib import Path

from antiphon.catalogue.catalogue import Catalogue
from antiphon.catalogue.importers.imported import Imported
from antiphon.catalogue.validation import CatalogueRow
from antiphon.documents import read_document
from antiphon.errors import CatalogueError

_MAX_S = 1e7


def read_audioset(segments: Path, label_names: Path | None = None, split: str | None = None) -> Imported:
    """Build a catalogue of the videos of a list, without files.

    Parameters
    ----------
    segments : Path
        List, such as balanced_train_segments.csv.
    label_names : Path, optional
        class_labels_indices.csv: index, mid, display_name. Default: the labels' own names, such as /m/04rlf.
    split : {'train', 'validation', 'test'}, optional
        Split of all rows.

    Returns
    -------
    Imported
        The catalogue: id, tags, and where in the video the segment lies (start_s, duration_s). `unlisted` holds labels
        without a name.

    Raises
    ------
    CatalogueError
        A list cannot be read or has another layout, or a video is there twice.
    """
    names = {} if label_names is None else _names(label_names)
    rows: list[CatalogueRow] = []
    unnamed: dict[str, None] = {}
    seen: set[str] = set()
    for where, video, start_s, end_s, labels in _segments(segments):
        if video in seen:
            raise CatalogueError(f"{where}: {video} is there twice. Keep one segment of each video.")
        seen.add(video)
        if names:
            unnamed |= dict.fromkeys(label for label in labels if label not in names)
        tags = list(dict.fromkeys(names.get(label, label) for label in labels))
        place = {"start_s": start_s, "duration_s": end_s - start_s}
        rows.append({"id": video, "tags": tags, "split": split} | place)
    if not rows:
        raise CatalogueError(f'{segments}: has no rows, such as --PJHxphWEs, 30.000, 40.000, "/m/04rlf".')
    return Imported(Catalogue(rows), (), tuple(unnamed))


def _segments(path: Path) -> Iterator[tuple[str, str, float, float, list[str]]]:
    for number, values in _lines(path):
        where = f"{path}, line {number}"
        if len(values) != 4 or not values[0]:
            raise CatalogueError(f"{where}: needs YTID, start_seconds, end_seconds and the labels in quotes.")
        try:
            start_s, end_s = float(values[1]), float(values[2])
        except ValueError:
            start_s = end_s = math.nan
        if not 0 <= start_s < end_s <= _MAX_S:
            raise CatalogueError(f"{where}: {values[1]} to {values[2]} is no stretch of a video in seconds.")
        yield where, values[0], start_s, end_s, [label.strip() for label in values[3].split(",") if label.strip()]


def _names(path: Path) -> dict[str, str]:
    rows = list(_lines(path))
    if not rows or [value.lower() for value in rows[0][1]] != ["index", "mid", "display_name"]:
        raise CatalogueError(f"{path}: must start with the columns index,mid,display_name.")
    for number, values in rows[1:]:
        if len(values) != 3:
            raise CatalogueError(f"{path}, line {number}: needs index, mid and display_name.")
    return {values[1]: values[2] for _, values in rows[1:]}


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        lines = read_document(path).splitlines()
        for number, line in enumerate(lines, start=1):
            if line.strip() and not line.startswith("#"):
                (values,) = csv.reader([line], skipinitialspace=True)
                yield number, [value.strip() for value in values]
    except (OSError, ValueError, csv.Error) as error:
        raise CatalogueError(f"{path}: cannot be read as text: {error}") from error
