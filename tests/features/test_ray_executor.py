"""Extraction on Ray: the rows of a local run, whatever happens to the workers."""

import json
import os
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest

import antiphon as ap
from antiphon import backbones
from antiphon.backbones import AudioBackbone
from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.errors import AntiphonError, ConfigError, DecodeError, StorageError, WeightsError
from antiphon.features import ray_executor, ray_worker
from antiphon.features.computed_videos import ComputedVideo
from antiphon.features.ray_agreement import Network, versions
from antiphon.features.ray_cluster import Share, connected, dealt
from antiphon.features.ray_executor import RayExecutor
from antiphon.features.ray_worker import Fault, VideoBatch, VideoWorker, WorkerSetup, packed, unpacked
from antiphon.features.store import FeatureStore
from antiphon.media.windows import WindowsJob
from antiphon.segments.sampling import SamplingConfig
from antiphon.tables import read_table
from antiphon.workers.limits import JobError, WorkerLimits
from antiphon.workspace import Workspace

pytest.importorskip("ray", reason="needs Ray: pip install 'antiphon[ray]'")

SAMPLING = SamplingConfig(sections=2)
PLUG_IN = '''
import os, signal
import numpy as np
from antiphon.backbones import AudioBackbone
from antiphon.backbones.spec import BackboneSpec

class Deadly(AudioBackbone):
    """Loudness; one window of the marked song ends the process."""
    name, dim, fingerprint, rate_hz = "deadly", 1, "d" * 64, 8000

    def __call__(self, waveform, rate_hz=8000):
        found = np.abs(waveform).mean(axis=1, keepdims=True)
        if (found > 0.9).any():
            os.kill(os.getpid(), signal.SIGKILL)
        return found.astype(np.float32)

SPEC = BackboneSpec("deadly", "audio", 1, "", "", None, lambda device, weights: Deadly())
'''


@pytest.fixture(scope="module")
def plug_in(tmp_path_factory: pytest.TempPathFactory):
    """An installed package with a backbone, for this process and those that it starts."""
    place = tmp_path_factory.mktemp("installed")
    (place / "deadly_plug_in.py").write_text(PLUG_IN)
    about = place / "deadly_plug_in-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly-plug-in\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[antiphon.backbones]\ndeadly = deadly_plug_in:SPEC\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(place))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(place), *filter(None, sys.path)]))
        yield


@pytest.fixture(scope="module")
def ray_here(plug_in):
    """One Ray for this module."""
    with connected(None) as ray:
        yield ray


def workers_here() -> list[int]:
    """Process ids of the workers of this process's Ray."""
    told = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    found = [line.split(maxsplit=2) for line in told.splitlines()]
    children = {int(pid) for pid, parent, *_ in found if int(parent) == os.getpid()}
    return [int(pid) for pid, parent, *args in found if int(parent) in children and "VideoWorker" in "".join(args)]


def contents(workspace: Path) -> dict[str, list[str]]:
    """All that an extraction has written, rows in one order."""
    place = Workspace(workspace)
    found = {"failures": sorted(map(repr, place.read_failures()))}
    if place.attributes.exists():
        found["attributes"] = sorted(map(repr, read_table(place.attributes).to_pylist()))
    for folder in sorted(place.features.iterdir()):
        rows = FeatureStore.existing(folder).read()
        bits = [vector.tobytes() for vector in rows.vectors]
        found[folder.name] = sorted(map(repr, zip(rows.segment_ids, rows.video_ids, bits, rows.flags, strict=True)))
    return found


