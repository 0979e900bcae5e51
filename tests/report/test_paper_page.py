"""The page of the paper's experiments: whole, honest about what is missing, and its numbers as found."""

import csv
import io
import json
import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import antiphon as ap
from antiphon.catalogue import Catalogue
from antiphon.evaluation import audit, qualitative
from antiphon.experiments import alignment as experiment
from antiphon.experiments.paper import CONFIGURATIONS, DEVIATIONS, TABLE_1, TABLE_2
from antiphon.experiments.trials import Trials
from antiphon.features.assembly import assemble
from antiphon.metrics.classification_metrics import METRICS
from antiphon.model.recipe import Recipe, load_recipe
from antiphon.presentation.charts import WIDTH
from antiphon.presentation.numbers import brief, rank, score
from antiphon.presentation.svg import Scale
from antiphon.report import build_paper_page
from antiphon.report.paper_alignment import Mark, alignment_chart, alignment_context
from antiphon.report.paper_probes import beyond_name, difference_verdict, is_of_paper
from antiphon.report.paper_tables import table_1_csv, table_2_csv, tables_markdown
from antiphon.workspace import Workspace

from .page import Node, read_page
from .small_workspace import RUN, SCRIPT, TEST_VIDEOS

pytestmark = pytest.mark.usefixtures("quick_default")

WAYS = ("a2v", "v2a")
PARTS = ("experiment_1", "experiment_2", "experiment_3", "audit", "qualitative")


def short_recipe(name: str) -> Recipe:
    recipe = load_recipe(name)
    autoencoder = recipe.autoencoder.model_copy(update={"epochs": min(recipe.autoencoder.epochs, 2)})
    training = recipe.training.model_copy(update={"epochs": 2})
    return recipe.model_copy(update={"training": training, "autoencoder": autoencoder})


