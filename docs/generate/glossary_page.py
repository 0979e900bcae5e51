"""The glossary: the words of ARCHITECTURE.md."""

from pathlib import Path


def written(root: Path) -> str:
    """Return the page as Markdown."""
    text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    words = text.partition("\n## Words\n")[2].partition("\n## ")[0]
    if "| word |" not in words:
        raise ValueError("ARCHITECTURE.md has no section “Words” with a table: the glossary is made of it")
    return f"# Glossary\n\nOne word for each thing, in code, tables, pages and documentation.\n{words}"
