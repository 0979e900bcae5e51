"""The cut room in a real browser: songs changed at the same picture without a gap, shifted, kept, linked."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import av
import numpy as np
import pytest

from antiphon.catalogue import Catalogue
from antiphon.workspace import Workspace

from .test_browser import TIME_LIMIT_MS, drop, phone, wide

# Notes every 10 ms which element is heard, and how far it has come.
LISTEN = """
window.heard = [];
const made = [];
const make = document.createElement.bind(document);
document.createElement = (name, ...rest) => {
  const one = make(name, ...rest);
  if (name === 'audio') made.push(one);
  return one;
};
setInterval(() => {
  const all = [...made, ...document.querySelectorAll('audio')];
  const loud = all.filter((one) => !one.muted && !one.paused && one.volume > 0);
  heard.push({
    at: performance.now(),
    songs: loud.map((one) => decodeURIComponent(one.src.split('/media/')[1])),
    times: loud.map((one) => one.currentTime),
    picture: document.getElementById('pictures')?.currentTime,
  });
}, 10);
"""


@pytest.fixture
def complaints() -> list[str]:
    """What a page complains about or asks of other hosts."""
    return []


@pytest.fixture
def tab(request: pytest.FixtureRequest, browser: Any, server: str, complaints: list[str]) -> Iterator[Any]:
    """A page of the service that listens to its songs."""
    options = getattr(request, "param", wide("light"))
    context = browser.new_context(base_url=server, **options)
    found = context.new_page()
    found.set_default_timeout(TIME_LIMIT_MS)
    found.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.on("request", lambda asked: None if asked.url.startswith((server, "blob:")) else complaints.append(asked.url))
    found.add_init_script(LISTEN)
    yield found
    context.close()


def opened(tab: Any, place: str) -> list[dict[str, str]]:
    """Open a cut room and wait until all is drawn; its rows."""
    tab.goto(place)
    tab.wait_for_function("() => document.querySelectorAll('[data-row] .body path').length >= 10")
    return tab.evaluate("[...document.querySelectorAll('[data-row]')].map((one) => ({ ...one.dataset }))")


def asked(tab: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(tab.url).query)


def settled(tab: Any) -> dict[str, list[str]]:
    """What the address says once it says the same as the links."""
    tab.wait_for_function("() => new URL(document.getElementById('csv').href).search === location.search")
    return parse_qs(tab.evaluate("location.search.slice(1)"))


def hear(tab: Any, id: str) -> None:
    tab.wait_for_function("(id) => heard.at(-1)?.songs.join() === id && heard.at(-1).times[0] > 0", arg=id)


def test_three_songs_change_at_the_same_picture_without_a_gap(tab: Any, complaints: list[str]) -> None:
    rows = opened(tab, "/cut/plain?target=audio")
    tab.keyboard.press("Space")
    hear(tab, rows[0]["id"])
    tab.evaluate("heard.length = 0")
    for number in (2, 3, 1):
        tab.keyboard.press(str(number))
        hear(tab, rows[number - 1]["id"])
        tab.wait_for_timeout(400)
    heard = tab.evaluate("heard")
    assert {one for moment in heard for one in moment["songs"]} >= {row["id"] for row in rows[:3]}
    assert [moment for moment in heard if len(moment["songs"]) != 1] == []
    longest_ms = max(after["at"] - before["at"] for before, after in pairwise(heard))
    assert longest_ms < 1500  # else nothing was noted
    pictures = [moment["picture"] for moment in heard]
    assert all(-0.5 < after - before < 1 for before, after in pairwise(pictures))
    shift_s = float(rows[0]["shift"])
    tab.wait_for_function(
        "(shift) => Math.abs(heard.at(-1).times[0] - heard.at(-1).picture - shift) < 0.15", arg=shift_s
    )
    assert settled(tab)["with"] == [rows[0]["id"]]
    assert complaints == []


def test_the_script_writes_the_addresses_that_the_service_writes(tab: Any, browser: Any, server: str) -> None:
    place = "/cut/plain?target=audio&min_bpm=1&from=1.5&to=9&keep=2.25~x%2F.."
    plain = browser.new_context(base_url=server, java_script_enabled=False)
    page = plain.new_page()
    page.goto(place)
    without, kinds = page.locator("[data-row] a.name"), ("#csv", "#edl")
    wanted = [one.get_attribute("href") or "" for one in without.all()]
    wanted += [page.locator(kind).get_attribute("href") or "" for kind in kinds]
    plain.close()
    opened(tab, place)
    found = tab.evaluate("[...document.querySelectorAll('[data-row] a.name, #csv, #edl')].map((one) => one.href)")
    told = [sorted(parse_qs(urlsplit(address).query).items()) for address in (*wanted, *found)]
    assert len(found) == len(wanted) > 5
    assert sorted(told[: len(wanted)]) == sorted(told[len(wanted) :])


def test_arrows_shift_by_beats_and_the_address_says_it(tab: Any, complaints: list[str]) -> None:
    rows = opened(tab, "/cut/plain?target=audio")
    row = next(
        one for one in rows if tab.evaluate("(path) => fetch(path).then((x) => x.json())", one["outline"])["beats_s"]
    )
    tab.keyboard.press(str(rows.index(row) + 1))
    beats = tab.evaluate("(path) => fetch(path).then((x) => x.json())", row["outline"])["beats_s"]
    cuts = tab.evaluate("(path) => fetch(path).then((x) => x.json())", "/outline/video/plain")["cuts_s"]
    now = tab.evaluate("document.getElementById('pictures').currentTime")
    place = min(cuts, key=lambda cut: abs(cut - now)) if cuts else now
    for key in ("ArrowLeft", "ArrowLeft", "ArrowRight"):
        tab.keyboard.press(key)
        shift_s = float(settled(tab)["shift"][0])
        assert min(abs(beat - (place + shift_s)) for beat in beats) < 0.002
    tab.keyboard.press("Shift+ArrowLeft")
    assert float(settled(tab)["shift"][0]) == pytest.approx(shift_s + 0.04, abs=0.0015)
    tab.keyboard.press("h")
    tab.keyboard.press("i")
    state = settled(tab)
    assert state["keep"] == [f"{state['shift'][0]}~{row['id']}"]
    assert float(state["from"][0]) == pytest.approx(now, abs=0.002)
    opened(tab, tab.evaluate("location.href"))  # a link: the same state
    assert settled(tab) == state
    assert tab.locator("#keep").get_attribute("aria-pressed") == "true"
    assert state["shift"][0] in (tab.locator("#csv").get_attribute("href") or "")
    assert complaints == []


def test_the_exported_film_has_the_pictures_and_the_song_that_were_chosen(
    tab: Any, workspace: Workspace, tmp_path: Path, complaints: list[str]
) -> None:
    """A whole session: open, three songs, a shift, a stretch, and a film, compared with its sources."""
    rows = opened(tab, "/cut/plain?target=audio&from=2&to=7")
    for number in (2, 3):
        tab.keyboard.press(str(number))
    tab.keyboard.press("Shift+ArrowLeft")
    shift_s = float(settled(tab)["shift"][0])
    assert shift_s == pytest.approx(float(rows[2]["shift"]) + 0.04, abs=0.0015)
    with tab.expect_download() as loading:
        tab.locator("#mp4").click()
    loading.value.save_as(tmp_path / "film.mp4")
    assert loading.value.suggested_filename.endswith(".mp4")
    tab.wait_for_selector("#exporting >> text=The film is saved.")
    files = {row["id"]: Path(row["path"]) for row in Catalogue.load(workspace.catalogue).records()}
    silent_s = max(0.0, -shift_s - 2.0)
    mean = [mean_difference(tmp_path / "film.mp4", 1.0, files[id], 2.0 + 1.0) for id in ("plain", rows[2]["id"])]
    assert mean[0] < 4 < mean[1]
    song = sound(files[rows[2]["id"]])[round((2.0 + silent_s + shift_s) * HZ) :][: 2 * HZ]
    film = sound(tmp_path / "film.mp4")[round(silent_s * HZ) :][: 2 * HZ]
    assert abs(late_samples(film, song)) < 0.005 * HZ
    assert [path.name for path in (workspace.page / "exports").glob("process-*/film-*")] == []
    assert complaints == []


def test_a_dropped_film_is_cut_to_three_songs_and_exported(
    tab: Any, workspace: Workspace, song: Path, tmp_path: Path, complaints: list[str]
) -> None:
    """The whole session, from the drop to the film, which is decoded and compared with its sources."""
    tab.goto("/")
    drop(tab, "#drop", song, "My own clip.mp4")
    tab.wait_for_selector("#matches ol.hits li")
    with tab.expect_navigation():
        tab.get_by_role("link", name="Cut room", exact=True).click()
    rows = opened(tab, tab.url)
    assert "file%3A" in tab.url and tab.locator("h1").inner_text() == "My own clip"
    tab.keyboard.press("Space")
    hear(tab, rows[0]["id"])
    tab.evaluate("heard.length = 0")
    for number in (2, 3, 1, 2):
        tab.keyboard.press(str(number))
        hear(tab, rows[number - 1]["id"])
        tab.wait_for_timeout(300)
    heard = tab.evaluate("heard")
    silent = [0.0]
    for before, after in pairwise(heard):
        silent.append(silent[-1] + after["at"] - before["at"] if len(after["songs"]) != 1 else 0.0)
    assert max(silent) <= 150  # ms without a song, or with two
    assert {one for moment in heard for one in moment["songs"]} == {row["id"] for row in rows[:3]}
    tab.keyboard.press("Space")
    tab.keyboard.press("Shift+ArrowLeft")
    tab.keyboard.press("Shift+ArrowLeft")
    shift_s = float(settled(tab)["shift"][0])
    assert shift_s == pytest.approx(float(rows[1]["shift"]) + 0.08, abs=0.0025)
    with tab.expect_download() as loading:
        tab.locator("#mp4").click()
    loading.value.save_as(tmp_path / "film.mp4")
    assert loading.value.suggested_filename.startswith("My own clip with ")
    files = {row["id"]: Path(row["path"]) for row in Catalogue.load(workspace.catalogue).records()}
    first_s = max(0.0, -shift_s)
    assert mean_difference(tmp_path / "film.mp4", 1.0, song, 1.0) < 4
    assert mean_difference(tmp_path / "film.mp4", 1.0, files[rows[1]["id"]], first_s + shift_s + 1.0) > 4
    wanted = sound(files[rows[1]["id"]])[round((first_s + shift_s) * HZ) :][: 3 * HZ]
    assert abs(late_samples(sound(tmp_path / "film.mp4")[round(first_s * HZ) :][: 3 * HZ], wanted)) < 0.005 * HZ
    for kind, name in (("edl", "FROM CLIP NAME: My own clip.mp4"), ("csv", "My own clip.mp4")):
        with tab.expect_download() as loading:
            tab.locator(f"#{kind}").click()
        text = Path(loading.value.path()).read_text(encoding="utf-8")
        assert name in text and "file:" not in text
    assert complaints == []


def test_pictures_go_with_the_song_of_a_dropped_file(
    tab: Any, workspace: Workspace, song: Path, tmp_path: Path, complaints: list[str]
) -> None:
    """The reverse: the film has the catalogue's pictures and the sound of the file."""
    tab.goto("/lists")
    drop(tab, "main", song, "mine.mp4")
    tab.wait_for_selector("#matches ol.hits li")
    tab.goto(tab.url.replace("/file/", "/cut/file:").partition("?")[0] + "?target=video&from=1&to=5")
    tab.wait_for_function("() => document.querySelectorAll('[data-row] .body path').length >= 5")
    chosen, shift_s = (tab.locator("[data-row]").first.get_attribute(name) for name in ("data-id", "data-shift"))
    with tab.expect_download() as loading:
        tab.locator("#mp4").click()
    loading.value.save_as(tmp_path / "film.mp4")
    files = {row["id"]: Path(row["path"]) for row in Catalogue.load(workspace.catalogue).records()}
    first_s = max(1.0, -float(shift_s))
    assert mean_difference(tmp_path / "film.mp4", 1.0, files[chosen], first_s + float(shift_s) + 1.0) < 4
    late = late_samples(sound(tmp_path / "film.mp4")[: 2 * HZ], sound(song)[round(first_s * HZ) :][: 2 * HZ])
    assert abs(late) < 0.005 * HZ
    assert complaints == []


