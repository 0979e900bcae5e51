"""Answers on disk: once each, by several judges at once, and never lost."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import ConfigError
from antiphon.judging import Judgements, RoundConfig, prepare_round
from antiphon.judging.answers import answer_rows, read_answers
from antiphon.judging.names import MAX_CHARACTERS, judge_name

from .conftest import ARTISTS


def answer_all(judgements: Judgements, name: str, answer: str = "left") -> int:
    count = 0
    while (task := judgements.next_task(name)) is not None:
        assert judgements.answer(name, task.item, answer) == "stored"
        count += 1
    return count


def test_a_round_goes_on_where_it_stopped(judgements):
    judgements.join("Ada")
    seen = []
    for _ in range(5):
        task = judgements.next_task("Ada")
        assert judgements.next_task("Ada") == task  # asked again until it is answered
        judgements.answer("Ada", task.item, "right")
        seen.append(task.item)
    again = Judgements(judgements.path)
    assert again.join(" ada ") == "Ada"
    task = again.next_task("ADA")
    assert (task.place, task.item in seen) == (6, False)
    assert again.progress("Ada") == (5, task.total)
    assert answer_all(again, "Ada") == task.total - 5
    assert again.next_task("Ada") is None


def test_the_same_answer_twice_is_one_and_the_first_stays(judgements):
    judgements.join("Ada")
    item = judgements.next_task("Ada").item
    assert [judgements.answer("Ada", item, word) for word in ("left", "left", "right")] == ["stored", "same", "other"]
    (row,) = answer_rows(judgements.path, 1)
    assert (row["answer"], row["judge"]) == ("left", "Ada")


def test_who_when_what_is_kept(judgements):
    judgements.join("Ada")
    task = judgements.next_task("Ada")
    time.sleep(0.02)
    judgements.answer("Ada", task.item, "right")
    (row,) = answer_rows(judgements.path, 1)
    assert row["chosen"] == task.right
    assert {row["first"], row["second"]} == {task.left, task.right}
    assert (row["aspect"], row["seed"], row["again"], row["simulated"]) == (task.aspect, task.seed, False, False)
    assert 0.02 <= row["seconds"] < 60
    assert abs((datetime.now(UTC) - datetime.fromisoformat(row["answered_utc"])).total_seconds()) < 60
    assert {"one", "two"} & set(f"{row['first_source']} {row['second_source']}".split())


def test_what_is_none_of_a_judge_s_business_is_refused(judgements):
    judgements.join("Ada")
    judgements.join("Bob")
    item = judgements.next_task("Ada").item
    with pytest.raises(ConfigError, match="is not on the sheet of Bob"):
        judgements.answer("Bob", item, "left")
    with pytest.raises(ConfigError, match="must be one of left, right, unsure"):
        judgements.answer("Ada", item, "middle")
    with pytest.raises(ConfigError, match="choose a name first"):
        judgements.next_task("Carl")
    assert answer_rows(judgements.path, 1) == []


def test_questions_and_sides_are_balanced_over_judges(judgements):
    for name in ("Ada", "Bob", "Carl", "Dora"):
        judgements.join(name)
        answer_all(judgements, name)
    answers = read_answers(judgements.path, 1)
    assert set(np.isfinite(answers.first).sum(axis=0)) == {2}  # 4 judges, half of the questions each
    with sqlite3.connect(judgements.path) as database:
        rows = database.execute("SELECT sum(2 * first_left - 1) FROM items WHERE repeats IS NULL GROUP BY question")
        sides = [row[0] for row in rows]
    assert np.mean(np.abs(sides)) < 0.5  # nearly all questions were shown either way once


def test_who_gives_up_leaves_no_hole(judgements):
    judgements.join("gives up")
    for name in ("Ada", "Bob"):
        judgements.join(name)
        answer_all(judgements, name)
    assert set(np.isfinite(read_answers(judgements.path, 1).first).sum(axis=0)) == {1}


def test_sheets_depend_on_the_seed_and_the_name_alone(tmp_path, runs):
    sheets = {}
    for place, seed, name in (("a", 0, "Ada"), ("b", 0, "Ada"), ("c", 1, "Ada"), ("d", 0, "Bob")):
        store = Judgements(tmp_path / place / "j.sqlite")
        prepare_round(store, runs, ARTISTS, RoundConfig(questions=36, per_judge=18, seed=seed))
        store.join(name)
        sheets[place] = [(task.seed, task.left, task.right) for task in store.unanswered(name)]
    assert sheets["a"] == sheets["b"]
    assert sheets["a"] not in (sheets["c"], sheets["d"])


def test_simulated_judges_are_never_people(judgements):
    assert judgements.join("Ada", simulated=True) == "simulated Ada"
    assert judgements.join("Ada") == "Ada"
    for name in ("simulated Ada", "Simulated", "ｓｉｍｕｌａｔｅｄ x"):
        with pytest.raises(ConfigError, match="reserved for simulated judges"):
            judgements.join(name)


@pytest.mark.parametrize("name", ["", "   ", "x" * (MAX_CHARACTERS + 1), "a\u202eb", "a\x00b", "···"])
def test_names_that_will_not_do(name):
    with pytest.raises(ConfigError, match=r"name|Name"):
        judge_name(name)


@given(st.text(max_size=60))
def test_a_name_that_is_kept_is_kept_as_it_is(text):
    try:
        name = judge_name(text)
    except ConfigError:
        return
    assert judge_name(name) == name
    assert 0 < len(name) <= MAX_CHARACTERS


@pytest.mark.parametrize("name", ["Robert'); DROP TABLE answers;--", 'x"; --', "<b>Ada</b>"])
def test_a_name_is_only_a_name(judgements, name):
    judgements.join(name)
    judgements.answer(name, judgements.next_task(name).item, "left")
    assert [row["judge"] for row in answer_rows(judgements.path, 1)] == [name]


def test_several_judges_at_once(judgements):
    names = [f"judge {number}" for number in range(4)]

    def judge(name: str) -> int:
        store = Judgements(judgements.path)
        store.join(name)
        return answer_all(store, name)

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(judge, names))
    rows = answer_rows(judgements.path, 1)
    assert len(rows) == sum(counts)
    assert len({row["question"] for row in rows if not row["again"]}) == 36


def test_a_file_that_is_no_database_and_one_of_the_future(tmp_path):
    path = tmp_path / "j.sqlite"
    path.write_text("not a database, only some text that is long enough to be looked at" * 20)
    with pytest.raises(ConfigError, match="cannot be read"):
        Judgements(path).round()
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(ConfigError, match="format 99"):
        Judgements(path).round()


ANSWERING = """
import sys
from antiphon.judging import Judgements
store = Judgements(sys.argv[1])
store.join("Ada")
while (task := store.next_task("Ada")) is not None:
    store.answer("Ada", task.item, "left")
    print(task.item, flush=True)
