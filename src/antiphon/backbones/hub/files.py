"""Files of a model: its configuration, its processor's, its weights as safetensors, and a fingerprint of them all."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from antiphon.backbones.hub.kinds import Kind, kind_of
from antiphon.documents import parsed_object, read_document, reason
from antiphon.errors import WeightsError

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
_PROCESSOR = "processor_config.json"
_OTHER_FORMATS = (".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".onnx", ".gguf")
_MAX_JSON_BYTES = 1 << 24
_VERSION = "1"
"""Of what Antiphon makes of a model's outputs; raised whenever the same model gives other features."""


@dataclass(frozen=True)
class HubFiles:
    """A folder with a model.

    Attributes
    ----------
    name : str
        Name of the backbone without a side, for messages.
    folder : Path
        The folder.
    revision : str
        Commit on the hub; "" for a folder of the user's.
    """

    name: str
    folder: Path
    revision: str = ""

    @cached_property
    def config(self) -> dict[str, Any]:
        """The model's configuration.

        Raises
        ------
        WeightsError
            It is missing or damaged.
        """
        return self._json(CONFIG)

    @cached_property
    def kind(self) -> Kind:
        """Class of the model.

        Raises
        ------
        WeightsError
            It is none that is known, or is stored in a form that is not read.
        """
        return kind_of(self.name, self.config, is_adapter=(self.folder / "adapter_config.json").exists())

    @cached_property
    def weights(self) -> list[Path]:
        """Files of the weights.

        Raises
        ------
        WeightsError
            There are none in safetensors.
        """
        if (self.folder / WEIGHTS).is_file():
            return [self.folder / WEIGHTS]
        if (self.folder / INDEX).is_file():
            return [self.folder / name for name in shards(self.name, self._json(INDEX))]
        others = sorted(path.name for path in self._listed() if path.suffix in _OTHER_FORMATS)
        there = f"has {' and '.join(others[:3])}, but no {WEIGHTS}" if others else f"has no {WEIGHTS}"
        raise WeightsError(
            f"{self.name}: {there}. Antiphon reads weights from safetensors alone, since other formats may run code. "
            "Convert them with transformers' save_pretrained, or name a revision that has safetensors."
        )

    @property
    def size_bytes(self) -> int:
        """Size of the weights."""
        return sum(path.stat().st_size for path in self.weights if path.exists())

    def processor(self, part: str, *others: str) -> dict[str, Any]:
        """Read the configuration of a part of the model's processor.

        Parameters
        ----------
        part : str
            Its key in `processor_config.json`, such as "feature_extractor".
        *others : str
            Files that hold it alone, such as "preprocessor_config.json"; the first that exists is read.

        Returns
        -------
        dict of str to object
            The configuration.

        Raises
        ------
        WeightsError
            There is none, or it is damaged.
        """
        joined = self._json(_PROCESSOR) if (self.folder / _PROCESSOR).is_file() else {}
        if isinstance(joined.get(part), dict):
            return joined[part]
        found = next((name for name in others if (self.folder / name).is_file()), None)
        if found is None:
            raise WeightsError(
                f"{self.name}: has no configuration of its {part.replace('_', ' ')} "
                f"({' or '.join(others)}), so that nobody knows how its inputs are prepared. Save the model's "
                "processor beside it."
            )
        return self._json(found)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, hexadecimal, of the weights, of all configurations, and of the commit.

        Raises
        ------
        WeightsError
            A file is missing or cannot be read.
        """
        digest = hashlib.sha256(f"{_VERSION}\0{self.revision}\0".encode())
        try:
            for path in [*sorted(self.folder.glob("*config.json")), *self.weights]:
                with path.open("rb") as file:
                    digest.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise WeightsError(f"{self.name}: {error.filename} cannot be read ({reason(error)}).") from error
        return digest.hexdigest()

    def _listed(self) -> list[Path]:
        return list(self.folder.iterdir()) if self.folder.is_dir() else []

    def _json(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        try:
            return parsed_object(read_document(path, _MAX_JSON_BYTES))
        except FileNotFoundError:
            raise WeightsError(
                f"{self.name}: {self.folder} has no {name}, so it is no model of the hub's form."
            ) from None
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"{self.name}: {path} is damaged ({reason(error)}). Download or save it anew."
            ) from error


def shards(name: str, index: dict[str, Any]) -> list[str]:
    """Return the files of weights that an index names.

    Parameters
    ----------
    name : str
        Name of the model, for messages.
    index : dict of str to object
        Content of `model.safetensors.index.json`.

    Returns
    -------
    list of str
        Sorted file names.

    Raises
    ------
    WeightsError
        It names something else than safetensors files beside it.
    """
    stated = index.get("weight_map")
    found: set[Any] = set(stated.values()) if isinstance(stated, dict) else set()
    if not found or not all(isinstance(one, str) and one.endswith(".safetensors") and "/" not in one for one in found):
        raise WeightsError(f"{name}: {INDEX} names no safetensors files beside it. Download or save the model anew.")
    return sorted(found)
