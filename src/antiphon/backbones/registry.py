"""Backbones by name: ours, those registered in this process, and those of other packages.

`register` adds a backbone to this process. A package adds one for good by an entry point in the group
`antiphon.backbones` that refers to a `BackboneSpec` of the same name. A plug-in that cannot be imported is left out of
the list and named in the log; asking for it says why.
"""

import hashlib
import logging
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from antiphon.backbones.base import AudioBackbone, VideoBackbone
from antiphon.backbones.spec import BackboneSpec
from antiphon.errors import ConfigError, UnknownBackboneError, WeightsError
from antiphon.media.layout import FrameLayout
from antiphon.spelling import did_you_mean

GROUP = "antiphon.backbones"
_log = logging.getLogger(__name__)
_registered: dict[str, BackboneSpec] = {}


@dataclass(frozen=True)
class BackboneInfo:
    """What a person wants to know before using a backbone.

    Attributes
    ----------
    name, modality, dim, licence, description : as in `BackboneSpec`.
    source : where the weights are published.
    size_bytes : of the weights in the cache.
    cached : whether loading needs no network.
    path : the file in the cache, there or not.
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
    """What `check` found; `None` where an earlier step did not allow it, or no reference is known.

    Attributes
    ----------
    name : of the backbone.
    cached : its weights are in the cache.
    loads : they fit the network, name by name and shape by shape.
    matches : a fixed input gives the number that it gave when this version was made.
    message : the same in words.
    """

    name: str
    cached: bool
    loads: bool | None
    matches: bool | None
    message: str

    @property
    def ok(self) -> bool:
        """Whether it can be used, and nothing speaks against it."""
        return bool(self.loads) and self.matches is not False


def register(
    name: str, backbone: AudioBackbone | VideoBackbone, *, version: str = "1", licence: str = "", description: str = ""
) -> None:
    """Make a backbone of your own available under a name, in this process.

    A later call with the same name replaces it. Extracted features are kept with name and version: change the version
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
        raise ConfigError(f"{name}: {type(backbone).__name__} must set {' and '.join(missing)}.")
    if name in _points():
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
    """The names of all backbones that can be used, in alphabetical order."""
    usable = list(_registered)
    for name, point in sorted(_points().items()):
        try:
            _spec(point)
        except WeightsError as error:
            _log.warning("%s", error)
        else:
            usable.append(name)
    return sorted(usable)


def info(name: str) -> BackboneInfo:
    """What is known of a backbone without loading it.

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
        source=spec.weights.origin.description,
        size_bytes=spec.weights.size_bytes,
        cached=spec.weights.cached,
        path=str(spec.weights.path),
    )


def fetch(name: str) -> Path:
    """Bring the weights into the cache unless they are there, and name their file.

    Raises
    ------
    WeightsError
        The name is unknown, or the weights cannot be had; the message says what to bring where.
    """
    weights = _find(name).weights
    if weights is None:
        raise WeightsError(f"{name}: was registered in this process and has no weights to fetch.")
    return weights.fetch()


def load(
    name: str,
    device: str = "auto",
    *,
    weights: Path | str | None = None,
    crop: Literal["centre", "random"] | None = None,
    every: int | None = None,
) -> AudioBackbone | VideoBackbone:
    """A backbone ready for use: its weights (fetched if need be) on `device`, frozen, in evaluation mode.

    Parameters
    ----------
    name : one of `names()`.
    device : "cpu", "cuda", "cuda:1", …; "auto" takes a GPU where there is one.
    weights : a local file to use in place of the published weights: safetensors, or the file as published.
    crop, every : change the layout of a video backbone, see `FrameLayout`.

    Raises
    ------
    WeightsError
        The name is unknown, or the weights cannot be had or are of another network.
    ConfigError
        The device cannot be used, or a layout is asked for that does not exist.
    """
    backbone = _find(name).build(device, None if weights is None else Path(weights))
    changes = {key: value for key, value in {"crop": crop, "every": every}.items() if value is not None}
    if changes:
        if not isinstance(backbone, VideoBackbone):
            raise ConfigError(f"{name} takes sound: it has no {' or '.join(changes)}.")
        backbone.layout = _changed(backbone.layout, changes)
    return backbone


def check(name: str) -> BackboneCheck:
    """Whether a backbone is cached, loads strictly, and computes what it should; fetches nothing.

    Raises
    ------
    WeightsError
        The name is unknown, or its plug-in is broken.
    """
    spec = _find(name)
    if spec.weights is not None and not spec.weights.cached:
        return BackboneCheck(name, False, None, None, f"not in the cache: {spec.weights.origin.description}")
    from antiphon.backbones.checks import TOLERANCE, response

    try:
        backbone = spec.build("cpu", None)
    except WeightsError as error:
        return BackboneCheck(name, True, False, None, str(error))
    found = response(backbone)
    if spec.golden is None:
        return BackboneCheck(name, True, True, None, f"loads; no reference output is known, it computes {found:.6g}")
    matches = abs(found - spec.golden) <= TOLERANCE * abs(spec.golden)
    verdict = "as it should" if matches else f"not {spec.golden:.6g}: other weights, or a fault of this machine"
    return BackboneCheck(name, True, True, matches, f"loads and computes {found:.6g}, {verdict}")


def _points() -> dict[str, EntryPoint]:
    """Entry points by name; of two with the same name ours counts."""
    found = entry_points(group=GROUP)
    return {point.name: point for point in sorted(found, key=lambda point: point.value.startswith("antiphon."))}


def _spec(point: EntryPoint) -> BackboneSpec:
    try:
        spec: Any = point.load()
    except Exception as error:
        raise WeightsError(
            f"The plug-in of the backbone {point.name!r} ({point.value}) cannot be imported: "
            f"{type(error).__name__}: {error}. Mend or uninstall it."
        ) from error
    if not isinstance(spec, BackboneSpec):
        raise WeightsError(
            f"The plug-in of the backbone {point.name!r} ({point.value}) is no BackboneSpec but {type(spec).__name__}."
        )
    return spec


def _find(name: str) -> BackboneSpec:
    if name in _registered:
        return _registered[name]
    points = _points()
    if name not in points:
        known = sorted([*points, *_registered])
        hint = did_you_mean(name, known)
        raise UnknownBackboneError(f"There is no backbone {name!r}.{hint} Known: {', '.join(known)}.")
    return _spec(points[name])


def _changed(layout: FrameLayout, changes: dict[str, Any]) -> FrameLayout:
    try:
        return FrameLayout.model_validate(layout.model_dump() | changes)
    except ValidationError as error:
        raise ConfigError(f"The frames cannot be laid out so: {error}") from error
