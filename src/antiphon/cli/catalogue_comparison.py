"""What `antiphon catalogue describe --against` prints."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from antiphon.catalogue import Catalogue
from antiphon.errors import ConfigError
from antiphon.spreadsheets import is_spreadsheet
from antiphon.workspace import Workspace

_WORDS = {"duration_s": "durations (s)", "decade": "decades", "genre": "genres", "tags": "tags"}


def other_catalogue(path: Path) -> Catalogue:
    """Read the catalogue of a workspace, a catalogue.parquet, or a table.

    Parameters
    ----------
    path : Path
        Folder of a workspace, or a file.

    Returns
    -------
    Catalogue
        The catalogue.

    Raises
    ------
    ConfigError
        It is none of these.
    CatalogueError
        It cannot be read.
    """
    if path.is_dir():
        workspace = Workspace(path)
        if not workspace.catalogue.exists():
            raise ConfigError(f"{path}: no catalogue here. Name a workspace, or a table.")
        return Catalogue.load(workspace.catalogue)
    if path.name == Workspace(path.parent).catalogue.name:
        return Catalogue.load(path)
    if not is_spreadsheet(path):
        raise ConfigError(f"{path}: is no workspace and no table (.csv, .tsv, .txt or .parquet).")
    return Catalogue.from_parquet(path) if path.suffix.lower() == ".parquet" else Catalogue.from_csv(path)


def show_comparison(found: dict[str, Any], name: str, out: Console) -> None:
    """Print two catalogues side by side, and their distances.

    Parameters
    ----------
    found : dict
        What `compare_catalogues` returned.
    name : str
        What to call the other catalogue.
    out : Console
        Where to print.
    """
    out.print(_table("", _facts(found), name), markup=False)
    for title, key, part in (("Durations", "duration_s", "histogram"), ("Decades", "year", None)):
        sides = [found[side][key][part] if part else found[side][key] for side in ("this", "other")]
        _shares(title, sides, [sum(side.values()) for side in sides], name, out)
    for key, shares in found["shares"].items():
        sides = [{label: counts[number] for label, counts in shares["counts"].items()} for number in (0, 1)]
        _shares(f"Most frequent {key}, and the share of the music videos with any", sides, shares["videos"], name, out)
    _distances(found["distances"], out)


def _facts(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    sides = [found["this"], found["other"]]
    hours = [f"{side['duration_s']['total'] / 3600:.1f}" for side in sides]
    rows = [(word, *(f"{side[word]:,}" for side in sides)) for word in ("videos", "artists")]
    return [*((label, this, other) for label, this, other in rows), ("hours", hours[0], hours[1])]


def _shares(title: str, sides: list[dict[str, int]], totals: list[int], name: str, out: Console) -> None:
    labels = list(dict.fromkeys(label for side in sides for label in side))
    if not labels:
        return
    labels = sorted(labels) if title == "Decades" else labels
    rows = [
        (
            label,
            *(
                f"{side.get(label, 0):,} ({side.get(label, 0) / max(of, 1):.0%})"
                for side, of in zip(sides, totals, strict=True)
            ),
        )
        for label in labels
    ]
    out.print(_table(title, [(label, this, other) for label, this, other in rows], name), markup=False)


def _table(title: str, rows: list[tuple[str, str, str]], name: str) -> Table:
    table = Table(title=title or None, title_justify="left", box=None)
    for column in ("", "this", name):
        table.add_column(column, justify="left" if not column else "right")
    for row in rows:
        table.add_row(*row)
    return table


def _distances(distances: dict[str, Any], out: Console) -> None:
    table = Table(title="Distances", title_justify="left", box=None)
    for column in ("", "distance", "95%", "null 95%", "videos with a value"):
        table.add_column(column, justify="left" if not column else "right")
    for name, found in distances.items():
        if found is None:
            table.add_row(_WORDS[name], "too few values")
            continue
        digits = 1 if name == "duration_s" else 2
        numbers = [f"{found['distance']:.{digits}f}"]
        numbers += ["–".join(f"{value:.{digits}f}" for value in found[of]) for of in ("ci95", "null95")]
        table.add_row(_WORDS[name], *numbers, " and ".join(f"{count:,}" for count in found["videos"]))
    out.print(table, markup=False)
    out.print(
        "Durations: mean distance of sorted values. Others: total variation of shares, 0 to 1. 95%: bootstrap over "
        "music videos. Null: the same when the videos are dealt to both at random; a distance within it tells nothing.",
        soft_wrap=True,
    )
