"""Learning curve: ranks after a quarter, half and all of the music videos, and what more would bring.

They are those of the recipe's closed form, which takes a small part of the time of training and gains as much from more
music videos (`results/engine`, "Training"). A recipe without one is trained on each part.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from antiphon.dual_encoder import DualEncoder
from antiphon.evaluation.outlook import outlook
from antiphon.features.features import Features
from antiphon.metrics.paired import rank_ratio
from antiphon.metrics.ranks import ranks_both_ways
from antiphon.seeding import generator

SHARES = (0.25, 0.5, 1.0)
CLOSED_FORM, TRAININGS = "closed form", "trainings"
_CAVEATS = {
    CLOSED_FORM: "by the closed form alone, without the trained heads; another half may differ more",
    TRAININGS: "one training each, differences between trainings are not in the interval",
}


def learning_curve(
    model: DualEncoder,
    features: Features,
    validation: Features,
    *,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Rank the validation pairs with models of nested parts of the training videos, to see if more would help.

    This is an indication, not a test. Each part is drawn once; how much the ranks would differ with another part is not
    measured and not in the interval. Where the recipe has a closed form, all points are those of the closed form alone,
    whose ranks are others than the model's. Otherwise each part is trained once, from one seed, and the pool is the one
    that chose the epoch of each training, so the ranks are somewhat better than they would be on unseen videos.

    Parameters
    ----------
    model : DualEncoder
        Model fitted on all of `features`; its recipe and seed train the smaller ones.
    features, validation : Features
        As in `DualEncoder.fit`; videos, not rows, are left out.
    seed : int, default 0
        Seed of the parts and the bootstrap.
    progress : callable, optional
        Called with the share that comes next.

    Returns
    -------
    dict
        "points": for each share its "videos", "pairs", "median_rank" both ways and "n", the pool; "gain": by what
        factor the typical (geometric mean) rank falls from half of the videos to all, with "ci95", a bootstrap over the
        validation videos of the paired difference between these two models; "made_of": "closed form" or "trainings";
        "outlook": what to expect of 20,000 and 100,000 videos, or why that cannot be told (see `outlook`); "verdict" in
        words.
    """
    pairs, held_out = features.training_pairs, validation.training_pairs
    videos = generator(seed, "learning curve").permutation(np.unique(pairs.groups))
    parts = [pairs.take(np.isin(pairs.groups, videos[: max(2, round(share * len(videos)))])) for share in SHARES]
    in_closed_form = model.closed_form_alone(parts[0]) is not None
    points: list[dict[str, Any]] = []
    answers: list[np.ndarray] = []
    for share, part in zip(SHARES, parts, strict=True):
        if progress is not None:
            progress(share)
        fitted = model.closed_form_alone(part) if in_closed_form else None
        if fitted is None:
            fitted = model if share == 1 else _trained_like(model, part, held_out)
        audio, video = fitted.embed(held_out)
        a2v, v2a = ranks_both_ways(audio, video)
        answers.append(np.stack([a2v, v2a]))
        points.append(
            {
                "share": share,
                "videos": len(np.unique(part.groups)),
                "pairs": len(part),
                "n": len(held_out),
                "median_rank": {"a2v": float(np.median(a2v)), "v2a": float(np.median(v2a))},
                "geometric_mean_rank": float(np.exp(np.log(answers[-1]).mean())),
            }
        )
    log_ranks = [np.log(both_ways).mean(axis=0) for both_ways in answers]
    ahead = outlook([point["videos"] for point in points], log_ranks, held_out.groups, seed)
    gain, ci95 = rank_ratio(answers[-1], answers[-2], held_out.groups, seed)
    made_of = CLOSED_FORM if in_closed_form else TRAININGS
    verdict = _verdict(gain, ci95, made_of)
    return {
        "points": points,
        "gain": gain,
        "ci95": ci95,
        "made_of": made_of,
        "verdict": f"{verdict} {_of_rank(points[-1])} {ahead['verdict']}".strip() if ahead["points"] else verdict,
        "outlook": ahead["points"],
    }


def _of_rank(point: dict[str, Any]) -> str:
    return f"The typical rank is {point['geometric_mean_rank']:.1f} of {point['n']:,}."


def _trained_like(model: DualEncoder, train: Features, validation: Features) -> DualEncoder:
    return DualEncoder(model.recipe, model.seed, str(model.device)).fit(train, validation, verbose=False)


def _verdict(gain: float, ci95: Sequence[float], made_of: str) -> str:
    measured = "from half of the videos to all, the typical rank among the validation videos "
    factor, low, high = (gain, *ci95) if gain >= 1 else (1 / gain, 1 / ci95[1], 1 / ci95[0])
    measured += f"{'fell' if gain >= 1 else 'rose'} by a factor of {factor:.2f} (95% {low:.2f}–{high:.2f}; "
    measured += f"{_CAVEATS[made_of]})"
    if ci95[0] > 1:
        return f"More music videos would probably help: {measured}."
    if ci95[1] < 1:
        return f"More music videos of the same kind did not help here: {measured}."
    return f"No measurable gain from more music videos here: {measured}."
