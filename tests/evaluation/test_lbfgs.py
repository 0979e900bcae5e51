import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from antiphon.evaluation.probes.lbfgs import minimised


@pytest.mark.numeric
def test_a_quadratic_function_is_minimised_where_its_equations_say():
    random = np.random.default_rng(0)
    axes = random.normal(size=(12, 12))
    matrix = torch.from_numpy(axes @ np.diag(np.geomspace(1e-2, 1e2, 12)) @ axes.T + np.eye(12))
    goal = torch.from_numpy(random.normal(size=12))

    def function(point: torch.Tensor) -> tuple[float, torch.Tensor]:
        gradient = matrix @ point - goal
        return float(point @ (matrix @ point) / 2 - goal @ point), gradient

    found = minimised(function, torch.zeros(12, dtype=torch.float64), 200)
    expected = torch.linalg.solve(matrix, goal)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.numeric
def test_a_curved_valley_is_followed_in_as_few_steps_as_by_scipy():
    """Rosenbrock's function, where steps of the first length are too long, and full steps of gradient lead nowhere."""
    evaluations = 0

    def value(point: torch.Tensor) -> torch.Tensor:
        return 100 * (point[1] - point[0] ** 2) ** 2 + (1 - point[0]) ** 2

    def function(point: torch.Tensor) -> tuple[float, torch.Tensor]:
        nonlocal evaluations
        evaluations += 1
        point = point.clone().requires_grad_()
        found = value(point)
        return found.item(), torch.autograd.grad(found, point)[0]

    start = torch.tensor([-1.2, 1.0], dtype=torch.float64)
    found = minimised(function, start, 100)
    theirs = minimize(lambda point: float(value(torch.from_numpy(point))), start.numpy(), method="L-BFGS-B")
    torch.testing.assert_close(found, torch.ones(2, dtype=torch.float64), rtol=1e-4, atol=1e-4)
    assert evaluations <= 2 * theirs.nfev


def test_it_never_ends_higher_than_it_begins():
    def function(point: torch.Tensor) -> tuple[float, torch.Tensor]:
        return float("nan") if float(point[0]) < 1 else float(point[0]), torch.ones(1)

    start = torch.tensor([1.0])
    assert torch.equal(minimised(function, start, 10), start)
