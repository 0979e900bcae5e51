"""The page: complete in itself, inert, honest about what is missing, and right in its numbers."""

import base64
import hashlib
import json
import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from antiphon.catalogue import Catalogue
from antiphon.errors import ConfigError, ModelError
from antiphon.features.planning import plan_segments
from antiphon.features.store import FeatureStore, VideoFeatures
from antiphon.report import build_report, retrieved
from antiphon.runs import read_history
from antiphon.segments.sampling import SamplingConfig
from antiphon.tables import SEGMENTS, read_table, write_table
from antiphon.workspace import Failure, Workspace

from .page import Node, media_of, read_page
from .small_workspace import IMAGE, RUN, SCRIPT, TEMPLATE, TEST_VIDEOS, write_json

LINKS = ("src", "href", "srcset", "poster", "data", "action", "xlink:href", "formaction", "background")


def metrics_of(workspace: Workspace) -> dict[str, Any]:
    return json.loads((workspace.run(RUN) / "metrics.json").read_text())


def test_page_loads_nothing(page: Node) -> None:
    for node in page.all():
        for key in LINKS:
            assert node.attributes.get(key, "#").startswith("#"), f"<{node.name} {key}={node.attributes[key]}>"
    assert not page.all("link") + page.all("iframe") + page.all("base") + page.all("object")
    style = page.one("style").text
    assert not re.search(r"url\(|@import|@font-face|https?:", style)
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|https?:", page.all("script")[-1].text)


def test_policy_admits_only_the_script_of_the_page(page: Node, shared_workspace: Workspace) -> None:
    policy = page.one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"]
    text = (shared_workspace.run(RUN) / "report.html").read_text(encoding="utf-8")
    script = text.rsplit("<script>", 1)[1].split("</script>", 1)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    assert "http" not in policy


def test_catalogue_text_is_inert(page: Node) -> None:
    assert [node.attributes.get("type") for node in page.all("script")] == ["application/json", None]
    assert not [node for node in page.all() if any(key.startswith("on") for key in node.attributes)]
    assert not [node for node in page.all("img") if "src" in node.attributes]
    gallery = page.one("section", id="gallery")
    titles = {node.text for node in gallery.all("h3")}
    assert {SCRIPT, TEMPLATE} <= titles | {node.text for node in gallery.all("p", class_="title")}
    assert any(IMAGE in node.text for node in gallery.all("p"))
    assert SCRIPT in page.one("section", id="failures").text
    assert not [node for node in gallery.all("b") if node.text == "bold"]
    labels = [node.attributes.get("aria-label", "") for node in page.all("button")]
    assert any(IMAGE in label for label in labels)


def test_embedded_json_holds_no_markup(page: Node) -> None:
    assert not set("<>&'") & set(page.one("script", id="media").text)


