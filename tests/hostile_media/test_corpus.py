"""Hundreds of hostile and odd files at once: none ends a run, none hangs it, each has features or the right reason."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.errors import AntiphonError
from antiphon.features.extraction import extract_into
from antiphon.features.single import files_features
from antiphon.features.store import FeatureStore
from antiphon.segments.sampling import SamplingConfig
from antiphon.workers import process
from antiphon.workers.limits import WorkerLimits
from antiphon.workers.reasons import reason
from antiphon.workspace import Workspace

from .backbones import Brightness, Loudness
from .corpus import KNOWN, Expected, make_corpus

ONE = SamplingConfig(sections=1)
LIMITS = WorkerLimits(step_s=12.0, memory_bytes=600_000_000)
MAX_RESIDENT_BYTES = LIMITS.memory_bytes + 200_000_000
"""What a worker holds before it reads a file is counted, too."""


@pytest.fixture(scope="module")
def corpus(made_once: Callable[..., Path], media_folder: Path) -> tuple[Path, dict[str, Expected]]:
    def make(folder: Path) -> None:
        (folder / "files").mkdir()
        expected = make_corpus(folder / "files", media_folder)
        (folder / "expected.json").write_text(json.dumps(expected))

    folder = made_once("hostile", make)
    listed = json.loads((folder / "expected.json").read_text())
    return folder / "files", {name: Expected(*what) for name, what in listed.items()}


@pytest.fixture
def peaks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The most memory that each worker process has held."""
    found: list[int] = []
    end = process.Process.end

    def measured(self: process.Process) -> None:
        status = Path(f"/proc/{self.popen.pid}/status")
        lines = status.read_text().splitlines() if status.exists() else []
        found.extend(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
        end(self)

    monkeypatch.setattr(process.Process, "end", measured)
    return found


def wrong(name: str, what: Expected, sides: set[str], why: str | None) -> str | None:
    """Say what is not as expected of a file."""
    wanted = {"both": {"audio", "video"}, "audio": {"audio"}, "video": {"video"}, None: set()}
    if not sides and why is None:
        return f"{name}: neither features nor a reason"
    if what.sides != "any" and sides != wanted[what.sides]:
        return f"{name}: has {sides}, not {what.sides}: {why}"
    if why is not None and (what.sides in ("both", "audio", "video") or not re.search(what.reason, why)):
        return f"{name}: {why}"
    return None


def test_every_file_has_features_or_the_right_reason(
    corpus: tuple[Path, dict[str, Expected]],
    peaks: list[int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> None:
    folder, expected = corpus
    assert len(expected) >= 200
    record_property("tried: hostile and odd files", len(expected))
    limits = ["--max-decoding-s", str(LIMITS.step_s), "--max-memory-gb", str(LIMITS.memory_bytes / 1e9)]
    assert run(["--workspace", str(tmp_path), "--json", "catalogue", "add", str(folder), *limits]) == 0
    added = json.loads(capsys.readouterr().out)
    workspace = Workspace(tmp_path)
    catalogue = Catalogue.load(workspace.catalogue)
    assert set(expected) - set(catalogue.ids) == set()
    networks, unreadable = [Loudness(), Brightness()], added["unreadable"]
    with workspace.lock():
        extract_into(workspace, catalogue, networks, ONE, workers=2, limits=LIMITS, unreadable=unreadable)
    stored = {side: FeatureStore.existing(workspace.features / side).done() for side in ("loudness", "brightness")}
    reasons = {failure.video_id: failure for failure in workspace.read_failures()}
    faults = []
    for name, what in expected.items():
        sides = {side for side, store in (("audio", "loudness"), ("video", "brightness")) if name in stored[store]}
        failure = reasons.get(name)
        faults.append(wrong(name, what, sides, None if failure is None else failure.message))
        if failure is not None:
            assert failure.error in ("DecodeError", "LimitError", "CrashError")
            assert name in failure.message
    assert [fault for fault in faults if fault] == []
    assert not workspace.errors_log.exists()
    if Path("/proc").exists():
        assert len(peaks) >= 3
        assert max(peaks) < MAX_RESIDENT_BYTES


def test_files_that_are_embedded_one_after_the_other_have_the_same_fate(
    corpus: tuple[Path, dict[str, Expected]], peaks: list[int]
) -> None:
    folder, expected = corpus
    chosen = [name for number, name in enumerate(sorted(expected)) if number % 3 == 0 and name != "slow.mp4"]
    networks = [Loudness(), Brightness()]
    found = {}
    with pytest.warns(UserWarning, match="Only one side of the file is used"):
        for path, result in files_features([folder / name for name in chosen], networks, ONE, workers=2, limits=LIMITS):
            found[Path(path).name] = result
    assert set(found) == set(chosen)
    faults = []
    for name, result in found.items():
        failed = isinstance(result, AntiphonError)
        sides = set() if failed else set(result.vectors)
        faults.append(wrong(name, expected[name], sides, reason(folder / name, result) if failed else None))
    assert [fault for fault in faults if fault] == []
    assert max(peaks, default=0) < MAX_RESIDENT_BYTES


def test_reasons_are_told_apart() -> None:
    """The patterns would take no reason that nobody foresaw."""
    for unforeseen in ("x.mp4: could not be processed: KeyError: 1.", "x.mp4: crashed the decoder.", "x.mp4: oh"):
        assert not re.search(KNOWN, unforeseen)
