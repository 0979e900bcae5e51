"""Charts of the training history and of the learning curve."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from antiphon.presentation.charts import Curve, panel
from antiphon.runs import Epoch

_MAX_LOG_RANK = 100.0
# Of losses and log ranks, which are sums in single precision.
_ROUNDING = 1e-4


def best_index(history: Sequence[Epoch]) -> int | None:
    """Find the epoch that was kept.

    Parameters
    ----------
    history : sequence of Epoch
        The epochs.

    Returns
    -------
    int, optional
        Index of the last epoch marked as best.
    """
    marked = [index for index, epoch in enumerate(history) if epoch.best]
    return marked[-1] if marked else None


def typical_rank(epoch: Epoch) -> float:
    """Return the geometric mean of the validation ranks of both directions, by which epochs are compared."""
    return math.exp(min(epoch.validation_log_rank, _MAX_LOG_RANK))


def typical_chance(pool: int) -> float:
    """Return the geometric mean of the ranks 1 to `pool`, which is about that of ranks by chance."""
    return math.exp(math.lgamma(pool + 1) / pool)


@dataclass(frozen=True)
class ToldApart:
    """What a history's validation tells apart.

    Attributes
    ----------
    losses, ranks : bool
        Whether the validation losses, and the typical validation ranks, of the epochs differ.
    pairs : bool
        Whether a loss differs from chance in some epoch, or the ranks of the epochs differ: a model that gives all
        pairs the same score does neither.
    """

    losses: bool
    ranks: bool
    pairs: bool


def told_apart(history: Sequence[Epoch]) -> ToldApart:
    """Find what the validation of a training tells apart, beyond the rounding of sums.

    Parameters
    ----------
    history : sequence of Epoch
        The epochs.

    Returns
    -------
    ToldApart
        What it tells apart.
    """
    losses = _differ([epoch.validation_loss for epoch in history])
    ranks = _differ([epoch.validation_log_rank for epoch in history])
    return ToldApart(losses, ranks, ranks or any(above_chance(epoch) for epoch in history))


def above_chance(epoch: Epoch) -> int:
    """Return 1 where the validation loss is above chance, −1 where it is below, 0 where only rounding differs."""
    if not _differ([epoch.validation_loss, epoch.validation_chance]):
        return 0
    return 1 if epoch.validation_loss > epoch.validation_chance else -1


def _differ(values: Sequence[float]) -> bool:
    """Return whether numbers differ by more than what rounding makes of one; those that are not finite do."""
    low, high = min(values), max(values)
    return not high - low <= _ROUNDING * max(1.0, abs(low), abs(high))


def training_panels(history: Sequence[Epoch], validation_pairs: int | None) -> list[Markup]:
    """Draw the losses of both splits with chance and lower bound, the temperature, and the typical validation rank.

    Parameters
    ----------
    history : sequence of Epoch
        The epochs.
    validation_pairs : int or None
        Size of the pool, if known.

    Returns
    -------
    list of Markup
        SVG.
    """
    epochs = [float(epoch.epoch) for epoch in history]
    best = best_index(history)
    ranks = [Curve("typical rank", "main", [typical_rank(epoch) for epoch in history])]
    if validation_pairs:
        ranks.append(Curve("chance", "level", [typical_chance(validation_pairs)] * len(history)))
    pool = f"the {validation_pairs:,}" if validation_pairs else "the"
    temperatures = [Curve("temperature", "main", [epoch.temperature for epoch in history])]
    return [
        panel("Loss of the training pairs (nats)", epochs, _losses(history, "train"), "epoch", best),
        panel("Loss of the validation pairs (nats)", epochs, _losses(history, "validation"), "epoch", best),
        panel(f"Typical rank of {pool} validation pairs", epochs, ranks, "epoch", best, min_value=1),
        panel("Temperature", epochs, temperatures, "epoch", best),
    ]


def learning_panel(curve: dict[str, Any]) -> Markup:
    """Draw the typical validation rank against the number of training videos, with chance.

    Parameters
    ----------
    curve : dict
        Content of learning_curve.json.

    Returns
    -------
    Markup
        SVG.
    """
    points = sorted(curve["points"], key=lambda point: point["videos"])
    videos = [float(point["videos"]) for point in points]
    chance = [typical_chance(point["n"]) for point in points]
    curves = [
        Curve("typical rank", "main", [point["geometric_mean_rank"] for point in points]),
        Curve("chance", "level", chance),
    ]
    return panel(f"Typical rank of {points[0]['n']:,} validation pairs", videos, curves, "training videos", min_value=1)


def _losses(history: Sequence[Epoch], split: str) -> list[Curve]:
    def values(name: str) -> list[float]:
        return [float(getattr(epoch, f"{split}_{name}")) for epoch in history]

    return [
        Curve("chance", "level", values("chance")),
        Curve("loss", "main", values("loss")),
        Curve("lower bound", "level", values("lower_bound")),
    ]