def test_headings_and_labels(page: Node) -> None:
    levels = [int(node.name[1]) for node in page.all() if re.fullmatch(r"h[1-6]", node.name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [node.attributes["id"] for node in page.all() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    targets = {node.attributes["href"][1:] for node in page.all("a")}
    targets |= {node.attributes["aria-labelledby"] for node in page.all() if "aria-labelledby" in node.attributes}
    targets |= {node.attributes["data-with"] for node in page.all("button") if "data-with" in node.attributes}
    assert targets <= set(ids)
    assert all("alt" in node.attributes for node in page.all("img"))
    assert all(node.text or node.attributes.get("aria-label") for node in page.all("button"))
    assert all(len(node.attributes["aria-label"]) > 20 for node in page.all("svg"))


def test_numbers_are_those_of_the_metrics(page: Node, shared_workspace: Workspace) -> None:
    found = metrics_of(shared_workspace)
    wanted = {
        (level, way, name): [m["value"], both[way]["n"], *m["ci95"], *m["null95"], m["chance"]]
        for level, both in (("tracks", found["tracks"]), ("segments", found))
        for way in ("a2v", "v2a")
        for name, m in both[way]["by_metric"].items()
    }
    rows = [row for row in page.one("table", id="all-numbers").all("tr") if row.all("td")]
    shown = {
        tuple(cell.text for cell in row.all("td")[:3]): [float(n.attributes["value"]) for n in row.all("data")]
        for row in rows
    }
    assert shown == wanted
    glance = [
        node for node in page.one("section", id="answer").all("td") if node.attributes["data-name"] == "Median rank"
    ]
    assert [float(node.one("data").attributes["value"]) for node in glance] == [
        both[way]["median_rank"] for both in (found["tracks"], found) for way in ("a2v", "v2a")
    ]


@pytest.mark.parametrize(
    ("ci95", "null95", "phrase"),
    [
        ([2.0, 4.0], [5.0, 9.0], "finds the partner better than chance"),
        ([2.0, 5.0], [5.0, 9.0], "is not distinguishable from chance"),
        ([6.0, 7.0], [5.0, 9.0], "is not distinguishable from chance"),
        ([9.5, 11.0], [5.0, 9.0], "finds the partner worse than chance"),
    ],
)
def test_verdict_follows_the_intervals(
    workspace: Workspace, ci95: list[float], null95: list[float], phrase: str
) -> None:
    found = metrics_of(workspace)
    for both in (found, found["tracks"]):
        for way in ("a2v", "v2a"):
            both[way] |= {"ci95": ci95, "null95": null95}
    write_json(workspace, "metrics.json", found)
    page = read_page(build_report(workspace, RUN))
    assert page.one("p", class_="lede").text == f"For tracks and for segments, the model {phrase}, in both directions."


def test_verdicts_that_differ_are_told_apart(workspace: Workspace) -> None:
    found = metrics_of(workspace)
    for both in (found, found["tracks"]):
        for way in ("a2v", "v2a"):
            both[way] |= {"ci95": [2.0, 4.0], "null95": [5.0, 9.0]}
    found["tracks"]["v2a"]["ci95"] = [2.0, 6.0]
    write_json(workspace, "metrics.json", found)
    assert read_page(build_report(workspace, RUN)).one("p", class_="lede").text == (
        "For tracks, the model finds the partner better than chance from sound to pictures and is not distinguishable "
        "from chance from pictures to sound. For segments, the model finds the partner better than chance, "
        "in both directions."
    )


def test_long_lists_of_failures_are_folded(page: Node) -> None:
    folds = page.one("section", id="failures").all("details")
    state = {node.one("summary").text: "open" in node.attributes for node in folds}
    assert state == {
        "Not extracted: cannot be decoded (11 videos)": False,
        "No segments: cannot be decoded (1 video)": True,
    }
    assert "cut short" in folds[0].text


def test_failures_name_no_folder_of_this_machine(workspace: Workspace) -> None:
    music = "/home/ada/My Music"
    places = {"test-0": f"{music}/live/a.mp4", "test-1": f"{music}/b: c.mp4", "test-2": "s3://store/c.mp4?key=secret"}
    rows = [row | {"path": places.get(row["id"])} for row in Catalogue.load(workspace.catalogue).records()]
    Catalogue(rows).save(workspace.catalogue)
    workspace.write_failures(
        [
            Failure("test-0", "extract", "DecodeError", f"{music}/live/a.mp4: is a link to /home/ada/x.mp4."),
            Failure("test-1", "extract", "DecodeError", f"{music}/b: c.mp4: is empty (0 bytes)."),
            Failure("test-2", "extract", "LimitError", "s3://store/c.mp4?key=secret: took longer than 60 s."),
            Failure("left", "extract", "DecodeError", "/mnt/old disk/d.mp4: no such file."),
            Failure("odd", "keep", "KeyError", f"{workspace.root.absolute()}/segments/x: could not be processed."),
            Failure("new", "later", "CrashError", "the file crashed the decoder."),
        ]
    )
    section = read_page(build_report(workspace, RUN)).one("section", id="failures")
    reasons = {line.one("th").text: line.one("td").text for line in section.all("tr") if len(line.all("td")) == 1}
    assert {name: reasons[name] for name in ("test-0", "test-1", "test-2", "left", "odd", "new")} == {
        "test-0": "live/a.mp4: is a link to x.mp4.",
        "test-1": "b: c.mp4: is empty (0 bytes).",
        "test-2": "c.mp4: took longer than 60 s.",
        "left": "d.mp4: no such file.",
        "odd": "segments/x: could not be processed.",
        "new": "the file crashed the decoder.",
    }
    assert [node.one("summary").text for node in section.all("details")][:5] == [
        "Not extracted: cannot be decoded (3 videos)",
        "Not extracted: needs more time or memory than a file may (1 video)",
        "Segments not kept: could not be processed (KeyError) (1 video)",
        "later: crashes the decoder (1 video)",
    ]
    whole = (workspace.run(RUN) / "report.html").read_text(encoding="utf-8")
    for private in ("/home/ada", "My Music", "secret", str(workspace.root.parent)):
        assert private not in whole


def test_flagged_segments_are_listed_by_what_is_wrong_with_them(workspace: Workspace, page: Node) -> None:
    none = "no segment has silent sound, clipped sound, black pictures, repeated pictures, damaged, filled in by"
    assert none in page.one("section", id="failures").text
    folder = workspace.features / "hearing"
    stored = FeatureStore.existing(folder)
    rows = stored.read()
    flags = {"test-1#0": ["silent"], "test-1#1": ["silent"], "train-0#0": ["silent", "concealed"]}
    spans = {
        row["segment_id"]: "–".join(
            f"{int(row[edge]) // 60}:{int(row[edge]) % 60:02d}" for edge in ("start_s", "end_s")
        )
        for row in read_table(workspace.segments, SEGMENTS).to_pylist()
    }
    (part,) = folder.glob("part-*.parquet")
    part.unlink()
    for name in dict.fromkeys(rows.video_ids):
        places = [row for row, video in enumerate(rows.video_ids) if video == name]
        ids = [rows.segment_ids[row] for row in places]
        stored.append([VideoFeatures(name, ids, rows.vectors[places], [flags.get(each, []) for each in ids])])
    section = read_page(build_report(workspace, RUN)).one("section", id="failures")
    folds = {node.one("summary").text: node for node in section.all("details")}
    silent = folds["Silent sound: 3 of 80 segments, of 2 videos"]
    assert "No sample of the sound exceeds −60 dB of full scale." in silent.text
    assert [(line.one("th").text, line.one("td").text) for line in silent.all("tr")[1:]] == [
        ("test-1", f"{spans['test-1#0']}, {spans['test-1#1']}"),
        ("train-0", spans["train-0#0"]),
    ]
    damaged = folds["Damaged, filled in by the decoder (sound): 1 of 80 segments, of 1 video"]
    assert "The decoder guessed" in damaged.text


def test_missing_values_are_counted(page: Node, shared_workspace: Workspace) -> None:
    table = page.one("section", id="failures").all("table")[-1]
    shown = {row.one("th").text: row.all("td")[0].text for row in table.all("tr") if row.all("td")}
    total = len(Catalogue.load(shared_workspace.catalogue))
    assert shown == {"file": f"{total - TEST_VIDEOS} of {total}", "year": f"{total} of {total}"}


@pytest.mark.parametrize(
    ("name", "section", "text"),
    [
        ("metrics.json", "answer", "Not evaluated yet"),
        ("history.parquet", "training", "no training history"),
        ("learning_curve.json", "training", "No learning curve was measured"),
        ("model.safetensors", "gallery", "There are no examples to show"),
    ],
)
def test_missing_parts_are_named(workspace: Workspace, name: str, section: str, text: str) -> None:
    (workspace.run(RUN) / name).unlink(missing_ok=True)
    page = read_page(build_report(workspace, RUN))
    assert text in page.one("section", id=section).text
    others = {"answer": "Not evaluated yet", "training": "no history of its", "gallery": "no answers to show"}
    for other in set(others) - {section}:
        assert others[other] not in page.one("section", id=other).text


@pytest.mark.parametrize(("left", "words"), [(0, "has no video"), (1, "has 1 video")])
def test_a_split_that_cannot_be_ranked_is_said_with_what_to_do(workspace: Workspace, left: int, words: str) -> None:
    (workspace.run(RUN) / "metrics.json").unlink()
    moved = [f"test-{number}" for number in range(left, TEST_VIDEOS)]
    rows = Catalogue.load(workspace.catalogue).records()
    Catalogue([row | ({"split": "train"} if row["id"] in moved else {}) for row in rows]).save(workspace.catalogue)
    page = read_page(build_report(workspace, RUN))
    answer = page.one("section", id="answer")
    assert f"the test split {words} with both sound and pictures, and ranking needs at least two" in answer.text
    commands = [node.text for node in answer.all("code")]
    assert commands == [
        "antiphon catalogue add",
        "antiphon extract",
        f"antiphon evaluate --run '{RUN}' --split validation",
    ]
    assert "n/a: the audit could not run." in page.one("section", id="audit").text


def test_commands_can_be_copied(page: Node) -> None:
    (button,) = [node for node in page.all("button", class_="copy") if node.attributes["data-copy"] == "commands"]
    assert button.text == "Copy the commands"
    assert "antiphon --workspace work report" in page.one("pre", id="commands").text


def test_workspace_with_a_run_alone(workspace: Workspace) -> None:
    for path in (workspace.catalogue, workspace.segments, workspace.failures):
        path.unlink()
    page = read_page(build_report(workspace, RUN))
    assert "no catalogue table" in page.one("section", id="about").text
    assert "no catalogue" in page.one("section", id="gallery").text
    assert "No failures are recorded" in page.one("section", id="failures").text


def test_features_only_catalogue(workspace: Workspace) -> None:
    page = read_page(build_report(workspace, RUN))
    assert "None of these videos has media at hand" in page.one("section", id="gallery").text
    assert len(page.all("article")) == 12
    assert media_of(page) == {}
    assert all("disabled" in node.attributes for node in page.all("button", class_="player"))


def test_learning_curve_is_shown(workspace: Workspace) -> None:
    points = [
        {
            "share": s,
            "videos": v,
            "pairs": 2 * v,
            "n": 8,
            "median_rank": {"a2v": 4.0, "v2a": 3.0},
            "geometric_mean_rank": g,
        }
        for s, v, g in ((0.25, 6, 3.9), (0.5, 12, 3.1), (1.0, 24, 2.2))
    ]
    curve = {"points": points, "gain": 1.4, "ci95": [1.1, 1.8], "verdict": "More music videos would help: <1.4>."}
    write_json(workspace, "learning_curve.json", curve)
    training = read_page(build_report(workspace, RUN)).one("section", id="training")
    assert training.one("p", class_="verdict").text == curve["verdict"]
    assert "typical rank 3.9 to 2.2, chance" in training.all("svg")[-1].attributes["aria-label"]
    assert "The same recipe trained on 6, 12 and 24 videos" in training.text
    write_json(workspace, "learning_curve.json", curve | {"made_of": "closed form"})
    training = read_page(build_report(workspace, RUN)).one("section", id="training")
    assert "The recipe's closed form, without its heads, fitted to 6, 12 and 24 videos" in training.text


def test_what_embeds_in_place_of_the_heads_is_said(workspace: Workspace, page: Node) -> None:
    assert "canonical correlations embed" not in page.one("section", id="training").text
    record = workspace.run(RUN) / "run.toml"
    table = "\n[against_cca]\ngain = 0.9\nci95 = [0.8, 1.01]\npairs = 8\nvideos = 4\nfalls_back = true\n"
    record.write_text(record.read_text(encoding="utf-8") + table, encoding="utf-8")
    training = read_page(build_report(workspace, RUN)).one("section", id="training")
    assert "Tuned canonical correlations embed in place of the heads" in training.text
    assert "8 held-out pairs of 4 videos, a factor of 0.90 (95% 0.80–1.01)" in training.text


def test_changed_features_are_noticed(workspace: Workspace) -> None:
    assert "has changed" not in read_page(build_report(workspace, RUN)).one("section", id="ranks").text
    found = metrics_of(workspace)
    found["tracks"]["a2v"]["median_rank"] += 2
    write_json(workspace, "metrics.json", found)
    assert "The workspace has changed since" in read_page(build_report(workspace, RUN)).one("section", id="ranks").text


def test_too_many_segments_are_left_out(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieved, "MAX_SEGMENTS", 2 * TEST_VIDEOS - 1)
    ranks_section = read_page(build_report(workspace, RUN)).one("section", id="ranks")
    assert "The 24 segments are too many" in ranks_section.text
    assert len(ranks_section.all("svg")) == 2
    monkeypatch.setattr(retrieved, "MAX_SEGMENTS", 2 * TEST_VIDEOS)
    ranks_section = read_page(build_report(workspace, RUN)).one("section", id="ranks")
    assert "too many" not in ranks_section.text
    assert len(ranks_section.all("svg")) == 4


def test_synthetic_videos_are_announced(workspace: Workspace) -> None:
    assert not read_page(build_report(workspace, RUN)).one("header", class_="page").all("p", class_="notice")
    rows = Catalogue.load(workspace.catalogue).records()
    for number, row in enumerate(rows):
        row["path"] = str(workspace.root / f"synthetic-{number:04d}.mp4")
    Catalogue(rows).save(workspace.catalogue)
    (workspace.root / "synthetic.toml").write_text("version = 1\n[synthetic]\ncoupling = 0.25\n")
    notice = read_page(build_report(workspace, RUN)).one("header", class_="page").one("p", class_="notice").text
    assert notice.startswith(f"Synthetic music videos. All {len(rows)} videos")
    assert "coupling 0.25" in notice


def test_leaking_artists_are_announced(workspace: Workspace) -> None:
    assert (
        "No artist is in more than one split" in read_page(build_report(workspace, RUN)).one("section", id="about").text
    )
    rows = Catalogue.load(workspace.catalogue).records()
    rows[0]["artist"] = rows[-1]["artist"] = "Two Places"
    Catalogue(rows).save(workspace.catalogue)
    assert (
        "1 artist is in more than one split" in read_page(build_report(workspace, RUN)).one("section", id="about").text
    )


def test_of_few_videos_counts_are_told_instead_of_halves(page: Node) -> None:
    told = page.one("section", id="answer").all("p", class_="verdict")
    assert [one.text.partition(":")[0] for one in told] == [
        f"Only {TEST_VIDEOS} test videos, too few to say how good the model is"
    ]


def test_plain_words_are_those_of_the_metrics(workspace: Workspace) -> None:
    found = metrics_of(workspace)
    found["a2v"]["groups"] = 20
    write_json(workspace, "metrics.json", found)
    page, tracks = read_page(build_report(workspace, RUN)), found["tracks"]
    first = {way: math.ceil(tracks[way]["median_rank"]) for way in ("a2v", "v2a")}
    assert page.one("section", id="answer").all("p", class_="verdict")[0].text == (
        f"Of the {TEST_VIDEOS} tracks, half of the songs find their own pictures among the first {first['a2v']}, "
        f"and half of the pictures their own song among the first {first['v2a']}; by chance it would take the first 7."
    )


def test_kept_epoch_has_the_best_rank_of_the_table(page: Node) -> None:
    training = page.one("section", id="training")
    rows = [row for row in training.one("table").all("tr") if row.all("td")]
    kept = training.one("tr", class_="total")
    typical = [float(row.all("td")[2].text) for row in rows]
    assert float(kept.all("td")[2].text) == min(typical)
    assert "the best typical rank" in training.text


def change_history(workspace: Workspace, stop_on: str, **columns: Any) -> str:
    """The section on a training whose history has these values in all epochs, or a list of them; and its stopping."""
    folder = workspace.run(RUN)
    table = read_history(folder / "history.parquet")
    for name, value in columns.items():
        values = value if isinstance(value, list) else [value] * table.num_rows
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), pa.array(values, table.schema.field(place).type))
    write_table(table, folder / "history.parquet")
    record = (folder / "run.toml").read_text(encoding="utf-8")
    assert 'stop_on = "rank"' in record
    (folder / "run.toml").write_text(record.replace('stop_on = "rank"', f'stop_on = "{stop_on}"'), encoding="utf-8")
    return read_page(build_report(workspace, RUN)).one("section", id="training").text


@pytest.mark.parametrize("stop_on", ["rank", "loss"])
@pytest.mark.parametrize("rounding", [0.0, 2e-6, -2e-6])
def test_validation_at_chance_in_every_epoch_is_called_that(
    workspace: Workspace, stop_on: str, rounding: float
) -> None:
    said = change_history(
        workspace,
        stop_on,
        validation_loss=[4.2 + place * rounding for place in range(6)],
        validation_chance=4.2,
        validation_log_rank=math.log(4.5),
        validation_median_rank=4.5,
        best=[True] + [False] * 5,
    )
    assert "Validation cannot tell the pairs apart" in said
    assert "No epoch was better than another." in said
    assert "Kept: epoch 1. " in said
    for wrong in ("overconfident", "best typical rank", "lowest validation loss"):
        assert wrong not in said


def test_a_loss_above_chance_and_ranks_that_differ_are_called_that(workspace: Workspace) -> None:
    said = change_history(
        workspace,
        "rank",
        validation_loss=4.9,
        validation_chance=4.2,
        validation_log_rank=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4],
        best=[True] * 6,
    )
    assert "Kept: epoch 6, which has the best typical rank." in said
    assert "overconfident" in said
    assert "No epoch was better" not in said


