"""Failures of single files: a row with the reason each, and the traceback of what nobody foresaw in a log."""

from antiphon.errors import AntiphonError
from antiphon.workers.limits import JobError
from antiphon.workers.reasons import kind, reason
from antiphon.workspace import Failure, Workspace


def file_failure(workspace: Workspace, video_id: str, stage: str, uri: str, error: AntiphonError) -> Failure:
    """Describe why a file could not be processed; the traceback of an unforeseen error is appended to a log.

    Parameters
    ----------
    workspace : Workspace
        Workspace, whose `errors.log` is written.
    video_id : str
        Id of the video.
    stage : str
        Name of the stage.
    uri : str
        Media file.
    error : AntiphonError
        What reading it or computing with it raised.

    Returns
    -------
    Failure
        The row.
    """
    message = reason(uri, error)
    if isinstance(error, JobError):
        workspace.log(f"{stage} of {video_id}: {message}\n{error.traceback}")
        message += f" {workspace.errors_log.name} has the traceback."
    # Names of files that are not UTF-8 cannot be stored.
    return Failure(video_id, stage, kind(error), message.encode("utf-8", "replace").decode())
