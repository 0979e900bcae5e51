"""The audit on the page: what is stored or found now, what failed first, and pictures drawn where the numbers lie."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from antiphon.catalogue import Catalogue
from antiphon.dual_encoder import DualEncoder
from antiphon.features.assembly import assemble
from antiphon.model.published_checkpoint import Published
from antiphon.presentation.charts import WIDTH
from antiphon.report import build_report
from antiphon.report.audit_charts import copies_chart, room_chart
from antiphon.report.formula import perfect_example
from antiphon.runs import AUDIT_FILE
from antiphon.workspace import Workspace

from .page import Node, read_page
from .small_workspace import RUN, SCRIPT, write_json

pytestmark = pytest.mark.usefixtures("quick_default")


def check(name: str, part: str, status: str, finding: str = "A sentence.", **numbers: Any) -> dict[str, Any]:
    return {"name": name, "part": part, "status": status, "finding": finding, "numbers": numbers}


def stored(*checks: dict[str, Any]) -> dict[str, Any]:
    counts = {status: sum(one["status"] == status for one in checks) for status in ("pass", "warn", "fail", "n/a")}
    return {"checks": list(checks), "counts": counts, "verdict": "The verdict of the stored audit."}


def store(workspace: Workspace, *checks: dict[str, Any]) -> None:
    """An audit of the workspace's features beside the run."""
    features = assemble(workspace, Catalogue.load(workspace.catalogue), "hearing", "seeing")
    write_json(workspace, AUDIT_FILE, stored(*checks) | {"features": features.fingerprint()})


def section(page: Node) -> Node:
    return page.one("section", id="audit")


def test_a_quick_audit_is_made_where_none_is_stored(page: Node) -> None:
    text = section(page).text
    assert "No model was trained on shuffled pairs" in text
    assert f"antiphon audit --run '{RUN}'" in text
    titles = [node.text for node in section(page).all("h3")]
    assert titles == ["The metric", "The model", "The pairs", "The splits", "The loss"]


def test_warnings_are_counted_in_words(workspace: Workspace) -> None:
    store(workspace, check("Loss: room", "loss", "warn"), check("Loss: validation", "loss", "warn"))
    assert "2 warnings" in section(read_page(build_report(workspace, RUN))).one("p", class_="counts").text
    store(workspace, check("Loss: room", "loss", "warn"))
    assert section(read_page(build_report(workspace, RUN))).one("p", class_="counts").text == "! 1 warning"


def test_the_stored_audit_is_shown_and_text_in_it_is_inert(workspace: Workspace) -> None:
    store(workspace, check("Leakage: copies", "leakage", "fail", SCRIPT))
    page = read_page(build_report(workspace, RUN))
    assert not section(page).all("p", class_="notice")
    assert "The verdict of the stored audit." in section(page).text
    assert SCRIPT in section(page).text
    assert len(page.all("script")) == 2


def test_a_stored_audit_of_other_splits_is_made_anew(workspace: Workspace) -> None:
    store(workspace, check("Leakage: copies", "leakage", "fail"))
    rows = Catalogue.load(workspace.catalogue).records()
    moved = [row | {"split": "train" if row["id"] == "test-0" else row["split"]} for row in rows]
    Catalogue(moved).save(workspace.catalogue)
    page = read_page(build_report(workspace, RUN))
    (notice,) = section(page).all("p", class_="notice")
    assert notice.text.startswith("The stored audit is of other features or splits.")
    assert "run antiphon audit again" in notice.text
    assert "The verdict of the stored audit." not in section(page).text
    assert "No model was trained on shuffled pairs" in section(page).text


def test_a_stored_audit_of_unknown_features_is_made_anew(workspace: Workspace) -> None:
    write_json(workspace, AUDIT_FILE, stored())
    text = section(read_page(build_report(workspace, RUN))).text
    assert "The stored audit does not record its features and splits." in text
    assert "The verdict of the stored audit." not in text


def test_a_stored_audit_that_cannot_be_compared_says_so(workspace: Workspace) -> None:
    store(workspace)
    workspace.catalogue.unlink()
    text = section(read_page(build_report(workspace, RUN))).text
    assert "The verdict of the stored audit." in text
    assert "whether this audit is of the current features and splits. The workspace has no catalogue" in text


def test_what_failed_stands_open_before_what_passed_and_at_the_top(workspace: Workspace) -> None:
    store(
        workspace,
        check("Leakage: videos", "leakage", "pass", "Passed sentence."),
        check("Leakage: artists", "leakage", "n/a", "Unknown sentence."),
        check("Leakage: sound", "leakage", "warn", "Warning sentence."),
        check("Leakage: copies", "leakage", "fail", "Failed sentence."),
    )
    page = read_page(build_report(workspace, RUN))
    opened, folded = section(page).all("ul", class_="checks")
    assert [node.all("p")[1].text for node in opened.all("li")] == [
        "Failed sentence.",
        "Warning sentence.",
        "Unknown sentence.",
    ]
    assert folded.all("p")[1].text == "Passed sentence."
    assert "open" not in section(page).one("details").attributes
    assert [node.text for node in section(page).one("p", class_="counts").all("span")] == [
        "✕ 1 failed",
        "! 1 warning",
        "– 1 not checked",
        "✓ 1 passed",
    ]
    notice = page.one("header", class_="page").one("p", class_="notice")
    assert notice.text == "The audit failed: Leakage: copies; see below ."


