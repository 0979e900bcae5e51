"""Description of a catalogue: the counts that the paper's data appendix compares between its data sets."""

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from antiphon.catalogue.artists import credited
from antiphon.catalogue.catalogue import Catalogue
from antiphon.catalogue.splits import SPLITS
from antiphon.documents import parsed_toml, read_document
from antiphon.spelling import one_spelling

_DURATION_EDGES_S = (0, 30, 60, 120, 180, 240, 300, 600, np.inf)


def describe(catalogue: Catalogue, max_names: int = 20) -> dict[str, Any]:
    """Count splits, durations, years, genres, tags and missing values.

    Parameters
    ----------
    catalogue : Catalogue
        Any catalogue; durations are known after `Catalogue.probe`.
    max_names : int, default 20
        Maximum genres and tags to list, the most frequent first.

    Returns
    -------
    dict of str to object
        "videos", "artists", "splits", "media" (with audio, video, both), "duration_s" and "year" (histograms: label →
        count), "genres" and "tags" (name → count per split and in total), "missing" (column → rows without it).
    """
    rows = catalogue.records()
    durations = [row["duration_s"] for row in rows if row["duration_s"] is not None]
    years = Counter(f"{row['year'] // 10 * 10}s" for row in rows if row["year"] is not None)
    return {
        "videos": len(rows),
        "artists": len({key for keys in credited(catalogue.artists) for key in keys}),
        "splits": catalogue.split_counts(),
        "media": {
            "with sound and pictures": sum(bool(row["has_audio"] and row["has_video"]) for row in rows),
            "with sound only": sum(bool(row["has_audio"] and row["has_video"] is False) for row in rows),
            "with pictures only": sum(bool(row["has_video"] and row["has_audio"] is False) for row in rows),
            "not readable or not looked at": sum(row["has_audio"] is None for row in rows),
        },
        "duration_s": {"total": float(sum(durations)), "histogram": _histogram(durations)},
        "year": dict(sorted(years.items())),
        "genres": _frequencies([([row["genre"]] if row["genre"] else [], row["split"]) for row in rows], max_names),
        "tags": _frequencies([(row["tags"] or [], row["split"]) for row in rows], max_names),
        "missing": {
            name: sum(not row[name] for row in rows)
            for name in ("id", "path", "artist", "title", "genre", "tags", "year", "split", "duration_s")
        },
    }


def _histogram(durations: list[float]) -> dict[str, int]:
    counts, _ = np.histogram(durations, bins=np.array(_DURATION_EDGES_S))
    labels = [
        f"{low:.0f}–{high:.0f} s" if np.isfinite(high) else f"over {low:.0f} s"
        for low, high in pairwise(_DURATION_EDGES_S)
    ]
    return {label: int(count) for label, count in zip(labels, counts, strict=True) if count}


def _frequencies(rows: list[tuple[list[str], str | None]], max_names: int) -> dict[str, dict[str, int]]:
    total: Counter[str] = Counter()
    per_split: Counter[tuple[str, str]] = Counter()
    spelling = one_spelling(name for names, _ in rows for name in names)
    for written, split in rows:
        names = list(dict.fromkeys(spelling[name] for name in written))
        total.update(names)
        per_split.update((name, split) for name in names if split)
    return {
        name: {"total": count} | {split: per_split[name, split] for split in SPLITS}
        for name, count in sorted(total.items(), key=lambda item: (-item[1], item[0]))[:max_names]
    }


_SYNTHETIC_NAME = re.compile(r"synthetic-\d{4,}(\.mp4)?")


def synthetic_ids(catalogue: Catalogue) -> set[str]:
    """Find videos rendered by Antiphon's synthetic catalogue.

    They are recognised by a column `synthetic`, or by the file name, such as `synthetic-0001.mp4`.

    Parameters
    ----------
    catalogue : Catalogue
        Any catalogue.

    Returns
    -------
    set of str
        Ids of the synthetic videos.
    """
    found: set[str] = set()
    for row in catalogue.records():
        name = row["path"].replace("\\", "/").rsplit("/", 1)[-1] if row["path"] else row["id"]
        if row.get("synthetic") in (True, "true", "True", "1", 1) or _SYNTHETIC_NAME.fullmatch(name):
            found.add(row["id"])
    return found


def synthetic_coupling(catalogue: Catalogue) -> float | None:
    """Read how far the video of a synthetic catalogue follows the songs.

    Parameters
    ----------
    catalogue : Catalogue
        Any catalogue.

    Returns
    -------
    float or None
        Coupling in [0, 1]; None where no record of it is found.
    """
    folders = {Path(row["path"]).parent for row in catalogue.records() if row["path"] and "://" not in row["path"]}
    for folder in sorted(folders):
        try:
            coupling = parsed_toml(read_document(folder / "synthetic.toml"))["synthetic"]["coupling"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if isinstance(coupling, int | float) and 0 <= coupling <= 1:
            return float(coupling)
    return None
