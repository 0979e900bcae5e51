"""The audit of a run: the one that was stored with it, where it is of these features, or a quick one made now."""

from typing import Any

from antiphon.errors import AntiphonError
from antiphon.evaluation.audit import audit
from antiphon.report.inputs import Inputs
from antiphon.report.loaded import Loaded

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
        return audit(loaded.model, loaded.features)
    except AntiphonError as error:
        return {"reason": str(error)}
