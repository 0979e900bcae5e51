"""`antiphon catalogue move` and `refresh`: files that lie elsewhere, or have changed, since they were catalogued."""

from collections.abc import Mapping

from rich.console import Console

from antiphon.catalogue import Catalogue
from antiphon.catalogue.file_tags import TAG_COLUMNS
from antiphon.catalogue.joining import Joined
from antiphon.catalogue.moving import move as move_rows
from antiphon.cli.file_changes import FileChanges
from antiphon.cli.limits import USUAL_LIMITS, FileLimits
from antiphon.cli.opening import take_out_of_index
from antiphon.cli.session import Here, Session
from antiphon.plurals import counted

_MAX_SHOWN = 10


def move(old: str, new: str, *, session: Here) -> int:
    """Say that files lie elsewhere now, such as a library on another disk. Ids, splits and features stay.

    A path is changed where the new one has a file of the same content; all others stay as they were and are listed.
    Exit code 1 if none was changed. Files that were renamed one by one are found by `antiphon catalogue add`.

    Parameters
    ----------
    old
        Folder, file or address as in the catalogue.
    new
        Where it is now.
    """
    workspace = session.existing_workspace()
    with workspace.lock():
        rows = Catalogue.load(workspace.catalogue).records()
        found = move_rows(rows, old, new).shown()
        if found.moved:
            Catalogue(rows).save(workspace.catalogue)

    def show(out: Console) -> None:
        out.print(f"{counted(len(found.moved), 'file')} moved.")
        if found.unchecked:
            out.print(f"{len(found.unchecked)} of them were not compared: their new address is not of this machine.")
        _list(found.missing, "are not there, and keep their former path", out)
        _list(found.different, "are other files there, or those of other videos, and keep their former path", out)

    session.result(vars(found), show)
    return 0 if found.moved else 1


def _list(paths: Mapping[str, str], what: str, out: Console) -> None:
    if paths:
        out.print(f"{len(paths)} {what}:")
    for path in list(paths.values())[:_MAX_SHOWN]:
        out.print(f"  {path}", markup=False, soft_wrap=True)
    if len(paths) > _MAX_SHOWN:
        out.print(f"  … and {len(paths) - _MAX_SHOWN} more; --json lists them")


def refresh(*, each: FileLimits = USUAL_LIMITS, session: Here) -> None:
    """Look at all files again: which were replaced or are gone, and what their tags say now.

    Artist, title, genre and year follow the files' tags where they came from them, and are filled in where they are
    missing; values that a table gave stay. Splits stay.
    """
    from antiphon.features.forgetting import bring_up_to_date

    workspace = session.existing_workspace()
    with workspace.lock():
        before = Catalogue.load(workspace.catalogue)
        with session.progress("Looking at files") as progress:
            current, examined, unreadable = bring_up_to_date(
                workspace,
                before,
                read_all=True,
                progress=lambda done, total: progress(done, total, ""),
                limits=each.limits,
            )
        with session.progress("Reading the files' tags") as progress:
            current, _ = current.refreshed(
                [*examined.gone, *examined.unread], lambda done, total: progress(done, total, ""), each.limits
            )
        current.save(workspace.catalogue)
    changed = _differing(before, current)
    take_out_of_index(session, examined.replaced)
    changes = FileChanges.of(current.records(), set(before.ids), Joined(), examined, unreadable)
    _show(session, changes, changed, len(current))


def _differing(before: Catalogue, current: Catalogue) -> list[str]:
    """Return the videos whose artist, title, genre or year is another now, be it that tagging replaced their file."""
    was = {row["id"]: row for row in before.records()}
    return [
        row["id"] for row in current.records() if any(row[column] != was[row["id"]][column] for column in TAG_COLUMNS)
    ]


def _show(session: Session, changes: FileChanges, changed: list[str], videos: int) -> None:
    from antiphon.cli.catalogue import show_changes

    def show(out: Console) -> None:
        first = f": {changed[0]}{', …' * (len(changed) > 1)}" if changed else ""
        out.print(f"{videos} videos; {len(changed)} have new values from their files' tags{first}", soft_wrap=True)
        show_changes(changes, out)

    for sentence in changes.warnings():
        session.warn(sentence)
    session.result({"videos": videos, "tags_changed": changed} | changes.to_dict(), show)