HZ = 16_000


def sound(path: Path) -> np.ndarray:
    """All of the sound of a file, mono, by PyAV."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=HZ)
    with av.open(str(path)) as container:
        frames = [made for frame in container.decode(audio=0) for made in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def late_samples(found: np.ndarray, wanted: np.ndarray) -> int:
    """By how many samples a sound is late, where both are most alike."""
    size = 1 << 18
    line = np.fft.irfft(np.fft.rfft(found, size) * np.conj(np.fft.rfft(wanted, size)), size)
    place = int(np.argmax(line))
    return place - size if place > size // 2 else place


def mean_difference(one: Path, one_s: float, other: Path, other_s: float) -> float:
    """Mean difference of two frames, 0 to 255."""
    pictures = [frame_at(path, time_s).astype(float) for path, time_s in ((one, one_s), (other, other_s))]
    return float(np.abs(pictures[0] - pictures[1]).mean())


def frame_at(path: Path, time_s: float) -> np.ndarray:
    with av.open(str(path)) as container:
        frames = [frame for frame in container.decode(video=0) if (frame.time or 0) <= time_s + 1e-6]
        return frames[-1].to_ndarray(format="gray")


def test_the_time_line_is_zoomed_and_followed(tab: Any, complaints: list[str]) -> None:
    rows = opened(tab, "/cut/plain?target=audio")
    length_s = float(tab.locator("[data-room]").get_attribute("data-length"))
    tab.locator("#snap").uncheck()
    tab.locator("#snap").evaluate("(one) => one.blur()")
    tab.locator("#seek").evaluate("(one) => { one.value = 6; one.dispatchEvent(new Event('input')); }")
    tab.keyboard.press("+")
    tab.locator("#zoom-in").click()
    assert settled(tab)["zoom"] == ["4"]
    seen = [float(tab.locator("#seek").get_attribute(name)) for name in ("min", "max")]
    assert seen == pytest.approx([6 - length_s / 8, 6 + length_s / 8], abs=0.1)
    ruler, head = (tab.locator(one).bounding_box() for one in ("#ruler", "#head"))
    assert head["x"] - ruler["x"] == pytest.approx(ruler["width"] / 2, abs=8)
    box = tab.locator("[data-row] .track").first.bounding_box()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 10)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] / 2 - 100, box["y"] + 12, steps=4)
    tab.mouse.up()
    moved_s = 100 / box["width"] * length_s / 4
    assert float(settled(tab)["shift"][0]) == pytest.approx(float(rows[0]["shift"]) + moved_s, abs=0.01)
    opened(tab, tab.evaluate("location.href"))
    assert settled(tab)["zoom"] == ["4"]
    tab.keyboard.press("Space")  # it turns the page
    tab.wait_for_function("(end) => Number(document.getElementById('seek').max) > end + 0.5", arg=seen[1])
    tab.keyboard.press("0")
    assert "zoom" not in settled(tab)
    assert complaints == []


def test_dragging_moves_a_row_and_chooses_it(tab: Any, complaints: list[str]) -> None:
    rows = opened(tab, "/cut/plain?target=audio")
    tab.locator("#snap").uncheck()
    track = tab.locator("[data-row] .track").nth(1)
    track.scroll_into_view_if_needed()
    box = track.bounding_box()
    length_s = float(tab.locator("[data-room]").get_attribute("data-length"))
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 10)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] / 2 - 90, box["y"] + 12, steps=4)
    tab.mouse.up()
    moved_s = 90 / box["width"] * length_s
    assert settled(tab)["with"] == [rows[1]["id"]]
    assert float(settled(tab)["shift"][0]) == pytest.approx(float(rows[1]["shift"]) + moved_s, abs=0.02)
    assert complaints == []


@pytest.mark.parametrize("most", [0, 100])
def test_a_long_drag_goes_on_where_addresses_are_rarely_allowed(tab: Any, complaints: list[str], most: int) -> None:
    """As in Safari, which throws when an address is written more than 100 times in 30 s."""
    tab.add_init_script(
        f"let left = {most}; const write = history.replaceState.bind(history);"
        "history.replaceState = (...given) => {"
        " if (left-- <= 0) throw new DOMException('too often', 'SecurityError'); write(...given); };"
    )
    rows = opened(tab, "/cut/plain?target=audio")
    tab.locator("#snap").uncheck()
    track = tab.locator("[data-row] .track").first
    track.scroll_into_view_if_needed()
    box = track.bounding_box()
    length_s = float(tab.locator("[data-room]").get_attribute("data-length"))
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 10)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] / 2 - 130, box["y"] + 12, steps=130)
    tab.mouse.up()
    wanted_s = pytest.approx(float(rows[0]["shift"]) + 130 / box["width"] * length_s, abs=0.02)
    exported = parse_qs(urlsplit(tab.locator("#csv").get_attribute("href")).query)
    assert float(exported["shift"][0]) == wanted_s
    assert settled(tab) == exported if most else asked(tab) == {"target": ["audio"]}
    assert complaints == []


def test_pictures_change_under_a_song_that_goes_on(tab: Any, complaints: list[str]) -> None:
    tab.goto("/cut/plain?target=video")
    tab.wait_for_function("() => document.querySelectorAll('[data-row] .body path').length >= 5")
    rows = tab.evaluate("[...document.querySelectorAll('[data-row]')].map((one) => ({ ...one.dataset }))")
    tab.keyboard.press("Space")
    tab.wait_for_function("() => document.getElementById('song').currentTime > 0.3")
    for number in (2, 3):
        tab.keyboard.press(str(number))
        tab.wait_for_function(
            "(id) => { const seen = [...document.querySelectorAll('#screen video:not(.waiting)')];"
            " return seen.length === 1 && !seen[0].paused"
            " && decodeURIComponent(seen[0].src).endsWith(`/media/${id}`); }",
            arg=rows[number - 1]["id"],
        )
    times = [moment["times"][0] for moment in tab.evaluate("heard") if moment["songs"]]
    assert all(0 <= after - before < 1 for before, after in pairwise(times))
    assert complaints == []


SNAPPING = """
() => import('/static/snapping.js').then(({ nearest, placeToMeet, snapped, stepped }) => {
  const marks = [0.5, 1.0, 1.7, 4.0];
  return [
    nearest(marks, 1.3), nearest(marks, -9), nearest(marks, 9), nearest([], 1) ?? null,
    placeToMeet([2, 6], 5), placeToMeet([], 5),
    snapped(0.52, marks, 0, 0.1), snapped(0.52, marks, 0, 0.01), snapped(-1.45, marks, 2, 0.1),
    stepped(0.5, 1, marks, 0), stepped(0.5, -1, marks, 0) ?? null,
    stepped(-1.5, 1, marks, 2), stepped(2.0, -1, marks, 2),
  ];
})
"""


def test_snapping_puts_marks_on_places(tab: Any) -> None:
    """By hand: a mark m of the other one falls on the place r of the item where the shift is m - r."""
    tab.goto("/help")
    found = tab.evaluate(SNAPPING)
    assert found == [1.0, 0.5, 4.0, None, 6, 5, 0.5, 0.52, pytest.approx(-1.5), 1.0, None, -1.0, pytest.approx(-0.3)]


@pytest.mark.parametrize("tab", [wide("light"), wide("dark"), phone("light"), phone("dark")], indirect=True)
@pytest.mark.parametrize("target", ["audio", "video"])
def test_the_room_fits_and_has_no_serious_fault(tab: Any, axe: str, complaints: list[str], target: str) -> None:
    tab.goto(f"/cut/plain?target={target}")
    tab.wait_for_function("() => document.querySelectorAll('[data-row] .body path').length >= 5")
    tab.wait_for_load_state("networkidle")
    tab.keyboard.press("h")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.evaluate(axe)
    found = tab.evaluate("axe.run().then((found) => found.violations)")
    serious = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]
    assert serious == []
    assert complaints == []


@pytest.mark.parametrize("tab", [{"java_script_enabled": False}], ids=["no scripts"], indirect=True)
def test_without_scripts_links_choose_and_a_form_shifts(tab: Any) -> None:
    tab.goto("/cut/plain")
    tab.locator("[data-row] a.name").nth(1).click()
    chosen = tab.locator("[data-row]").nth(1).get_attribute("data-id")
    assert asked(tab)["with"] == [chosen]
    tab.locator("input[name=shift]").fill("1.5")
    tab.get_by_role("button", name="Set").click()
    assert asked(tab)["shift"] == ["1.5"]
    assert tab.locator("[aria-current=true].name").count() == 1
    with tab.expect_download() as loading:
        tab.locator("#edl").click()
    assert loading.value.suggested_filename.endswith(".edl")
