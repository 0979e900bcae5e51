"""Where a command takes features from: what `--features` can say."""

from pathlib import Path

from antiphon.cli.session import Session
from antiphon.cli.train import workspace_features
from antiphon.errors import ConfigError
from antiphon.features import Features
from antiphon.features.importing import from_yt8m
from antiphon.workspace import Workspace

YT8M = "yt8m:"


def yt8m_features(spec: str, label_names: Path | None = None, option: str = "--features") -> tuple[Features, str]:
    """The features that yt8m:FILES names, and what to call them.

    Raises
    ------
    ConfigError
        It starts with no known kind of data, or there are no such files.
    """
    if not spec.startswith(YT8M):
        raise ConfigError(f"{option} {spec}: starts with no known kind of data; there is {YT8M}FILES.")
    pattern = Path(spec.removeprefix(YT8M)).expanduser()
    files = [pattern] if pattern.is_file() else sorted(pattern.parent.glob(pattern.name))
    if not files:
        raise ConfigError(f"{pattern}: no such files.")
    return from_yt8m(files, label_names), f"YouTube-8M, {len(files)} file{'s' if len(files) > 1 else ''}"


def chosen_features(session: Session, spec: str | None, option: str = "--features") -> tuple[Features, str]:
    """Features by what an option says, and what to call them.

    Parameters
    ----------
    spec : yt8m:FILES, a folder that is a workspace, or None for the session's workspace.

    Raises
    ------
    ConfigError
        There are no such files and no such workspace.
    """
    if spec is None:
        return workspace_features(session.existing_workspace(), None, None), "the workspace"
    workspace = Workspace(Path(spec).expanduser())
    if not spec.startswith(YT8M) and workspace.catalogue.exists():
        return workspace_features(workspace, None, None), f"workspace {workspace.root.name}"
    if not spec.startswith(YT8M) and workspace.root.exists():
        raise ConfigError(f"{option} {spec}: is no workspace, which has a catalogue; or name {YT8M}FILES.")
    return yt8m_features(spec, option=option)
