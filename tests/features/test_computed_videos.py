"""What one file does to a decoder or a backbone is that file's row; what ends the run is a fault of the run."""

import errno
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.catalogue import Catalogue
from antiphon.errors import ConfigError, DecodeError
from antiphon.features.attributes import measure_attributes
from antiphon.features.computed_videos import computed_videos
from antiphon.features.computing import BATCH_WINDOWS, on_gpu
from antiphon.features.extraction import extract_into
from antiphon.features.keeping import keep_segments
from antiphon.features.store import FeatureStore
from antiphon.media.decoding import decode_stretches
from antiphon.media.layout import FrameLayout
from antiphon.media.windows import WindowsJob, decode_windows
from antiphon.segments.sampling import SamplingConfig
from antiphon.tables import read_table
from antiphon.workers.limits import WorkerLimits
from antiphon.workspace import Workspace

RATE_HZ = 8000


class Loudness(AudioBackbone):
    """Mean and mean square of a window."""

    name, dim, fingerprint, rate_hz = "loudness", 2, "0" * 64, RATE_HZ

    def __init__(self, turn: Callable[[np.ndarray], object] = lambda found: found) -> None:
        self.turn = turn
        self.batches: list[int] = []

    def __call__(self, waveform, rate_hz=RATE_HZ):
        self.batches.append(len(waveform))
        found = np.stack([waveform.mean(axis=1), (waveform**2).mean(axis=1)], axis=1)
        return self.turn(found)


class Brightness(VideoBackbone):
    name, dim, fingerprint = "brightness", 1, "1" * 64
    layout = FrameLayout(size_px=8, every=10)

    def __call__(self, frames):
        return frames.reshape(len(frames), -1).mean(axis=1, dtype=np.float32)[:, None]


