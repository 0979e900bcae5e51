"""Audio of a stretch of a file: mono, resampled, aligned to the track's time line."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import pairwise

import av.error
import numpy as np
import soxr
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from antiphon.errors import DecodeError
from antiphon.media.complaints import heard
from antiphon.media.container import Uri
from antiphon.media.quality import Flag
from antiphon.media.stream_reader import StreamReader, is_after_loss

# Decoders need to warm up: Opus for 80 ms, MP3 for up to nine frames, AAC and Vorbis for one.
_WARM_UP_S = 0.3
# Maximum reach of the resampling filter, with a wide margin (it is 0.02 s at the rates of music).
_FILTER_S = 0.1
# Maximum jitter of timestamps without a gap: less than an AAC frame. Those of Vorbis in WebM are off by up to 20 ms
# where long and short blocks meet.
_JITTER_S = 0.015
_JITTER_VORBIS_S = 0.03
# Consecutive timestamps that tell a jump from a single outlier.
_STEADY = 8
_TAIL_S = 0.5
# How far resampling spreads damage, and the length from which sound that is missing is damage.
_ECHO_S = 0.03
_GAP_S = 0.05
_RAW_FORMATS = frozenset({"mp3", "aac", "ac3", "eac3", "flac"})
# Lossy codecs overshoot full scale a little; only integers stored as floats reach this far.
MAX_PEAK = 16.0
# What lies so long before a stretch is not kept; so much sound more than its time stamps leave room for is refused.
_MAX_SURPLUS_S = 60.0
# ITU-R BS.775 as FFmpeg's `-ac 1` applies it, to be divided by the sum. Low-frequency effects are dropped.
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


@dataclass(frozen=True)
class _Piece:
    """Decoded frame of audio: its start by its timestamp, and float32 (samples,)."""

    time_s: float
    rate_hz: int
    mono: np.ndarray


@dataclass(frozen=True)
class _Run:
    """Audio without a gap."""

    start_s: float
    rate_hz: int
    mono: np.ndarray

    @property
    def end_s(self) -> float:
        return self.start_s + self.mono.size / self.rate_hz


def downmix(frame: AudioFrame) -> np.ndarray:
    """Mix all channels down to one.

    Stereo is averaged, as in librosa. More channels are weighted after ITU-R BS.775 with weights that sum to 1, as
    FFmpeg's `-ac 1` does for integer samples: centre 1, front 0.71, surround 0.5, low-frequency effects 0, before
    normalisation.

    Parameters
    ----------
    frame : AudioFrame
        Decoded frame.

    Returns
    -------
    ndarray
        Float32, shape (samples,), nominally in [-1, 1].
    """
    weights = _weights(tuple(channel.name for channel in frame.layout.channels))
    planes = frame.to_ndarray()
    channels = planes if frame.format.is_planar else planes.reshape(-1, len(weights)).T
    with np.errstate(over="ignore", invalid="ignore"):  # Values that no sound has are refused later.
        return weights @ _as_float(channels)


@cache
def _weights(names: tuple[str, ...]) -> np.ndarray:
    """Return the weight of each channel as float32, (channels,)."""
    weights = np.array([_WEIGHTS.get(name, math.nan) for name in names])
    if not np.isfinite(weights).all() or weights.sum() == 0:
        weights = np.ones(len(names))
    return (weights / weights.sum()).astype(np.float32)


def read_waveform(
    reader: StreamReader[AudioStream], start_s: float, samples: int, rate_hz: int, flags: set[Flag] | None = None
) -> np.ndarray:
    """Decode a stretch of audio, downmixed by `downmix` and resampled by soxr (HQ).

    It is cut from the sample grid of the whole resampled stream, so that stretches agree with the whole file and with
    each other; the first sample is within half a sample of `start_s`.

    Parameters
    ----------
    reader : StreamReader[AudioStream]
        Audio stream of an open file.
    start_s : float
        Start in seconds on the track's time line.
    samples : int
        Number of samples to return.
    rate_hz : int
        Sample rate of the result.
    flags : set of Flag, optional
        What is wrong with the audio is added to it.

    Returns
    -------
    ndarray
        Float32, shape (samples,); zero before the stream's start, after its end, and in gaps.

    Raises
    ------
    DecodeError
        The audio is damaged within the stretch, or there is none in it at all.
    """
    end_s = start_s + samples / rate_hz
    runs, doubts_s = _read_runs(reader, start_s, end_s)
    decoded_end_s = max((run.end_s for run in runs), default=-math.inf)
    if not any(run.end_s > start_s and run.start_s < end_s for run in runs):
        raise DecodeError(f"{reader.uri}: has no audio between {start_s:.2f} and {end_s:.2f} s.")
    stated_s = math.inf if reader.stated_end_s is None else reader.stated_end_s
    if reader.stated_end_s is not None and decoded_end_s < min(end_s, stated_s) - _TAIL_S:
        raise DecodeError(
            f"{reader.uri}: the audio stops at {decoded_end_s:.2f} s, but its header states {stated_s:.2f} s."
        )
    gaps_s = [
        (before.end_s, after.start_s) for before, after in pairwise(runs) if after.start_s - before.end_s > _GAP_S
    ]
    if flags is not None and any(first_s < end_s and last_s > start_s for first_s, last_s in doubts_s + gaps_s):
        flags.add("concealed")
    return _resample(reader, runs, start_s, samples, rate_hz)


def _resample(
    reader: StreamReader[AudioStream], runs: list[_Run], start_s: float, samples: int, rate_hz: int
) -> np.ndarray:
    source_hz = runs[0].rate_hz
    if any(run.rate_hz != source_hz for run in runs):
        raise DecodeError(f"{reader.uri}: the sample rate of its audio changes near {start_s:.2f} s.")
    # Every `period_in` samples of the source coincide with a sample of the result.
    common = math.gcd(source_hz, rate_hz)
    period_in, period_out = source_hz // common, rate_hz // common
    first_out = round((start_s - reader.start_s) * rate_hz)
    margin_out = math.ceil(_FILTER_S * rate_hz)
    periods = (first_out - margin_out) // period_out
    skip_out = first_out - periods * period_out
    length_in = math.ceil((skip_out + samples + margin_out) * source_hz / rate_hz)
    audio = np.zeros(length_in, np.float32)
    for run in runs:
        _paste(audio, run.mono, round((run.start_s - reader.start_s) * source_hz) - periods * period_in)
    resampled = soxr.resample(audio, source_hz, rate_hz) if source_hz != rate_hz else audio
    found = np.ascontiguousarray(resampled[skip_out : skip_out + samples], dtype=np.float32)
    _refuse_values(reader.uri, found, start_s)
    return found


def _refuse_values(uri: Uri, waveform: np.ndarray, start_s: float) -> None:
    end = f"in the {waveform.size:,} samples from {start_s:.2f} s on"
    if not np.isfinite(waveform).all():
        raise DecodeError(f"{uri}: its sound has values that are not finite {end}. Export it again.")
    peak = float(np.abs(waveform).max(initial=0.0))
    if peak > MAX_PEAK:
        raise DecodeError(
            f"{uri}: its sound reaches {peak:,.0f} times full scale {end}: floats must be in [-1, 1]. Divide "
            "integers by their full scale, or export it again."
        )


def _paste(audio: np.ndarray, piece: np.ndarray, at: int) -> None:
    first, last = max(at, 0), min(at + piece.size, audio.size)
    if first < last:
        audio[first:last] = piece[first - at : last - at]


def _read_runs(
    reader: StreamReader[AudioStream], start_s: float, end_s: float
) -> tuple[list[_Run], list[tuple[float, float]]]:
    """Return what can be decoded around a stretch, and the parts of it that are in doubt."""
    from_s = start_s - _FILTER_S - _WARM_UP_S
    for position_s in reader.positions_s(from_s):
        doubts_s: list[tuple[float, float]] = []
        frames = _frames(reader, position_s, start_s, end_s, doubts_s)
        runs = _gather(reader, frames, from_s - _MAX_SURPLUS_S, end_s + _FILTER_S)
        if runs and (runs[0].start_s <= from_s + _WARM_UP_S or position_s <= reader.start_s):
            return runs, doubts_s
    return [], []


def _gather(
    reader: StreamReader[AudioStream], frames: Iterator[AudioFrame], since_s: float, until_s: float
) -> list[_Run]:
    pieces: list[_Piece] = []
    gathered_s = 0.0
    for frame in frames:
        if frame.pts is None or not frame.samples:
            continue
        time_s = reader.time_s(frame.pts)
        if time_s > until_s:
            break
        if time_s < since_s:
            continue
        pieces.append(_Piece(time_s, frame.sample_rate, downmix(frame)))
        gathered_s += frame.samples / frame.sample_rate
        if gathered_s > time_s - pieces[0].time_s + _MAX_SURPLUS_S:
            raise DecodeError(
                f"{reader.uri}: the time stamps of its sound do not advance near {time_s:.2f} s. Write the file "
                "anew with another program."
            )
    codec = reader.stream.codec_context.name
    runs = _runs(pieces, reader.tick_s, _JITTER_VORBIS_S if codec == "vorbis" else _JITTER_S)
    if codec == "opus" and len(pieces) > 1 and 0 < pieces[0].mono.size < pieces[1].mono.size:
        # Once after it is opened, the decoder drops the encoder's delay; what is left has a time of its own rounding.
        rest = _runs(pieces[1:], reader.tick_s, _JITTER_S)
        rate_hz, mono = pieces[0].rate_hz, pieces[0].mono
        if len(rest) == len(runs):
            first = replace(
                rest[0], start_s=rest[0].start_s - mono.size / rate_hz, mono=np.concatenate([mono, rest[0].mono])
            )
            return [first, *rest[1:]]
    return runs


def _runs(pieces: Sequence[_Piece], tick_s: float, jitter_s: float) -> list[_Run]:
    """Join consecutive pieces; a new run starts where the timestamps jump for good."""
    if not pieces:
        return []
    before_s = np.cumsum([0.0, *(piece.mono.size / piece.rate_hz for piece in pieces)])[:-1]
    # Start of the first piece according to each: the same for all but for rounding and jitter.
    starts_s = np.array([piece.time_s for piece in pieces]) - before_s
    cuts = [0]
    # As good as always they are so close that none is a jump.
    is_steady = float(np.ptp(starts_s)) <= jitter_s and len({piece.rate_hz for piece in pieces}) == 1
    for i in range(1, 1 if is_steady else len(pieces)):
        usual_s = float(np.median(starts_s[max(cuts[-1], i - _STEADY) : i]))
        jumps = abs(starts_s[i] - usual_s) > jitter_s
        stays = abs(float(np.median(starts_s[i : i + _STEADY])) - usual_s) > jitter_s
        if pieces[i].rate_hz != pieces[i - 1].rate_hz or (jumps and stays):
            cuts.append(i)
    return [
        _Run(
            _agreed(starts_s[first:last], tick_s) + float(before_s[first]),
            pieces[first].rate_hz,
            np.concatenate([piece.mono for piece in pieces[first:last]]),
        )
        for first, last in pairwise([*cuts, len(pieces)])
    ]


def _agreed(starts_s: np.ndarray, tick_s: float) -> float:
    """Return the start that the rounded timestamps agree on, ignoring outliers, as Vorbis in WebM has them."""
    near_s = starts_s[np.abs(starts_s - np.median(starts_s)) <= tick_s]
    return float(near_s.min() + near_s.max()) / 2 if near_s.size else float(np.median(starts_s))


def _frames(
    reader: StreamReader[AudioStream],
    position_s: float,
    start_s: float,
    end_s: float,
    doubts_s: list[tuple[float, float]],
) -> Iterator[AudioFrame]:
    # In files of packets and nothing else, bytes between two of them are one that is no longer recognised.
    is_raw = reader.container.format.name in _RAW_FORMATS
    before_s, before_at, is_first = position_s, None, True
    for packet in reader.packets(position_s):
        time_s = reader.packet_time_s(packet)
        here_s = before_s if time_s is None else time_s
        until_s = here_s + 2 * (packet.duration or 0) * reader.tick_s + _ECHO_S  # blocks overlap
        leaps = is_raw and before_at is not None and packet.pos is not None and packet.pos != before_at
        if (leaps or is_after_loss(packet) or packet.is_corrupt) and not is_first:
            doubts_s.append((before_s, until_s))
        before_s, before_at, is_first = here_s, None if packet.pos is None else packet.pos + packet.size, False
        try:
            frames, complained = heard(partial(reader.decode, packet))
            if complained or any(frame.is_corrupt for frame in frames):
                doubts_s.append((here_s, until_s))
            yield from frames
        except MemoryError:
            raise
        except av.error.FFmpegError as error:
            doubts_s.append((here_s, until_s))
            if time_s is None or start_s - _JITTER_S <= time_s < end_s:
                raise DecodeError(
                    f"{reader.uri}: the audio is damaged near {start_s if time_s is None else time_s:.2f} s"
                    f" ({error.strerror})."
                ) from error


def _as_float(samples: np.ndarray) -> np.ndarray:
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if samples.dtype.kind == "i":
        return samples.astype(np.float32) / float(-np.iinfo(samples.dtype).min)
    return samples.astype(np.float32, copy=False)
