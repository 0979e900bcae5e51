"""Musicnn's tags held out one after the other, and asked for by name: what the others tell of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon import backbones
from antiphon.backbones.musicnn_tags import TAGS, Corpus
from antiphon.errors import DecodeError
from antiphon.media.decoding import decode_stretches
from antiphon.search.knowing import Known
from antiphon.spelling import plain
from antiphon.words.heard import tag_probabilities
from antiphon.words.knowledge import Knowledge

FloatArray = npt.NDArray[np.float64]

WINDOWS, WINDOW_S, SHORTEST_S = 8, 3.0, 20.0
NAMES = ("*.ogg", "*.opus", "*.mp3", "*.flac", "*.mp4", "*.webm")
CORPORA: tuple[Corpus, ...] = ("mtt", "msd")
SHARE = 10
"""One track of so many has a tag: those with the highest probabilities."""
ALIKE = (
    "vocal vocals singing voice",
    "female woman",
    "male man",
    "classic classical",
    "choir choral opera",
    "quiet soft mellow",
    "slow ambient",
    "chill chillout easy",
    "sitar indian",
    "strings violin cello",
    "electronic electronica electro techno synth house",
    "punk metal",
    "rock alternative indie",
    "soul rnb funk",
    "country folk",
    "00s 90s 80s 70s 60s oldies",
)
"""Words of tags that mean nearly the same or come together; tags of one line, or with a common word, are a family."""


@dataclass(frozen=True, eq=False)
class Heard:
    """Probabilities of both networks' tags, mean of the windows of each track: (n, 50) arrays by corpus."""

    tracks: Sequence[str]
    probabilities: Mapping[str, FloatArray]


def hear(folders: Sequence[Path], out: Path) -> None:
    """Hear eight windows of each file of at least twenty seconds, and keep the probabilities of its tags."""
    networks: dict[str, Any] = {corpus: backbones.load(f"musicnn-{corpus}", "cpu") for corpus in CORPORA}
    tracks: list[str] = []
    rows: dict[str, list[FloatArray]] = {corpus: [] for corpus in CORPORA}
    for folder in folders:
        for path in sorted(path for name in NAMES for path in folder.rglob(name) if not path.is_symlink()):
            try:
                windows = np.stack([np.asarray(found.waveform) for found in decode_stretches(path, _stretches(path))])
            except (DecodeError, ValueError, TypeError) as error:
                print(f"{path.name}: {error}")
                continue
            for corpus, network in networks.items():
                found = tag_probabilities(f"musicnn-{corpus}", network(windows))
                assert found is not None
                rows[corpus].append(found[1].mean(axis=0).astype(np.float64))
            tracks.append(f"{folder.name}/{path.name}")
    kept: dict[str, Any] = {corpus: np.stack(found) for corpus, found in rows.items()}
    np.savez(out, tracks=np.array(tracks), **kept)


def _stretches(path: Path) -> list[tuple[float, float]]:
    with av.open(str(path)) as container:
        length_s = float((container.duration or 0) / 1e6)
    if length_s < SHORTEST_S:
        raise ValueError(f"{length_s:.0f} s are too short")
    return [(float(start), float(start) + WINDOW_S) for start in np.linspace(1, length_s - WINDOW_S - 1, WINDOWS)]


def read(path: Path) -> Heard:
    """Read what `hear` kept."""
    kept = np.load(path, allow_pickle=False)
    return Heard(kept["tracks"].tolist(), {corpus: kept[corpus] for corpus in CORPORA})


def words_of(tag: str) -> set[str]:
    """Words of a tag, and a line of `ALIKE` as a word of its own."""
    words = set(re.findall(r"\w+", plain(tag))) - {"no"}
    words = {word.removesuffix("ists").removesuffix("ist") for word in words}
    return words | {line for line in ALIKE if words & set(line.split())}


def family(tag: str, tags: Sequence[str]) -> list[str]:
    """Tags that share a word or a line of `ALIKE` with one, itself included."""
    return [other for other in tags if words_of(other) & words_of(tag)]


