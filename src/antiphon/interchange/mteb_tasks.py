"""Music videos as tasks and models of mteb 2, which must be installed: `pip install mteb`.

Two tasks: which pictures belong to a song (a2v), and which song to pictures (v2a). Each query has one relevant item, so
recall at k of mteb is `recall@k` of `antiphon.evaluate`. Classes are made when they are asked for, since their bases
are the other library's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import MODALITIES, Modality
from antiphon.errors import ConfigError, FeatureStoreError
from antiphon.features import Features
from antiphon.interchange.media_inputs import embed_inputs

Items = Mapping[str, Mapping[Modality, Any]]
"""Music video → modality → what `embed_inputs` takes."""

WAYS: dict[str, tuple[Modality, Modality]] = {"a2v": ("audio", "video"), "v2a": ("video", "audio")}
_NAMES = {"a2v": "MusicVideoA2VRetrieval", "v2a": "MusicVideoV2ARetrieval"}
_DESCRIPTIONS = {
    "a2v": "Find the music video that belongs to a song.",
    "v2a": "Find the song that belongs to the pictures of a music video.",
}


def tracks_of(features: Features) -> dict[str, dict[Modality, Any]]:
    """Return the features of each music video that has both sides, its segments in order of time.

    Parameters
    ----------
    features : Features
        Features of a test split.

    Returns
    -------
    dict
        Music video → modality → matrix (segments, dim) as nested lists.
    """
    both = features.paired
    order = np.lexsort((np.arange(len(both)), both.starts_s, both.groups))
    items: dict[str, dict[Modality, Any]] = {}
    for row in order:
        item = items.setdefault(str(both.groups[row]), {"audio": [], "video": []})
        for side in MODALITIES:
            item[side].append(getattr(both, side)[row].tolist())
    return items


def media_of(paths: Mapping[str, str]) -> dict[str, dict[Modality, Any]]:
    """Return the media file of each music video, as both of its sides.

    Parameters
    ----------
    paths : mapping of str to str
        Music video → media file.

    Returns
    -------
    dict
        Music video → modality → path.
    """
    return {name: {"audio": path, "video": path} for name, path in paths.items()}


def music_video_tasks(items: Items, split: str = "test") -> list[Any]:
    """Make the tasks of both directions.

    Parameters
    ----------
    items : mapping
        Music videos; see `tracks_of` and `media_of`.
    split : str, default 'test'
        Name of the split.

    Returns
    -------
    list of mteb.AbsTaskRetrieval
        Tasks for `mteb.evaluate`; their data are in memory.

    Raises
    ------
    FeatureStoreError
        There are fewer than two music videos.
    ConfigError
        mteb is not installed.
    """
    if len(items) < 2:
        raise FeatureStoreError("A retrieval task needs at least two music videos with sound and pictures.")
    return [_task(way, items, split) for way in WAYS]


def mteb_encoder(model: DualEncoder, name: str = "antiphon/local") -> Any:
    """Wrap a model as mteb calls one: an encoder of batches that have one column, audio or video.

    Parameters
    ----------
    model : DualEncoder
        Fitted model.
    name : str, default 'antiphon/local'
        Name in results, "organisation/model".

    Returns
    -------
    mteb.models.EncoderProtocol
        What `mteb.evaluate` takes.

    Raises
    ------
    ConfigError
        mteb is not installed.
    """
    parts = _mteb()

    class AntiphonEncoder(parts["AbsEncoder"]):
        """A trained model."""

        def __init__(self) -> None:
            self.model = model
            meta = {"name": name, "revision": model.fingerprint[:12], "embed_dim": model.dim, "framework": ["PyTorch"]}
            meta |= {"modalities": list(MODALITIES), "similarity_fn_name": parts["ScoringFunction"].COSINE}
            self.mteb_model_meta = parts["ModelMeta"].create_empty(overwrites=meta)

        def encode(self, inputs: Any, **_: Any) -> npt.NDArray[np.float32]:
            """Embed the batches of a data loader."""
            return np.concatenate([embed_batch(model, batch) for batch in inputs])

    return AntiphonEncoder()


def embed_batch(model: DualEncoder, batch: Mapping[str, Sequence[Any]]) -> npt.NDArray[np.float32]:
    """Embed a batch of mteb's.

    Parameters
    ----------
    model : DualEncoder
        Fitted model.
    batch : mapping
        Column audio or video → items that `embed_inputs` takes.

    Returns
    -------
    ndarray of float32, shape (n, dim)
        Unit rows.
    """
    side: Modality = "audio" if "audio" in batch else "video"
    return embed_inputs(model, side, batch[side])


def recalls(model: DualEncoder, tasks: Sequence[Any], name: str = "antiphon/local") -> dict[str, dict[str, float]]:
    """Run mteb's evaluation, without its cache.

    Parameters
    ----------
    model : DualEncoder
        Fitted model.
    tasks : sequence of mteb tasks
        What `music_video_tasks` returned.
    name : str, default 'antiphon/local'
        Name of the model in the results.

    Returns
    -------
    dict
        Direction → score of mteb ("recall_at_1", …) → value.
    """
    results = _mteb()["evaluate"](mteb_encoder(model, name), list(tasks), cache=None)
    found: dict[str, dict[str, float]] = {}
    for result in results:
        way = next(way for way, known in _NAMES.items() if known == result.task_name)
        (scores,) = next(iter(result.scores.values()))
        found[way] = {key: value for key, value in scores.items() if key.startswith("recall_at_")}
    return found


def _task(way: str, items: Items, split: str) -> Any:
    parts = _mteb()
    query: Modality
    found: Modality
    query, found = WAYS[way]

    class MusicVideoRetrieval(parts["AbsTaskRetrieval"]):
        """Retrieval among the music videos of one list, each relevant to itself alone."""

        metadata = parts["TaskMetadata"](
            name=_NAMES[way],
            description=_DESCRIPTIONS[way],
            dataset={"path": "local/music-videos", "revision": "in-memory"},
            type="Any2AnyRetrieval",
            category=way,
            modalities=["audio", "video"],
            eval_splits=[split],
            eval_langs=["zxx-Zxxx"],
            main_score="recall_at_10",
            is_public=False,
        )

        def load_data(self, **_: Any) -> None:
            """Take the data that are in memory."""
            relevant = {f"{query}-{name}": {f"{found}-{name}": 1} for name in items}
            sides = {"queries": _listed(items, query), "corpus": _listed(items, found)}
            part = {name: parts["Dataset"].from_list(rows) for name, rows in sides.items()}
            part |= {"relevant_docs": relevant, "top_ranked": None}
            self.dataset = {"default": {split: part}}
            self.data_loaded = True

    return MusicVideoRetrieval()


def _listed(items: Items, side: Modality) -> list[dict[str, Any]]:
    return [{"id": f"{side}-{name}", side: item[side]} for name, item in items.items()]


def _mteb() -> dict[str, Any]:
    """Import what is needed of mteb."""
    try:
        from datasets import Dataset  # pyright: ignore[reportMissingImports]
        from mteb import evaluate  # pyright: ignore[reportMissingImports]
        from mteb.abstasks.retrieval import AbsTaskRetrieval  # pyright: ignore[reportMissingImports]
        from mteb.abstasks.task_metadata import TaskMetadata  # pyright: ignore[reportMissingImports]
        from mteb.models.abs_encoder import AbsEncoder  # pyright: ignore[reportMissingImports]
        from mteb.models.model_meta import ModelMeta, ScoringFunction  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ConfigError("mteb 2 is not installed. Run: pip install 'mteb>=2.26'") from error
    found = (AbsEncoder, AbsTaskRetrieval, Dataset, ModelMeta, ScoringFunction, TaskMetadata)
    return {each.__name__: each for each in found} | {"evaluate": evaluate}
