"""L-BFGS, without torch's optimizer object, which imports torch's compiler for seconds when it is made."""

import math
from collections.abc import Callable

from torch import Tensor

_SUFFICIENT, _FLATTER = 1e-4, 0.9
"""A step must lower the value by this part of what the slope promises, and leave at most this part of the slope."""
_MAX_EVALUATIONS = 25
_REMEMBERED = 100
_FLAT, _STILL = 1e-7, 1e-9
"""Gradients, and changes of the value, below which the minimum is reached."""

Function = Callable[[Tensor], tuple[float, Tensor]]


def minimised(function: Function, start: Tensor, iterations: int) -> Tensor:
    """Minimise a smooth function.

    Parameters
    ----------
    function : callable
        Returns the value and the (n,) gradient at a point.
    start : Tensor, shape (n,)
        Where to begin.
    iterations : int
        Maximum number of steps.

    Returns
    -------
    Tensor, shape (n,)
        The lowest point that was reached.

    References
    ----------
    Nocedal and Wright (2006), "Numerical Optimization", algorithm 7.5; Lewis and Overton (2013), "Nonsmooth
    optimization via quasi-Newton methods", for the line search.
    """
    point, (value, gradient) = start, function(start)
    pairs: list[tuple[Tensor, Tensor]] = []
    for number in range(iterations):
        if float(gradient.abs().max()) <= _FLAT:
            break
        direction = _direction(gradient, pairs)
        slope = float(gradient @ direction)
        first = 1.0 if number else min(1.0, 1 / float(gradient.abs().sum()))
        found = _searched(function, point, direction, (value, slope), first) if slope < 0 else None
        if found is None:
            break
        step, change, new_gradient = found[0] - point, abs(found[1] - value), found[2]
        turn = new_gradient - gradient
        if float(turn @ step) > 0:
            pairs = [*pairs[1 - _REMEMBERED :], (step, turn)]
        point, value, gradient = found
        if change < _STILL:
            break
    return point


def _direction(gradient: Tensor, pairs: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Return the descent direction by the inverse Hessian that steps and turns of the gradient tell of."""
    direction, parts = -gradient, list[Tensor]()
    for step, turn in reversed(pairs):
        parts.append((step @ direction) / (turn @ step))
        direction = direction - parts[-1] * turn
    if pairs:
        step, turn = pairs[-1]
        direction = direction * ((turn @ step) / (turn @ turn))
    for (step, turn), part in zip(pairs, reversed(parts), strict=True):
        direction = direction + (part - (turn @ direction) / (turn @ step)) * step
    return direction


def _searched(
    function: Function, point: Tensor, direction: Tensor, here: tuple[float, float], length: float
) -> tuple[Tensor, float, Tensor] | None:
    """Return point, value and gradient of a step that meets the weak Wolfe conditions; None where none goes down."""
    value, slope = here
    shortest, longest = 0.0, math.inf
    lower: tuple[Tensor, float, Tensor] | None = None
    for _ in range(_MAX_EVALUATIONS):
        there = point + length * direction
        found, gradient = function(there)
        if not found <= value + _SUFFICIENT * length * slope:
            longest = length
        else:
            lower, shortest = (there, found, gradient), length
            if float(gradient @ direction) >= _FLATTER * slope:
                break
        length = (shortest + longest) / 2 if longest < math.inf else 2 * length
    return lower
