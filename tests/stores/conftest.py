"""An S3-compatible server on loopback, with an empty bucket for each test."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("s3fs", reason="needs s3fs: pip install 'antiphon[s3]'")
pytest.importorskip("moto", reason="needs moto, which the extra dev brings")

_SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Address of a moto server in a process of its own."""
    silent: Any = subprocess.DEVNULL
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=silent, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    port = next(line.strip() for line in process.stdout if line.strip().isdigit())
    yield f"http://127.0.0.1:{port}"
    process.stdin.close()
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of an empty bucket, which this process and its children can open."""
    import fsspec
    import fsspec.config

    kwargs = {"endpoint_url": s3_endpoint}
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("FSSPEC_S3", json.dumps({"client_kwargs": kwargs}))
    monkeypatch.setitem(fsspec.config.conf, "s3", {"client_kwargs": kwargs})
    os.environ.pop("AWS_PROFILE", None)
    name = f"b{uuid.uuid4().hex[:12]}"
    system = fsspec.filesystem("s3", client_kwargs=kwargs, use_listings_cache=False)
    system.mkdir(name)
    yield f"s3://{name}"
    fsspec.filesystem("s3").clear_instance_cache()


@pytest.fixture
def root() -> Iterator[str]:
    """Address of an empty folder of the memory."""
    import fsspec

    address = f"memory://{uuid.uuid4().hex}"
    yield address
    system = fsspec.filesystem("memory")
    if system.exists(address):
        system.rm(address, recursive=True)
