"""Open what a verb works on: a run, its features, its index, and features named by an option."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from antiphon.cli.file_changes import GONE
from antiphon.cli.session import Session
from antiphon.embeddings import MODALITIES, Modality
from antiphon.errors import ConfigError, FeatureStoreError, ModelError, SearchError
from antiphon.plurals import counted
from antiphon.runs import RUN_FILE, read_run
from antiphon.search import Index
from antiphon.search.record import RECORD_FILE, Origin
from antiphon.workspace import Workspace

if TYPE_CHECKING:
    from antiphon.catalogue import Catalogue
    from antiphon.dual_encoder import DualEncoder
    from antiphon.features import Features

YT8M = "yt8m:"


def run_folder(workspace: Workspace, run: str | None) -> Path:
    """Return the folder of a run.

    Parameters
    ----------
    workspace : Workspace
        Workspace of the run.
    run : str or None
        Name of the run; None: the one trained last.

    Returns
    -------
    Path
        Folder `runs/<run>`.

    Raises
    ------
    ModelError
        There is no run.
    """
    if run is not None:
        return workspace.run(run)
    folders = sorted(workspace.runs.glob(f"*/{RUN_FILE}"), key=lambda path: path.stat().st_mtime)
    if not folders:
        raise ModelError(f"{workspace.root}: no trained run. Run antiphon train first.")
    return folders[-1].parent


def workspace_features(
    workspace: Workspace,
    audio: str | None,
    video: str | None,
    *,
    has_options: bool = False,
    catalogue: "Catalogue | None" = None,
) -> "Features":
    """Read the workspace's features.

    Features of tuned backbones belong to one run, and are a default only if there are no others.

    Parameters
    ----------
    workspace : Workspace
        Workspace to read.
    audio, video : str or None
        Names of the features; None: the only ones of that modality.
    has_options : bool
        Whether the calling verb has --audio and --video, for the error message.
    catalogue : Catalogue, optional
        The workspace's catalogue, if it has been read already.

    Returns
    -------
    Features
        Features of both modalities, joined with the catalogue.

    Raises
    ------
    FeatureStoreError
        A modality has no features, or several and no name was given; of both modalities, where both have.
    """
    from antiphon.catalogue import Catalogue
    from antiphon.features.assembly import assemble
    from antiphon.features.named_stores import stored_name

    catalogue = catalogue or Catalogue.load(workspace.catalogue)
    names: dict[Modality, str | None] = {"audio": audio, "video": video}
    found: dict[Modality, list[str]] = {
        modality: [stored_name(workspace.features, name, modality)]
        if name is not None
        else _usual_stores(workspace, modality)
        for modality, name in names.items()
    }
    _refuse_several(workspace, found, has_options)
    return assemble(workspace, catalogue, found["audio"][0], found["video"][0])


def model_features(workspace: Workspace, model: "DualEncoder", catalogue: "Catalogue | None" = None) -> "Features":
    """Read a workspace's features that a model embeds.

    Parameters
    ----------
    workspace : Workspace
        Workspace to read.
    model : DualEncoder
        Model, which knows the names of its features.
    catalogue : Catalogue, optional
        The workspace's catalogue, if it has been read already.

    Returns
    -------
    Features
        Features of both modalities, joined with the catalogue.

    Raises
    ------
    FeatureStoreError
        The workspace lacks them.
    """
    return workspace_features(workspace, model.audio_name or None, model.video_name or None, catalogue=catalogue)


def _usual_stores(workspace: Workspace, modality: Modality) -> list[str]:
    """Return the names of a modality's features, without those of tuned backbones where there are others."""
    from antiphon.backbones.base import TUNED_MARK
    from antiphon.features.named_stores import store_folder, store_names
    from antiphon.features.store import FeatureStore

    found = [
        name
        for name in store_names(workspace.features)
        if FeatureStore.existing(store_folder(workspace.features, name)).made_by.get("modality") == modality
    ]
    if not found:
        raise FeatureStoreError(
            f"{workspace.root}: no {modality} features. Run antiphon extract or antiphon features import."
        )
    return [name for name in found if TUNED_MARK not in name] or found


