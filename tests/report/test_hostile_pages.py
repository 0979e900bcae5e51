"""Report, gallery, paper and study of hostile texts, in a real browser: they are shown, and nothing of them runs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.catalogue import Catalogue
from antiphon.dual_encoder import DualEncoder
from antiphon.evaluation import audit, qualitative
from antiphon.experiments.paper import TABLE_2
from antiphon.features.assembly import assemble
from antiphon.report import build_paper_page, build_report
from antiphon.report.neighbour_gallery import build_gallery_page
from antiphon.report.study_page import build_study_page
from antiphon.workspace import Failure, Workspace

from ..hostile import TEXTS, assert_harmless, text, watched
from ..pictures import silent_pictures
from . import small_workspace
from .small_workspace import RUN, make_catalogue, make_workspace

CUT, LONGEST = 200, 4000


def hostile_catalogue(folder: Path) -> Catalogue:
    """The small catalogue with hostile ids, titles, artists, genres and tags everywhere."""
    rows = make_catalogue(folder).records()
    seen = 0
    for number, row in enumerate(rows):
        seen += row["path"] is not None
        if row["path"] is not None and seen > 2:  # Previews take time; why there is none is shown.
            row["path"] = str(folder / f"{number} {text(number)[:CUT]}")
        row |= {
            "id": f"{number} {text(number)[:CUT]}",
            "title": text(number),
            "artist": text(number // 2 + 3)[:LONGEST],
            "genre": text(number % 2 + 1),
            "tags": [text(number % 3 + 4, "a "), text(number % 2 + 9)],
        }
    return Catalogue(rows)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace of that catalogue, with failures and a run whose notes are hostile too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_workspace, "make_catalogue", hostile_catalogue)
        found = make_workspace(tmp_path_factory.mktemp("hostile") / "work")
    found.write_failures([Failure(text(n)[:CUT], "extract", text(n)[:CUT], text(n)) for n in range(len(TEXTS))])
    yield found


def found_by(place: Workspace) -> tuple[Any, Any]:
    """Model and features."""
    features = assemble(place, Catalogue.load(place.catalogue), "hearing", "seeing")
    return DualEncoder.load(place.run(RUN)), features


def opened(browser: Any, path: Path, scripts: int) -> None:
    """Open a page as a file, unfold everything, and press what can be pressed. Its scripts are ours and the media."""
    with watched(browser) as (page, complaints):
        page.goto(path.resolve().as_uri())
        assert_harmless(page, complaints, scripts)
        assert silent_pictures(page) == []
        for button in page.locator("button").all()[:12]:
            if button.is_visible() and button.is_enabled():
                button.click()
        assert_harmless(page, complaints, scripts)
        assert page.locator("body").inner_text().count("<script>") > 0


def test_a_report(browser: Any, place: Workspace) -> None:
    opened(browser, build_report(place, RUN), 2)


def test_a_gallery(browser: Any, place: Workspace) -> None:
    model, features = found_by(place)
    found = qualitative(model, features, videos=3, segments=2)
    opened(browser, build_gallery_page(place, RUN, found), 2)


def test_a_paper(browser: Any, place: Workspace) -> None:
    model, features = found_by(place)
    paper = {
        "data": {
            "audio": text(0),
            "video": text(1),
            "videos": 40,
            "pairs": 80,
            "splits": {"train": 24, "validation": 4, "test": 12},
            "synthetic": False,
            "source": text(2),
        },
        "run": RUN,
        "experiment_1": {"reason": text(3)},
        "experiment_2": {"reason": text(4)},
        "experiment_3": {"reason": text(5)},
        "probe_paper": TABLE_2,
        "audit": audit(model, features).to_dict(),
        "qualitative": qualitative(model, features, videos=3, segments=2),
        "verdict": {"alignment": text(6), "rq1": text(7), "rq2": text(8)},
        "commands": [text(9)],
        "versions": {text(10): text(11)},
        "seconds": {"experiment_1": 3.0},
        "loss": text(12),
    }
    opened(browser, build_paper_page(place, json.loads(json.dumps(paper))), 2)


def test_a_study(browser: Any, tmp_path: Path) -> None:
    def way(median: float) -> dict[str, Any]:
        number = {"value": median, "ci95": [median - 1, median + 1]}
        share = {"value": 0.3, "ci95": [0.2, 0.4]}
        found = {"median_rank": number, "recall@10": share, "mrr": share}
        return found | {"null95": [450.0, 550.0], "by_training": [median]}

    rows: list[dict[str, Any]] = []
    for number in range(len(TEXTS)):
        row = {"step": text(number), "label": text(number + 1), "size": "all", "trainings": 1, "failures": 1}
        row |= {"failed": [text(number + 2)], "n": 1000.0, "chance": 500.5, "train_pairs": 900.0}
        rows.append(row | {"a2v": way(20.0), "v2a": way(21.0), "against": {}})
    cell = {"step": text(0), "size": "all", "draw": 0, "seed": 0, "a2v": None, "v2a": None, "reason": text(1)}
    study = {
        "name": text(0),
        "description": text(1),
        "reference": text(2),
        "seeds": 1,
        "sizes": ["all"],
        "draws": {"count": 1, "test": 1000, "validation_share": 0.1, "seed": 0},
        "data": {"source": text(3), "audio": text(4), "video": text(5), "pairs": 1, "videos": 1, "extra": 0},
        "command": text(6),
        "rows": rows,
        "cells": [cell],
    }
    opened(browser, build_study_page(tmp_path, study), 1)
