"""Features of segments: computed by backbones, stored, or imported ready-made."""

from antiphon.features.features import Features

__all__ = ["Features"]
