"""Videos that are to be computed again, whatever a workspace holds of them."""

import shutil
import warnings
from collections.abc import Collection, Sequence

from antiphon.catalogue import Catalogue
from antiphon.catalogue.identity import PROBED, is_gone
from antiphon.errors import ConfigError
from antiphon.features.forgetting import forget, forget_features
from antiphon.features.keeping import kept_folder
from antiphon.spelling import did_you_mean
from antiphon.workers.limits import WorkerLimits
from antiphon.workspace import Workspace


def renew(
    workspace: Workspace,
    catalogue: Catalogue,
    videos: Collection[str],
    stores: Sequence[str],
    *,
    kept: bool = False,
    limits: WorkerLimits | None = None,
) -> Catalogue:
    """Probe some videos again and remove their features, so that extraction computes them.

    Features of other backbones stay, unless the file turns out to be of another length, which moves its segments. What
    was computed of files that are gone, of which a warning tells, or unreadable stays.

    Parameters
    ----------
    workspace : Workspace
        Workspace whose lock is held.
    catalogue : Catalogue
        Its catalogue.
    videos : collection of str
        Ids of the videos.
    stores : sequence of str
        Names of the backbones whose features are to be computed again.
    kept : bool, default False
        Also remove their kept segments.
    limits : WorkerLimits, optional
        Limits of each file. Default: 60 s and 2 GB.

    Returns
    -------
    Catalogue
        The catalogue, saved.

    Raises
    ------
    ConfigError
        An id is not in the catalogue; nothing was removed.
    """
    if not videos:
        return catalogue
    rows = {row["id"]: row for row in catalogue.records()}
    for name in videos:
        if name not in rows:
            raise ConfigError(f"'{name}': no such video in the catalogue.{did_you_mean(name, list(rows))}")
    gone = [f"{name} ({rows[name]['path']})" for name in videos if is_gone(rows[name]["path"])]
    if gone:
        warnings.warn(f"Not computed again, since their files are gone: {', '.join(gone)}.", stacklevel=2)
    usable = [name for name in videos if rows[name]["path"] and not is_gone(rows[name]["path"])]
    if not usable:
        return catalogue
    fresh, reasons = Catalogue([rows[name] | dict.fromkeys(PROBED) for name in usable]).probe(limits=limits)
    probed = {row["id"]: row for row in fresh.records() if row["id"] not in reasons}
    forget(workspace, [name for name, row in probed.items() if _extents(row) != _extents(rows[name])])
    for store in stores:
        forget_features(workspace, store, probed)
    if kept:
        for name in probed:
            shutil.rmtree(kept_folder(workspace, name), ignore_errors=True)
    renewed = Catalogue(list((rows | probed).values()))
    renewed.save(workspace.catalogue)
    return renewed


def _extents(row: dict[str, object]) -> list[object]:
    return [row[name] for name in ("start_s", "duration_s", "has_audio", "has_video")]
