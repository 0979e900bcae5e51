"""Musicnn's tags of the music videos of an index, from features that are at hand when it is built."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.backbones.musicnn_tags import TAGS
from antiphon.words.heard import tag_probabilities

FloatArray = npt.NDArray[np.float32]

HEARD = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("corpus", pa.string(), nullable=False),  # which tags: see `antiphon.backbones.musicnn_tags`
        pa.field("probabilities", pa.list_(pa.float32()), nullable=False),
    ]
)


@dataclass(frozen=True, eq=False)
class Heard:
    """Probabilities of tags by music video.

    Attributes
    ----------
    corpus : str
        What the network was trained on, which decides on the tags; "" if nothing was heard.
    by_id : mapping of str to ndarray of float32, shape (tags,)
        Mean probabilities over the segments of each music video.
    """

    corpus: str = ""
    by_id: Mapping[str, FloatArray] = field(default_factory=dict[str, FloatArray])

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags, in the order of the probabilities."""
        return dict(TAGS).get(self.corpus, ())  # pyright: ignore[reportArgumentType, reportCallIssue]

    def by_tag(self, ids: Sequence[str]) -> dict[str, FloatArray]:
        """Return the probabilities of each tag, NaN where unknown, shape (ids,)."""
        unknown = np.full(len(self.tags), np.nan, dtype=np.float32)
        rows = [self.by_id.get(id, unknown) for id in ids]
        if not self.by_id or not rows:
            return {}
        return dict(zip(self.tags, np.array(rows).T, strict=True))

    def joined(self, other: "Heard") -> "Heard":
        """Return these and others, which come first; of another network, the others alone."""
        if not other.by_id:
            return self
        return Heard(other.corpus, {**self.by_id, **other.by_id}) if self.corpus == other.corpus else other

    def table(self) -> pa.Table:
        """Return the table that is written beside an index."""
        columns = [
            pa.array(list(self.by_id), pa.string()),
            pa.array([self.corpus] * len(self.by_id), pa.string()),
            pa.array(list(self.by_id.values()), pa.list_(pa.float32())),
        ]
        return pa.Table.from_arrays(columns, schema=HEARD)

    @classmethod
    def read(cls, table: pa.Table) -> "Heard":
        """Read what `table` returned; nothing if its rows are not those of one network that is known."""
        corpora = table["corpus"].unique().to_pylist()
        rows: list[list[float]] = table["probabilities"].to_pylist()
        if len(corpora) != 1 or corpora[0] not in TAGS or any(len(row) != len(TAGS[corpora[0]]) for row in rows):
            return cls()
        arrays = [np.array(row, dtype=np.float32) for row in rows]
        return cls(corpora[0], dict(zip(table["id"].to_pylist(), arrays, strict=True)))


def heard_in(features: Any) -> Heard:
    """Compute musicnn's tags from the sound of features, if it made them and its weights are at hand.

    Parameters
    ----------
    features : Features
        Features of segments.
    """
    found = tag_probabilities(features.audio_name, features.audio)
    if found is None:
        return Heard()
    corpus, probabilities = found
    there = np.isfinite(probabilities).all(axis=1)
    if not there.any():
        return Heard()
    videos, group = np.unique(np.asarray(features.groups)[there], return_inverse=True)
    sums = np.zeros((len(videos), probabilities.shape[1]))
    np.add.at(sums, group, probabilities[there])
    means = (sums / np.bincount(group, minlength=len(videos))[:, None]).astype(np.float32)
    return Heard(corpus, {str(video): row for video, row in zip(videos, means, strict=True)})
