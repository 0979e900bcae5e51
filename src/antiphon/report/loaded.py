"""The run's model with the workspace's features, and its audit."""

from dataclasses import dataclass
from typing import Any

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import AntiphonError
from antiphon.evaluation import audit
from antiphon.features.assembly import assemble
from antiphon.features.features import Features
from antiphon.report.inputs import Inputs


@dataclass(frozen=True)
class LoadedRun:
    """A model, and the features of all splits."""

    model: DualEncoder
    features: Features


def load_run(inputs: Inputs) -> LoadedRun | str:
    """Load the run's model with the workspace's features.

    Parameters
    ----------
    inputs : Inputs
        The run.

    Returns
    -------
    LoadedRun or str
        The model and the features, or the reason why they cannot be loaded.
    """
    audio_name, video_name = inputs.backbones
    if inputs.catalogue is None:
        return "The workspace has no catalogue, so there are no held-out videos to rank."
    if not audio_name or not video_name:
        return "This model was trained on unnamed features, which the workspace cannot find again."
    try:
        features = assemble(inputs.workspace, inputs.catalogue, audio_name, video_name)
        return LoadedRun(DualEncoder.load(inputs.folder, device="cpu"), features)
    except AntiphonError as error:
        return inputs.file_names.within(str(error))


_AGAIN = "This is a quick audit made with the report; run antiphon audit again."
_OUTDATED = f"The stored audit is of other features or splits. {_AGAIN}"
_UNNAMED = f"The stored audit does not record its features and splits. {_AGAIN}"
_UNCHECKED = "It could not be checked whether this audit is of the current features and splits."


def find_audit(inputs: Inputs, loaded: LoadedRun | str) -> dict[str, Any]:
    """Return the stored audit if it is of these features, else a quick one without control.

    Parameters
    ----------
    inputs : Inputs
        The run.
    loaded : LoadedRun or str
        Its model and features, or the reason why there are none.

    Returns
    -------
    dict
        The audit, or {"reason"}. A "note" says why a stored audit is not shown or may be outdated.
    """
    stored = inputs.audit
    if isinstance(loaded, str):
        return {"reason": loaded} if stored is None else stored | {"note": f"{_UNCHECKED} {loaded}"}
    if stored is None:
        return _quick(loaded)
    if stored.get("features") == loaded.features.fingerprint():
        return stored
    return _quick(loaded) | {"note": _OUTDATED if "features" in stored else _UNNAMED}


def _quick(loaded: LoadedRun) -> dict[str, Any]:
    try:
        return audit(loaded.model, loaded.features).to_dict()
    except AntiphonError as error:
        return {"reason": str(error)}
