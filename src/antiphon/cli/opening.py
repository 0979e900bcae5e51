"""Finding what a verb works on: a run of the workspace, its features, and the features that an option names."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from antiphon.cli.session import Session
from antiphon.embeddings import MODALITIES
from antiphon.errors import ConfigError, FeatureStoreError, ModelError
from antiphon.runs import RUN_FILE, read_run
from antiphon.search import Index
from antiphon.search.record import Origin
from antiphon.workspace import Workspace

if TYPE_CHECKING:
    from antiphon.dual_encoder import DualEncoder
    from antiphon.features import Features

YT8M = "yt8m:"


def run_folder(workspace: Workspace, run: str | None) -> Path:
    """The folder of a run; without a name the run trained last.

    Raises
    ------
    ModelError
        There is none.
    """
    if run is not None:
        return workspace.run(run)
    folders = sorted(workspace.runs.glob(f"*/{RUN_FILE}"), key=lambda path: path.stat().st_mtime)
    if not folders:
        raise ModelError(f"{workspace.root}: no trained run. Start with antiphon train.")
    return folders[-1].parent


def workspace_features(
    workspace: Workspace, audio: str | None, video: str | None, *, has_options: bool = False
) -> "Features":
    """The workspace's features; a side that is not named is the only one of its kind there.

    Those of tuned backbones belong to the run that they were tuned in, and count only where there are no others.

    Parameters
    ----------
    has_options : bool
        Whether the command that asks has --audio and --video, which a message may then name.

    Raises
    ------
    FeatureStoreError
        A side has no features, or several and none is named.
    """
    from antiphon.catalogue import Catalogue
    from antiphon.features.assembly import assemble

    catalogue = Catalogue.load(workspace.catalogue)
    names = {"audio": audio, "video": video}
    for modality, name in names.items():
        if name is None:
            names[modality] = _only_store(workspace, modality, has_options)
    return assemble(workspace, catalogue, names["audio"], names["video"])


def _only_store(workspace: Workspace, modality: str, has_options: bool) -> str:
    from antiphon.backbones.base import TUNED_MARK
    from antiphon.features.store import FeatureStore, store_names

    found = [
        name
        for name in store_names(workspace.features)
        if FeatureStore.existing(workspace.features / name).made_by.get("modality") == modality
    ]
    found = [name for name in found if TUNED_MARK not in name] or found
    if len(found) == 1:
        return found[0]
    if not found:
        raise FeatureStoreError(f"{workspace.root}: no {modality} features. Run antiphon extract or features import.")
    remedy = "Use a workspace that has one kind a side."
    if has_options:
        remedy = f"Choose with --{modality} {'|'.join(found)}."
    raise FeatureStoreError(f"{workspace.root}: several {modality} features: {', '.join(found)}. {remedy}")


def yt8m_features(spec: str, label_names: Path | None = None, option: str = "--features") -> "tuple[Features, str]":
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
    from antiphon.features.importing import from_yt8m

    return from_yt8m(files, label_names), f"YouTube-8M, {len(files)} file{'s' if len(files) > 1 else ''}"


def chosen_features(session: Session, spec: str | None, option: str = "--features") -> "tuple[Features, str]":
    """Features by what an option says, and what to call them.

    Parameters
    ----------
    spec : str or None
        Yt8m:FILES, a folder that is a workspace, or None for the session's workspace.

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


def opened_index(session: Session, path: str | None) -> Index:
    """Open the index, which must be of its run and of the workspace's features as both are now, where they are there.

    The run's record says which model it is, so that neither model nor features are loaded.

    Raises
    ------
    StaleIndexError
        The run has been trained again, or the features made otherwise, since the index was built.
    """
    workspace = session.workspace
    index = Index.open(path or workspace.index)
    folder = workspace.run(index.origin.run) if index.origin.run else None
    if folder is not None and (folder / RUN_FILE).exists():
        record = read_run(folder)
        names = {side: str(record["features"][side]) for side in MODALITIES}
        hashes = _made_by(workspace, names)
        current = Origin(
            model=record.get("fingerprint") or _fingerprint(folder),
            audio=names["audio"],
            video=names["video"],
            audio_made_by=hashes.get("audio", ""),
            video_made_by=hashes.get("video", ""),
        )
        index.origin.refuse_other(current, index.path)
    return index


def indexed(workspace: Workspace, run: str | None) -> "tuple[DualEncoder, Features, dict[str, Any]]":
    """Return a run's model, the features that it embeds, and what else an index is told of them."""
    from antiphon.catalogue import Catalogue
    from antiphon.dual_encoder import DualEncoder

    model = DualEncoder.load(run_folder(workspace, run))
    features = workspace_features(workspace, model.audio_name or None, model.video_name or None)
    hashes = _made_by(workspace, {"audio": features.audio_name, "video": features.video_name})
    return model, features, {"catalogue": Catalogue.load(workspace.catalogue), "made_by": hashes}


def _fingerprint(folder: Path) -> str:
    """That of a run whose record, written by an earlier version, does not say it."""
    from antiphon.dual_encoder import DualEncoder

    return DualEncoder.load(folder).fingerprint


def _made_by(workspace: Workspace, names: Mapping[str, str]) -> dict[str, str]:
    """Hashes of what made the features of each side, where they are there."""
    from antiphon.features.store import FeatureStore, store_names

    hashes: dict[str, str] = {}
    for side, name in names.items():
        if name and name in store_names(workspace.features):
            made_by = FeatureStore.existing(workspace.features / name).made_by
            hashes[side] = sha256(json.dumps(made_by, sort_keys=True).encode()).hexdigest()
    return hashes
