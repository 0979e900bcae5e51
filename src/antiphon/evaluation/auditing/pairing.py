"""Pairing of rows: whether those side by side belong together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.dual_encoder import DualEncoder
from antiphon.evaluation.auditing.check import Check
from antiphon.evaluation.auditing.whitening import Whitening, unit
from antiphon.features.features import Features
from antiphon.metrics.paired import rank_ratio
from antiphon.metrics.ranks import ranks

FloatArray = npt.NDArray[np.floating]

_SHIFTS = (-2, -1, 1, 2)
_COMPONENTS = 48
_MIN_ROWS = 40
_CERTAIN = 1.1
"""Lower edge of the interval above which a shift counts: four are tried, and chance must not find one."""


@dataclass(frozen=True)
class _Shifted:
    shift: int
    ratio: float
    ci95: list[float]


def embedding_shift(model: DualEncoder, test: Features) -> Check:
    """Check whether the model finds the partner of each row's audio better some rows away than in its own row."""
    audio, video = model.embed(test)
    return _verdict("Pairs: test rows", _best_shift(audio, video, test.groups), "under the trained model")


def feature_shift(features: Features) -> Check:
    """Check the same without the model, by canonical correlation of the features at each shift.

    It is fitted on training rows and judged on the others, and sees rows that were shifted before anything was trained.
    """
    train, held_out = features.splits == "train", np.isin(features.splits, ("validation", "test"))
    if min(train.sum(), held_out.sum()) < _MIN_ROWS:
        why = f"Needs {_MIN_ROWS} training rows and as many held-out ones to compare shifts of the features."
        return Check("Pairs: all rows", "pairs", "n/a", why)
    own = _held_out_ranks(features, train, held_out, 0)
    found: list[_Shifted] = []
    for shift in _shifts(features.groups):
        ratio, ci95 = rank_ratio(_held_out_ranks(features, train, held_out, shift), own, features.groups[held_out])
        found.append(_Shifted(shift, ratio, ci95))
    return _verdict(
        "Pairs: all rows", max(found, key=lambda each: each.ratio), "by canonical correlation of the features"
    )


def _shifts(groups: npt.NDArray[np.str_]) -> list[int]:
    """Return the shifts to try: a row or two either way, and a video of the usual number of segments."""
    segments = int(np.median(np.unique(groups, return_counts=True)[1]))
    return sorted({*_SHIFTS, segments, -segments})


def _best_shift(audio: FloatArray, video: FloatArray, groups: npt.NDArray[np.str_]) -> _Shifted:
    own = ranks(audio, video)[0]
    found: list[_Shifted] = []
    for shift in _shifts(groups):
        ratio, ci95 = rank_ratio(ranks(audio, np.roll(video, -shift, axis=0))[0], own, groups)
        found.append(_Shifted(shift, ratio, ci95))
    return max(found, key=lambda each: each.ratio)


def _verdict(name: str, best: _Shifted, how: str) -> Check:
    numbers = {"shift": best.shift, "ratio": best.ratio, "ci95": best.ci95}
    rows = f"{abs(best.shift)} row{'s' if abs(best.shift) > 1 else ''} further {'down' if best.shift > 0 else 'up'}"
    measured = f"a factor of {best.ratio:.2f}, 95% {best.ci95[0]:.2f}–{best.ci95[1]:.2f}"
    if best.ci95[0] > _CERTAIN:
        finding = (
            f"Each sound fits the pictures {rows} better than those of its own row ({measured}, {how}): the rows of "
            "sound and pictures are shifted against each other."
        )
        return Check(name, "pairs", "fail", finding, numbers)
    finding = f"No shift of the rows fits better than the pairs as they are (the best, {rows}: {measured}, {how})."
    return Check(name, "pairs", "pass", finding, numbers)


def _held_out_ranks(
    features: Features, train: npt.NDArray[np.bool_], held_out: npt.NDArray[np.bool_], shift: int
) -> FloatArray:
    """Rank held-out video `shift` rows away from held-out audio, by canonical variates of training rows."""
    video = np.roll(features.video, -shift, axis=0)
    components = min(_COMPONENTS, int(train.sum()) // 4)
    of_audio, of_video = (Whitening.fitted(rows[train], components) for rows in (features.audio, video))
    shared = of_audio(features.audio[train]).T @ of_video(video[train]) / train.sum()
    left, strengths, right = np.linalg.svd(shared, full_matrices=False)
    queries = unit(of_audio(features.audio[held_out]) @ (left * strengths))
    return ranks(queries, unit(of_video(video[held_out]) @ right.T))[0]