"""


def test_a_killed_process_loses_nothing_that_was_acknowledged(judgements):
    """A process is killed while it answers, twice; what it acknowledged is there, once, and the rest goes on."""
    acknowledged = []
    for stop_after in (3, 4):
        process = subprocess.Popen(
            [sys.executable, "-c", ANSWERING, str(judgements.path)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        with process:
            for _ in range(stop_after):
                acknowledged.append(int(process.stdout.readline()))
            process.send_signal(signal.SIGKILL)
            acknowledged += [int(line) for line in process.stdout.read().splitlines()]
    with sqlite3.connect(judgements.path) as database:
        kept = [row[0] for row in database.execute("SELECT item FROM answers ORDER BY item")]
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    assert set(acknowledged) <= set(kept)
    assert len(kept) <= len(acknowledged) + 2  # one of each process may be kept that it could not tell of
    left = answer_all(judgements, "Ada")
    assert len(kept) + left == judgements.progress("Ada")[1]


def test_no_answer_of_a_transaction_that_fails(judgements):
    judgements.join("Ada")
    tasks = judgements.unanswered("Ada")
    with pytest.raises(ConfigError, match="is not on the sheet"):
        judgements.answer_all("Ada", {tasks[0].item: "left", 10**6: "left"})
    assert answer_rows(judgements.path, 1) == []


def test_nobody_answers_as_a_simulated_judge(judgements):
    name = judgements.join("machine", simulated=True)
    task = judgements.next_task(name)
    with pytest.raises(ConfigError, match="is not on the sheet of simulated machine"):
        judgements.answer(name, task.item, "left")
    judgements.answer_all(name, {task.item: "right"}, simulated=True)
    assert judgements.progress(name)[0] == 1


def test_questions_about_videos_that_are_gone_are_passed_over(judgements):
    name = judgements.join("Ada")
    first, *rest = judgements.unanswered(name)
    known = {id for task in rest for id in (task.seed, task.left, task.right)} - {first.seed}
    task = judgements.next_task(name, known)
    assert task.item != first.item
    assert first.seed not in {task.seed, task.left, task.right}
    assert judgements.next_task(name, set()) is None
