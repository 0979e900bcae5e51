"""Probes of a comparison: what features and embeddings tell about genre and tags."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from antiphon.documents import parsed_object, read_document
from antiphon.dual_encoder import DualEncoder
from antiphon.errors import AntiphonError
from antiphon.evaluation.probes import probe
from antiphon.evaluation.probes.targets import Target
from antiphon.experiments.comparison.common import folder_name
from antiphon.experiments.draws import drawn
from antiphon.experiments.study import DrawSettings
from antiphon.features.features import Features
from antiphon.model.recipe import load_recipe
from antiphon.runs import versions
from antiphon.tables import write_text

RECIPE = "antiphon-base"
TARGETS: tuple[Target, ...] = ("genre", "tags")


def probe_tables(features: Mapping[str, Features], draws: DrawSettings, folder: Path) -> list[dict[str, Any]]:
    """Probe the features of each pair of backbones, and the default recipe's embeddings of them, on the first draw.

    Linear classifiers of the mean vectors of tracks; see `antiphon.probe`.

    Parameters
    ----------
    features : mapping of str to Features
        Features by name of the pair of backbones.
    draws : DrawSettings
        How videos are drawn.
    folder : Path
        Folder for the results.

    Returns
    -------
    list of dict
        For each pair of backbones and target "backbones", "target", and "reason" why nothing was measured, or
        "labels" and "rows": "representation", "dim", "roc_auc" (a mapping with "value", "ci95") and, for rows with
        embeddings, "difference" to the best row of the backbones on validation ("baseline", "value", "ci95").
    """
    return [
        _kept(name, each, target, draws, folder)
        for name, each in features.items()
        for target in TARGETS
        if any(each.genres if target == "genre" else each.labels)
    ]


def _kept(name: str, features: Features, target: Target, draws: DrawSettings, folder: Path) -> dict[str, Any]:
    """Return the probes of one pair of backbones, measured now or earlier."""
    recipe = load_recipe(RECIPE).model_dump(mode="json")
    made_of = [features.fingerprint(), target, draws.model_dump(exclude={"count"}), recipe, versions()]
    key = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
    path = folder / folder_name(name) / f"probe-{target}.json"
    try:
        found = parsed_object(read_document(path))
        if found.pop("key", None) == key:
            return found
    except (OSError, ValueError, AntiphonError):
        pass  # It is missing or damaged: measure it.
    found = {"backbones": name, "target": target} | _probed(features, target, draws)
    if "reason" not in found:
        write_text(json.dumps(found | {"key": key}), path)
    return found


def _probed(features: Features, target: Target, draws: DrawSettings) -> dict[str, Any]:
    dealt = drawn(features, draws, 0, "all")
    try:
        model = DualEncoder(RECIPE, 0, "cpu").fit(dealt["train"], dealt["validation"], verbose=False)
        found = probe(model, dealt, target, kinds=("linear",), seeds=1)
    except AntiphonError as error:
        return {"reason": str(error)}
    rows = [row for row in found["table"] if row["level"] == "tracks"]
    kept = ("representation", "dim", "roc_auc")
    return {
        "labels": found["labels"],
        "videos": found["videos"],
        "rows": [{key: row[key] for key in kept} for row in rows],
    }