def write_wav(path: Path, samples: np.ndarray) -> Path:
    """Write floats as 32-bit or 64-bit float WAV, by hand: no library writes such values."""
    data = samples.tobytes()
    width = samples.dtype.itemsize
    head = b"RIFF" + (36 + len(data)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    head += b"".join(
        value.to_bytes(size, "little")
        for value, size in ((3, 2), (1, 2), (RATE_HZ, 4), (RATE_HZ * width, 4), (width, 2), (8 * width, 2))
    )
    path.write_bytes(head + b"data" + len(data).to_bytes(4, "little") + data)
    return path


def tone(seconds: float = 8.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def write_clip(path: Path, seconds: int, *, spoilt_from_s: float = 1e9, side_px: int = 64) -> Path:
    """A clip whose pictures become brighter, with a tone; from some time on its pictures are noise."""
    random = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width = video.height = side_px
        video.codec_context.gop_size = 5
        audio = container.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        for number in range(10 * seconds):
            image = np.full((side_px, side_px, 3), 40 + (number * 2) % 200, np.uint8)
            for coded in video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                packet = coded
                if coded.pts is not None and coded.pts * coded.time_base >= spoilt_from_s:
                    packet = av.Packet(random.bytes(coded.size))
                    packet.pts, packet.dts, packet.time_base = coded.pts, coded.dts, coded.time_base
                    packet.is_keyframe, packet.stream = coded.is_keyframe, video
                container.mux(packet)
            sound = av.AudioFrame.from_ndarray(
                (np.roll(tone(0.1), number) * 32767).astype(np.int16)[None], format="s16", layout="mono"
            )
            sound.sample_rate, sound.pts = RATE_HZ, number * RATE_HZ // 10
            container.mux(audio.encode(sound))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return path


def extracted(
    folder: Path, place: Path, networks: list[AudioBackbone | VideoBackbone], sampling: SamplingConfig, **rest: object
) -> tuple[Workspace, dict[str, str]]:
    """Extract a folder; the workspace and the reasons by video."""
    catalogue, _ = Catalogue.from_folder(folder).split().probe()
    workspace = Workspace(place)
    place.mkdir(exist_ok=True)
    catalogue.save(workspace.catalogue)
    with workspace.lock():
        extract_into(workspace, catalogue, networks, sampling, workers=1, **rest)
    return workspace, {failure.video_id: failure.message for failure in workspace.read_failures()}


ONE = SamplingConfig(sections=1)


def test_values_that_no_sound_has_are_their_files_row(tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    folder.mkdir()
    odd = {"nan": np.nan, "infinite": np.inf, "integers": 20.0, "huge": 1e30}
    write_wav(folder / "good.wav", tone())
    for name, value in odd.items():
        samples = tone()
        samples[2000:] = value
        write_wav(folder / f"{name}.wav", samples)
    write_wav(folder / "beyond.wav", np.full(8 * RATE_HZ, 1e300))
    workspace, reasons = extracted(folder, tmp_path / "w", [Loudness()], ONE)
    assert FeatureStore.existing(workspace.features / "loudness").done() == {"good.wav"}
    for name in ("nan", "infinite", "beyond"):
        assert f"{name}.wav: its sound has values that are not finite" in reasons[f"{name}.wav"]
    assert "integers.wav: its sound reaches 20 times full scale" in reasons["integers.wav"]
    assert "times full scale" in reasons["huge.wav"]
    assert len(reasons) == 5
    with pytest.raises(DecodeError, match="nan.wav: its sound has values that are not finite"):
        list(decode_stretches(str(folder / "nan.wav"), [(1, 4)]))


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def raises(error: Exception) -> Callable[[np.ndarray], object]:
    def turn(found: np.ndarray) -> object:
        raise error

    return turn


@pytest.mark.parametrize(
    ("turn", "kind", "said"),
    [
        (raises(KeyError("layer")), "KeyError", "could not be processed: KeyError: 'layer'. errors.log has the"),
        (raises(ConfigError("too short for me")), "ConfigError", "clip.mkv: too short for me"),
        (raises(RuntimeError("shapes do not match")), "RuntimeError", "RuntimeError: shapes do not match"),
        (raises(Mute()), "Mute", "could not be processed: Mute."),
        (lambda found: found * np.nan, "DecodeError", "loudness returned values that are not finite"),
        (lambda found: found.astype(np.float64) * 1e300, "DecodeError", "values that are not finite"),
        (lambda found: found[:, :1], "WeightsError", r"float32 of shape (1, 1) for 1 windows; a backbone returns one"),
        (lambda found: found[0], "WeightsError", r"float32 of shape (2,) for 1 windows"),
        (lambda found: found.astype(np.int64), "WeightsError", "int64 of shape"),
        (lambda found: None, "WeightsError", "object of shape ()"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_whatever_a_backbone_does_to_a_video_is_its_row_and_the_other_side_stays(
    clip: Path, tmp_path: Path, turn: Callable[[np.ndarray], object], kind: str, said: str
) -> None:
    workspace, reasons = extracted(clip.parent, tmp_path / "w", [Loudness(turn), Brightness()], ONE)
    assert said in reasons["clip.mkv"]
    assert [failure.error for failure in workspace.read_failures()] == [kind]
    assert FeatureStore.existing(workspace.features / "brightness").done() == {"clip.mkv"}
    assert not (workspace.features / "loudness").exists()
    unforeseen = kind in ("KeyError", "RuntimeError", "Mute")
    assert workspace.errors_log.exists() == unforeseen
    if unforeseen:
        log = workspace.errors_log.read_text()
        assert "extract of clip.mkv" in log and "raise error" in log


@pytest.mark.parametrize(
    ("error", "raised", "said"),
    [
        (MemoryError(), ConfigError, "not enough memory to run the backbones"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory"),
            ConfigError,
            "not enough memory to run the backbones",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), OSError, "No space left"),
        (KeyboardInterrupt("stop"), KeyboardInterrupt, "stop"),
    ],
)
def test_a_fault_of_the_run_ends_it(
    clip: Path, tmp_path: Path, error: BaseException, raised: type[BaseException], said: str
) -> None:
    def turn(found: np.ndarray) -> object:
        raise error

    with pytest.raises(raised, match=said):
        extracted(clip.parent, tmp_path / "w", [Loudness(turn)], ONE)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mkv", 8)


def test_a_long_file_is_cut_at_the_same_places_and_has_the_features_of_its_windows(tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    folder.mkdir()
    long = write_clip(folder / "long.mkv", 70)
    network = Loudness()
    sampling = SamplingConfig(every_s=3.0)
    workspace, reasons = extracted(folder, tmp_path / "w", [network, Brightness()], sampling)
    assert not reasons
    stored = FeatureStore.existing(workspace.features / "loudness").read()
    assert network.batches == [BATCH_WINDOWS, BATCH_WINDOWS, len(stored.vectors) - 2 * BATCH_WINDOWS]
    windows = [
        (row["window_start_s"], row["window_end_s"]) for row in _rows(workspace) if row["video_id"] == "long.mkv"
    ]
    assert len(windows) == len(stored.vectors) == 22
    alone = [Loudness()(found.waveform[None])[0] for found in decode_stretches(str(long), windows, rate_hz=RATE_HZ)]
    np.testing.assert_array_equal(stored.vectors, np.stack(alone))
    assert stored.segment_ids == [f"long.mkv#{number}" for number in range(22)]
    assert len(stored.flags) == 22


def _rows(workspace: Workspace) -> list[dict[str, object]]:
    from antiphon.tables import SEGMENTS, read_table

    return read_table(workspace.segments, SEGMENTS).to_pylist()


def test_pictures_that_are_spoilt_late_leave_the_whole_sound(tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    folder.mkdir()
    write_clip(folder / "spoilt.mkv", 70, spoilt_from_s=50)
    network = Loudness()
    workspace, reasons = extracted(folder, tmp_path / "w", [network, Brightness()], SamplingConfig(every_s=3.0))
    stored = FeatureStore.existing(workspace.features / "loudness").read()
    assert len(stored.vectors) == 22
    assert network.batches[:4] != [BATCH_WINDOWS, BATCH_WINDOWS, 6, 0]
    assert not (workspace.features / "brightness").exists()
    assert "spoilt.mkv: the video" in reasons["spoilt.mkv"]
    job = WindowsJob("v", str(folder / "spoilt.mkv"), ((1, 4), (60, 63)), (Brightness.layout,), RATE_HZ, 0)
    found = list(decode_windows(job))
    assert [window.number for window in found] == [0, 0, 0, 1]  # both sides, the pictures alone, the sound alone
    assert found[0].frames and found[0].problem is None
    assert not found[2].frames and "the video" in str(found[2].problem)
    np.testing.assert_array_equal(found[2].waveform, found[0].waveform)


def test_attributes_come_with_the_pictures_that_a_backbone_takes(clip: Path, tmp_path: Path) -> None:
    workspace, reasons = extracted(clip.parent, tmp_path / "w", [Loudness(), Brightness()], ONE)
    alone, _ = extracted(clip.parent, tmp_path / "alone", [Loudness()], ONE)
    assert reasons == {}
    assert not alone.attributes.exists()
    measure_attributes(alone, Catalogue.load(alone.catalogue), workers=1)
    assert read_table(workspace.attributes).equals(read_table(alone.attributes), check_metadata=True)
    written = workspace.attributes.stat().st_mtime_ns
    measure_attributes(workspace, Catalogue.load(workspace.catalogue), workers=1)
    assert workspace.attributes.stat().st_mtime_ns == written


def test_pictures_that_only_the_attributes_need_cost_no_feature(tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    folder.mkdir()
    # Brightness looks at pictures a second apart; those of the last half second are spoilt.
    write_clip(folder / "spoilt.mkv", 4, spoilt_from_s=3.4)
    networks = [Loudness(), Brightness()]
    sampling = SamplingConfig(sections=1, segment_s=4.0, window_s=4.0)
    workspace, reasons = extracted(folder, tmp_path / "w", networks, sampling)
    assert reasons == {}
    assert {path.name for path in workspace.features.iterdir()} == {"loudness", "brightness"}
    assert not workspace.attributes.exists()


def test_a_file_beyond_the_limits_is_a_row_that_says_so(clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    folder.mkdir()
    write_clip(folder / "large.mkv", 4, side_px=2048)
    write_wav(folder / "small.wav", tone())
    limits = WorkerLimits(memory_bytes=25_000_000)
    workspace, reasons = extracted(folder, tmp_path / "w", [Loudness(), Brightness()], ONE, limits=limits)
    assert reasons["large.mkv"].endswith(
        "large.mkv: needed more than 0.025 GB of memory. It is damaged, or needs higher limits."
    )
    assert FeatureStore.existing(workspace.features / "loudness").done() == {"small.wav"}
    _, slow = extracted(clip.parent, tmp_path / "w2", [Loudness()], ONE, limits=WorkerLimits(step_s=0.0))
    assert "clip.mkv: took longer than 0 s." in slow["clip.mkv"]


def test_attributes_and_kept_segments_have_the_limits_too(clip: Path, tmp_path: Path) -> None:
    workspace, _ = extracted(clip.parent, tmp_path / "w", [Loudness()], ONE)
    catalogue = Catalogue.load(workspace.catalogue)
    measure_attributes(workspace, catalogue, workers=1, limits=WorkerLimits(step_s=0.0))
    keep_segments(workspace, catalogue, workers=1, limits=WorkerLimits(step_s=0.0))
    found = {failure.stage: failure for failure in workspace.read_failures()}
    assert set(found) == {"attributes", "keep"}
    assert all("clip.mkv: took longer than 0 s." in failure.message for failure in found.values())
    assert all(failure.error == "LimitError" for failure in found.values())


def test_sound_whose_time_stamps_stand_still_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    still = tmp_path / "still.mkv"
    with av.open(str(still), "w") as container:
        stream = container.add_stream("flac", rate=48_000, layout="mono", format="s16")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4608), np.int16), format="s16", layout="mono")
        frame.sample_rate = 48_000
        packets: list[av.Packet] = []
        for number in range(1500):
            frame.pts = number * 4608
            packets += stream.encode(frame)
        for packet in packets:
            packet.pts = packet.dts = 0
            container.mux(packet)
    with pytest.raises(DecodeError, match="still.mkv: the time stamps of its sound do not advance near 0.00 s"):
        list(decode_stretches(str(still), [(0.0, 3.0)]))


def test_tracebacks_are_kept_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(tmp_path)
    monkeypatch.setattr("antiphon.workspace._MAX_LOG_BYTES", 100)
    for number in range(6):
        workspace.log(f"{number} " + "x" * 60)
    sizes = [path.stat().st_size for path in tmp_path.glob("errors.log*")]
    assert len(sizes) == 2 and max(sizes) < 300
    assert "5 xxx" in workspace.errors_log.read_text()


class Picky(Loudness):
    """Refuses what is louder than 0.9, and notes how many windows it is given at a time."""

    def __call__(self, waveform, rate_hz=RATE_HZ):
        found = super().__call__(waveform, rate_hz)
        if np.abs(waveform).max() > 0.9:
            raise ValueError("too loud for me")
        return found


def sound_job(path: Path, count: int) -> WindowsJob:
    windows = tuple((0.25 * number, 0.25 * number + 1) for number in range(count))
    return WindowsJob(path.stem, str(path), windows, (), RATE_HZ, 0)


@pytest.mark.parametrize("gpu", [False, True])
def test_windows_of_several_videos_are_computed_together_on_a_gpu_alone(gpu: bool, tmp_path: Path) -> None:
    levels = {"a": 0.2, "b": 0.5, "c": 0.95, "d": 0.7}
    jobs = [
        sound_job(write_wav(tmp_path / f"{name}.wav", tone() * np.float32(level / 0.3)), 11)
        for name, level in levels.items()
    ]
    network = Picky()
    found = {video.job.video_id: video for video in computed_videos(jobs, lambda _: [network], 2, gpu=gpu)}
    assert (max(network.batches) > BATCH_WINDOWS) is gpu
    assert set(found) == set(levels)
    assert "too loud for me" in str(found["c"].problem)
    assert not found["c"].features
    for name in ("a", "b", "d"):
        assert found[name].problem is None
        vectors = found[name].features["loudness"].vectors
        assert vectors.shape == (11, 2)
        np.testing.assert_allclose(vectors[:, 1], levels[name] ** 2 / 2, rtol=0.02)


def test_where_a_backbone_computes_decides_what_counts_as_a_gpu() -> None:
    here, there = Loudness(), Loudness()
    here.device, there.device = torch.device("cpu"), torch.device("cuda", 1)
    assert not on_gpu([Loudness(), here])
    assert on_gpu([here, there])