def test_commands_ask_for_the_segments_that_there_are(workspace: Workspace) -> None:
    workspace.segments.unlink()
    catalogue = Catalogue.load(workspace.catalogue)
    plan_segments(workspace, catalogue, SamplingConfig(sections=2, seed=7))
    (workspace.run(RUN) / "run.toml").write_text(
        (workspace.run(RUN) / "run.toml")
        .read_text()
        .replace('"hearing"', '"musicnn-mtt"')
        .replace('"seeing"', '"efficientnet_lite0"')
    )
    said = read_page(build_report(workspace, RUN)).one("pre").text
    assert "extract --audio musicnn-mtt --video efficientnet_lite0 --sections 2 --seed 7 " in said


def test_unknown_run(workspace: Workspace) -> None:
    with pytest.raises(ModelError, match="has no trained model"):
        build_report(workspace, "another")
    with pytest.raises(ConfigError, match="cannot name a run"):
        build_report(workspace, "../outside")


def test_damaged_file_leaves_the_old_report(workspace: Workspace) -> None:
    path = build_report(workspace, RUN)
    before = path.read_bytes()
    (workspace.run(RUN) / "metrics.json").write_text("{")
    with pytest.raises(ModelError, match=r"metrics\.json: damaged"):
        build_report(workspace, RUN)
    assert path.read_bytes() == before
    assert not list(Path(path.parent).glob(".*.partial"))


def test_progress_counts_previews(workspace: Workspace) -> None:
    seen: list[tuple[int, int, str]] = []
    build_report(workspace, RUN, progress=lambda done, total, note: seen.append((done, total, note)))
    steps = [(done, total) for done, total, note in seen if note == "previews"]
    assert steps == [(number, TEST_VIDEOS) for number in range(1, TEST_VIDEOS + 1)]
