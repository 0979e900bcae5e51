"""People compare music videos, and are counted."""
