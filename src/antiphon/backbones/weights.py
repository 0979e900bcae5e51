"""The cache of weights: each network's tensors in one safetensors file, made once from what is published.

The folder is the user's cache directory for Antiphon, or the one that the environment variable ANTIPHON_CACHE names.
Files are written beside their place and renamed, so two processes that fetch at once each leave a whole file.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import platformdirs
import safetensors
import safetensors.numpy

from antiphon.backbones.downloads import WeightsSource
from antiphon.errors import WeightsError
from antiphon.tables import atomic_path

Tensors = dict[str, npt.NDArray[Any]]


def cache_dir() -> Path:
    """Where weights are kept: $ANTIPHON_CACHE, else the platform's cache directory for "antiphon"."""
    return Path(os.environ.get("ANTIPHON_CACHE") or platformdirs.user_cache_dir("antiphon")).expanduser()


@dataclass(frozen=True)
class Weights:
    """The tensors of one network.

    Attributes
    ----------
    name : of the safetensors file in the cache.
    origin : the published file they are converted from.
    convert : reads that file into tensors.
    size_bytes : of the safetensors file, for people to know before they fetch.
    """

    name: str
    origin: WeightsSource
    convert: Callable[[Path], Tensors]
    size_bytes: int

    @property
    def path(self) -> Path:
        """The safetensors file in the cache, there or not."""
        return cache_dir() / f"{self.name}.safetensors"

    @property
    def cached(self) -> bool:
        """Whether `read` will need no network."""
        return self.path.exists()

    def fetch(self) -> Path:
        """Bring the weights into the cache, unless they are there, and name their file.

        Raises
        ------
        WeightsError
            They cannot be downloaded, verified or converted; the message says what to bring where.
        """
        if not self.cached:
            try:
                write_tensors(self.convert(self.origin.obtain(cache_dir())), self.path)
            except OSError as error:
                raise WeightsError(
                    f"The weights cannot be kept in {cache_dir()} ({error}). Free or unlock that folder, or name "
                    "another in the environment variable ANTIPHON_CACHE."
                ) from error
        return self.path

    def read(self, path: Path | None = None) -> tuple[Tensors, str]:
        """The tensors and their fingerprint: from the cache, fetched first if need be, or from a local file.

        Parameters
        ----------
        path : a safetensors file, or one in the published format, to use in place of the cache.

        Raises
        ------
        WeightsError
            As `fetch`; or the file is missing or damaged.
        """
        if path is None:
            return read_tensors(self.fetch())
        if path.suffix == ".safetensors":
            return read_tensors(path)
        tensors = self.convert(path)
        return tensors, tensors_fingerprint(tensors)


def tensors_fingerprint(tensors: Mapping[str, npt.NDArray[Any]]) -> str:
    """SHA-256 (hex) over names, types, shapes and values, whatever the order."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}\0{tensor.dtype.str}\0{tensor.shape}\0".encode())
        digest.update(np.ascontiguousarray(tensor).data)
    return digest.hexdigest()


def write_tensors(tensors: Tensors, path: Path) -> None:
    """Write a safetensors file, atomically, with the fingerprint in its metadata."""
    with atomic_path(path) as partial:
        safetensors.numpy.save_file(tensors, partial, metadata={"fingerprint": tensors_fingerprint(tensors)})


def read_tensors(path: Path) -> tuple[Tensors, str]:
    """The tensors of a safetensors file and their fingerprint.

    Raises
    ------
    WeightsError
        The file is missing or damaged: it cannot be read, or its values are not those that were written.
    """
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            stated = (file.metadata() or {}).get("fingerprint")
    except (OSError, safetensors.SafetensorError) as error:
        raise WeightsError(f"{path}: not a readable safetensors file ({error}). Delete it and fetch again.") from error
    found = tensors_fingerprint(tensors)
    if stated not in (None, found):
        raise WeightsError(f"{path}: damaged, its values are not those that were written. Delete it and fetch again.")
    return tensors, found


def read_pth(source: Path | bytes) -> Tensors:
    """The tensors of a PyTorch state file; nothing but tensors is unpickled (`weights_only=True`).

    Raises
    ------
    WeightsError
        The file is missing, damaged, or holds something else than a flat mapping of names to tensors.
    """
    import io
    import pickle

    import torch

    where = source if isinstance(source, Path) else io.BytesIO(source)
    label = source if isinstance(source, Path) else "state file"
    try:
        state = torch.load(where, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError) as error:
        raise WeightsError(f"{label}: not a PyTorch state file that is safe to read ({error}).") from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise WeightsError(f"{label}: holds something else than a mapping of names to tensors.")
    return {str(name): value.contiguous().numpy() for name, value in state.items()}
