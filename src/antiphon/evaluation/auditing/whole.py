"""The audit: all checks in order."""

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import within_side
from antiphon.errors import ModelError
from antiphon.evaluation.auditing.check import Check
from antiphon.evaluation.auditing.control import (
    collapse_check,
    null_check,
    permutation_check,
    published_check,
    shuffled_check,
)
from antiphon.evaluation.auditing.copies import copy_checks
from antiphon.evaluation.auditing.leakage import shared_checks
from antiphon.evaluation.auditing.losses import loss_checks
from antiphon.evaluation.auditing.metrics import Metric, median_ranks, metric_checks
from antiphon.evaluation.auditing.pairing import embedding_shift, feature_shift
from antiphon.evaluation.auditing.strata import strata_check
from antiphon.evaluation.results import AuditResult
from antiphon.features.features import Features
from antiphon.seeding import generator

_RANKED = 5000
"""Approximate number of test rows that the checks of the model rank: enough, whatever the size of the test."""


def audit(
    model: DualEncoder,
    features: Features,
    *,
    metric: Metric = median_ranks,
    control: DualEncoder | None = None,
    shared: Mapping[str, Mapping[str, str]] | None = None,
    seed: int = 0,
) -> AuditResult:
    """Test an evaluation on itself: its metric, its model, its pairs, its splits and its loss.

    Parameters
    ----------
    model : DualEncoder
        Fitted model.
    features : Features
        All features, with splits: training, validation and test rows.
    metric : callable, optional
        Function that computes the median ranks, (audio, video) → (from audio, from video). Default: Antiphon's own.
    control : DualEncoder, optional
        The same recipe trained on shuffled pairs, by `shuffled_control`. Default: that check is left out.
    shared : mapping, optional
        Variables that sound and pictures of a video may share, such as its decade or its encoder: name → video → value;
        see `antiphon.evaluation.auditing.shared_variables`.
    seed : int, default 0
        Seed of permutations and samples.

    Returns
    -------
    AuditResult
        A mapping with "checks", each with "name", "part", "status" ("pass", "warn", "fail", "n/a"), "finding" and
        "numbers"; "counts" by status; and "verdict" in words.

    Raises
    ------
    ModelError
        Fewer than two videos in the test split, or features that are not the model's.

    See Also
    --------
    antiphon.metrics.published_formula : the formula that this was written for.
    """
    test = features["test"].paired
    if len(np.unique(test.groups)) < 2:
        raise ModelError(
            "The test split has fewer than two videos with both audio and video; there is nothing to audit."
        )
    ranked = _some(test, seed)
    audio, video = model.embed(ranked)
    checks = [
        *metric_checks(metric, seed),
        permutation_check(audio, video, ranked.groups, metric, seed),
        null_check(audio, video, ranked.groups, seed),
        collapse_check(*(within_side(rows, model.correction_dim) for rows in (audio, video))),
        strata_check(*model.embed(ranked, per="track"), ranked, shared),
        _shuffled(model, control, ranked),
        embedding_shift(model, ranked),
        feature_shift(features.paired),
        *shared_checks(model, features),
        *copy_checks(features, seed),
        *loss_checks(model),
        published_check(audio, video),
    ]
    counts = {status: sum(check.status == status for check in checks) for status in ("pass", "warn", "fail", "n/a")}
    return AuditResult({"checks": [asdict(check) for check in checks], "counts": counts, "verdict": _verdict(checks)})


def _some(test: Features, seed: int) -> Features:
    """Return all rows, or those of as many random videos as have about `_RANKED`, in their order."""
    if len(test) <= _RANKED:
        return test
    videos = generator(seed, "audit", "ranked").permutation(np.unique(test.groups))
    chosen = videos[: max(2, _RANKED * len(videos) // len(test))]
    return test.take(np.isin(test.groups, chosen))


def _shuffled(model: DualEncoder, control: DualEncoder | None, test: Features) -> Check:
    if control is None:
        why = "No model was trained on shuffled pairs to compare with."
        return Check("Model: shuffled pairs", "model", "n/a", why)
    return shuffled_check(model, control, test, test.groups)


def _verdict(checks: list[Check]) -> str:
    failed = [check.name for check in checks if check.status == "fail"]
    warned = [check.name for check in checks if check.status == "warn"]
    if failed:
        return f"Mend this before you rely on the ranks: {', '.join(failed)}."
    if warned:
        return f"Nothing failed; know this before you believe the ranks: {', '.join(warned)}."
    return "Nothing found that would make these ranks unbelievable."
