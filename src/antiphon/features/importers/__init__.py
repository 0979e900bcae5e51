"""Features in the layouts of other tools: webdataset shards, clip-retrieval folders, saved Hugging Face data sets."""

from pathlib import Path

from antiphon.errors import FeatureStoreError
from antiphon.features.features import Features
from antiphon.features.importers.arrow_folders import from_arrow_folder, is_arrow_folder
from antiphon.features.importers.clip_retrieval import from_clip_retrieval, is_clip_retrieval
from antiphon.features.importers.webdataset import from_shards, is_tar

__all__ = [
    "from_arrow_folder",
    "from_clip_retrieval",
    "from_foreign",
    "from_shards",
    "is_arrow_folder",
    "is_clip_retrieval",
    "is_foreign",
    "is_tar",
]


def is_foreign(path: Path) -> bool:
    """Whether a path is a tar file, or a folder: what this package reads."""
    return is_tar(path) or path.is_dir()


def from_foreign(paths: list[Path], audio: str | None, video: str | None, **columns: str | None) -> Features:
    """Read features from paths of one kind, which they tell by themselves.

    Parameters
    ----------
    paths : list of Path
        webdataset shards (.tar), or one folder of clip-retrieval or of Hugging Face's `datasets`.
    audio, video : str or None
        What holds the vectors: the ending of members of a shard ("clap.npy"), the name before `_emb` of
        clip-retrieval's folders ("img"), a column of a data set.
    **columns : str or None
        Further columns of a data set; see `Features.from_parquet`.

    Returns
    -------
    Features
        The features.

    Raises
    ------
    FeatureStoreError
        They are of no such kind or of several, or cannot be read.
    """
    if all(is_tar(path) for path in paths):
        return from_shards(paths, audio, video)
    if len(paths) == 1 and is_arrow_folder(paths[0]):
        return from_arrow_folder(paths[0], audio, video, columns.pop("ids", None) or "id", **columns)
    if len(paths) == 1 and is_clip_retrieval(paths[0]):
        return from_clip_retrieval(paths[0], audio, video)
    raise FeatureStoreError(
        f"{paths[0]}: is no shard (.tar), no folder of clip-retrieval (metadata, img_emb) and none that Hugging Face's "
        "save_to_disk wrote (state.json or dataset_dict.json). Name shards, or one such folder."
    )
