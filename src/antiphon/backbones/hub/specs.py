"""Hub backbones as the registry knows them: names, what is known before loading, and how they are built."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from antiphon.backbones.base import AudioBackbone, VideoBackbone
from antiphon.backbones.hub.downloading import downloaded
from antiphon.backbones.hub.entries import ENTRIES, HubEntry
from antiphon.backbones.hub.files import HubFiles
from antiphon.backbones.hub.names import HubName, Side, is_hub_name, parsed
from antiphon.backbones.hub.packages import required
from antiphon.backbones.hub.pins import Pin, read_pin
from antiphon.backbones.spec import BackboneSpec
from antiphon.errors import ConfigError, WeightsError


@dataclass(frozen=True)
class HubWeights:
    """Weights of a hub model, as `antiphon.backbones.spec.SpecWeights`.

    Attributes
    ----------
    model : HubName
        The model.
    """

    model: HubName

    @property
    def description(self) -> str:
        """Where they are published."""
        if self.model.folder is not None:
            return str(self.model.folder)
        pinned = self._pinned()
        return f"https://huggingface.co/{self.model.repository}" + (f" at {pinned.revision[:12]}" if pinned else "")

    @property
    def size_bytes(self) -> int:
        """Size of the downloaded weights; 0 where they are not here, or are no weights."""
        found = self.files()
        try:
            return 0 if found is None else found.size_bytes
        except WeightsError:
            return 0

    @property
    def cached(self) -> bool:
        """True if loading needs no network."""
        return self.files() is not None

    @property
    def path(self) -> Path:
        """Folder with the files, which need not exist; empty where the model was not downloaded."""
        found = self.files()
        return Path() if found is None else found.folder

    def files(self) -> HubFiles | None:
        """Return the files, or None where they are not here."""
        if self.model.folder is not None:
            return HubFiles(self.model.model, self.model.folder)
        pin = self._pinned()
        return None if pin is None else HubFiles(self.model.model, Path(pin.folder), pin.revision)

    def fetch(self, tell: Callable[[str], None] | None = None) -> Path:
        """Download the model unless it is here; raises as `downloaded`."""
        if self.model.folder is not None:
            return HubFiles(self.model.model, self.model.folder).weights[0].parent
        return downloaded(self.model, tell).folder

    def needed(self) -> HubFiles:
        """Return the files, or raise `WeightsError` that says how to download them."""
        found = self.files()
        if found is None:
            raise WeightsError(
                f"{self.model}: is not here yet. This shows its licence and its size, and downloads it: antiphon "
                f"backbones fetch {self.model.model}"
            )
        return found

    def _pinned(self) -> Pin | None:
        return read_pin(self.model)


def hub_spec(name: str) -> BackboneSpec | None:
    """Return the specification of a hub backbone.

    Parameters
    ----------
    name : str
        Name of an entry, or one that starts with "hub:".

    Returns
    -------
    BackboneSpec or None
        None for other names.

    Raises
    ------
    ConfigError
        The name is malformed, or does not say which side of a model of both is meant.
    WeightsError
        The model is not here, so that nothing is known of it, or its class is not known.
    """
    if name in ENTRIES:
        return _of_entry(ENTRIES[name])
    if not is_hub_name(name):
        return None
    model = parsed(name)
    weights = HubWeights(model)
    files = weights.needed()
    side = _side(model, files)
    about = f"{files.kind.label} ({files.config['model_type']})"
    pin = None if model.folder is not None else read_pin(model)
    return BackboneSpec(
        str(model),
        side,
        0,
        pin.licence if pin else "as its owner says",
        about,
        weights,
        _builder(str(model), model, side),
    )


def fetched(name: str, tell: Callable[[str], None] | None = None) -> Path | None:
    """Download a hub model, unless it is here.

    Parameters
    ----------
    name : str
        Name of an entry, or one that starts with "hub:".
    tell : callable, optional
        Called with licence and size before a download.

    Returns
    -------
    Path or None
        Its folder; None for other names.

    Raises
    ------
    ConfigError
        The name is malformed.
    WeightsError
        It cannot be downloaded, has no safetensors, or is of a class that is not known.
    """
    if name in ENTRIES:
        return HubWeights(ENTRIES[name].model).fetch(tell)
    return HubWeights(parsed(name)).fetch(tell) if is_hub_name(name) else None


def resolved(name: str, side: Side) -> str:
    """Return the full name of a hub backbone: absolute where it is a folder, and with its side where it has two.

    Parameters
    ----------
    name : str
        Any name of a backbone.
    side : {'audio', 'video'}
        What it is wanted for.

    Returns
    -------
    str
        The full name; others are returned as they are.

    Raises
    ------
    ConfigError
        The name is malformed, or the model has no such side.
    WeightsError
        The model is not here, or its class is not known.
    """
    if not is_hub_name(name):
        return name
    model = parsed(name)
    kind = HubWeights(model).needed().kind
    if side not in kind.sides or model.side not in ("", side):
        raise ConfigError(f"{name}: is no {side} backbone. {kind.label} takes {' and '.join(kind.sides)}.")
    return str(model.of(side if len(kind.sides) > 1 else ""))


def _of_entry(entry: HubEntry) -> BackboneSpec:
    about = (entry.licence, entry.description, HubWeights(entry.model))
    return BackboneSpec(entry.name, entry.side, entry.dim, *about, _builder(entry.name, entry.model, entry.side))


def _builder(name: str, model: HubName, side: Side) -> Callable[[str, Path | None], AudioBackbone | VideoBackbone]:
    def build(device: str, path: Path | None) -> AudioBackbone | VideoBackbone:
        if path is not None:
            raise ConfigError(f"{name}: a model in a folder of your own is named hub:{path}. Leave out weights.")
        files = HubWeights(model).needed()
        _side(model.of(side), files)
        required("transformers", name)
        from antiphon.backbones.inference import resolve_device

        return getattr(files.kind.implementation(), side)(files, name, resolve_device(device))

    return build


def _side(model: HubName, files: HubFiles) -> Side:
    """Return the side that a name means."""
    sides = files.kind.sides
    if not model.side and len(sides) > 1:
        choices = " or ".join(str(model.of(side)) for side in sides)
        raise ConfigError(f"{model}: takes sound and pictures. Say which: {choices}.")
    side = model.side or next(iter(sides))
    if side not in sides:
        raise ConfigError(f"{model}: {files.kind.label} takes {' and '.join(sides)} alone.")
    return side
