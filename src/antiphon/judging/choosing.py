"""The choice of triplets to ask people about: those on which two similarities clearly disagree.

Where all models agree, an answer does not tell which one is right; where a model is undecided, it says nothing about
that model. So the two candidates of a question are far apart for both of two similarities:

- "models": one candidate is among the nearest of one run, the other among the nearest of another, and each run ranks
  its own candidate higher.
- "sides": the same with the audio and the video of one run.
- "random": one of the nearest of a run, and a random track that this run ranks clearly lower.

Seeds come in random order, each as rarely as possible, and the first that has such a pair is taken, so questions are
not selected for extremes. Tracks by the seed's artist are not candidates.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle

import numpy as np
import numpy.typing as npt

from antiphon.catalogue.artists import connected
from antiphon.judging.questions import ASPECTS, KINDS, Aspect, Kind, Question
from antiphon.judging.similarities import NATURAL, By, RunEmbeddings, standings

MIN_MARGIN = 0.1
"""Minimum difference between two similarities, as a fraction of the pool."""
_NEAREST_SHARE, _MAX_NEAREST = 0.1, 10
_MAX_TRIES = 300

BY_WORDS = {"both": "sound and pictures", "sound": "sound", "pictures": "pictures"}
DRAWN = "drawn at random"

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass
class _Pool:
    """The videos to choose from, the runs, and how often each video has been a seed."""

    runs: Sequence[RunEmbeddings]
    artists: IntArray
    uses: IntArray
    asked: set[tuple[Aspect, frozenset[int]]] = field(default_factory=set)

    def candidates(self, seed: int) -> IntArray:
        """Return the rows of other artists."""
        return np.flatnonzero(self.artists != self.artists[seed])


@dataclass(frozen=True)
class _Found:
    """Two candidates of a seed, their sources, and how much the similarities differ."""

    rows: tuple[int, int]
    sources: tuple[str, str]
    margin: float


def choose_questions(
    runs: Sequence[RunEmbeddings], artists: Sequence[str | None], count: int, random: np.random.Generator
) -> list[Question]:
    """Choose triplets on which similarities disagree, spread evenly over aspects and kinds.

    Parameters
    ----------
    runs : sequence of RunEmbeddings
        Runs with the same ids in the same order, complete in both modalities.
    artists : sequence of str or None
        Artist of each video; None: unknown, so unlike all others.
    count : int
        Maximum number of questions; there are fewer if similarities agree too often.
    random : Generator
        Random numbers.

    Returns
    -------
    list of Question
        Questions, with the aspects overall, sound and pictures in turn.
    """
    pool = _Pool(runs, _artist_numbers(artists), np.zeros(len(artists), dtype=np.int64))
    kinds = KINDS if len(runs) > 1 else KINDS[1:]
    cells: list[tuple[Aspect, Kind]] = [(aspect, kind) for kind in kinds for aspect in ASPECTS]
    empty: set[tuple[Aspect, Kind]] = set()
    questions: list[Question] = []
    for cell in cycle(cells):
        if len(questions) == count or len(empty) == len(cells):
            return questions
        if cell not in empty:
            question = _question(pool, *cell, random)
            if question is None:
                empty.add(cell)
            else:
                questions.append(question)
    return questions


def _artist_numbers(artists: Sequence[str | None]) -> IntArray:
    keys = [f"artist {key}" if key else f"row {row}" for row, key in enumerate(connected(artists))]
    return np.unique(keys, return_inverse=True)[1].astype(np.int64)


def _question(pool: _Pool, aspect: Aspect, kind: Kind, random: np.random.Generator) -> Question | None:
    """Choose a question of this kind, from the least used seed that has one."""
    ids = pool.runs[0].ids
    order = random.permutation(len(ids))
    order = order[np.argsort(pool.uses[order], kind="stable")]
    for seed in order[:_MAX_TRIES].tolist():
        found = _candidates(pool, aspect, kind, seed, random)
        if found is None or (aspect, frozenset((seed, *found.rows))) in pool.asked:
            continue
        pool.asked.add((aspect, frozenset((seed, *found.rows))))
        pool.uses[seed] += 1
        places = (0, 1) if random.random() < 0.5 else (1, 0)
        first, second = (ids[found.rows[place]] for place in places)
        sources = [found.sources[place] for place in places]
        return Question(aspect, kind, ids[seed], first, second, sources[0], sources[1], round(found.margin, 4))
    return None


def _candidates(pool: _Pool, aspect: Aspect, kind: Kind, seed: int, random: np.random.Generator) -> _Found | None:
    rows = pool.candidates(seed)
    if len(rows) < 2:
        return None
    picked = random.choice(len(pool.runs), size=min(2, len(pool.runs)), replace=False)
    runs = [pool.runs[number] for number in picked]
    opinions: list[tuple[RunEmbeddings, By]] = [(run, NATURAL[aspect]) for run in runs]
    if kind == "sides":
        opinions = [(runs[0], "sound"), (runs[0], "pictures")]
    places = [standings(run.scores(seed, by)[rows]) for run, by in opinions]
    if kind == "random":
        return _against_chance(rows, places[0], *opinions[0], random)
    return _against_each_other(rows, places[0], places[1], opinions)


def _against_each_other(
    rows: IntArray, one: FloatArray, other: FloatArray, opinions: Sequence[tuple[RunEmbeddings, By]]
) -> _Found | None:
    """Choose, of the nearest by either similarity, the two candidates on which they differ most."""
    ours, theirs = _nearest(one), _nearest(other)
    lead = np.minimum(one[ours][:, None] - one[theirs], other[theirs] - other[ours][:, None])
    place = np.unravel_index(np.argmax(lead), lead.shape)
    if lead[place] < MIN_MARGIN:
        return None
    pair = (int(ours[place[0]]), int(theirs[place[1]]))
    sources = [
        _source(standing, row, *opinion) for standing, row, opinion in zip((one, other), pair, opinions, strict=True)
    ]
    return _Found((int(rows[pair[0]]), int(rows[pair[1]])), (sources[0], sources[1]), float(lead[place]))


def _against_chance(
    rows: IntArray, standing: FloatArray, run: RunEmbeddings, by: By, random: np.random.Generator
) -> _Found | None:
    """Choose one of the nearest, and a random one that is clearly further away."""
    near = int(random.choice(_nearest(standing)))
    behind = np.flatnonzero(standing <= standing[near] - MIN_MARGIN)
    if not len(behind):
        return None
    far = int(random.choice(behind))
    source = _source(standing, near, run, by)
    return _Found((int(rows[near]), int(rows[far])), (source, DRAWN), float(standing[near] - standing[far]))


def _nearest(standing: FloatArray) -> IntArray:
    """Return the nearest tenth of the candidates, at most ten."""
    count = min(_MAX_NEAREST, max(1, int(_NEAREST_SHARE * len(standing))))
    return np.argsort(-standing, kind="stable")[:count]


def _source(standing: FloatArray, place: int, run: RunEmbeddings, by: By) -> str:
    nearer = int((standing > standing[place]).sum())
    return f"neighbour {nearer + 1} of {run.run} by {BY_WORDS[by]}"
