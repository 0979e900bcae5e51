"""A round of judging: by keyboard in a real browser, by plain forms, and what is refused."""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from fastapi.testclient import TestClient

from antiphon.catalogue import Catalogue
from antiphon.errors import ConfigError
from antiphon.judging import Judgements, RoundConfig, RunEmbeddings, prepare_round
from antiphon.judging.answers import answer_rows
from antiphon.judging.simulated import simulate_judge
from antiphon.workspace import Workspace

TIME_LIMIT_MS = 20_000
JUDGE = "Ada “<b>”"


@pytest.fixture
def judgements(workspace: Workspace) -> Iterator[Judgements]:
    """A short round on the videos of the workspace, which two made-up runs see differently."""
    rows = Catalogue.load(workspace.catalogue).records()
    ids = tuple(row["id"] for row in rows)
    sides = np.random.default_rng(0).normal(size=(4, len(ids), 4))
    runs = [RunEmbeddings("one", "1", ids, *sides[:2]), RunEmbeddings("two", "2", ids, *sides[2:])]
    found = Judgements(workspace.judgements)
    config = RoundConfig(questions=9, per_judge=6, repeat_share=0.4)
    prepare_round(found, runs, {row["id"]: row["artist"] for row in rows}, config)
    yield found
    for path in workspace.root.glob("judgements.sqlite*"):
        path.unlink()


@pytest.fixture
def visitor(client: TestClient) -> Iterator[TestClient]:
    """A browser without scripts, which forgets its name afterwards."""
    client.cookies.clear()
    yield client
    client.cookies.clear()


def locked(*_: object) -> None:
    raise ConfigError("judgements.sqlite: judgements cannot be read or written: database is locked.")


def fields(page: str) -> dict[str, str]:
    """The hidden fields of the form."""
    parts = page.split('<input type="hidden" name="')[1:]
    return {part.split('"')[0]: part.split('value="')[1].split('"')[0] for part in parts}


def test_a_round_by_plain_forms(visitor: TestClient, judgements: Judgements) -> None:
    assert "Choose a name" in visitor.get("/judge").text
    page = visitor.post("/judge", data={"name": " Bob "})
    assert page.url.path == "/judge/question"
    count = 0
    while page.url.path == "/judge/question":
        given = fields(page.text) | {"answer": "left"}
        page = visitor.post("/judge/question", data=given)
        count += 1
    assert page.url.path == "/judge/thanks"
    assert f"all {count} questions" in page.text
    assert "and chose the same in 0 of 3" in page.text  # always the left one, with sides swapped
    assert len(answer_rows(judgements.path, 1)) == count == 9
    again = visitor.post("/judge/question", data=given)
    assert again.url.path == "/judge/thanks"
    other = visitor.post("/judge/question", data=given | {"answer": "right"})
    assert (other.status_code, "first answer is kept" in other.text) == (409, True)
    assert [row["answer"] for row in answer_rows(judgements.path, 1)] == ["left"] * 9


def test_the_start_promises_as_many_questions_as_are_asked(visitor: TestClient, judgements: Judgements) -> None:
    start = visitor.get("/judge").text
    assert judgements.round() is not None
    page = visitor.post("/judge", data={"name": "Ada"}).text
    total = int(page.split("Question 1 of ")[1].split(",")[0])
    assert total > 6
    assert f"There are {total} questions: 6 comparisons, {total - 6} of which are asked twice." in start


def test_who_comes_back_goes_on_and_who_has_no_name_chooses_one(visitor: TestClient, judgements: Judgements) -> None:
    for path in ("/judge/question", "/judge/thanks"):
        assert visitor.get(path).url.path == "/judge"
    visitor.post("/judge", data={"name": "Bob"})
    visitor.post("/judge/question", data=fields(visitor.get("/judge/question").text) | {"answer": "unsure"})
    visitor.cookies.clear()
    assert "Question 2 of 9" in visitor.post("/judge", data={"name": "BOB"}).text
    assert 'value="Bob"' in visitor.get("/judge").text
    assert "answered 1 of 9" in visitor.get("/judge/thanks").text
    assert len(answer_rows(judgements.path, 1)) == 1


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"answer": "left"}, 422),
        ({"item": "1", "answer": "left", "judge": "nobody"}, 422),
        ({"item": "x", "answer": "left", "judge": "Bob"}, 422),
        ({"item": "9" * 16, "answer": "left", "judge": "Bob"}, 422),
        ({"item": "1", "answer": "both", "judge": "Bob"}, 422),
        ({"item": "1", "answer": "x" * 20_000, "judge": "Bob"}, 413),
    ],
)
def test_what_is_no_answer_is_refused(
    visitor: TestClient, judgements: Judgements, form: dict[str, str], status: int
) -> None:
    visitor.post("/judge", data={"name": "Bob"})
    assert visitor.post("/judge/question", data=form).status_code == status
    assert answer_rows(judgements.path, 1) == []


