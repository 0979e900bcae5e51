"""Tiny hub models, each made once for all processes that run the tests."""

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from antiphon import backbones

Tiny = Callable[[str], Path]


@pytest.fixture(scope="session")
def tiny(made_once: Callable[..., Path]) -> Tiny:
    """Makes the tiny model of a name of `tiny.MAKERS`, and returns its folder. Nothing is written there."""

    def made(name: str) -> Path:
        from .tiny import MAKERS

        def make(folder: Path) -> None:
            with torch.random.fork_rng():
                torch.manual_seed(zlib.crc32(name.encode()))
                MAKERS[name](folder)

        return made_once(f"hub-{name}", make)

    return made


@pytest.fixture
def audio_of(tiny: Tiny) -> Callable[[str], backbones.AudioBackbone]:
    def loaded(name: str) -> backbones.AudioBackbone:
        found = backbones.load(backbones.resolved(f"hub:{tiny(name)}", "audio"), device="cpu")
        assert isinstance(found, backbones.AudioBackbone)
        return found

    return loaded


@pytest.fixture
def video_of(tiny: Tiny) -> Callable[[str], backbones.VideoBackbone]:
    def loaded(name: str) -> backbones.VideoBackbone:
        found = backbones.load(backbones.resolved(f"hub:{tiny(name)}", "video"), device="cpu")
        assert isinstance(found, backbones.VideoBackbone)
        return found

    return loaded