def songs(folder: Path, number: int, marked: int | None = None) -> Catalogue:
    """Songs of their own loudness each; the marked one ends the process that hears it."""
    folder.mkdir()
    for song in range(number):
        loudness = 0.98 if song == marked else 0.1 + 0.02 * song
        samples = np.sign(np.sin(np.arange(8 * 8000) * (0.3 + 0.01 * song))) * loudness
        with wave.open(str(folder / f"{song:02d}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes((samples * 32767).astype("<i2").tobytes())
    return Catalogue.from_folder(folder).split()


def test_a_worker_killed_in_the_middle_costs_nothing(ray_here, synthetic_table, tmp_path, capsys, monkeypatch):
    """Real networks, a damaged file, by the command; the first worker seen is killed with the first video."""
    rows = Catalogue.from_csv(synthetic_table).records()
    (tmp_path / "damaged.mp4").write_bytes(Path(rows[0]["path"]).read_bytes()[:20_000] + bytes(30_000))
    catalogue = Catalogue([*rows, {"id": "damaged", "path": str(tmp_path / "damaged.mp4")}]).split(seed=1)
    ap.extract(catalogue, workspace=tmp_path / "local", sampling=SAMPLING)
    killed: list[int] = []

    def kill(video: ComputedVideo) -> ComputedVideo:
        if not killed:
            killed.append(workers_here()[0])
            os.kill(killed[0], signal.SIGKILL)
        return video

    original = ray_executor.unpacked
    monkeypatch.setattr(ray_executor, "unpacked", lambda table: [kill(video) for video in original(table)])
    place = tmp_path / "ray"
    place.mkdir()
    catalogue.save(Workspace(place).catalogue)
    told = ["--workspace", str(place), "--json", "extract", "--executor", "ray", "--workers", "2", "--sections", "2"]
    assert run(told) == 0
    assert len(killed) == 1
    assert json.loads(capsys.readouterr().out)["segments"] == 24
    expected = contents(tmp_path / "local")
    assert len(expected["musicnn-mtt"]) == len(expected["efficientnet_lite0"]) == 24
    assert len(expected["failures"]) == 1
    assert contents(place) == expected


def test_a_file_that_ends_its_worker_each_time_fails_alone(ray_here, tmp_path):
    catalogue = songs(tmp_path / "songs", 12, marked=5)
    features = ap.extract(
        catalogue, "deadly", None, tmp_path / "w", sampling=SAMPLING, executor="ray", workers=2, device="cpu"
    )
    (failure,) = Workspace(tmp_path / "w").read_failures()
    assert failure.video_id == "05.wav"
    assert failure.error == "CrashError"
    assert "05.wav: ended the process that computed its features, 2 times" in failure.message
    assert sorted(set(features.groups)) == [name for name in sorted(catalogue.ids) if name != "05.wav"]
    assert len(features) == 11
    loudness = {name: 0.1 + 0.02 * int(name[:2]) for name in set(features.groups)}
    expected = [loudness[name] for name in features.groups]
    np.testing.assert_allclose(features.audio[:, 0], expected, rtol=0.05)


def test_interrupted_on_ray_it_is_finished_by_another_executor(ray_here, tmp_path):
    catalogue = songs(tmp_path / "songs", 10)
    place = tmp_path / "w"

    def interrupt(state) -> None:
        if state.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ap.extract(catalogue, "deadly", None, place, sampling=SAMPLING, executor="ray", workers=2, progress=interrupt)
    stored = FeatureStore.existing(place / "features" / "deadly").done()
    assert len(stored) == 3
    give_up = time.monotonic() + 60
    while workers_here() and time.monotonic() < give_up:
        time.sleep(0.1)
    assert workers_here() == []
    states = []
    ap.extract(catalogue, "deadly", None, place, sampling=SAMPLING, progress=states.append)
    assert [state.total for state in states] == [7] * 7
    ap.extract(catalogue, "deadly", None, tmp_path / "local", sampling=SAMPLING)
    assert contents(place) == contents(tmp_path / "local")


def test_without_ray_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r'pip install "antiphon\[ray\]"'):
        ap.extract(songs(tmp_path / "songs", 1), "musicnn-mtt", None, tmp_path / "w", executor="ray")
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"executor": "dask"}, "Unknown executor 'dask'. Use one of local, ray"),
        ({"ray_address": "auto"}, "A Ray address needs the executor ray"),
        ({"executor": "ray", "device": "cuda:1"}, "Device 'cuda:1' cannot be used with Ray"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, said, tmp_path):
    with pytest.raises(ConfigError, match=said):
        ap.extract(songs(tmp_path / "songs", 1), "musicnn-mtt", None, tmp_path / "w", **settings)


def test_more_processes_than_a_machine_runs_are_refused(tmp_path, capsys):
    assert run(["--workspace", str(tmp_path), "extract", "--workers", "62"]) == 1
    assert "at most 61 processes on one machine" in capsys.readouterr().err


class Loudness(AudioBackbone):
    dim, rate_hz = 1, 8000

    def __call__(self, waveform, rate_hz=8000):
        return np.abs(np.atleast_2d(waveform)).mean(axis=1, keepdims=True).astype(np.float32)


def test_a_backbone_of_this_process_alone_is_refused(monkeypatch):
    monkeypatch.setattr(backbones.registry, "_registered", {})
    backbones.register("loudness", Loudness())
    with pytest.raises(ConfigError, match="loudness: was registered in this process"):
        RayExecutor(None, [{"CPU": 2.0}], "cpu", "float32").load("loudness")


def job(path: Path) -> WindowsJob:
    return WindowsJob(path.name, str(path), ((0.0, 3.0),), (), 16_000, 0)


def answer(order: WorkerSetup, batch: VideoBatch, begun: dict[object, int] | None = None) -> object:
    """What a worker answers, in this process, with a ledger of its own."""
    worker, counts = VideoWorker(order, None), begun if begun is not None else {}

    def count(key: object) -> int:
        counts[key] = counts.get(key, 0) + 1
        return counts[key]

    worker._count, worker._forget = count, lambda key: counts.pop(key, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray_worker, "_actor_id", lambda: "actor")
        try:
            return unpacked(worker(packed(batch)))
        finally:
            for decoder in worker._decoders or ():
                decoder.close()