def _refuse_several(workspace: Workspace, found: Mapping[Modality, Sequence[str]], has_options: bool) -> None:
    """Refuse features of which there are several to choose from, naming the choices of both modalities at once."""
    several = {modality: names for modality, names in found.items() if len(names) > 1}
    if not several:
        return
    what = "; ".join(f"several {modality} features: {', '.join(names)}" for modality, names in several.items())
    remedy = "Use a workspace with one set of features per modality."
    if has_options:
        options = (f"--{modality} {'|'.join(names)}" for modality, names in several.items())
        remedy = f"Choose with {' '.join(options)}."
    raise FeatureStoreError(f"{workspace.root}: {what}. {remedy}")


def yt8m_features(spec: str, label_names: Path | None = None, option: str = "--features") -> "tuple[Features, str]":
    """Read the YouTube-8M features that an option names.

    Parameters
    ----------
    spec : str
        Value of the option: "yt8m:FILES", a path or a pattern.
    label_names : Path, optional
        YouTube-8M's vocabulary.csv.
    option : str
        Name of the option, for error messages.

    Returns
    -------
    features : Features
        The features.
    source : str
        Short description of the source.

    Raises
    ------
    ConfigError
        `spec` does not start with "yt8m:", or there are no such files.
    """
    if not spec.startswith(YT8M):
        raise ConfigError(f"{option} {spec}: unknown kind of data; use {YT8M}FILES.")
    pattern = Path(spec.removeprefix(YT8M)).expanduser()
    files = [pattern] if pattern.is_file() else sorted(pattern.parent.glob(pattern.name))
    if not files:
        raise ConfigError(f"{pattern}: no such files.")
    from antiphon.features.importing import from_yt8m

    return from_yt8m(files, label_names), f"YouTube-8M, {len(files)} file{'s' if len(files) > 1 else ''}"


