"""The sound of a stretch of a file: mono, at the rate asked for, in its place in time."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import av.error
import numpy as np
import soxr
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from antiphon.errors import DecodeError
from antiphon.segments.track import Track

# Decoders need some sound before they give the right one: Opus 80 ms, MP3 up to nine frames, AAC and Vorbis one.
_WARM_UP_S = 0.3
# The resampling filter looks this far at most (0.02 s at rates of music), with a wide margin.
_FILTER_S = 0.1
# Time stamps may be off by this without there being a gap; less than a frame of AAC.
_JITTER_S = 0.015
_TAIL_S = 0.5
# ITU-R BS.775 as FFmpeg's `-ac 1` applies it; divided by their sum. Low-frequency effects are left out.
_WEIGHTS = {
    "FC": 1.0,
    "FL": math.sqrt(0.5),
    "FR": math.sqrt(0.5),
    "DL": math.sqrt(0.5),
    "DR": math.sqrt(0.5),
    "FLC": math.sqrt(0.5),
    "FRC": math.sqrt(0.5),
    "SL": 0.5,
    "SR": 0.5,
    "BL": 0.5,
    "BR": 0.5,
    "BC": 0.5,
    "LFE": 0.0,
}


@dataclass
class _Run:
    """Frames that follow each other without a gap."""

    rate_hz: int
    tick_s: float
    samples: int = 0
    pieces: list[np.ndarray] = field(default_factory=list[np.ndarray])
    earliest_s: float = -math.inf
    latest_s: float = math.inf

    @property
    def start_s(self) -> float:
        """Where the run starts: each time stamp is rounded to a tick, all together are much more exact."""
        return (self.earliest_s + self.latest_s) / 2

    @property
    def end_s(self) -> float:
        return self.start_s + self.samples / self.rate_hz

    def follows(self, time_s: float) -> bool:
        return not self.pieces or abs(time_s - self.end_s) <= _JITTER_S

    def add(self, time_s: float, mono: np.ndarray) -> None:
        start_s = time_s - self.samples / self.rate_hz
        earliest_s = max(self.earliest_s, start_s - self.tick_s / 2)
        latest_s = min(self.latest_s, start_s + self.tick_s / 2)
        if earliest_s <= latest_s:
            self.earliest_s, self.latest_s = earliest_s, latest_s
        self.pieces.append(mono)
        self.samples += mono.size


def downmix(frame: AudioFrame) -> np.ndarray:
    """One channel out of however many: float32 (samples,), nominally in [-1, 1].

    Mono is kept and stereo is the mean of both, as in librosa. More channels are weighted after ITU-R BS.775 with the
    weights divided by their sum, as FFmpeg's `-ac 1` does for integer samples: centre 1, front 0.71, surround 0.5,
    low-frequency effects 0.
    """
    names = [channel.name for channel in frame.layout.channels]
    weights = np.array([_WEIGHTS.get(name, math.nan) for name in names])
    if not np.isfinite(weights).all() or weights.sum() == 0:
        weights = np.ones(len(names))
    weights = (weights / weights.sum()).astype(np.float32)
    planes = frame.to_ndarray()
    channels = planes if frame.format.is_planar else planes.reshape(-1, len(names)).T
    return weights @ _as_float(channels)


def read_waveform(track: Track[AudioStream], start_s: float, samples: int, rate_hz: int) -> np.ndarray:
    """Decode a stretch of sound, downmixed as `downmix` says and resampled by soxr (HQ).

    It is cut from the sample grid that resampling the whole stream gives, so that stretches agree with the whole
    file and with each other; the first sample lies within half a sample of `start_s`.

    Parameters
    ----------
    track : sound of an open file.
    start_s : in seconds on the track's time line.
    samples : how many to return.
    rate_hz : sample rate of the result.

    Returns
    -------
    float32 (samples,)
        Zero where the stream has no sound: before its start, after its end, in gaps.

    Raises
    ------
    DecodeError
        The sound is damaged within the stretch, or there is none in it at all.
    """
    end_s = start_s + samples / rate_hz
    runs = _read_runs(track, start_s, end_s)
    heard_s = max((run.end_s for run in runs), default=-math.inf)
    if not any(run.end_s > start_s and run.start_s < end_s for run in runs):
        raise DecodeError(f"{track.uri}: has no sound between {start_s:.2f} and {end_s:.2f} s.")
    stated_s = math.inf if track.stated_end_s is None else track.stated_end_s
    if track.stated_end_s is not None and heard_s < min(end_s, stated_s) - _TAIL_S:
        raise DecodeError(
            f"{track.uri}: the sound breaks off at {heard_s:.2f} s; by its header it lasts {stated_s:.2f} s."
        )
    return _resample(track, runs, start_s, samples, rate_hz)


def _resample(track: Track[AudioStream], runs: list[_Run], start_s: float, samples: int, rate_hz: int) -> np.ndarray:
    source_hz = runs[0].rate_hz
    if any(run.rate_hz != source_hz for run in runs):
        raise DecodeError(f"{track.uri}: the sample rate of its sound changes near {start_s:.2f} s.")
    # Every `period_in` samples of the source, a sample of the result lies on one of them.
    common = math.gcd(source_hz, rate_hz)
    period_in, period_out = source_hz // common, rate_hz // common
    first_out = round((start_s - track.start_s) * rate_hz)
    margin_out = math.ceil(_FILTER_S * rate_hz)
    periods = (first_out - margin_out) // period_out
    skip_out = first_out - periods * period_out
    length_in = math.ceil((skip_out + samples + margin_out) * source_hz / rate_hz)
    sound = np.zeros(length_in, np.float32)
    for run in runs:
        at = round((run.start_s - track.start_s) * source_hz) - periods * period_in
        _paste(sound, np.concatenate(run.pieces), at)
    resampled = soxr.resample(sound, source_hz, rate_hz) if source_hz != rate_hz else sound
    return np.ascontiguousarray(resampled[skip_out : skip_out + samples], dtype=np.float32)


def _paste(sound: np.ndarray, piece: np.ndarray, at: int) -> None:
    first, last = max(at, 0), min(at + piece.size, sound.size)
    if first < last:
        sound[first:last] = piece[first - at : last - at]


def _read_runs(track: Track[AudioStream], start_s: float, end_s: float) -> list[_Run]:
    from_s = start_s - _FILTER_S - _WARM_UP_S
    for position_s in track.positions_s(from_s):
        frames = _frames(track, position_s, start_s, end_s)
        runs = _gather(track, frames, end_s + _FILTER_S)
        if runs and (runs[0].start_s <= from_s + _WARM_UP_S or position_s <= track.start_s):
            return runs
    return []


def _gather(track: Track[AudioStream], frames: Iterator[AudioFrame], until_s: float) -> list[_Run]:
    runs: list[_Run] = []
    for frame in frames:
        if frame.pts is None or not frame.samples:
            continue
        time_s = track.time_s(frame.pts)
        if time_s > until_s:
            break
        if not runs or not runs[-1].follows(time_s) or runs[-1].rate_hz != frame.sample_rate:
            runs.append(_Run(frame.sample_rate, track.tick_s))
        runs[-1].add(time_s, downmix(frame))
    return runs


def _frames(track: Track[AudioStream], position_s: float, start_s: float, end_s: float) -> Iterator[AudioFrame]:
    for packet in track.packets(position_s):
        try:
            yield from packet.decode()
        except av.error.FFmpegError as error:
            time_s = track.packet_time_s(packet)
            if time_s is None or start_s - _JITTER_S <= time_s < end_s:
                raise DecodeError(
                    f"{track.uri}: the sound is damaged near {start_s if time_s is None else time_s:.2f} s"
                    f" ({error.strerror})."
                ) from error


def _as_float(samples: np.ndarray) -> np.ndarray:
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if samples.dtype.kind == "i":
        return samples.astype(np.float32) / float(-np.iinfo(samples.dtype).min)
    return samples.astype(np.float32, copy=False)
