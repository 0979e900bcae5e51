"""Antiphon learns, measures and searches joint audio and video representations of music videos."""