def chosen_features(session: Session, spec: str | None, option: str = "--features") -> "tuple[Features, str]":
    """Read the features that an option names.

    Parameters
    ----------
    session : Session
        Session of the command line.
    spec : str or None
        "yt8m:FILES", a folder that is a workspace, or None for the session's workspace.
    option : str
        Name of the option, for error messages.

    Returns
    -------
    features : Features
        The features.
    source : str
        Short description of the source.

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
        raise ConfigError(f"{option} {spec}: not a workspace (no catalogue in it). Name a workspace, or {YT8M}FILES.")
    return yt8m_features(spec, option=option)


def opened_index(session: Session, path: str | None) -> Index:
    """Open an index and check that its run and the workspace's features have not changed since it was built.

    This reads the run's record; neither model nor features are loaded.

    Parameters
    ----------
    session : Session
        Session of the command line.
    path : str or None
        Folder of the index; None: index in the workspace.

    Returns
    -------
    Index
        The index.

    Raises
    ------
    StaleIndexError
        The run has been trained again, or the features computed otherwise, since the index was built.
    """
    workspace = session.workspace
    index = Index.open(path or workspace.index)
    index.follow(workspace.folder / workspace.catalogue.name)
    folder = workspace.run(index.origin.run) if index.origin.run else None
    if folder is not None and (folder / RUN_FILE).exists():
        record = read_run(folder)
        names = {side: str(record.get("features", {}).get(side, "")) for side in MODALITIES}
        hashes = _made_by(workspace, names)
        current = Origin(
            run=index.origin.run,
            model=record.get("fingerprint") or _fingerprint(folder),
            audio=names["audio"],
            video=names["video"],
            audio_made_by=hashes.get("audio", ""),
            video_made_by=hashes.get("video", ""),
        )
        index.origin.refuse_other(current, index.path)
    return index


def say_of_arithmetic(session: Session, backbone: str, arithmetic: Callable[[], str]) -> None:
    """Say where a file was encoded otherwise, though compatibly, than the features of the workspace.

    Parameters
    ----------
    session : Session
        The session.
    backbone : str
        Name of the backbone.
    arithmetic : callable
        Names the arithmetic that the file was encoded in; asked where the workspace has features by a backbone.
    """
    from antiphon.backbones.arithmetic import WHY_COMPATIBLE
    from antiphon.features.named_stores import store_folder, store_names
    from antiphon.features.store import FeatureStore

    features = session.workspace.features
    if backbone not in store_names(features):
        return
    store = FeatureStore.existing(store_folder(features, backbone))
    if "weights" not in store.made_by:  # imported
        return
    others = store.arithmetics() - {arithmetic()}
    if others:
        names = " and ".join(sorted(others))
        session.say(f"{backbone}: the file was encoded in {arithmetic()}, the features in {names}. {WHY_COMPATIBLE}")


def replaced_since(before: "Catalogue", after: "Catalogue") -> list[str]:
    """Return the ids of the videos whose files have other content than before."""
    known = {row["id"]: row["content_hash"] for row in before.records() if row["content_hash"]}
    return [row["id"] for row in after.records() if known.get(row["id"], row["content_hash"]) != row["content_hash"]]


def take_out_of_index(session: Session, videos: Collection[str]) -> None:
    """Remove videos from the workspace's index until they are added again, since they are computed anew.

    Parameters
    ----------
    session : Session
        Session of the command line.
    videos : collection of str
        Ids of the videos.
    """
    if not videos or not session.workspace.is_local or not (session.workspace.index / RECORD_FILE).exists():
        return
    try:
        removed = Index.open(session.workspace.index).remove(videos)
    except SearchError as error:
        session.warn(f"The index still has {counted(len(videos), 'video')} as before: {error}")
        return
    if removed:
        left = counted(len(removed), "music video")
        session.say(f"{left} left the index; to add what is there again: antiphon index add")


def look_at_files(session: Session) -> None:
    """Notice files that were replaced or are gone, unless another process is writing to the workspace.

    Parameters
    ----------
    session : Session
        Session of the command line.
    """
    from antiphon.catalogue import Catalogue
    from antiphon.features.forgetting import bring_up_to_date

    workspace = session.workspace
    try:
        with workspace.lock():
            _, found, _ = bring_up_to_date(workspace, Catalogue.load(workspace.catalogue))
    except ConfigError as error:
        session.say(f"Files were not looked at. {error}")
        return
    if found.replaced:
        first = found.replaced[0]
        files = counted(len(found.replaced), "file was", "files were")
        session.warn(
            f"{files} replaced ('{first}' is the first). To find what is there now, run antiphon extract and antiphon "
            "index add."
        )
    if found.gone:
        session.say(f"{counted(len(found.gone), *GONE)}: {found.gone[0]}")


def indexed(workspace: Workspace, run: str | None) -> "tuple[DualEncoder, Features, dict[str, Any]]":
    """Load what an index is built from.

    Parameters
    ----------
    workspace : Workspace
        Workspace of the run.
    run : str or None
        Name of the run; None: the one trained last.

    Returns
    -------
    model : DualEncoder
        Model of the run.
    features : Features
        Features that the model embeds.
    arguments : dict
        Further arguments of `Index.build` and `Index.add`.
    """
    from antiphon.catalogue import Catalogue
    from antiphon.dual_encoder import DualEncoder

    model = DualEncoder.load(run_folder(workspace, run))
    catalogue = Catalogue.load(workspace.catalogue)
    features = model_features(workspace, model, catalogue)
    hashes = _made_by(workspace, {"audio": features.audio_name, "video": features.video_name})
    return model, features, {"catalogue": catalogue, "made_by": hashes}


def _fingerprint(folder: Path) -> str:
    """Return the fingerprint of a run whose record, written by an earlier version, lacks it."""
    from antiphon.dual_encoder import DualEncoder

    return DualEncoder.load(folder).fingerprint


def _made_by(workspace: Workspace, names: Mapping[str, str]) -> dict[str, str]:
    """Hash what made the features of each modality, where they exist."""
    from antiphon.features.named_stores import store_folder, store_names
    from antiphon.features.store import FeatureStore

    hashes: dict[str, str] = {}
    for side, name in names.items():
        if name and name in store_names(workspace.features):
            made_by = FeatureStore.existing(store_folder(workspace.features, name)).made_by
            hashes[side] = sha256(json.dumps(made_by, sort_keys=True).encode()).hexdigest()
    return hashes
