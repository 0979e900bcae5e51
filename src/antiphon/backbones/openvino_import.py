"""OpenVINO, imported without what reports its use.

Its package requires `openvino-telemetry`, which gives this user a number, kept in the home folder, when OpenVINO is
imported, and sends it with what is converted unless it was told not to. Without that package OpenVINO works as well.
"""

import sys
from importlib import import_module
from typing import Any

_TELEMETRY = "openvino_telemetry"
_modules: dict[str, Any] = sys.modules  # None there means that a module cannot be imported
_unknown = _TELEMETRY not in _modules

if _unknown:
    _modules[_TELEMETRY] = None
try:
    openvino: Any = import_module("openvino")
    ops: Any = import_module("openvino.opset13")
finally:
    if _unknown:
        del _modules[_TELEMETRY]

__all__ = ["openvino", "ops"]
