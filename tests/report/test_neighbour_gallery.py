"""The page of neighbours: complete in itself, inert, the numbers as found, and working in a real browser."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from antiphon.catalogue import Catalogue
from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import within_side
from antiphon.evaluation import qualitative
from antiphon.features.assembly import assemble
from antiphon.features.attributes import measure_attributes, read_attributes
from antiphon.presentation.numbers import score
from antiphon.presentation.previews import STILL_PX, make_strip
from antiphon.report import build_gallery_page, neighbour_items
from antiphon.report.inputs import read_inputs
from antiphon.report.neighbour_items import show_items, shown_ids
from antiphon.report.neighbour_sentences import findings
from antiphon.runs import clear_run
from antiphon.workspace import Workspace

from .page import Node, media_of, read_page
from .small_workspace import RUN, SCRIPT, TEST_VIDEOS, brightness, make_media

pytestmark = pytest.mark.usefixtures("quick_default")

WAYS = ("aggregated", "audio", "video")


def analyse(workspace: Workspace, attributes: bool = True, **options: Any) -> dict[str, Any]:
    catalogue = Catalogue.load(workspace.catalogue)
    features = assemble(workspace, catalogue, "hearing", "seeing")
    known = read_attributes(workspace, features.ids) if attributes else None
    return qualitative(DualEncoder.load(workspace.run(RUN)), features, known, **options)


@pytest.fixture(scope="module")
def place(shared_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy whose catalogue names the media of the shared one."""
    root = tmp_path_factory.mktemp("gallery") / "work"
    shutil.copytree(shared_workspace.root, root, ignore=shutil.ignore_patterns("*.mp4", "report.html"))
    workspace = Workspace(root)
    catalogue = Catalogue.load(workspace.catalogue)
    pool = [row["id"] for row in catalogue.records() if row["split"] == "test"]
    measure_attributes(workspace, catalogue, pool, workers=1)
    return workspace


@pytest.fixture(scope="module")
def found(place: Workspace) -> dict[str, Any]:
    return analyse(place, videos=6, segments=4)


@pytest.fixture(scope="module")
def page(place: Workspace, found: dict[str, Any]) -> Node:
    told: list[tuple[int, int, str]] = []
    node = read_page(build_gallery_page(place, RUN, found, progress=lambda *state: told.append(state)))
    assert [state[0] for state in told] == list(range(1, told[-1][1] + 1))
    return node


def test_analysis_is_json_and_repeats_itself(place: Workspace, found: dict[str, Any]) -> None:
    assert json.loads(json.dumps(found)) == found == analyse(place, videos=6, segments=4)
    seeds = [seed["id"] for seed in found["seeds"]["videos"]]
    assert len(set(seeds)) == 6
    assert analyse(place, videos=6, segments=4, seed=1)["seeds"]["videos"][0]["id"] != seeds[0]
    assert found["videos"] == TEST_VIDEOS
    assert found["centred_by"] == "train"
    assert found["attributes"]["videos"] == TEST_VIDEOS - 2  # one has no pictures, one is gone
    assert set(found["attributes"]["spaces"]) == {"audio features", "video features", *WAYS}


def test_seeds_name_the_neighbours_of_the_embeddings(place: Workspace, found: dict[str, Any]) -> None:
    features = assemble(place, Catalogue.load(place.catalogue), "hearing", "seeing")["test"]
    model = DualEncoder.load(place.run(RUN))
    audio, video = (within_side(rows, model.correction_dim) for rows in model.embed(features))
    at = {name: row for row, name in enumerate(features.ids)}
    for seed in found["seeds"]["segments"]:
        row = at[seed["id"]]
        assert seed["video"] == features.groups[row]
        others = np.flatnonzero(features.groups != features.groups[row])
        for way, near in seed["neighbours"].items():
            sides = {"audio": [audio], "video": [video], "aggregated": [audio, video]}[way]
            distances = 1 - np.mean([side @ side[row] for side in sides], axis=0)
            nearest = others[np.argsort(distances[others])][:3]
            assert [one["id"] for one in near] == features.ids[nearest].tolist()
            assert [one["distance"] for one in near] == pytest.approx(distances[nearest], abs=1e-5)
            for one, other in zip(near, nearest, strict=True):
                assert one["same_genre"] == (features.genres[row] == features.genres[other])
                assert one["same_artist"] == (features.artists[row] == features.artists[other])
                assert set(one["shared_tags"]) == set(features.labels[row]) & set(features.labels[other])


