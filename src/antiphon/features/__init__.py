"""Features of segments: computed by backbones, kept in a store, or brought ready-made."""

from antiphon.features.features import Features

__all__ = ["Features"]
