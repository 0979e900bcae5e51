"""Comparison of backbones, with and without training, on the same test videos."""

from antiphon.experiments.comparison.run import METHODS, compare

__all__ = ["METHODS", "compare"]
