"""Probes: classifiers on frozen representations, to judge what these hold."""

from antiphon.evaluation.probes.experiment import probe

__all__ = ["probe"]
