"""Backbones by name: ours, those registered in this process, and those of other packages.

`register` adds a backbone to this process. A package adds one for good by an entry point in the group
`antiphon.backbones` that refers to a `BackboneSpec` of the same name. A plug-in that cannot be imported is left out of
the list and named in the log; asking for it says why.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from antiphon.backbones.arithmetic import Precision
from antiphon.backbones.base import AudioBackbone, VideoBackbone
from antiphon.backbones.hub.entries import ENTRIES, is_of_hub
from antiphon.backbones.hub.specs import fetched, hub_spec
from antiphon.backbones.spec import BackboneSpec
from antiphon.errors import ConfigError, UnknownBackboneError, WeightsError
from antiphon.media.layout import FrameLayout
from antiphon.spelling import did_you_mean

GROUP = "antiphon.backbones"
_log = logging.getLogger(__name__)
_registered: dict[str, BackboneSpec] = {}


@dataclass(frozen=True)
class BackboneInfo:
    """Facts about a backbone before loading it.

    Attributes
    ----------
    name, modality, dim, licence, description : str
        As in `BackboneSpec`.
    source : str
        Where the weights are published.
    size_bytes : int
        Size of the cached weights.
    cached : bool
        True if loading needs no network.
    path : str
        File in the cache, which need not exist.
    """

    name: str
    modality: Literal["audio", "video"]
    dim: int
    licence: str
    description: str
    source: str
    size_bytes: int
    cached: bool
    path: str


@dataclass(frozen=True)
class BackboneCheck:
    """Result of `check`.

    Attributes
    ----------
    name : str
        Name of the backbone.
    cached : bool
        True if its weights are in the cache.
    loads : bool or None
        True if they fit the network; None if they are not cached.
    matches : bool or None
        True if a fixed input gives the reference output; None if it could not be computed or there is no reference.
    message : str
        The result in words.
    """

    name: str
    cached: bool
    loads: bool | None
    matches: bool | None
    message: str

    @property
    def ok(self) -> bool:
        """True if the backbone loads and does not deviate from its reference output."""
        return bool(self.loads) and self.matches is not False


def register(
    name: str, backbone: AudioBackbone | VideoBackbone, *, version: str = "1", licence: str = "", description: str = ""
) -> None:
    """Make a backbone of your own available under a name, in this process alone, as long as it runs.

    Commands do not know it; a plug-in is for them, as docs/how-to/backbone.md shows. A later call with the same name
    replaces it. Extracted features are kept with name and version: change the version
    whenever the outputs change, so that old features are not taken for new ones.

    Parameters
    ----------
    name : str
        Name to load it by, such as `antiphon.extract(…, audio=name)`.
    backbone : AudioBackbone or VideoBackbone
        The network. Its class sets `dim`, and `rate_hz` (audio) or `layout` (video); `name` is set here, as is
        `fingerprint` where it has none.
    version : str, default "1"
        What distinguishes this network from earlier ones of the same name.
    licence : str, optional
        Licence of the weights.
    description : str, optional
        One line on network and training data.

    Raises
    ------
    ConfigError
        Not a backbone, one that lacks an attribute, or a name that an installed backbone has.

    Examples
    --------
    >>> import numpy as np
    >>> class Loudness(AudioBackbone):
    ...     dim, rate_hz = 1, 16_000
    ...
    ...     def __call__(self, waveform, rate_hz=16_000):
    ...         return np.abs(np.atleast_2d(waveform)).mean(axis=1, keepdims=True).astype(np.float32)
    >>> register("loudness", Loudness())
    >>> load("loudness")(np.full(16_000, 0.5))
    array([[0.5]], dtype=float32)
    """
    if not isinstance(backbone, AudioBackbone | VideoBackbone):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigError(f"{name}: must be an instance of AudioBackbone or VideoBackbone, not {backbone!r}.")
    needed = ("dim", "rate_hz" if isinstance(backbone, AudioBackbone) else "layout")
    missing = [attribute for attribute in needed if not hasattr(backbone, attribute)]
    if missing:
        such = ", such as FrameLayout(size_px=224, every=3)" if "layout" in missing else ""
        raise ConfigError(f"{name}: {type(backbone).__name__} must set {' and '.join(missing)}{such}.")
    if name in _points() or is_of_hub(name):
        raise ConfigError(f"{name}: is the name of an installed backbone. Choose another.")
    backbone.name = name
    if not hasattr(backbone, "fingerprint"):
        backbone.fingerprint = hashlib.sha256(f"{name}\0{version}".encode()).hexdigest()
    modality: Literal["audio", "video"] = "audio" if isinstance(backbone, AudioBackbone) else "video"
    about = (licence, description, None)
    _registered[name] = BackboneSpec(name, modality, backbone.dim, *about, lambda _device, _path: backbone)


def registered(name: str) -> bool:
    """Return whether a backbone was registered in this process."""
    return name in _registered


def names() -> list[str]:
    """List the usable backbones.

    Returns
    -------
    list of str
        Sorted names; those of models of the hub last.
    """
    usable = list(_registered)
    for name, point in sorted(_points().items()):
        try:
            _spec(point)
        except WeightsError as error:
            _log.warning("%s", error)
        else:
            usable.append(name)
    return [*sorted(usable), *ENTRIES]


def info(name: str) -> BackboneInfo:
    """Look up a backbone without loading it.

    Parameters
    ----------
    name : str
        Name of the backbone.

    Returns
    -------
    BackboneInfo
        Facts about it.

    Raises
    ------
    WeightsError
        The name is unknown, or its plug-in is broken.
    """
    spec = _find(name)
    about = (spec.name, spec.modality, spec.dim, spec.licence, spec.description)
    if spec.weights is None:
        return BackboneInfo(*about, source="this process", size_bytes=0, cached=True, path="")
    return BackboneInfo(
        *about,
        source=spec.weights.description,
        size_bytes=spec.weights.size_bytes,
        cached=spec.weights.cached,
        path=str(spec.weights.path),
    )


def fetch(name: str, tell: Callable[[str], None] | None = None) -> Path:
    """Download the weights of a backbone into the cache, unless they are there.

    Parameters
    ----------
    name : str
        Name of the backbone.
    tell : callable, optional
        Called with licence and size before a model of the hub is downloaded. Default: the log.

    Returns
    -------
    Path
        File, or folder of a model of the hub, in the cache.

    Raises
    ------
    WeightsError
        The name is unknown, or the weights are not available; the message says what to put where.
    """
    folder = fetched(name, tell) if name not in _registered and name not in _points() else None
    if folder is not None:
        return folder
    weights = _find(name).weights
    if weights is None:
        raise WeightsError(f"{name}: was registered in this process and has no weights to fetch.")
    return weights.fetch(tell)


def load(
    name: str,
    device: str = "auto",
    *,
    weights: Path | str | None = None,
    crop: Literal["centre", "random", "whole"] | None = None,
    every: int | None = None,
    precision: Precision = "float32",
) -> AudioBackbone | VideoBackbone:
    """Load a backbone, downloading its weights if they are not cached.

    Parameters
    ----------
    name : str
        Name of the backbone.
    device : str, default 'auto'
        "cpu", "cuda", "cuda:1", … or "auto", which takes a GPU if there is one.
    weights : Path or str, optional
        Local file with the weights: safetensors, or in the published format. Default: the cache.
    crop, every : {'centre', 'random', 'whole'}, int, optional
        Changes to the layout of a video backbone; see `FrameLayout`.
    precision : {'float32', 'tf32', 'bfloat16'}, default 'float32'
        Precision of the network; less than float32 is faster on a GPU, and its features are not mixed with others.

    Returns
    -------
    AudioBackbone or VideoBackbone
        The backbone.

    Raises
    ------
    WeightsError
        The name is unknown, or the weights are not available or belong to another network.
    ConfigError
        The device is not available, the layout is invalid, or the backbone cannot compute in the precision there.
    """
    backbone = _find(name).build(device, None if weights is None else Path(weights))
    changes = {key: value for key, value in {"crop": crop, "every": every}.items() if value is not None}
    if changes:
        if not isinstance(backbone, VideoBackbone):
            raise ConfigError(f"{name} is an audio backbone: leave out {' and '.join(changes)}.")
        backbone.layout = _changed(backbone.layout, changes)
    backbone.set_precision(precision)
    return backbone


def check(name: str) -> BackboneCheck:
    """Check that a backbone is cached, loads strictly, and gives its reference output; nothing is downloaded.

    Parameters
    ----------
    name : str
        Name of the backbone.

    Returns
    -------
    BackboneCheck
        The result.

    Raises
    ------
    WeightsError
        The name is unknown, or its plug-in is broken.
    """
    spec = _find(name)
    if spec.weights is not None and not spec.weights.cached:
        return BackboneCheck(name, False, None, None, f"not cached: {spec.weights.description}")
    from antiphon.backbones.checks import TOLERANCE, response

    try:
        backbone = spec.build("cpu", None)
    except WeightsError as error:
        return BackboneCheck(name, True, False, None, str(error))
    found = response(backbone)
    if spec.golden is None:
        return BackboneCheck(name, True, True, None, f"loads and computes {found:.6g}; it has no reference output")
    matches = abs(found - spec.golden) <= TOLERANCE * abs(spec.golden)
    verdict = "as expected" if matches else f"expected {spec.golden:.6g}: other weights, or a fault of this machine"
    return BackboneCheck(name, True, True, matches, f"loads and computes {found:.6g}, {verdict}")


def _points() -> dict[str, EntryPoint]:
    """Return entry points by name; built-in ones take precedence."""
    found = entry_points(group=GROUP)
    return {point.name: point for point in sorted(found, key=lambda point: point.value.startswith("antiphon."))}


def _spec(point: EntryPoint) -> BackboneSpec:
    try:
        spec: Any = point.load()
    except Exception as error:
        raise WeightsError(
            f"The plug-in of the backbone {point.name!r} ({point.value}) cannot be imported: "
            f"{type(error).__name__}: {error}. Repair or uninstall it."
        ) from error
    if not isinstance(spec, BackboneSpec):
        raise WeightsError(
            f"The plug-in of the backbone {point.name!r} ({point.value}) must be a BackboneSpec, not a "
            f"{type(spec).__name__}. Repair or uninstall it."
        )
    return spec


def _find(name: str) -> BackboneSpec:
    if name in _registered:
        return _registered[name]
    points = _points()
    if name not in points:
        if (spec := hub_spec(name)) is not None:
            return spec
        known = sorted([*points, *_registered, *ENTRIES])
        hint = did_you_mean(name, known)
        raise UnknownBackboneError(
            f"Unknown backbone {name!r}.{hint} Use one of {', '.join(known)}, or a model of "
            "the hub: hub:ORGANISATION/NAME. A backbone registered in a notebook is known there alone; make it a "
            "plug-in (docs/how-to/backbone.md)."
        )
    return _spec(points[name])


def _changed(layout: FrameLayout, changes: dict[str, Any]) -> FrameLayout:
    try:
        return FrameLayout.model_validate(layout.model_dump() | changes)
    except ValidationError as error:
        raise ConfigError(f"crop or every is invalid: {error}") from error
