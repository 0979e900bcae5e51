"""Cache of weights: each network's tensors in one safetensors file, converted once from the published file.

The folder is the user's cache directory for Antiphon, or that of the environment variable ANTIPHON_CACHE. Files are
written atomically, so that two processes can download at once.
"""

import hashlib
import io
import os
import zipfile
import zlib
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
from antiphon.documents import reason, refuse_no_file
from antiphon.errors import WeightsError
from antiphon.tables import atomic_path

Tensors = dict[str, npt.NDArray[Any]]

_MAX_PTH_BYTES = 1 << 32


def cache_dir() -> Path:
    """Return the cache folder: $ANTIPHON_CACHE, or the platform's cache directory for "antiphon".

    Returns
    -------
    Path
        The folder, which need not exist.
    """
    return Path(os.environ.get("ANTIPHON_CACHE") or platformdirs.user_cache_dir("antiphon")).expanduser()


@dataclass(frozen=True)
class Weights:
    """Weights of one network.

    Attributes
    ----------
    name : str
        Name of the safetensors file in the cache.
    source : WeightsSource
        Published file that they are converted from.
    convert : callable
        Reads that file into tensors.
    size_bytes : int
        Size of the safetensors file, to show before a download.
    """

    name: str
    source: WeightsSource
    convert: Callable[[Path], Tensors]
    size_bytes: int

    @property
    def path(self) -> Path:
        """Safetensors file in the cache, which need not exist."""
        return cache_dir() / f"{self.name}.safetensors"

    @property
    def cached(self) -> bool:
        """True if `read` needs no network."""
        return self.path.exists()

    @property
    def description(self) -> str:
        """Where they are published."""
        return self.source.description

    def fetch(self, tell: Callable[[str], None] | None = None) -> Path:
        """Download the weights into the cache, unless they are there.

        Parameters
        ----------
        tell : callable, optional
            Not called: licence and size of these weights are known before.

        Returns
        -------
        Path
            File in the cache.

        Raises
        ------
        WeightsError
            They cannot be downloaded, verified or converted; the message says what to put where.
        """
        if not self.cached:
            try:
                write_tensors(self.convert(self.source.obtain(cache_dir())), self.path)
            except OSError as error:
                raise WeightsError(
                    f"The weights cannot be written to {cache_dir()} ({error}). Free space or fix permissions there, "
                    "or set the environment variable ANTIPHON_CACHE to another folder."
                ) from error
        return self.path

    def read(self, path: Path | None = None) -> tuple[Tensors, str]:
        """Read the tensors from the cache, downloading them if necessary, or from a local file.

        Parameters
        ----------
        path : Path, optional
            Safetensors file, or one in the published format, to use instead of the cache.

        Returns
        -------
        tensors : dict of str to ndarray
            Weights by name.
        fingerprint : str
            Their SHA-256, hexadecimal.

        Raises
        ------
        WeightsError
            As in `fetch`; or the file is missing or damaged.
        """
        if path is None:
            return read_tensors(self.fetch())
        if path.suffix == ".safetensors":
            return read_tensors(path)
        tensors = self.convert(path)
        return tensors, tensors_fingerprint(tensors)


def tensors_fingerprint(tensors: Mapping[str, npt.NDArray[Any]]) -> str:
    """Hash the names, types, shapes and values of tensors, regardless of order.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        Tensors by name.

    Returns
    -------
    str
        SHA-256, hexadecimal.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}\0{tensor.dtype.str}\0{tensor.shape}\0".encode())
        digest.update(np.ascontiguousarray(tensor).data)
    return digest.hexdigest()


def write_tensors(tensors: Tensors, path: Path) -> None:
    """Write a safetensors file with the fingerprint in its metadata, atomically.

    Parameters
    ----------
    tensors : dict of str to ndarray
        Tensors by name.
    path : Path
        File to write.
    """
    with atomic_path(path) as partial:
        safetensors.numpy.save_file(tensors, partial, metadata={"fingerprint": tensors_fingerprint(tensors)})


def read_tensors(path: Path) -> tuple[Tensors, str]:
    """Read a safetensors file.

    Parameters
    ----------
    path : Path
        File to read.

    Returns
    -------
    tensors : dict of str to ndarray
        Tensors by name.
    fingerprint : str
        Their SHA-256, hexadecimal.

    Raises
    ------
    WeightsError
        The file is missing or damaged, or its fingerprint differs.
    """
    try:
        refuse_no_file(path)
        with safetensors.safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            stated = (file.metadata() or {}).get("fingerprint")
    except (OSError, safetensors.SafetensorError, ValueError, LookupError, TypeError, MemoryError) as error:
        raise WeightsError(
            f"{path}: is not a readable safetensors file ({reason(error)}). Delete it, and fetch it again."
        ) from error
    found = tensors_fingerprint(tensors)
    if stated not in (None, found):
        raise WeightsError(f"{path}: is damaged (its fingerprint differs). Delete it, and fetch it again.")
    return tensors, found


def read_pth(source: Path | bytes) -> Tensors:
    """Read the tensors of a PyTorch state file; only tensors are unpickled (`weights_only=True`).

    Parameters
    ----------
    source : Path or bytes
        File, or its content.

    Returns
    -------
    dict of str to ndarray
        Tensors by name.

    Raises
    ------
    WeightsError
        The file is missing, damaged, or not a flat mapping of names to tensors.
    """
    import torch

    label = source if isinstance(source, Path) else "state file"
    try:
        if isinstance(source, Path):
            refuse_no_file(source)
        content = source.read_bytes() if isinstance(source, Path) else source
        if zipfile.is_zipfile(io.BytesIO(content)):
            refuse_damaged_archive(io.BytesIO(content), _MAX_PTH_BYTES)
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:
        # A malicious pickle can make its reader fail in any way; what matters is that none of it was executed.
        raise WeightsError(f"{label}: is not a PyTorch state file that is safe to read ({reason(error)}).") from error
    if not isinstance(state, dict) or not all(_is_plain(value) for value in state.values()):
        raise WeightsError(f"{label}: is not a mapping of names to tensors.")
    return {str(name): value.contiguous().numpy() for name, value in state.items()}


def _is_plain(value: object) -> bool:
    """Whether a value is a dense tensor that numpy knows and that is not larger than what is stored of it."""
    import torch

    if not isinstance(value, torch.Tensor) or value.layout != torch.strided or value.is_quantized:
        return False
    known = value.dtype in (torch.float32, torch.float64, torch.float16, torch.int64, torch.int32, torch.uint8)
    return known and value.device.type == "cpu" and value.nbytes <= value.untyped_storage().nbytes()


def refuse_damaged_archive(source: Path | io.BytesIO, max_bytes: int) -> None:
    """Check the size and the checksums of a zip archive's members; torch itself compares no checksums.

    Parameters
    ----------
    source : Path or io.BytesIO
        The archive.
    max_bytes : int
        Largest total size of its members.

    Raises
    ------
    ValueError
        It is not an archive, is damaged, or unpacks to more.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            size = sum(member.file_size for member in archive.infolist())
            changed = archive.testzip() if size <= max_bytes else None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise ValueError(reason(error)) from error
    if size > max_bytes:
        raise ValueError(f"it unpacks to {size:,} bytes, more than {max_bytes:,}")
    if changed is not None:
        raise ValueError(f"the checksum of its member {changed} does not match")