def order_of(name: str, **changes: object) -> WorkerSetup:
    backbone = backbones.load(name, "cpu")
    network = Network(name, backbone.fingerprint, backbone.arithmetic)
    settings = {"networks": (network,), "versions": versions(), "device": "cpu", "precision": "float32"}
    return WorkerSetup(**{**settings, "cores": 1, "limits": WorkerLimits(), **changes})


def test_workers_that_would_compute_other_features_say_why(plug_in, tmp_path):
    batch = VideoBatch(0, ((job(tmp_path / "gone.wav"), ("deadly",)),))
    other = versions() | {"openvino": "1.2.3"}
    found = answer(order_of("deadly", versions=other), batch)
    assert found.error is WeightsError
    assert f"openvino is {versions()['openvino']} here and 1.2.3 where the command runs" in found.message
    found = answer(order_of("deadly", networks=(Network("deadly", "e" * 64, "torch float32"),)), batch)
    assert found.error is WeightsError
    assert "the weights here (dddddddddddd) are not those where the command runs (eeeeeeeeeeee)" in found.message
    found = answer(order_of("deadly", networks=(Network("deadly", "d" * 64, "torch tf32"),)), batch)
    assert "is computed in torch float32 here and was expected in torch tf32" in found.message
    found = answer(order_of("deadly", networks=(Network("unheard", "d" * 64, "torch float32"),)), batch)
    assert found.error is WeightsError
    assert "Unknown backbone 'unheard'" in found.message


def test_attempts_are_counted_for_loading_batches_and_files(plug_in, tmp_path):
    songs(tmp_path / "songs", 2)
    jobs = tuple((job(tmp_path / "songs" / f"{song:02d}.wav"), ("deadly",)) for song in range(2))
    begun = {("load", "actor"): 3}
    found = answer(order_of("deadly"), VideoBatch(7, jobs), begun)
    assert isinstance(found, Fault)
    assert "died 3 times while it loaded" in found.message
    begun = {7: 2, (7, 1): 2}
    good, bad = answer(order_of("deadly"), VideoBatch(7, jobs), begun)
    assert good.problem is None
    assert good.features["deadly"].vectors.shape == (1, 1)
    assert "ended the process" in str(bad.problem)
    assert begun == {(7, 1): 3}


def test_a_fault_of_a_worker_ends_the_run(tmp_path, monkeypatch):
    class Handle:
        remote = staticmethod(lambda *_, **__: lambda _: Handle)

    def answers(*_):
        yield [ComputedVideo(jobs[0], {}, None)] * 2
        yield Fault(StorageError, "A worker on node-7 cannot compute: too many open files")

    jobs = [job(tmp_path / f"{song}.wav") for song in range(2)]
    monkeypatch.setattr(ray_executor, "_answers", answers)
    videos = RayExecutor(Handle, [{"CPU": 2.0}], "cpu", "float32").videos(jobs, lambda _: [], 1, WorkerLimits())
    assert next(videos).job is jobs[0]
    with pytest.raises(StorageError, match="node-7"):
        next(videos)


class OddError(AntiphonError):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


def test_problems_arrive_as_they_were_or_as_their_words(tmp_path):
    for problem, expected in (
        (DecodeError("a.wav: is empty"), DecodeError("a.wav: is empty")),
        (JobError("ValueError", "odd", "Traceback"), JobError("ValueError", "odd", "Traceback")),
        (OddError("one", "two"), JobError("OddError", "one and two", "")),
    ):
        sent = ray_worker.sendable(ComputedVideo(job(tmp_path / "a.wav"), {}, problem))
        found = unpacked(packed(sent)).problem
        assert (type(found), str(found), vars(found)) == (type(expected), str(expected), vars(expected))


@pytest.mark.parametrize(
    ("nodes", "workers", "gpus", "share"),
    [
        ([(2, 0)], None, False, Share(1, 2, 0.0)),
        ([(2, 0)], 2, False, Share(2, 1, 0.0)),
        ([(2, 0)], 5, False, Share(5, 1, 0.0)),
        ([(16, 0), (6, 0)], None, False, Share(6, 3, 0.0)),
        ([(0, 0), (64, 8), (64, 8)], None, True, Share(16, 8, 1.0)),
        ([(16, 1), (64, 0)], 3, True, Share(3, 5, 1 / 3)),
        ([], None, False, Share(1, 1, 0.0)),
    ],
)
def test_cores_and_gpus_are_dealt_equally(nodes, workers, gpus, share):
    found = dealt([{"CPU": float(cores), "GPU": float(count)} for cores, count in nodes], workers, gpus=gpus)
    assert found == share


def test_a_cluster_without_gpus_cannot_use_any():
    with pytest.raises(ConfigError, match="has no GPU"):
        dealt([{"CPU": 8.0}], None, gpus=True)