def test_page_loads_nothing_and_runs_only_its_script(page: Node, place: Workspace) -> None:
    for node in page.all():
        for key in ("src", "href", "srcset", "poster", "data", "action"):
            assert node.attributes.get(key, "#").startswith("#")
        assert not any(key.startswith("on") for key in node.attributes)
    assert [node.attributes.get("type") for node in page.all("script")] == ["application/json", None]
    assert not re.search(r"url\(|@import|@font-face|https?:", page.one("style").text)
    ids = [node.attributes["id"] for node in page.all() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    targets = {node.attributes["data-after"] for node in page.all("button") if "data-after" in node.attributes}
    targets |= {node.attributes["aria-labelledby"] for node in page.all() if "aria-labelledby" in node.attributes}
    assert targets <= set(ids)
    assert "default-src 'none'" in page.one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"]
    assert (place.run(RUN) / "gallery.html").stat().st_size < 2_000_000


def test_every_neighbour_stands_with_its_distance(page: Node, found: dict[str, Any]) -> None:
    for kind in ("videos", "segments"):
        rows = page.one("section", id=f"seed-{kind}").all("article")
        assert len(rows) == len(found["seeds"][kind])
        for row, seed in zip(rows, found["seeds"][kind], strict=True):
            for way in WAYS:
                near = row.one("div", class_=f"way-{way}").all("li")
                expected = [score(one["distance"]) for one in seed["neighbours"][way]]
                assert [li.one("span", class_="score").text.split()[-1] for li in near] == expected
                marked = ["same genre" in li.one("p", class_="marks").text for li in near]
                assert marked == [one["same_genre"] for one in seed["neighbours"][way]]


def test_what_has_no_preview_is_counted(page: Node, found: dict[str, Any]) -> None:
    (fold,) = [node for node in page.all("details") if "no preview" in node.one("summary").text]
    without = len(fold.all("li"))
    count = len(shown_ids(found["seeds"]))
    words = f"{without} of {count} videos and segments {'has' if without == 1 else 'have'} no preview"
    assert fold.one("summary").text == words


def test_each_preview_and_strip_once(page: Node) -> None:
    media = media_of(page)
    shown = {node.attributes["data-poster"] for node in page.all("img") if "data-poster" in node.attributes}
    strips = {node.attributes["data-strip"] for node in page.all("img") if "data-strip" in node.attributes}
    played = {node.attributes["data-item"] for node in page.all("button") if "data-item" in node.attributes}
    assert shown <= played <= {number for number, parts in media.items() if "mp4" in parts}
    assert strips == {number for number, parts in media.items() if "strip" in parts}
    assert any("gone.mp4" in node.text for node in page.all("li"))


def test_findings_come_first_and_are_those_of_the_numbers(page: Node, found: dict[str, Any]) -> None:
    sections = [node.attributes["id"] for node in page.all("section")]
    assert sections == ["findings", "seed-videos", "seed-segments", "how"]
    listed = [node.text for node in page.one("ul", class_="findings").all("li")]
    assert listed == [" ".join(sentence.split()) for sentence in findings(found)]


def test_a_finding_is_claimed_only_where_the_interval_is_clear_of_chance(found: dict[str, Any]) -> None:
    number = {"value": 0.5, "base_rate": 0.1, "lift": 5.0, "ci95": [0.4, 0.6], "null95": [0.05, 0.15], "p": 0.002}
    number |= {"queries": 12, "n": 12}
    unclear = number | {"ci95": [0.1, 0.6]}
    changed = found | {
        "agreement": {way: {"genre": number if way == "audio" else unclear, "tags": unclear} for way in WAYS},
        "tags": [{"tag": "live", "carriers": 10, "by_representation": dict.fromkeys(WAYS, number)}],
    }
    genre, tags, live_tags = findings(changed)[:3]
    assert genre.endswith("among random videos 10%. Above chance: sound.")
    assert tags.endswith("None of this is distinguishable from chance.")
    assert live_tags.startswith("50% (40%–60%) of the neighbours")
    assert live_tags.endswith("and 10% of all other videos, 5.0 times as many: above chance.")


def with_tags(found: dict[str, Any], lifts: dict[str, float]) -> dict[str, Any]:
    """The analysis with other tags: carriers find each other `lift` times as often as the base rate of 10%."""

    def item(tag: str, lift: float) -> dict[str, Any]:
        ci95 = [round(lift / 10 - 0.045, 3), round(lift / 10 + 0.045, 3)]
        number = {"value": lift / 10, "base_rate": 0.1, "lift": lift, "ci95": ci95, "null95": [0.05, 0.15], "p": 0.5}
        return {"tag": tag, "carriers": 10, "by_representation": dict.fromkeys(WAYS, number)}

    return found | {"tags": [item(tag, lift) for tag, lift in lifts.items()]}


@pytest.mark.parametrize("name", ["Concert", "concert", "Live", "live"])
def test_live_performances_are_spoken_of_whatever_their_lift(found: dict[str, Any], name: str) -> None:
    lifts = {f"tag {number}": 9.0 - number / 4 for number in range(12)}
    first, live_tags = findings(with_tags(found, lifts | {name: 1.0, "lively": 0.9}))[2:4]
    assert first.startswith(
        "Videos with the same tag find each other better than chance for 12 of 14 tags. The highest of 14 "
    )
    assert "tags by lift: 90% (85.5%–94.5%) of the neighbours" in first
    assert "“tag 0”" in first
    assert live_tags.startswith(
        "Veldkamp et al. (2023) found that live performances find each other. Here: 10% (5.5%–14.5%)"
    )
    assert f"tagged “{name}”" in live_tags
    assert live_tags.endswith("1.0 times as many: not distinguishable from chance.")
    assert findings(with_tags(found, {name: 9.0, "tag": 1.0}))[3].endswith("9.0 times as many: above chance.")
    assert not any("live performances" in sentence for sentence in findings(with_tags(found, lifts)))


def test_a_three_is_live_performances_only_among_labels_of_youtube8m(found: dict[str, Any]) -> None:
    labels = with_tags(found, {"17": 5.0, "3": 2.0})
    assert "live performances find each other. Here: 20% (15.5%–24.5%)" in findings(labels)[3]
    named = with_tags(found, {"pop": 5.0, "3": 2.0})
    assert not any("live performances" in sentence for sentence in findings(named))


def test_live_performances_are_drawn_and_listed_beside_the_highest(workspace: Workspace, found: dict[str, Any]) -> None:
    lifts = {f"tag {number}": 9.0 - number / 4 for number in range(12)} | {"Concert": 1.0}
    section = read_page(build_gallery_page(workspace, RUN, with_tags(found, lifts))).one("section", id="findings")
    (figure,) = (one for one in section.all("figure") if "with the same tag" in one.one("figcaption").text)
    assert "the 10 highest lifts of 13 and live performances, together" in figure.text
    drawn = [node.text for node in figure.one("svg").all("text", class_="label")]
    assert drawn == [f"{tag} (10 videos)" for tag in [*list(lifts)[:10], "Concert"]]
    table = section.one("div", **{"aria-label": "Neighbours with the same tag"})
    assert [row.one("th").text for row in table.all("tr")[1:]] == list(lifts)


def test_without_media(workspace: Workspace) -> None:
    found = analyse(workspace, attributes=False, videos=3, segments=0, why_no_attributes="No media in this workspace.")
    page = read_page(build_gallery_page(workspace, RUN, found))
    assert media_of(page) == {}
    assert not page.all("button")
    assert "n/a: no media in this workspace" in page.one("section", id="seed-videos").text
    assert "Attributes: n/a. No media in this workspace." in page.one("section", id="how").text
    assert len(page.one("section", id="seed-videos").all("li")) == 3 * 3 * 3
    assert SCRIPT in {row["title"] for row in Catalogue.load(workspace.catalogue).records()}


def test_too_many_are_left_out_and_said_so(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbour_items, "MAX_PLAYERS", 2)
    monkeypatch.setattr(neighbour_items, "MAX_STRIPS", 3)
    found = analyse(place, videos=6, segments=0)
    keys = list(shown_ids(found["seeds"]))
    assert keys[:6] == [(seed["id"], "") for seed in found["seeds"]["videos"]]
    items = list(show_items(read_inputs(place, RUN), found["seeds"]).values())
    assert not any(one.item.preview for one in items[2:])
    assert not any(one.strip for one in items[3:])
    assert items[-1].item.reason == "Omitted to keep the page small."


def test_a_strip_is_stills_of_its_times(tmp_path: Path) -> None:
    path = str(make_media(tmp_path / "both.mp4", size=(64, 96)))
    strip = make_strip(path, [2.0, 6.0, 10.0])
    assert strip is not None
    codec = av.CodecContext.create("mjpeg", "r")
    (frame,) = codec.decode(av.Packet(strip))
    picture = frame.to_ndarray(format="rgb24")
    assert picture.shape == (STILL_PX[1], 3 * STILL_PX[0], 3)
    for place, time_s in enumerate((2.0, 6.0, 10.0)):
        centre = picture[20:34, place * STILL_PX[0] + 44 : place * STILL_PX[0] + 52]
        assert centre.mean() == pytest.approx(brightness(time_s), abs=6)
        assert picture[20:34, place * STILL_PX[0] : place * STILL_PX[0] + 20].mean() < 12  # upright: black beside it
    assert make_strip(str(make_media(tmp_path / "sound.mp4", pictures=False)), [1.0]) is None


def test_another_training_takes_the_gallery_away(workspace: Workspace) -> None:
    folder = workspace.run(RUN)
    for name in ("gallery.html", "gallery.json"):
        (folder / name).write_text("old", encoding="utf-8")
    clear_run(folder)
    assert not list(folder.glob("gallery.*"))


TIME_LIMIT_MS = 20_000


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["desktop", "phone"])
def tab(request: pytest.FixtureRequest, browser: Any, page: Node, place: Workspace) -> Iterator[Any]:
    """The page, opened; it must not have complained or asked for anything when the test is over."""
    assert page.children
    width, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, is_mobile=width < 500, has_touch=width < 500
    )
    opened, complaints = context.new_page(), []
    opened.set_default_timeout(TIME_LIMIT_MS)
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda asked: complaints.append(asked.url) if asked.url.startswith("http") else None)
    opened.add_init_script(
        "window.playing = []; const play = HTMLMediaElement.prototype.play;"
        "HTMLMediaElement.prototype.play = function () { playing.push(this); return play.call(this); };"
    )
    opened.goto((place.run(RUN) / "gallery.html").resolve().as_uri())
    yield opened
    assert complaints == []
    context.close()


