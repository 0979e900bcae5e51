"""Evaluations stay by their date, and a frozen test set stays as it is."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from antiphon.app.course import courses
from antiphon.errors import ConfigError
from antiphon.evaluation_log import freeze, frozen, frozen_names, keep_evaluation, read_evaluations
from antiphon.workspace import Workspace


def measured(rank: float, n: int = 20) -> dict[str, object]:
    """Metrics of both ways."""
    way = {"median_rank": rank, "ci95": [rank - 1, rank + 1], "null95": [8, 13], "n": n, "chance": (n + 1) / 2}
    way |= {"groups": n, "by_metric": {}, "mrr": 0.3}
    return {"split": "test", "a2v": way, "v2a": way | {"median_rank": rank + 1}}


def test_every_evaluation_stays_in_order_and_damage_hides_no_other(tmp_path: Path) -> None:
    assert read_evaluations(tmp_path) == []
    for rank in (9.0, 5.0, 4.0):
        keep_evaluation(tmp_path, measured(rank))
    keep_evaluation(tmp_path, measured(3.0), "frozen")
    (tmp_path / "evaluations" / "20000101T000000000000Z.json").write_text("{")
    (tmp_path / "evaluations" / "notes.json").write_text("{}")
    found = read_evaluations(tmp_path)
    assert [(one.test_set, one.metrics["a2v"]["median_rank"]) for one in found] == [
        ("", 9.0),
        ("", 5.0),
        ("", 4.0),
        ("frozen", 3.0),
    ]
    assert all(a.at < b.at for a, b in pairwise(found))


def test_the_course_is_told_apart_by_test_set(tmp_path: Path) -> None:
    keep_evaluation(tmp_path, measured(9.0))
    assert courses(read_evaluations(tmp_path)) == []  # The page shows it anyway.
    keep_evaluation(tmp_path, measured(5.0, n=40))
    keep_evaluation(tmp_path, measured(3.0), "frozen")
    split, one = courses(read_evaluations(tmp_path))
    assert ([row.a2v["median_rank"] for row in split.rows], split.changed) == ([9.0, 5.0], True)
    assert split.chart is not None and "sound 0.45 to 0.125" in split.chart
    assert (one.test_set, len(one.rows), one.chart, one.changed) == ("frozen", 1, None, False)


def test_a_test_set_is_frozen_once_and_read_as_it_was(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    ids = ["b/ä.mp4", "a b", "=1", "# x", "line\u2028separator"]
    path = freeze(place, "may-2026", ids)
    assert frozen(place, "may-2026") == sorted(ids)
    assert list(frozen_names(place)) == ["may-2026"]
    with pytest.raises(ConfigError, match="frozen already"):
        freeze(place, "may-2026", ["a"])
    with pytest.raises(ConfigError, match="no music videos to freeze"):
        freeze(place, "empty", [])
    with pytest.raises(ConfigError, match=r"there are: may-2026"):
        frozen(place, "june")
    for name in ("", "../x", "a/b", ".hidden", "x" * 101, "ü"):
        with pytest.raises(ConfigError, match="not a name of a test set"):
            freeze(place, name, ["a"])
    whole = path.read_text(encoding="utf-8")
    for damaged in ("", "a\n", whole[:-4], whole + "more\n", whole.partition("\n")[2], whole.replace("a b", "a c")):
        path.write_text(damaged, encoding="utf-8")
        with pytest.raises(ConfigError, match="not as antiphon evaluate --freeze wrote it"):
            frozen(place, "may-2026")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not a list of ids"):
        frozen(place, "may-2026")
    assert json.dumps(measured(1.0))
