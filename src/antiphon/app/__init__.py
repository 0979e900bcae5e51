"""The service and its pages: `service.create_app` makes the application, `antiphon serve` runs it."""
