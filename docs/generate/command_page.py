"""The reference of the command line, made from its parsers."""

import re
import sys
from pathlib import Path
from unittest.mock import patch

from antiphon.cli.app import app


def written(root: Path) -> str:
    """Return the page as Markdown."""
    del root
    with patch.object(sys, "argv", ["antiphon"]):  # else the usage names the program that makes the site
        text = app.generate_docs(output_format="markdown", recursive=True)
    text = re.sub(r"## Table of Contents\n.*?(?=\*\*Commands)", "", text, count=1, flags=re.DOTALL)
    head, _, verbs = text.partition("\n## antiphon ")
    shared = _shared_parameters(head)
    verbs = f"\n## antiphon {verbs}".replace(shared, "")
    # A verb whose parameters are the global ones alone keeps none.
    verbs = re.sub(r"\*\*Parameters\*\*:\n+(?=#|\*\*|$)", "", verbs)
    head = re.sub(r"\*\*Commands\*\*:", "## Verbs", head).replace("**Parameters**:", "## For every verb")
    return head.replace("# antiphon\n", "# Command line\n", 1) + verbs


def _shared_parameters(head: str) -> str:
    return head.partition("**Parameters**:\n\n")[2].strip() + "\n"
