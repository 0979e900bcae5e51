"""What `antiphon compare` compares: features of the workspace, tables of vectors, other workspaces, YouTube-8M."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon.cli.opening import YT8M, chosen_features, workspace_features
from antiphon.cli.session import Session
from antiphon.errors import ConfigError, FeatureStoreError

if TYPE_CHECKING:
    from antiphon.features import Features

_MAX_PAIRS = 6


@dataclass(frozen=True)
class Source:
    """Features to compare, and where they come from.

    Attributes
    ----------
    features : Features
        The features.
    words : str
        Where they come from.
    backbones : tuple of (str, str)
        Backbones of the workspace that computed them, with their modalities; empty for vectors from elsewhere.
    """

    features: "Features"
    words: str
    backbones: tuple[tuple[str, str], ...] = ()


def opened_sources(session: Session, sources: tuple[str, ...]) -> dict[str, Source]:
    """Open what is to be compared.

    Parameters
    ----------
    session : Session
        Session of the command line.
    sources : tuple of str
        AUDIO+VIDEO, a Parquet table, a workspace, or yt8m:FILES, each with NAME= before it or not. None: all features
        of the session's workspace.

    Returns
    -------
    dict of str to Source
        The sources by name.

    Raises
    ------
    ConfigError
        Two have the same name, or there are too many features to compare all without being asked.
    FeatureStoreError
        Features are missing or damaged.
    """
    found: dict[str, Source] = {}
    for text in sources or _every_pair(session):
        name, source = _opened(session, text)
        if name in found:
            raise ConfigError(f"{name}: named twice. Give each source a name of its own: NAME={text}")
        found[name] = source
    return found


def _opened(session: Session, text: str) -> tuple[str, Source]:
    before, equals, after = text.partition("=")
    named = bool(equals) and not Path(text).exists() and "/" not in before
    name, spec = (before, after) if named else ("", text)
    path = Path(spec).expanduser()
    if spec.startswith(YT8M) or path.is_dir():
        features, words = chosen_features(session, spec, "SOURCE")
        return name or f"{features.audio_name}+{features.video_name}", Source(features, words)
    if path.suffix == ".parquet":
        return name or path.stem, Source(_table(path), path.name)
    audio, plus, video = spec.partition("+")
    if not plus:
        raise ConfigError(
            f"{spec}: neither AUDIO+VIDEO, nor a .parquet table, nor a workspace, nor {YT8M}FILES. See `antiphon "
            "features list` for the features of the workspace."
        )
    features = workspace_features(session.existing_workspace(), audio, video)
    return name or spec, Source(features, "the workspace", ((audio, "audio"), (video, "video")))


def _table(path: Path) -> "Features":
    from antiphon.features import Features
    from antiphon.tables import read_schema

    if not path.is_file():
        raise ConfigError(f"{path}: no such file.")
    several = "group" in read_schema(path).names
    try:
        return Features.from_parquet(path, audio="audio", video="video", groups="group" if several else None)
    except FeatureStoreError as error:
        raise FeatureStoreError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from error


def _every_pair(session: Session) -> list[str]:
    from antiphon.backbones.base import TUNED_MARK
    from antiphon.features.named_stores import store_folder, store_names
    from antiphon.features.store import FeatureStore

    workspace = session.existing_workspace()
    names: dict[str, list[str]] = {"audio": [], "video": []}
    for name in store_names(workspace.features):
        modality = FeatureStore.existing(store_folder(workspace.features, name)).made_by.get("modality")
        if TUNED_MARK not in name and modality in names:
            names[modality].append(name)
    for modality, several in names.items():
        if not several:
            raise ConfigError(
                f"{workspace.root}: no {modality} features to compare. Run antiphon extract, or antiphon features "
                "import."
            )
    pairs = [f"{audio}+{video}" for audio, video in product(names["audio"], names["video"])]
    if len(pairs) > _MAX_PAIRS:
        raise ConfigError(f"{len(pairs)} pairs of features are many to compare. Name some of them: {', '.join(pairs)}")
    return pairs
