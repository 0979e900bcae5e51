"""The service and its pages: `create_app` makes the application, `antiphon serve` runs it."""

from antiphon.app.service import create_app

__all__ = ["create_app"]
