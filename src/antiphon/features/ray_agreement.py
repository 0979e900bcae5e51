"""What the nodes of a Ray cluster have to agree on, so that their features are those of one machine."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from antiphon.errors import WeightsError

if TYPE_CHECKING:
    from antiphon.features.computed_videos import Backbone

_BITS = ("antiphon", "av", "numpy", "openvino", "soxr", "torch")
"""Packages whose versions decide the bits of a feature."""


@dataclass(frozen=True)
class Network:
    """A backbone as the driver knows it.

    Attributes
    ----------
    name, fingerprint, arithmetic : str
        As in `AudioBackbone`.
    """

    name: str
    fingerprint: str
    arithmetic: str


def network_of(backbone: "Backbone") -> Network:
    """Return what a worker's backbone has to agree with."""
    return Network(backbone.name, backbone.fingerprint, backbone.arithmetic)


def versions() -> dict[str, str]:
    """Return the versions of the packages that decide the bits of a feature, without those of their builds."""
    found: dict[str, str] = {}
    for name in _BITS:
        try:
            found[name] = version(name).partition("+")[0]
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def check_versions(expected: dict[str, str], found: dict[str, str]) -> None:
    """Check that a worker computes with the driver's packages.

    Raises
    ------
    WeightsError
        A version differs.
    """
    for name, own in expected.items():
        if found.get(name) != own:
            raise WeightsError(
                f"{name} is {found.get(name)} here and {own} where the command runs, so features could differ. Install "
                "the same versions on all nodes."
            )


def check_network(expected: Network, found: Network) -> None:
    """Check that a worker's backbone is the driver's.

    Raises
    ------
    WeightsError
        Weights or arithmetic differ.
    """
    if found.fingerprint != expected.fingerprint:
        raise WeightsError(
            f"{expected.name}: the weights here ({found.fingerprint[:12]}) are not those where the command runs "
            f"({expected.fingerprint[:12]}). Copy its cache, or share one."
        )
    if found.arithmetic != expected.arithmetic:
        raise WeightsError(
            f"{expected.name}: is computed in {found.arithmetic} here and was expected in {expected.arithmetic}. "
            "Install the same packages on all nodes."
        )
