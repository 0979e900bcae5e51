"""The evaluation page shows how ranks changed, as a chart and as a table."""

import json
import shutil
from typing import Any

import pytest
from fastapi.testclient import TestClient

from antiphon.evaluation_log import keep_evaluation
from antiphon.runs import METRICS_FILE
from antiphon.workspace import Workspace

from .conftest import RUN
from .test_browser import complaints, phone, tab, wide  # noqa: F401 - fixtures
from .test_trouble import plain_text


@pytest.fixture
def evaluated(workspace: Workspace) -> Any:
    """Three evaluations, one of them on a frozen test set; they are removed afterwards."""
    folder = workspace.run(RUN)
    found = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
    for name in ("", "", "may"):
        keep_evaluation(folder, found, name)
    yield found
    shutil.rmtree(folder / "evaluations")


def test_evaluations_are_listed_by_test_set(client: TestClient, evaluated: Any) -> None:
    page = client.get("/evaluation").text
    said = plain_text(page)
    assert "Over time, on the test split" in said
    assert "On the frozen test set may" in said
    assert page.count("Median rank, by the number of videos: sound") == 1
    assert page.count('<th scope="row">') >= 3


@pytest.mark.parametrize("tab", [wide("dark"), phone("light")], ids=["wide", "phone"], indirect=True)
def test_the_course_has_no_serious_fault(tab: Any, axe: str, evaluated: Any, complaints: list[str]) -> None:  # noqa: F811
    tab.goto("/evaluation")
    assert tab.locator("figure svg[role=img]").get_attribute("aria-label")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.evaluate(axe)
    found = tab.evaluate("axe.run().then((found) => found.violations)")
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    assert complaints == []