def test_it_fits_and_runs_nothing_of_the_catalogue(tab: Any) -> None:
    for fold in tab.locator("summary").all():
        if fold.evaluate("one => !one.parentElement.open"):
            fold.click()
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert tab.evaluate("window.hacked === undefined")
    broken = "[...document.images].filter((one) => !one.complete || !one.naturalWidth).length"
    assert tab.evaluate(f"document.images.length > 0 && {broken} === 0")


def test_a_neighbour_plays_after_its_seed_by_the_keyboard(tab: Any) -> None:
    button = tab.locator(".seed-row:has(.seed button[data-mode=full]) .near button[data-mode=full]").first
    button.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_function("() => playing.length === 1 && playing[0].currentTime > 0.2")
    assert button.get_attribute("aria-pressed") == "true"
    assert tab.locator("[aria-pressed=true]").count() == 2
    assert tab.evaluate("!playing[0].muted && !playing[0].loop && playing[0].closest('.seed') !== null")
    tab.evaluate("playing[0].currentTime = playing[0].duration - 0.1")
    tab.wait_for_function("() => playing.length === 2 && playing[1].currentTime > 0.2")
    assert tab.evaluate("playing[1].closest('.near') !== null && playing[0].paused && !playing[1].muted")
    assert tab.locator("[aria-pressed=true]").count() == 1
    tab.keyboard.press("Escape")
    assert tab.locator("[aria-pressed=true]").count() == 0
    assert tab.evaluate("playing.every((one) => one.paused)")


def test_stopped_during_the_seed_the_neighbour_does_not_follow(tab: Any) -> None:
    button = tab.locator(".seed-row:has(.seed button[data-mode=full]) .near button[data-mode=full]").first
    button.click()
    tab.wait_for_function("() => playing.length === 1 && playing[0].currentTime > 0.1")
    button.click()
    assert tab.locator("[aria-pressed=true]").count() == 0
    tab.wait_for_timeout(300)
    assert tab.evaluate("playing.length === 1 && playing[0].paused")


def test_one_way_at_a_time(tab: Any) -> None:
    assert tab.locator(".way:visible").count() == 3 * tab.locator(".seed-row").count()
    tab.get_by_label("pictures", exact=True).check()
    assert tab.locator(".way:visible").count() == tab.locator(".seed-row").count()
    assert tab.locator(".way-video:visible").count() == tab.locator(".seed-row").count()
