"""How the numbers are made: every table under results/, with the command that makes it."""

import tomllib
from pathlib import Path

_HEAD = """# How the numbers are made

Every number in the README, on this site and in the reproducibility note stands in a file under `results/`, and
every file was written by a command below, or holds what the command printed. `commands.toml` is the list; a test
holds it to the files. The data are named where the results are described. Numbers differ a little on other
processors. [How to read them](../docs/reading.md).
"""


def written(root: Path) -> str:
    """Return the page as Markdown."""
    text = (root / "results" / "commands.toml").read_text(encoding="utf-8")
    parts, folder = [_HEAD], ""
    for one in tomllib.loads(text)["made"]:
        if folder != (folder := one["files"][0].partition("/")[0]):
            title = (root / "results" / folder / "README.md").read_text(encoding="utf-8").partition("\n")[0]
            parts.append(f"## {title.removeprefix('# ')}\n\n[What was found]({folder}/README.md)")
        links = ", ".join(f"[{name.partition('/')[2]}]({name})" for name in one["files"])
        about = f"{one['about']}: " if "about" in one else ""
        parts.append(f"{about}{links}\n\n```sh\n{one['command'].strip()}\n```")
    return "\n\n".join(parts) + "\n"
