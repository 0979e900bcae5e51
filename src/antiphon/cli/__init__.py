"""The command line: parse, call, print."""

from antiphon.cli.app import main

__all__ = ["main"]
