"""`antiphon gallery`: random videos with their nearest neighbours, and what explains them."""

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console

from antiphon.catalogue import Catalogue
from antiphon.cli.opening import model_features, run_folder
from antiphon.cli.session import BRIEFLY_S, Here, Session
from antiphon.features import Features
from antiphon.runs import GALLERY_FILE
from antiphon.tables import write_text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_NO_MEDIA = "No media in this workspace."


def gallery(
    *,
    run: str | None = None,
    split: Literal["train", "validation", "test"] = "test",
    videos: Annotated[int, Parameter(validator=Number(gte=1))] = 25,
    segments: Annotated[int, Parameter(validator=Number(gte=0))] = 20,
    tag: str | None = None,
    seed: int = 0,
    session: Here,
) -> None:
    """Show random videos and segments with their nearest neighbours, and measure what neighbours have in common.

    Writes runs/RUN/gallery.html, a page to watch and listen to, and its numbers as gallery.json: whether neighbours
    share genre and tags, whether that depends on how consistent a video's segments are, and how far colour, brightness,
    motion and cuts explain who is near whom. These attributes are measured once and kept in attributes.parquet.

    Parameters
    ----------
    run
        Name of the run. Default: the one trained last.
    split
        Split to choose from.
    videos
        Number of random videos to show.
    segments
        Number of random segments to show.
    tag
        Analyse this tag only. Default: every tag of at least 10 videos.
    seed
        Seed of the samples, bootstraps and permutations.
    """
    found = run_gallery(session, run, split, videos, segments, tag, seed)
    session.result(found, lambda out: show_findings(found, out))


def run_gallery(
    session: Session, run: str | None, split: str, videos: int, segments: int, tag: str | None, seed: int
) -> dict[str, Any]:
    """Measure, write numbers and page, with progress bars."""
    from antiphon.dual_encoder import DualEncoder
    from antiphon.evaluation.qualitative_analysis import qualitative
    from antiphon.report.neighbour_gallery import build_gallery_page

    workspace = session.existing_workspace()
    folder = run_folder(workspace, run)
    model = DualEncoder.load(folder)
    features = model_features(workspace, model)
    attributes, why_none = measured_attributes(session, features, split)
    with session.progress("Comparing neighbours") as report:
        report(0, 1, "")
        found: dict[str, Any] = {"run": workspace.run_name(folder)} | qualitative(
            model,
            features,
            attributes,
            split=split,
            videos=videos,
            segments=segments,
            tag=tag,
            seed=seed,
            why_no_attributes=why_none,
        )
        report(1, 1, "")
    with workspace.lock(BRIEFLY_S), session.progress("Writing the gallery") as report:
        path = build_gallery_page(workspace, workspace.run_name(folder), found, progress=report)
        write_text(json.dumps(found, indent=2, ensure_ascii=False), folder / GALLERY_FILE)
    return found | {"page": str(path)}


def measured_attributes(
    session: Session, features: Features, split: str, *, measure: bool = True
) -> "tuple[npt.NDArray[np.float64] | None, str]":
    """Return the attributes of a split's segments.

    Parameters
    ----------
    session : Session
        Session of the command line.
    features : Features
        Features of the workspace.
    split : str
        Split to measure.
    measure : bool
        Measure missing ones; else read what is there.

    Returns
    -------
    attributes : ndarray of float64, or None
        One row per segment of `features`; None if the workspace has no media.
    why_none : str
        The reason for None, else "".
    """
    from antiphon.features.attributes import measure_attributes, read_attributes

    catalogue = Catalogue.load(session.workspace.catalogue)
    pool = {str(name) for name in features.groups[features.splits == split]}
    if not any(row["path"] and row["id"] in pool for row in catalogue.records()):
        return None, _NO_MEDIA
    if measure:
        with session.progress("Measuring attributes") as report:
            measure_attributes(session.workspace, catalogue, pool, progress=report)
            report(len(pool), len(pool), "")
    return read_attributes(session.workspace, features.ids), ""


def show_findings(found: dict[str, Any], out: Console) -> None:
    """Print the findings as sentences.

    Parameters
    ----------
    found : dict
        What `run_gallery` returned.
    out : Console
        Where to print.
    """
    from pathlib import Path

    from antiphon.report.neighbour_sentences import findings

    out.print(f"Run {found['run']}, {found['split']} split, {found['videos']} videos, {found['segments']} segments:")
    for sentence in findings(found):
        out.print(f"- {sentence}", markup=False, soft_wrap=True)
    out.print(f"Gallery: {Path(found['page']).resolve().as_uri()}", soft_wrap=True)
