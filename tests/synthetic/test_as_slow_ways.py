"""What is computed once, in parts or in place has the same bytes as the plain way, which is written here."""

from math import inf

import numpy as np
import pytest

from antiphon.synthetic import indoors, instruments, outdoors, painting, rendering, setups, synthesis
from antiphon.synthetic.drawing import blend, disc, shine, surroundings
from antiphon.synthetic.instruments import RATE_HZ, TIMBRES, Timbre, render_note
from antiphon.synthetic.painting import Particles, split
from antiphon.synthetic.palette import Palette, planes
from antiphon.synthetic.performers import silhouette

EVERYTHING = (slice(None), slice(None))


def colour(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


PALETTE = Palette(
    colour(0.2, 0.3, 0.6),
    colour(0.8, 0.5, 0.4),
    colour(0.3, 0.4, 0.3),
    colour(0.1, 0.05, 0.12),
    colour(0.9, 0.2, 0.5),
    colour(1.0, 0.95, 0.8),
)


@pytest.mark.parametrize("shape", [(80, 120), (224, 396), (448, 793), (64, 1000)])
def test_outside_of_its_surroundings_a_disc_is_clear_and_inside_it_is_the_same(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    for _ in range(40):
        centre, radius = tuple(random.uniform(-0.3, 1.3, 2)), random.uniform(0.01, 0.5)
        part = surroundings(shape, centre, radius)
        whole = disc(shape, centre, radius)
        assert np.array_equal(disc(shape, centre, radius, part), whole[part])
        whole[part] = 0
        assert not whole.any()


@pytest.mark.parametrize("height", [78, 222, 446, 892])
@pytest.mark.parametrize(("module", "scene"), [(indoors, "bokeh"), (outdoors, "meadow")])
def test_scenes_painted_in_parts_are_as_painted_whole(
    module: object, scene: str, height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = (height, height * 16 // 9)
    in_parts = [getattr(module, scene)(PALETTE, shape, np.random.default_rng(seed)) for seed in range(2)]
    monkeypatch.setattr(module, "surroundings", lambda *_: EVERYTHING)
    whole = [getattr(module, scene)(PALETTE, shape, np.random.default_rng(seed)) for seed in range(2)]
    assert all(map(np.array_equal, in_parts, whole))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_blending_and_light_are_as_by_broadcasting(kind: type) -> None:
    random = np.random.default_rng(0)
    image, mask = random.random((30, 50, 3), np.float32), random.random((30, 50)).astype(kind)
    blended, lit = image.copy(), image.copy()
    blend(blended, PALETTE.accent, mask)
    shine(lit, PALETTE.accent, mask)
    plain = image.copy()
    plain += (PALETTE.accent - plain) * mask[..., None]
    assert np.array_equal(blended, plain)
    plain = image.copy()
    plain += mask[..., None] * PALETTE.accent
    assert np.array_equal(lit, plain)


def laid_over_whole(frame: np.ndarray, act: str, height_px: int, top: int, middle: int) -> None:
    """Lay a performer over a frame pixel by pixel, with its clear margins."""
    opacity, rim = (part[: len(part) // 2 * 2, : part.shape[1] // 2 * 2] for part in silhouette(act, 1, height_px))
    body, light = (
        [int(plane[0, 0]) for plane in planes(np.broadcast_to(paint, (2, 2, 3)), "colour")]
        for paint in (PALETTE.near, PALETTE.light)
    )
    down = np.linspace(0, 1, len(opacity), dtype=np.float32)[:, None]
    shade = 1.15 - 0.4 * down + 0.45 * np.clip((0.215 - down) * 60, 0, 1)
    top, left = top // 2 * 2, (middle - opacity.shape[1] // 2) // 2 * 2
    for number, plane in enumerate(split(frame)):
        half = 1 if number == 0 else 2
        mask, edge = opacity[::half, ::half], rim[::half, ::half]
        own = body[number] * shade if number == 0 else body[number]
        added = (mask * (own + edge * (light[number] - body[number]))).astype(np.uint16)
        ground = np.round(256 * (1 - mask)).astype(np.uint16)
        for row, column in np.ndindex(mask.shape):
            y, x = row + top // half, column + left // half
            if 0 <= y < plane.shape[0] and 0 <= x < plane.shape[1]:
                plane[y, x] = (int(plane[y, x]) * int(ground[row, column]) >> 8) + int(added[row, column])


@pytest.mark.parametrize("act", ["singer", "deck", "choir"])
@pytest.mark.parametrize("place", [(4, 40), (-31, 3), (25, 76), (-7, 90), (70, 20), (200, 20), (3, -200)])
def test_performers_without_their_margins_look_the_same(act: str, place: tuple[int, int]) -> None:
    sprite = setups._cut_out(act, 1, 71, PALETTE.near, PALETTE.light, "colour")
    assert sprite.added[0].shape < sprite.size
    frame = np.random.default_rng(0).integers(0, 256, (64 * 3 // 2, 80), np.uint8)
    slow = frame.copy()
    painting._lay_over(split(frame), sprite, *place)
    laid_over_whole(slow, act, 71, *place)
    assert np.array_equal(frame, slow)


@pytest.mark.parametrize("kind", ["none", "embers", "dust", "confetti"])
def test_specks_are_drawn_one_after_the_other(kind: str) -> None:
    particles = Particles(kind, 0.6, (64, 64), np.random.default_rng(3))
    luma, slow = np.zeros((64, 64), np.uint8), np.zeros((64, 64), np.uint8)
    for time_s in (0.0, 1.7, 30.2):
        particles.draw(luma, time_s)
        start = particles.start
        rows = ((start[:, 0] + particles.fall * time_s) % 1 * (64 - particles.long)).astype(int)
        sway = 0.012 * np.sin(time_s * 2 + start[:, 0] * 20)
        columns = ((start[:, 1] + particles.drift * time_s + sway) % 1 * 62).astype(int)
        for down in range(particles.long):
            for right in (0, 1):
                for row, column, shade in zip(rows, columns, particles.luma, strict=True):
                    slow[row + down, column + right] = shade
        assert np.array_equal(luma, slow)


@pytest.mark.parametrize(("width", "height"), [(320, 180), (162, 94), (64, 64)])
def test_frames_reach_the_encoder_as_they_were_painted(width: int, height: int) -> None:
    painted = np.random.default_rng(0).integers(0, 256, (height * 3 // 2, width), np.uint8)
    planes_there = [
        np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in rendering._video_frame(painted).planes
    ]
    assert all(map(np.array_equal, planes_there, split(painted)))


def phase(timbre: Timbre, frequency_hz: float, time_s: np.ndarray, start: float) -> np.ndarray:
    step = round(frequency_hz / RATE_HZ * 2**32)
    turns = np.arange(len(time_s), dtype=np.uint32) * np.uint32(step) + np.uint32(int(start % 1 * 2**32))
    wobble = np.zeros(len(time_s), np.float32)
    if timbre.vibrato_cents:
        depth = frequency_hz * (2 ** (timbre.vibrato_cents / 1200) - 1) / (2 * np.pi * 5.4)
        wobble += np.float32(depth) * np.minimum(time_s * 2.5, 1) * np.sin(time_s * np.float32(2 * np.pi * 5.4))
    if timbre.glide_cents:
        depth = frequency_hz * (2 ** (timbre.glide_cents / 1200) - 1) / 22
        wobble += np.float32(depth) * np.exp(time_s * -22)
    turns += (wobble * np.float32(2**20)).astype(np.int32).view(np.uint32) << np.uint32(12)
    return turns >> np.uint32(32 - instruments._TABLE_BITS)


def tone(timbre: Timbre, pitch: int, time_s: np.ndarray, brightness: float) -> np.ndarray:
    """Sum the oscillators of a pitch, each with decays, vibrato and tables of its own."""
    tables = instruments._band_tables.__wrapped__
    frequency_hz = 440 * 2 ** ((pitch - 69) / 12)
    cents = (0.0,) if not timbre.detune_cents else (-timbre.detune_cents, 0.0, timbre.detune_cents * 0.8)
    wave = np.zeros(len(time_s), np.float32)
    for place, offset in enumerate(cents):
        index = phase(timbre, frequency_hz * 2 ** (offset / 1200), time_s, place * 0.37 + pitch * 0.11)
        for table, fade_s in tables(timbre, frequency_hz, brightness, pitch % 5):
            wave += table[index] * (1 if fade_s == inf else np.exp(time_s * (-1 / fade_s)))
    wave *= 1 / len(cents) ** 0.5
    if timbre.vowel and len(time_s) > RATE_HZ // 4:
        later = tables(timbre, frequency_hz, brightness, (pitch + 2) % 5)[0][0]
        share = np.clip(time_s * 3 - 0.4, 0, 0.8)
        wave += share * (later[phase(timbre, frequency_hz, time_s, pitch * 0.11)] - wave)
    return wave


@pytest.mark.parametrize("name", sorted(TIMBRES))
def test_notes_are_sums_of_oscillators_that_share_nothing(name: str) -> None:
    timbre, pitches, duration_s = TIMBRES[name], (57, 61, 64), 0.4
    length = int((duration_s + timbre.release_s) * RATE_HZ)
    time_s = np.arange(length, dtype=np.float32) / RATE_HZ
    wave = sum((tone(timbre, pitch, time_s, 0.6) for pitch in pitches), np.zeros(length, np.float32))
    wave *= 1 / len(pitches) ** 0.7
    if timbre.breath:
        wave += timbre.breath * instruments._NOISE[:length] * (0.4 + np.exp(-time_s * 14))
    envelope = np.minimum(time_s / timbre.attack_s, 1)
    released = np.clip((duration_s + timbre.release_s - time_s) / timbre.release_s, 0, 1)
    envelope *= released * released
    if timbre.drive:
        wave = instruments._amplified(wave, timbre.drive, 0.6)
    wave *= envelope * timbre.gain
    for _ in range(2):
        assert np.array_equal(render_note(timbre, pitches, duration_s, 0.6), wave)


@pytest.mark.parametrize("length", [30_000, 131_072, 300_001])
def test_a_room_answers_each_block_where_it_sounds(length: int) -> None:
    send = np.random.default_rng(1).standard_normal(length, np.float32)
    mix = np.zeros((2, length), np.float32)
    synthesis._add_room(mix, send, 0.3, np.random.default_rng(2))
    # A click is answered by the room itself; its echo of the whole is the convolution of both.
    click, room = np.zeros(140_000, np.float32), np.zeros((2, 140_000), np.float32)
    click[:2] = 1
    synthesis._add_room(room, click, 0.3, np.random.default_rng(2))
    half = send[: length // 2 * 2].reshape(-1, 2).mean(1)
    size = 2 * length
    for channel in range(2):
        echo = np.fft.irfft(np.fft.rfft(half, size) * np.fft.rfft(room[channel, ::2], size), size)[: len(half)]
        np.testing.assert_allclose(mix[channel, 0 : 2 * len(half) : 2], echo, atol=2e-4)
        np.testing.assert_allclose(mix[channel, 1 : 2 * len(half) - 1 : 2], (echo[1:] + echo[:-1]) / 2, atol=2e-4)


def test_a_wave_is_added_whole_however_long() -> None:
    for length in (0, 5, synthesis._PIECE, 3 * synthesis._PIECE + 7):
        wave = np.random.default_rng(0).standard_normal(length, np.float32)
        target = np.ones(length, np.float32)
        synthesis._add(target, wave, 0.3)
        assert np.array_equal(target, 1 + wave * np.float32(0.3))
