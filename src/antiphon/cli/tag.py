"""`antiphon tag`: musicnn's tags of a file."""

from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from antiphon.cli.session import Here

_BAR = 40


def tag(
    file: Path, *, backbone: Literal["musicnn-mtt", "musicnn-msd"] = "musicnn-mtt", top: int = 10, session: Here
) -> None:
    """Print the tags of a song, or of a video's audio, with musicnn's mean probability over the whole track.

    Parameters
    ----------
    file
        Media file with audio.
    backbone
        musicnn-mtt: the 50 tags of MagnaTagATune. musicnn-msd: those of the Million Song Dataset.
    top
        Number of tags to print; --json has all.
    """
    from antiphon.features.single import predict_tags

    tags = predict_tags(file, backbone)

    def show(out: Console) -> None:
        table = Table(box=None, show_header=False)
        for name, score in tags[:top]:
            table.add_row(name, f"{score:.3f}", "█" * round(_BAR * score))
        out.print(table)

    session.result({"file": str(file), "backbone": backbone, "tags": dict(tags)}, show)