@pytest.fixture(scope="module")
def paper(shared_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Everything that the page shows, really run on the small workspace."""
    features = assemble(shared_workspace, Catalogue.load(shared_workspace.catalogue), "hearing", "seeing")
    model = ap.DualEncoder.load(shared_workspace.run(RUN))
    runs = tmp_path_factory.mktemp("trials")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment, "load_recipe", short_recipe)
        aligned = experiment.alignment(Trials(features, lambda name: runs / name), seeds=2)
    probes = {target: ap.probe(model, features, target=target, seeds=1) for target in ("genre", "tags")}
    found = {
        "data": {
            "audio": "hearing",
            "video": "seeing",
            "videos": 40,
            "pairs": 80,
            "splits": {"train": 24, "validation": 4, "test": 12},
            "synthetic": False,
            "source": f"a small workspace {SCRIPT}",
        },
        "run": RUN,
        "experiment_1": aligned,
        "experiment_2": probes["genre"].to_dict(),
        "experiment_3": probes["tags"].to_dict(),
        "probe_paper": TABLE_2,
        "audit": audit(model, features).to_dict(),
        "qualitative": qualitative(model, features, videos=3, segments=2),
        "verdict": {"alignment": "First sentence.", "rq1": "Second sentence.", "rq2": "Third sentence."},
        "commands": ["antiphon reproduce"],
        "versions": {"antiphon": "0"},
        "seconds": {"experiment_1": 3.0, "audit": 70.0},
        "loss": "info_nce",
    }
    return json.loads(json.dumps(found))


@pytest.fixture(scope="module")
def place(shared_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy that the page can be written into; its catalogue names the media of the shared one."""
    root = tmp_path_factory.mktemp("paper") / "work"
    shutil.copytree(shared_workspace.root, root, ignore=shutil.ignore_patterns("*.mp4", "report.html"))
    return Workspace(root)


@pytest.fixture(scope="module")
def path(place: Workspace, paper: dict[str, Any]) -> Path:
    told: list[tuple[int, int, str]] = []
    found = build_paper_page(place, paper, progress=lambda *state: told.append(state))
    assert told[-1][0] == told[-1][1] == len(told)
    assert found == place.root / "paper.html"
    return found


@pytest.fixture(scope="module")
def page(path: Path) -> Node:
    return read_page(path)


def section_of(place: Workspace, paper: dict[str, Any], name: str) -> Node:
    """A section of another page, without its galleries."""
    other = Workspace(place.root.parent / "other")
    return read_page(build_paper_page(other, paper | {"qualitative": {"reason": "Not asked for."}})).one(
        "section", id=name
    )


def cells(row: Node, name: str) -> Node:
    return row.one("td", **{"data-name": name})


def test_page_loads_nothing_and_runs_only_its_script(page: Node) -> None:
    for node in page.all():
        for key in ("src", "href", "srcset", "poster", "data", "action"):
            assert node.attributes.get(key, "#").startswith("#")
        assert not any(key.startswith("on") for key in node.attributes)
    assert [node.attributes.get("type") for node in page.all("script")] == ["application/json", None]
    assert SCRIPT in page.one("section", id="verdict").text
    assert not re.search(r"url\(|@import|@font-face|https?:", page.one("style").text)
    assert "default-src 'none'" in page.one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"]


def test_headings_and_labels(page: Node) -> None:
    levels = [int(node.name[1]) for node in page.all() if re.fullmatch(r"h[1-6]", node.name)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [node.attributes["id"] for node in page.all() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    targets = {node.attributes["href"][1:] for node in page.all("a")}
    targets |= {node.attributes["aria-labelledby"] for node in page.all() if "aria-labelledby" in node.attributes}
    assert targets <= set(ids)
    assert all(len(node.attributes["aria-label"]) > 20 for node in page.all("svg"))


def test_the_verdict_comes_first(page: Node, paper: dict[str, Any]) -> None:
    sections = [node.attributes["id"] for node in page.all("section")]
    assert sections == [
        "verdict",
        "table-1",
        "formula",
        "table-2",
        "audit",
        "findings",
        "seed-videos",
        "seed-segments",
        "how",
        "made",
    ]
    said = [node.text for node in page.one("section", id="verdict").all("dd", class_="verdict")]
    assert said == list(paper["verdict"].values())
    assert "positive finding" not in page.one("section", id="verdict").text
    made = page.one("section", id="made").text
    assert "antiphon reproduce" in made
    assert "1 min 13 s" in made


def test_table_1_holds_the_numbers_of_the_paper_beside_ours(page: Node, paper: dict[str, Any]) -> None:
    found = paper["experiment_1"]
    first, second = page.one("section", id="table-1").all("table")
    rows = [row for row in first.all("tr") if row.all("td", **{"data-name": "Sound → pictures"})]
    wanted = [*found["rows"], found["reference"], found["shuffled"]]
    assert [row.one("th").text for row in rows] == [
        *CONFIGURATIONS.values(),
        "Antiphon's default",
        "Base, trained on shuffled pairs",
        "Perfect embeddings",
        "Random embeddings",
    ]
    for row, one in zip(rows, wanted, strict=False):
        for way, name in zip(WAYS, ("Sound → pictures", "Pictures → sound"), strict=True):
            ours = one["pool"][way]
            shown = cells(row, name)
            assert float(shown.one("data").attributes["value"]) == ours["median_rank"]
            low, high = ours["ci95"]
            assert f"{brief(low)}–{brief(high)}" in shown.text
            assert f"seeds {', '.join(map(rank, ours['by_seed']))}" in shown.text
            printed = str(TABLE_1[one["recipe"]][way]) if "paper" in one else "–"
            assert cells(row, f"Paper, {name.lower()}").text == printed
            assert "–".join(map(brief, ours["null95"])) in cells(row, "Null").text
        assert cells(row, "Formula prints").text == ", ".join(map(rank, one["published"]))
    gains = [cells(row, "Gain").text.split()[0] for row in rows]
    assert gains == ["–", *(f"×{one['gain']['value']:.2f}" for one in wanted[1:]), "–", "–"]
    assert cells(rows[-2], "Sound → pictures").text == "1"
    assert cells(rows[-2], "Formula prints").text == rank(found["oracle"]["published"])
    deviations = [row.one("th").text for row in second.all("tr") if row.all("td")]
    assert deviations == list(DEVIATIONS.values())


def test_ranks_and_the_formula_are_drawn_where_they_lie() -> None:
    mark = Mark("Base", 50.0, [40.0, 60.0], [450.0, 550.0], [480.0, 520.0], 507.0)
    drawn = str(alignment_chart("v2a", [mark], 1000))
    scale = Scale(1, 1000, 4, WIDTH - 46, log=True)
    dot = re.search(r'<circle cx="([\d.]+)"[^>]*class="dot pictures"', drawn)
    bar = re.search(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"[^>]*class="bar pictures"', drawn)
    null = re.search(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"[^>]*class="null"', drawn)
    assert dot
    assert bar
    assert null
    assert float(dot[1]) == pytest.approx(scale(50), abs=0.01)
    for box, (low, high) in ((bar, mark.ci95 or ()), (null, mark.null95 or ())):
        assert float(box[1]) == pytest.approx(scale(low), abs=0.01)
        assert float(box[1]) + float(box[2]) == pytest.approx(scale(high), abs=0.02)
    hollow = [float(x) for x in re.findall(r'<path d="M([\d.]+) [^>]*class="hollow"', drawn)]
    assert hollow == pytest.approx([scale(480), scale(520)], abs=0.01)
    cross = re.findall(r'<line x1="([\d.]+)"[^>]*x2="([\d.]+)"[^>]*class="cross"', drawn)
    assert [(float(one) + float(two)) / 2 for one, two in cross] == pytest.approx([scale(507)] * 2, abs=0.02)
    assert "the published formula prints 480, 520; the paper printed 507" in drawn


def test_the_papers_ranks_are_drawn_in_a_pool_of_its_size_alone(paper: dict[str, Any], page: Node) -> None:
    found = paper["experiment_1"]
    assert found["pool"] < 1000
    assert not any('class="cross"' in str(chart) for chart in alignment_context(found)["charts"])
    assert "they are in the table but not in the chart" in page.text
    same = alignment_context({**found, "pool": 1000})["charts"]
    assert all(str(chart).count('class="cross"') == 2 * len(CONFIGURATIONS) for chart in same)


def test_intervals_without_width_are_explained(paper: dict[str, Any]) -> None:
    found = json.loads(json.dumps(paper["experiment_1"]))
    for row in [*found["rows"], *found["deviations"], found["reference"], found["shuffled"]]:
        for way in WAYS:
            row["pool"][way]["ci95"] = [1.0, 1.0]
    assert alignment_context(found)["tied"] == []
    found["rows"][2]["pool"]["a2v"]["ci95"] = [5.0, 5.0]
    assert alignment_context(found)["tied"] == ["Four layers"]


def test_a_pool_smaller_than_the_test_is_told_apart(place: Workspace, paper: dict[str, Any], page: Node) -> None:
    assert "among all" not in " ".join(node.text for node in page.one("section", id="table-1").all("summary"))
    changed = paper["experiment_1"] | {"test": 2500}
    table = section_of(place, paper | {"experiment_1": changed}, "table-1")
    assert table.one("summary").text == "The same among all 2,500 test pairs"


def test_deviations_left_out_are_named(place: Workspace, paper: dict[str, Any]) -> None:
    changed = paper["experiment_1"] | {"deviations_left_out": {}}
    assert "n/a" not in section_of(place, paper | {"experiment_1": changed}, "table-1").text
    reasons = {"coded-first-segment-only": "One row each.", "r2plus1d_18-unscaled": "No media.", "other": "Unknown."}
    changed = paper["experiment_1"] | {"deviations_left_out": reasons}
    text = section_of(place, paper | {"experiment_1": changed}, "table-1").text
    assert "“… with the first segment only”: n/a. One row each." in text
    assert "“Frames fed unscaled”: n/a. No media." in text
    assert "“other”: n/a. Unknown." in text


def test_what_the_formula_prints_is_said_from_its_numbers(place: Workspace, paper: dict[str, Any]) -> None:
    found = json.loads(json.dumps(paper["experiment_1"])) | {"pool": 1000}
    for row in (*found["rows"], found["reference"], found["shuffled"]):
        row["published"] = [500.0]
    for name in ("oracle", "random"):
        found[name]["published"] = 500.0
    places = [(found["rows"][2], [500.0, 749.5]), (found["shuffled"], [251.0]), (found["oracle"], 260.0)]
    places += [(found["random"], 740.0), (found["reference"], [255.0])]
    for row, value in places:
        before, row["published"] = row["published"], value
        extreme = max(np.atleast_1d(value), key=lambda one: abs(one - 500))
        low, high = sorted((500.0, float(extreme)))
        said = f"embeddings alike between {rank(low)} and {rank(high)} of 1,000."
        assert said in section_of(place, paper | {"experiment_1": found}, "table-1").text
        row["published"] = before
    found["rows"][0]["published"], found["oracle"]["published"] = [300.0, 400.0], 550.0
    text = section_of(place, paper | {"experiment_1": found}, "table-1").text
    assert "for trained, shuffled, random and perfect embeddings between 300 and 550 of 1,000." in text
    assert "one place" not in text


def test_what_the_intervals_do_not_cover_is_said(page: Node, paper: dict[str, Any]) -> None:
    said = "resample test videos and do not cover differences between trainings; see the values by seed"
    heads = "The heads were trained once (seed 0), the perceptron once."
    markdown = tables_markdown(paper)
    assert said in page.one("section", id="table-1").text
    assert markdown.count(said) == 1
    assert page.one("section", id="table-2").text.count(heads) == markdown.count(heads) == 2


def test_the_papers_positive_finding_stands_with_the_verdicts(place: Workspace, paper: dict[str, Any]) -> None:
    verdict = paper["verdict"] | {"live": "Fourth sentence."}
    section = section_of(place, paper | {"verdict": verdict}, "verdict")
    assert [node.text for node in section.all("dd", class_="verdict")] == list(verdict.values())
    assert "The paper's one positive finding" in section.text


@pytest.mark.parametrize(("target", "part"), [("genre", "experiment_2"), ("tags", "experiment_3")])
def test_table_2_holds_every_classifier(page: Node, paper: dict[str, Any], target: str, part: str) -> None:
    section = page.one("section", id="table-2")
    tables = [node for node in section.all("table") if node.all("tr", class_="chance-row")]
    tracks, segments = tables[:2] if target == "genre" else tables[2:]
    for level, table in (("tracks", tracks), ("segments", segments)):
        shown = {row.one("th").text.lower(): row for row in table.all("tr") if row.all("th", scope="row")}
        assert len(shown) == 6 + 1
        for one in (row for row in paper[part]["table"] if row["level"] == level and is_of_paper(row)):
            row = shown[f"{one['representation']} {one['of']}, {one['dim']} values".lower()]
            for metric, name in zip(METRICS, ("ROC-AUC", "PR-AUC", "F1"), strict=True):
                cell = cells(row, f"{one['kind'].capitalize()}, {name}")
                assert float(cell.one("data").attributes["value"]) == one[metric]["value"]
                assert "–".join(map(score, one[metric]["ci95"])) in cell.text
            if level == "tracks":
                printed = TABLE_2[one["representation"]][target]
                assert float(cells(row, "Paper, ROC-AUC").text) == printed["roc_auc"]
                assert float(cells(row, "Paper, F1").text) == printed["f1"]


def test_differences_are_named_by_their_intervals(page: Node, paper: dict[str, Any]) -> None:
    assert [difference_verdict({"ci95": edges}) for edges in ([0.1, 0.2], [-0.2, -0.1], [-0.1, 0.1], [0.0, 0.1])] == [
        "better",
        "worse",
        "no difference found",
        "no difference found",
    ]
    table = page.one("section", id="table-2").all("table")[1]
    rows = [row for row in table.all("tr") if row.all("td")]
    wanted = [row for row in paper["experiment_2"]["table"] if row["level"] == "tracks" and "difference" in row["f1"]]
    wanted = [row for row in wanted if is_of_paper(row)]
    wanted.sort(key=lambda row: row["kind"] == "linear")
    for row, one in zip(rows, wanted, strict=True):
        assert (row.one("th").text.lower(), cells(row, "Classifier").text) == (one["representation"], one["kind"])
        gap = one["roc_auc"]["difference"]
        text = cells(row, "ROC-AUC").text
        assert difference_verdict(gap) in text
        assert (
            f"{score(gap['value'])} ({score(gap['ci95'][0])} to {score(gap['ci95'][1])}), to {gap['baseline']}" in text
        )


def test_what_the_paper_has_no_row_for_stands_below_its_table(page: Node, paper: dict[str, Any]) -> None:
    section = page.one("section", id="table-2")
    tables = [node for node in section.all("table") if node.all("td", **{"data-name": "Difference"})]
    markdown = tables_markdown(paper)
    assert len(tables) == 2
    for table, part in zip(tables, ("experiment_2", "experiment_3"), strict=True):
        wanted = [row for row in paper[part]["table"] if row["level"] == "tracks" and not is_of_paper(row)]
        rows = [row for row in table.all("tr") if row.all("td")]
        assert len(rows) == 2 + 3
        for row, one in zip(rows, wanted, strict=True):
            assert row.one("th").text.lower() == beyond_name(one)
            assert float(cells(row, "ROC-AUC").one("data").attributes["value"]) == one["roc_auc"]["value"]
            assert difference_verdict(one["roc_auc"]["difference"]) in cells(row, "Difference").text
            assert f"| {beyond_name(one)} | {score(one['roc_auc']['value'])} " in markdown


def test_reasons_stand_where_parts_are_missing(place: Workspace, paper: dict[str, Any]) -> None:
    missing = {part: {"reason": f"Reason of {part} {SCRIPT}."} for part in PARTS}
    other = Workspace(place.root.parent / "other")
    found = read_page(build_paper_page(other, paper | missing | {"run": "no such run"}))
    text = found.text
    assert all(f"Reason of {part} {SCRIPT}." in text for part in PARTS)
    assert len(found.all("script")) == 2
    assert found.one("section", id="formula").all("svg")
    assert table_1_csv(paper | missing) == table_2_csv(paper | missing) == ""
    assert "n/a: Reason of experiment_2" in tables_markdown(paper | missing)


def test_synthetic_data_are_called_so(place: Workspace, paper: dict[str, Any], page: Node) -> None:
    header = page.one("header", class_="page")
    assert not header.all("p", class_="notice")
    data = paper["data"] | {"synthetic": True}
    found = paper | {"data": data, "qualitative": {"reason": "none"}}
    other = Workspace(place.root.parent / "other")
    notice = read_page(build_paper_page(other, found)).one("header", class_="page").one("p", class_="notice").text
    assert notice.startswith("Synthetic music videos. All 40 videos were rendered")
    assert "synthetic" in tables_markdown(found)


def test_tables_as_csv_hold_every_number(paper: dict[str, Any]) -> None:
    found = paper["experiment_1"]
    first = list(csv.DictReader(io.StringIO(table_1_csv(paper))))
    assert [line["kind"] for line in first].count("configuration") == 6
    assert len(first) == 6 + 5 + 4
    for line, row in zip(first, [*found["rows"], *found["deviations"]], strict=False):
        for way in WAYS:
            assert float(line[f"pool_{way}_median_rank"]) == pytest.approx(row["pool"][way]["median_rank"], rel=1e-5)
            assert float(line[f"full_{way}_ci95_high"]) == pytest.approx(row["full"][way]["ci95"][1], rel=1e-5)
            assert float(line[f"pool_{way}_null95_low"]) == pytest.approx(row["pool"][way]["null95"][0], rel=1e-5)
        assert [float(value) for value in line["published"].split()] == row["published"]
    assert (first[-2]["name"], float(first[-2]["pool_a2v_median_rank"])) == ("Oracle embeddings", 1)
    second = list(csv.DictReader(io.StringIO(table_2_csv(paper))))
    rows = [
        (target, row)
        for part, target in (("experiment_2", "genre"), ("experiment_3", "tags"))
        for row in paper[part]["table"]
    ]
    assert len(second) == 3 * len(rows)
    for line, (target, row, metric) in zip(second, ((*one, metric) for one in rows for metric in METRICS), strict=True):
        assert (line["target"], line["representation"], line["metric"]) == (target, row["representation"], metric)
        assert float(line["value"]) == pytest.approx(row[metric]["value"], rel=1e-5)
        assert (line["verdict"] != "") == (not is_of_paper(row) or row["representation"].startswith("contrastive"))
        theirs = TABLE_2[row["representation"]][target] if is_of_paper(row) else {}
        printed = theirs.get(metric) if row["kind"] == "perceptron" else None
        assert line["paper"] == ("" if printed is None else f"{printed:g}")


def test_markdown_tables_are_even(paper: dict[str, Any]) -> None:
    text = tables_markdown(paper)
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in block.splitlines()}) == 1
    assert "| Base | 507 | 502 | " in text
    assert paper["audit"]["verdict"] in text


@pytest.mark.parametrize("width", [1280, 390, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_fits_and_complains_of_nothing(browser: Any, path: Path, page: Node, width: int, scheme: str) -> None:
    assert page.children
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    tab, complaints = context.new_page(), []
    tab.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda asked: complaints.append(asked.url) if asked.url.startswith("http") else None)
    tab.goto(path.resolve().as_uri())
    tab.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert tab.evaluate("window.hacked === undefined")
    broken = "[...document.images].filter((one) => !one.complete || !one.naturalWidth).length"
    assert tab.evaluate(f"document.images.length > 0 && {broken} === 0")
    tab.locator("#table-1 svg .hover").first.hover()
    assert tab.locator("#tip").inner_text().startswith("Base: median rank")
    assert complaints == []
    context.close()


def test_everything_was_asked_of_the_test_split(paper: dict[str, Any]) -> None:
    assert paper["experiment_1"]["test_videos"] == paper["qualitative"]["videos"] == TEST_VIDEOS
