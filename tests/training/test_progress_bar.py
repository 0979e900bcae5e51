"""When a training shows its progress: to people, once, and never to programs."""

import io
import sys
from typing import Any

import numpy as np
import pytest

import antiphon as ap
from antiphon.training import progress_bar


@pytest.fixture(scope="module")
def features() -> ap.Features:
    audio = np.random.default_rng(0).normal(size=(60, 5))
    return ap.Features.from_arrays(audio=audio, video=audio[:, ::-1])


def shown(features: ap.Features, monkeypatch: pytest.MonkeyPatch, *, terminal: bool, **options: Any) -> str:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    ap.DualEncoder("paper-base").fit(features, **options)
    return stream.getvalue()


def test_a_terminal_sees_the_epochs(features: ap.Features, monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(features, monkeypatch, terminal=True)
    assert "Training paper-base" in text
    assert "chance" in text


def test_no_terminal_no_bar_unless_asked_for(features: ap.Features, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(features, monkeypatch, terminal=False) == ""
    assert "Training paper-base" in shown(features, monkeypatch, terminal=False, verbose=True)


def test_quiet_is_quiet_on_a_terminal_too(features: ap.Features, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(features, monkeypatch, terminal=True, verbose=False) == ""


def test_a_callers_own_progress_takes_the_place_of_the_bar(
    features: ap.Features, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    text = shown(features, monkeypatch, terminal=True, progress=lambda epoch, _: told.append(epoch.epoch))
    assert text == ""
    assert told == list(range(1, len(told) + 1))


def test_only_the_first_of_several_processes_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_bar, "process_rank", lambda: 1)
    with progress_bar.epoch_progress("any", None, True) as report:
        assert report is None


def test_measuring_a_model_shows_no_training(features: ap.Features, monkeypatch: pytest.MonkeyPatch) -> None:
    """Audits, probes and learning curves train models of their own, under a bar that the command line draws."""
    from antiphon.evaluation.auditing import shuffled_control
    from antiphon.evaluation.learning_curve import learning_curve

    split = features.split(seed=1)
    model = ap.DualEncoder("paper-base").fit(split, verbose=False)
    asked: list[Any] = []
    fit = ap.DualEncoder.fit

    def noted(self: ap.DualEncoder, *arguments: Any, **options: Any) -> ap.DualEncoder:
        asked.append(options.get("verbose"))
        return fit(self, *arguments, **options)

    monkeypatch.setattr(ap.DualEncoder, "fit", noted)
    shuffled_control(model, split)
    learning_curve(model, split["train"], split["validation"])
    assert asked == [False, False, False]
