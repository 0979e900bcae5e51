"""`antiphon tag`: musicnn's tags of files."""

from collections.abc import Sequence
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from antiphon.cli.limits import USUAL_LIMITS, FileLimits, told
from antiphon.cli.session import Here
from antiphon.credentials import shown_address
from antiphon.errors import AntiphonError, ConfigError, DecodeError
from antiphon.media.names import file_name

_BAR = 40
Tags = Sequence[tuple[str, float]]


def tag(
    *files: str,
    backbone: Literal["musicnn-mtt", "musicnn-msd"] = "musicnn-mtt",
    top: int = 10,
    each: FileLimits = USUAL_LIMITS,
    session: Here,
) -> int:
    """Print the tags of songs, or of videos' audio, with musicnn's mean probability over the whole track.

    Files that cannot be tagged are listed with the reason. Exit code 1 if any could not.

    Parameters
    ----------
    files
        Media files with audio, or addresses of such.
    backbone
        musicnn-mtt: the 50 tags of MagnaTagATune. musicnn-msd: those of the Million Song Dataset.
    top
        Number of tags to print; --json has all.
    """
    from antiphon.features.single import predict_tags_of

    if not files:
        raise ConfigError("No media files: name at least one file.")
    found: dict[str, Tags | AntiphonError] = {}
    with session.progress("Tagging files") as report:
        report(0, len(files), "")
        for path, tags in predict_tags_of(files, backbone, limits=each.limits):
            found[str(path)] = tags
            report(len(found), len(files), file_name(path))
    if len(files) == 1 and isinstance(only := found[files[0]], AntiphonError):
        raise DecodeError(told(session, files[0], only))
    shown = {path: shown_address(path) for path in files}
    failures = {
        shown[path]: told(session, path, tags) for path, tags in found.items() if isinstance(tags, AntiphonError)
    }
    tagged = {shown[path]: dict(tags) for path in files if not isinstance(tags := found[path], AntiphonError)}

    def show(out: Console) -> None:
        for path, scores in tagged.items():
            if len(files) > 1:
                out.print(path, markup=False, soft_wrap=True)
            out.print(_table(list(scores.items())[:top]))
        for reason in failures.values():
            out.print(f"  {reason}", markup=False, soft_wrap=True)

    session.result(_data(backbone, tagged, failures), show)
    return 1 if failures else 0


def _data(backbone: str, tagged: dict[str, dict[str, float]], failures: dict[str, str]) -> dict[str, Any]:
    """Return the result for machines: of one file flat, of several as a list."""
    files = [{"file": path, "tags": tags} for path, tags in tagged.items()]
    if len(files) == 1 and not failures:
        return {"backbone": backbone, **files[0]}
    return {"backbone": backbone, "files": files, "failures": failures}


def _table(tags: Tags) -> Table:
    table = Table(box=None, show_header=False)
    for name, score in tags:
        table.add_row(name, f"{score:.3f}", "█" * round(_BAR * score))
    return table