def test_nothing_is_said_at_the_top_where_nothing_failed(workspace: Workspace) -> None:
    store(workspace, check("Leakage: sound", "leakage", "warn"))
    assert not read_page(build_report(workspace, RUN)).one("header", class_="page").all("p", class_="notice")


def test_a_reason_where_there_can_be_no_audit(workspace: Workspace) -> None:
    rows = [row | {"split": "train"} for row in Catalogue.load(workspace.catalogue).records()]
    Catalogue(rows).save(workspace.catalogue)
    text = section(read_page(build_report(workspace, RUN))).text
    assert "n/a: the audit could not run. The test split has fewer than two videos" in text
    workspace.catalogue.unlink()
    assert "no catalogue" in section(read_page(build_report(workspace, RUN))).text


def test_a_published_model_is_audited_and_read_again(workspace: Workspace) -> None:
    model = DualEncoder.load(workspace.run(RUN))
    model.published, model.history, model._seen = Published("Single head.tar", "0" * 64), [], model._seen[:0]
    model._seen = (np.array([], dtype=np.str_), np.array([], dtype=np.str_))
    model.save(workspace.run(RUN))
    page = read_page(build_report(workspace, RUN))
    assert "no training history" in section(page).text
    assert "antiphon audit" not in section(page).text
    said = page.one("section", id="numbers").one("pre").text
    assert f"antiphon --workspace work published 'Single head.tar' --name '{RUN}-again' --audio hearing" in said
    assert "train" not in said


def numbers_of_copies(threshold: float = 0.875) -> dict[str, Any]:
    held_out, unrelated = [0] * 40, [0] * 40
    held_out[30], held_out[38], unrelated[28] = 3, 1, 2
    return {"histogram": {"held_out": held_out, "unrelated": unrelated}, "threshold": threshold, "videos": 1}


def test_bars_of_near_copies_are_drawn_where_the_cosines_lie() -> None:
    drawn = str(copies_chart("sound", numbers_of_copies()))
    found = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" class="bar sound"', drawn)
    assert len({round(float(y) + float(height), 1) for _, y, _, height in found}) == 1
    tall = {round(float(x)): float(height) for x, _, _, height in found if float(height) > 0}

    # The axis runs from the first bin with anything in it, cosine 0.4, to 1.
    def at(cosine: float) -> float:
        return 4 + (WIDTH - 8) * (cosine - 0.4) / 0.6

    assert set(tall) == {round(at(0.5) + 0.5), round(at(0.9) + 0.5)}
    first, second = tall.values()
    assert first == pytest.approx(3 * second, rel=0.01)
    limit = re.search(r'<line x1="([\d.]+)"[^>]*class="limit"', drawn)
    assert limit
    assert float(limit[1]) == pytest.approx(at(0.875), abs=0.01)
    assert "1 at or beyond 0.88" in drawn
    assert "75% of the held-out videos, 0% of unrelated" in drawn


@pytest.mark.parametrize("loss", [5.9, 7.4])
def test_the_room_of_the_loss_is_drawn_to_scale(loss: float) -> None:
    drawn = str(room_chart({"least": 5.0, "chance": 7.0}, {"loss": loss}))
    box = re.search(r'<rect x="([\d.]+)"[^>]*width="([\d.]+)"[^>]*class="room"', drawn)
    dot = re.search(r'<circle cx="([\d.]+)"', drawn)
    assert box
    assert dot
    start, end = float(box[1]), float(box[1]) + float(box[2])
    assert (float(dot[1]) - start) / (end - start) == pytest.approx((loss - 5) / 2, abs=0.01)
    assert end <= WIDTH
    heights = [re.search(rf'y="([\d.]+)"[^>]*>{words} [57]\.00<', drawn) for words in ("lowest possible", "chance")]
    assert [height and float(height[1]) for height in heights] == [90, 106]  # one above the other, however near
    assert float(dot[1]) <= WIDTH


def test_the_example_of_the_formula_is_computed_as_published() -> None:
    example = perfect_example()
    for query, row in enumerate(example.order.tolist()):
        assert sorted(row) == list(range(5))
        assert row[-1] == query
        assert example.read[query] == row[query]
    assert example.true.tolist() == [1.0] * 5
    assert example.printed == sorted(example.read.tolist())[2] > 1


def test_the_formula_stands_beside_the_true_ranks_of_the_run(workspace: Workspace) -> None:
    numbers = {"n": 12, "published": 5.5, "published_oracle": 4.0, "median_rank": {"a2v": 2.0, "v2a": 3.0}}
    store(workspace, check("Model: published formula", "model", "pass", **numbers))
    shown = section(read_page(build_report(workspace, RUN))).all("dd", class_="big")
    assert [node.text for node in shown] == ["5.5", "4", "2 and 3", "6.5"]


def test_the_report_is_one_file_with_one_script(workspace: Workspace) -> None:
    path: Path = build_report(workspace, RUN)
    assert read_page(path).one("meta", **{"http-equiv": "Content-Security-Policy"})
    assert not re.search(r"url\(|@import|https?:", read_page(path).one("style").text)