@pytest.mark.parametrize("name", ["", "x" * 41, "simulated me"])
def test_a_name_that_will_not_do_is_said_so(visitor: TestClient, judgements: Judgements, name: str) -> None:
    page = visitor.post("/judge", data={"name": name})
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert judgements.round() is not None


def test_other_sites_cannot_answer(visitor: TestClient, judgements: Judgements) -> None:
    for headers in ({"origin": "https://elsewhere.example"}, {"sec-fetch-site": "cross-site"}):
        assert visitor.post("/judge", data={"name": "Eve"}, headers=headers).status_code == 403
    assert visitor.post("/judge", content=b"\xff\xfe").status_code == 422
    cookie = visitor.post("/judge", data={"name": "Bob"}, follow_redirects=False).headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/judge"} <= set(cookie.split("; "))
    assert judgements.progress("Bob")[0] == 0


def test_a_question_whose_video_is_gone_holds_nobody_up(visitor: TestClient, judgements: Judgements) -> None:
    visitor.post("/judge", data={"name": "Bob"})
    first = judgements.unanswered("Bob")[0]
    page = visitor.get("/judge/question")
    assert fields(page.text)["item"] == str(first.item)
    with sqlite3.connect(judgements.path) as database:
        database.execute("UPDATE questions SET seed = 'gone' WHERE seed = ?", (first.seed,))
    database.close()
    page = visitor.get("/judge/question")
    assert page.status_code == 200
    assert fields(page.text).get("item") != str(first.item)


