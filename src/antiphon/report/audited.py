"""The audit of a run: the one that was stored with it, or a quick one made now."""

from typing import Any

from antiphon.errors import AntiphonError
from antiphon.evaluation.audit import audit
from antiphon.report.inputs import Inputs
from antiphon.report.loaded import Loaded


def find_audit(inputs: Inputs, loaded: Loaded | str) -> dict[str, Any]:
    """What `antiphon audit` stored, else what `antiphon.evaluation.audit` finds now, without a control.

    Where neither can be had: {"reason"}, in words.
    """
    if inputs.audit is not None:
        return inputs.audit
    if isinstance(loaded, str):
        return {"reason": loaded}
    try:
        return audit(loaded.model, loaded.features)
    except AntiphonError as error:
        return {"reason": str(error)}
