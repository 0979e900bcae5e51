"""Pretrained networks: waveform or frames → feature. Importing this package does not import torch."""

from antiphon.backbones.base import AudioBackbone, TextSide, VideoBackbone
from antiphon.backbones.hub.specs import resolved
from antiphon.backbones.registry import (
    BackboneCheck,
    BackboneInfo,
    check,
    fetch,
    info,
    load,
    names,
    register,
    registered,
)
from antiphon.backbones.spec import BackboneSpec
from antiphon.media.layout import FrameLayout

__all__ = [
    "AudioBackbone",
    "BackboneCheck",
    "BackboneInfo",
    "BackboneSpec",
    "FrameLayout",
    "TextSide",
    "VideoBackbone",
    "check",
    "fetch",
    "info",
    "load",
    "names",
    "register",
    "registered",
    "resolved",
]