def test_a_locked_file_is_no_fault_of_the_name(visitor: TestClient, judgements: Judgements) -> None:
    visitor.post("/judge", data={"name": "Bob"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Judgements, "next_task", locked)
        patch.setattr(Judgements, "join", locked)
        for page in (visitor.get("/judge/question"), visitor.post("/judge", data={"name": "Bob"})):
            assert "database is locked" in page.text
            assert "Choose a name" not in page.text


def test_nothing_prepared_is_said_with_what_to_do(visitor: TestClient) -> None:
    assert "antiphon judge prepare" in visitor.get("/judge").text
    assert "antiphon judge prepare" in visitor.post("/judge", data={"name": "Bob"}).text
    report = visitor.get("/judge/report")
    assert report.status_code == 404
    for page in (report, visitor.get("/judge")):
        assert "There are no questions yet. Prepare some: <code>antiphon judge prepare</code>" in page.text


def test_the_report_is_up_to_date_and_says_who_is_simulated(visitor: TestClient, judgements: Judgements) -> None:
    assert "No answers yet" in visitor.get("/judge/report").text
    for number in range(3):
        simulate_judge(judgements, f"{number}", run="one", noise=0)
    assert "No answers yet" in visitor.get("/judge/report").text
    page = visitor.get("/judge/report?simulated=true").text
    assert "These judges are simulated" in page
    assert "agrees with the judges in 100%" in page
    assert "100% (100%–100%)" not in page
    assert "<caption" not in page  # It would be as wide as its table, and cut on a phone.


@pytest.fixture(params=[(1280, 900, False, "light"), (360, 740, True, "dark")], ids=["desktop", "phone"])
def tab(request: pytest.FixtureRequest, browser: Any, complaints: list[str]) -> Iterator[Any]:
    """A page of the service, on a desk and on a phone."""
    width, height, phone, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height}, is_mobile=phone, has_touch=phone, color_scheme=scheme
    )
    found = context.new_page()
    found.set_default_timeout(TIME_LIMIT_MS)
    found.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    found.on("pageerror", lambda error: complaints.append(str(error)))
    yield found
    context.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains about."""
    return []


def until(tab: Any, expression: str) -> None:
    """Wait until an expression is true; by asking again, for the page's policy forbids code that is made of text."""
    for _ in range(TIME_LIMIT_MS // 50):
        if tab.evaluate(expression):
            return
        tab.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


def playing(tab: Any, place: str, for_s: float = 0.2) -> None:
    """Wait until a player has played."""
    start = tab.evaluate(f"document.getElementById('{place}').currentTime")
    until(tab, f"(one => !one.paused && one.currentTime > {start} + {for_s})(document.getElementById('{place}'))")


def accessible(tab: Any, axe: str) -> None:
    """axe-core finds nothing serious."""
    tab.evaluate(axe)
    found = tab.evaluate("axe.run()")["violations"]
    assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def compared(tab: Any) -> None:
    """Play A and B, each for a moment, which the answers wait for."""
    for place in ("left", "right"):
        tab.evaluate(f"document.getElementById('{place}').play()")
        playing(tab, place, 1.0)
    until(tab, "!document.querySelector('[value=left]').disabled")
    tab.evaluate("document.getElementById('right').pause()")


def pressed(tab: Any, key: str) -> None:
    """Press a key that answers, once the page takes it, and wait for the next page."""
    tab.wait_for_timeout(500)
    with tab.expect_navigation():
        tab.keyboard.press(key)


def test_a_whole_round_by_keyboard(
    tab: Any, server: str, judgements: Judgements, complaints: list[str], axe: str
) -> None:
    """Choose a name, play, compare, answer; go on after an interruption; read the thanks and the report."""
    tab.goto(f"{server}/judge")
    accessible(tab, axe)
    tab.get_by_label("Choose a name").fill(JUDGE)
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    seen, answers = set(), {"left": 0, "right": 0, "unsure": 0}
    cycle = (("1", "left"), ("ArrowRight", "right"), ("0", "unsure"), ("ArrowLeft", "left"), ("2", "right"))
    for number in range(9):
        aspect = tab.locator(".judging").get_attribute("class").split()[1]
        assert tab.get_by_text(f"Question {number + 1} of 9").count() == 1
        if aspect not in seen:
            seen.add(aspect)
            accessible(tab, axe)
            tab.keyboard.press(" ")
            playing(tab, "seed")
            tab.keyboard.press("b")
            playing(tab, "right")
            state = tab.evaluate("['seed', 'left', 'right'].map((id) => document.getElementById(id).paused)")
            assert state == [True, True, False]
            media = tab.evaluate(
                "[...document.querySelectorAll('video, audio')].map((one) => [one.tagName, one.muted])"
            )
            wanted = {"sound": ["AUDIO", False], "pictures": ["VIDEO", True], "overall": ["VIDEO", False]}
            assert media == [wanted[aspect]] * 3
            tab.keyboard.press(" ")
            assert tab.evaluate("document.getElementById('right').paused")
        if number == 4:
            tab.goto(f"{server}/judge")
            with tab.expect_navigation():
                tab.get_by_role("button", name="Continue").click()
        key, answer = cycle[number % len(cycle)]
        if answer != "unsure":
            compared(tab)
        pressed(tab, key)
        answers[answer] += 1
    assert seen == {"overall", "sound", "pictures"}
    assert unquote(tab.url) == f"{server}/judge/thanks"
    assert tab.get_by_role("heading", name=f"Thank you, {JUDGE}").count() == 1
    accessible(tab, axe)
    kept = answer_rows(judgements.path, 1)
    assert {word: sum(row["answer"] == word for row in kept) for word in answers} == answers
    assert {row["judge"] for row in kept} == {JUDGE}
    tab.goto(f"{server}/judge/report")
    accessible(tab, axe)
    assert complaints == []


def test_pictures_stay_muted_and_keys_can_be_turned_off(tab: Any, server: str, judgements: Judgements) -> None:
    judgements.join("Bob")
    for task in judgements.unanswered("Bob"):
        if task.aspect != "pictures":
            judgements.answer("Bob", task.item, "left")
    done = judgements.progress("Bob")[0]
    tab.goto(f"{server}/judge")
    tab.get_by_label("Choose a name").fill("Bob")
    with tab.expect_navigation():
        tab.get_by_role("button", name="Start").click()
    tab.evaluate("document.getElementById('left').muted = false")
    until(tab, "document.getElementById('left').muted")
    tab.evaluate("document.getElementById('keys').click()")
    tab.wait_for_timeout(600)
    tab.keyboard.press("1")
    tab.wait_for_timeout(200)
    assert judgements.progress("Bob")[0] == done
    tab.evaluate("document.getElementById('keys').click()")
    tab.keyboard.press("1")
    tab.wait_for_timeout(200)
    assert judgements.progress("Bob")[0] == done  # Nothing was played.
    assert tab.get_by_role("button", name="A is closer").is_disabled()
    assert tab.get_by_text("Play A and B before you say which is closer.").is_visible()
    compared(tab)
    assert not tab.get_by_text("Play A and B before you say which is closer.").is_visible()
    with tab.expect_navigation(), contextlib.suppress(AssertionError):
        tab.get_by_role("button", name="A is closer").dblclick()
    assert judgements.progress("Bob")[0] == done + 1
