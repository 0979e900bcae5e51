"""The names that a user of the package meets."""

import importlib
import pkgutil
import re
import subprocess
import sys
from types import ModuleType

import pytest

import antiphon as ap
from antiphon import errors

_HEAVY = ("torch", "polars", "pyarrow", "numpy", "rich", "jinja2", "av")


def _imported_by(statement: str) -> list[str]:
    code = f"import sys; {statement}; print(*(name for name in {_HEAVY!r} if name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return found.stdout.split()


def test_importing_the_package_loads_no_heavy_library() -> None:
    assert _imported_by("import antiphon") == []
    assert "torch" in _imported_by("import antiphon; antiphon.DualEncoder")


def test_metrics_load_nothing_but_numpy() -> None:
    assert _imported_by("import antiphon; antiphon.metrics.retrieval") == ["numpy"]


def test_dir_lists_the_public_names_only() -> None:
    assert dir(ap) == sorted(ap.__all__)
    assert {"CCA", "DualEncoder", "Recipe", "SamplingConfig", "TuningConfig", "__version__"} <= set(dir(ap))
    for name in dir(ap):
        assert getattr(ap, name) is not None
    with pytest.raises(AttributeError, match="'antiphon' has no attribute 'Encoder'"):
        _ = ap.Encoder  # pyright: ignore


def test_the_version_is_that_of_the_distribution() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", ap.__version__)


def test_every_error_is_exported_and_has_the_common_base() -> None:
    own = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert own == {name for name in ap.__all__ if name.endswith("Error")}
    assert all(issubclass(getattr(ap, name), ap.AntiphonError) for name in own)


@pytest.mark.parametrize("call", ["Features.from_arrays()", "backbones.load('nobody')", "DualEncoder('nobody')"])
def test_wrong_arguments_are_value_errors(call: str) -> None:
    with pytest.raises(ValueError, match=r"nobody|audio and video are both missing") as caught:
        eval(f"ap.{call}")  # noqa: S307
    assert isinstance(caught.value, ap.AntiphonError)


def test_what_the_outside_world_does_wrong_is_no_value_error() -> None:
    assert not issubclass(ap.DecodeError, ValueError)
    assert issubclass(ap.NotIndexedError, LookupError)


def test_no_module_is_shadowed_by_a_function() -> None:
    names = [module.name for module in pkgutil.walk_packages(ap.__path__, "antiphon.")]
    for name in names:
        if not name.endswith("__main__"):
            importlib.import_module(name)
    for name in names:
        parent, _, leaf = name.rpartition(".")
        if leaf != "__main__":
            assert isinstance(getattr(sys.modules[parent], leaf), ModuleType), name
