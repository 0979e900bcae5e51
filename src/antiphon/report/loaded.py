"""The run's model and all features that it can be asked about, read once."""

from dataclasses import dataclass
from typing import Any

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import AntiphonError
from antiphon.evaluation import audit
from antiphon.features.assembly import assemble
from antiphon.features.features import Features
from antiphon.report.inputs import Inputs


@dataclass(frozen=True)
class Loaded:
    """A model, and the features of all splits of the catalogue."""

    model: DualEncoder
    features: Features


def load(inputs: Inputs) -> Loaded | str:
    """The run's model with the workspace's features, or the reason in words why that cannot be."""
    audio_name, video_name = inputs.backbones
    if inputs.catalogue is None:
        return "The workspace has no catalogue, so there are no held-out videos to ask about."
    if not audio_name or not video_name:
        return "This model was trained on features without a backbone's name; the workspace cannot find them again."
    try:
        features = assemble(inputs.workspace, inputs.catalogue, audio_name, video_name)
        return Loaded(DualEncoder.load(inputs.folder, device="cpu"), features)
    except AntiphonError as error:
        return str(error)


_AGAIN = "This is a quick one, made with this report: run antiphon audit again."
_OUTDATED = f"The stored audit was of other features or splits. {_AGAIN}"
_UNNAMED = f"The stored audit does not say of which features and splits it was. {_AGAIN}"
_UNCHECKED = "Whether this stored audit was of the features and splits of now could not be checked."


def find_audit(inputs: Inputs, loaded: Loaded | str) -> dict[str, Any]:
    """What `antiphon audit` stored of these features, else what `antiphon.evaluation.audit` finds without a control.

    Where neither can be had: {"reason"}, in words. A "note" says why a stored audit is not shown, or may be an old one.
    """
    stored = inputs.audit
    if isinstance(loaded, str):
        return {"reason": loaded} if stored is None else stored | {"note": f"{_UNCHECKED} {loaded}"}
    if stored is None:
        return _quick(loaded)
    if stored.get("features") == loaded.features.fingerprint():
        return stored
    return _quick(loaded) | {"note": _OUTDATED if "features" in stored else _UNNAMED}


def _quick(loaded: Loaded) -> dict[str, Any]:
    try:
        return audit(loaded.model, loaded.features).to_dict()
    except AntiphonError as error:
        return {"reason": str(error)}