def relevant(scores: FloatArray) -> npt.NDArray[np.bool_]:
    """The tenth of the tracks with the highest scores."""
    found = np.zeros(len(scores), dtype=bool)
    found[np.argsort(-scores, kind="stable")[: max(len(scores) // SHARE, 1)]] = True
    return found


@dataclass(frozen=True)
class Design:
    """Which network's tags are known, which one's are asked for, and what is taken away before that.

    Attributes
    ----------
    known_by, truth : {"mtt", "msd"}
        The networks.
    takes : {"tag", "family", "nothing"}
        What is taken from what is known before a tag is asked for.
    written : bool
        Whether each known tag is written down for a tenth of the tracks, instead of being known as probabilities.
    named : bool, optional
        Ask for the tags alone whose name is a tag of the other network too (True), or is none (False).
    """

    known_by: Corpus
    truth: Corpus
    takes: str
    written: bool = False
    named: bool | None = None

    @property
    def asked(self) -> list[str]:
        """The tags that are asked for."""
        return [tag for tag in TAGS[self.truth] if self.named is None or (tag in TAGS[self.known_by]) is self.named]

    def kept(self, tag: str) -> list[str]:
        """The tags that are known when one is asked for."""
        taken = {"tag": [tag], "family": family(tag, TAGS[self.known_by]), "nothing": []}[self.takes]
        return [other for other in TAGS[self.known_by] if other not in taken]

    def strangers(self, tag: str) -> list[str]:
        """The tags that have nothing in common with one by name."""
        return [other for other in self.asked if other not in family(tag, TAGS[self.truth])]


DESIGNS = {
    "MTT: the tag held out": Design("mtt", "mtt", "tag"),
    "MTT: its family held out": Design("mtt", "mtt", "family"),
    "MTT, written down: the tag held out": Design("mtt", "mtt", "tag", written=True),
    "MSD: the tag held out": Design("msd", "msd", "tag"),
    "MSD: its family held out": Design("msd", "msd", "family"),
    "MTT known, MSD asked: a tag of both": Design("mtt", "msd", "nothing", named=True),
    "MTT known, MSD asked: none of MTT": Design("mtt", "msd", "nothing", named=False),
    "MSD known, MTT asked: none of MSD": Design("msd", "mtt", "nothing", named=False),
}


def column(heard: Heard, corpus: Corpus, tag: str) -> FloatArray:
    """Probabilities of a tag."""
    return heard.probabilities[corpus][:, TAGS[corpus].index(tag)]


def known(heard: Heard, corpus: Corpus, kept: Sequence[str], written: bool) -> Knowledge:
    """What a catalogue knows by some tags: their probabilities, or which tenth of the tracks has each."""
    columns = {tag: column(heard, corpus, tag) for tag in kept}
    if not written:
        return Knowledge(heard.tracks, [{} for _ in heard.tracks], heard=columns)
    has = {tag: relevant(scores) for tag, scores in columns.items()}
    return Knowledge(
        heard.tracks, [{"tags": [tag for tag in has if has[tag][row]]} for row in range(len(heard.tracks))]
    )


def by_words(knowledge: Knowledge, text: str, meanings: Path) -> FloatArray:
    """How well each track suits a text, as a search in words has it."""
    everything = Known(knowledge, pa.table({"id": list(knowledge.ids)}), meanings)
    return everything.suiting(everything.read(text)).scores


def by_strings(heard: Heard, corpus: Corpus, kept: Sequence[str], text: str) -> FloatArray:
    """The sum of standardised log-odds of the known tags that have a word of the text."""
    words = set(plain(text).split())
    total = np.zeros(len(heard.tracks))
    for tag in kept:
        if words & set(plain(tag).split()):
            scores = np.clip(column(heard, corpus, tag), 1e-6, 1 - 1e-6)
            logits = np.log(scores / (1 - scores))
            total += (logits - logits.mean()) / logits.std()
    return total
