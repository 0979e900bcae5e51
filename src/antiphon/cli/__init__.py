"""The command line: parse, call, print."""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command `antiphon`."""
    from antiphon.cli.app import main as launch

    launch(arguments)


__all__ = ["main"]
