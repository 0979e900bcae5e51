"""Commands killed at a random moment and run again end as if nothing had been.

Extraction and the index's builds and adds have tests of their own. `benchmarks/kills.py --kills 50` kills all verbs.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kills

TRIED = ("catalogue add", "train", "index remove", "study", "judge")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kills") / "made"
    kills.prepare(folder)
    return folder


@pytest.mark.parametrize("verb", [verb for verb in kills.VERBS if verb.name in TRIED], ids=lambda verb: verb.name)
def test_killed_and_run_again_a_verb_ends_like_an_undisturbed_one(
    verb: kills.Verb, made: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    took_s, expected = kills.undisturbed(verb, made, tmp_path)
    assert expected
    after_s = float(np.random.default_rng(kills.VERBS.index(verb)).uniform(0.3, 0.9)) * took_s
    _, differing = kills.trial(verb, made, tmp_path, expected, after_s)
    assert differing == []
    record_property("tried: kills", 1)


def test_the_comparison_sees_a_lost_row_and_a_changed_tensor(made: Path, tmp_path: Path) -> None:
    whole = kills.contents(made / "run")
    assert whole == kills.contents(made / "run")
    store: Any = whole["features/hearing/part"]
    store[next(iter(store))] += 1
    again = kills.contents(made / "run")
    assert [name for name in whole if whole[name] != again[name]] == ["features/hearing/part"]
