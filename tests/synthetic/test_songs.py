"""Styles, scores and tags: what is drawn and composed before anything sounds."""

from dataclasses import astuple, replace
from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError

from antiphon.synthetic import SyntheticConfig
from antiphon.synthetic.composition import compose
from antiphon.synthetic.generation import tags_of
from antiphon.synthetic.genres import GENRES, PROGRESSIONS, SCALES
from antiphon.synthetic.instruments import FAMILIES, TIMBRES
from antiphon.synthetic.patterns import BASS_LINES, COMP_RHYTHMS, DRUM_PATTERNS, drum_hits
from antiphon.synthetic.styles import FORMS, draw_song, draw_stranger
from antiphon.synthetic.timeline import lay_out

SONGS = [draw_song(0, index, 4) for index in range(4 * 4 * len(GENRES))]


def test_a_small_catalogue_has_every_genre() -> None:
    first = {song.genre.name for song in SONGS[: 4 * len(GENRES)]}
    assert first == {genre.name for genre in GENRES}
    assert len(first) >= 8


def test_there_are_many_tags_and_each_song_has_several() -> None:
    tags = [tags_of(song) for song in SONGS]
    assert len(set().union(*tags)) >= 20
    assert min(map(len, tags)) >= 3
    assert all(tag == tag.strip() and ";" not in tag for song in tags for tag in song)


def test_an_artist_keeps_a_genre_and_a_name_and_varies_the_songs() -> None:
    album = SONGS[8:12]
    assert len({song.artist for song in album}) == 1
    assert len({song.genre.name for song in album}) == 1
    assert len({song.title for song in album}) == 4
    assert len({astuple(song.traits) for song in album}) == 4
    assert SONGS[7].artist != SONGS[8].artist


def test_songs_of_an_artist_are_closer_than_songs_of_a_genre() -> None:
    traits = {song.artist: [] for song in SONGS}
    genres = {genre.name: [] for genre in GENRES}
    for song in SONGS:
        traits[song.artist].append(astuple(song.traits))
        genres[song.genre.name].append(astuple(song.traits))
    within_artist = np.mean([np.var(songs, axis=0, ddof=1) for songs in traits.values()])
    within_genre = np.mean([np.var(songs, axis=0, ddof=1) for songs in genres.values()])
    assert within_artist < 0.8 * within_genre


def test_a_song_does_not_depend_on_others() -> None:
    assert draw_song(0, 37, 4) == SONGS[37]
    assert draw_song(1, 37, 4) != SONGS[37]


def test_strangers_of_one_artist_have_nothing_in_common() -> None:
    strangers = [draw_stranger(0, index) for index in range(200)]
    assert len({stranger.artist for stranger in strangers}) > 190
    same = np.mean([strangers[i].genre.name == strangers[i + 1].genre.name for i in range(199)])
    assert same < 0.2


@pytest.mark.parametrize("genre", GENRES, ids=lambda genre: genre.name)
def test_genres_name_only_what_there_is(genre) -> None:
    assert set(genre.modes) <= set(SCALES)
    assert set(genre.progressions) <= set(PROGRESSIONS)
    assert set(genre.drums) <= set(DRUM_PATTERNS)
    assert set(genre.bass_lines) <= set(BASS_LINES)
    assert set(genre.comp_rhythms) <= set(COMP_RHYTHMS)
    assert {*genre.leads, *genre.comps, *genre.basses, *genre.pads} - {"none"} <= set(TIMBRES)
    assert {*genre.leads, *genre.comps, *genre.pads} - {"none"} <= set(FAMILIES)


@pytest.mark.parametrize("index", range(0, len(SONGS), 4))
def test_every_note_is_in_the_scale(index: int) -> None:
    style = SONGS[index]
    score = compose(style, lay_out(style, 36.0), np.random.default_rng(index))
    scale = {(style.key + step) % 12 for step in SCALES[style.mode]}
    pitches = {pitch for notes in score.parts.values() for note in notes for pitch in note.pitches}
    assert len(pitches) > 5
    assert {pitch % 12 for pitch in pitches} <= scale
    assert all(20 < pitch < 100 for pitch in pitches)


@pytest.mark.parametrize("index", range(0, len(SONGS), 12))
def test_the_song_lasts_as_long_as_it_should(index: int) -> None:
    style = SONGS[index]
    timeline = lay_out(style, 36.0)
    sections = timeline.sections
    assert [section.kind for section in sections] == [kind for kind, _ in FORMS[style.form]]
    assert sections[0].first_bar == 0
    assert all(one.last_bar == next_.first_bar for one, next_ in pairwise(sections))
    assert sections[-1].last_bar * timeline.bar_s >= 36.0
    score = compose(style, timeline, np.random.default_rng(0))
    last = max(note.start_s for notes in score.parts.values() for note in notes)
    assert 36.0 - 3 * timeline.bar_s < last < sections[-1].last_bar * timeline.bar_s


def test_the_chorus_is_louder_than_the_verse() -> None:
    for song in SONGS[::7]:
        levels = {section.kind: section.level for section in lay_out(song, 36.0).sections}
        assert levels["chorus"] > levels["verse"]


def test_swing_delays_the_off_beats_only() -> None:
    style = replace(next(song for song in SONGS if song.genre.name == "jazz"), comp_rhythm="charleston")
    straight = replace(style, genre=replace(style.genre, swing=0.0))
    timeline = lay_out(style, 20.0)
    swung, even = (compose(song, timeline, np.random.default_rng(0)).parts["comp"] for song in (style, straight))
    late = {round((a.start_s - b.start_s) / timeline.beat_s, 3) for a, b in zip(swung, even, strict=True)}
    assert late == {0.0, round(0.33 * 2 / 4, 3)}


def test_drums_follow_their_pattern() -> None:
    style = replace(next(song for song in SONGS if song.genre.name == "house"), drums="four")
    timeline = lay_out(style, 30.0)
    hits = drum_hits(style, timeline, lambda bar, step: bar * 16.0 + step, np.random.default_rng(0))
    verse = next(section for section in timeline.sections if section.kind == "verse")
    kicks = {hit.start_s - verse.first_bar * 16 for hit in hits if hit.drum == "kick"}
    assert {0.0, 4.0, 8.0, 12.0} <= kicks
    assert not any(0 < step < 4 for step in kicks)
    assert drum_hits(replace(style, drums="none"), timeline, lambda bar, step: 0.0, np.random.default_rng(0)) == []


def test_a_waltz_has_three_beats() -> None:
    waltz = next(song for song in SONGS if song.drums.startswith("waltz"))
    timeline = lay_out(waltz, 30.0)
    assert timeline.beats_per_bar == 3
    assert "waltz" in tags_of(waltz)
    starts = [
        note.start_s / timeline.bar_s % 1 for note in compose(waltz, timeline, np.random.default_rng(0)).parts["bass"]
    ]
    assert max(starts) < 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"coupling": 1.2}, "coupling"),
        ({"videos": 0}, "videos"),
        ({"width_px": 321}, "width_px"),
        ({"duration_s": 5, "duration_spread_s": 3}, "at least 3 s"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SyntheticConfig.model_validate(settings)
