"""Embeddings of a whole catalogue as one table, with a schema that is documented in docs/how-to/export.md."""

import json
from importlib.metadata import version
from typing import Any

import numpy as np
import pyarrow as pa

from antiphon.catalogue import Catalogue
from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import MODALITIES, within_side
from antiphon.encoding import Per
from antiphon.errors import FeatureStoreError
from antiphon.features import Features

ABOUT = b"antiphon"
"""Key of the table's metadata: JSON that says which model embedded what."""


def embedding_schema(dim: int) -> pa.Schema:
    """Return the schema of exported embeddings, one row per modality of a segment or of a track.

    Parameters
    ----------
    dim : int
        Size of `vector`.

    Returns
    -------
    pyarrow.Schema
        The schema.
    """
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),  # of the music video
            pa.field("segment_id", pa.string()),  # null: the whole track
            pa.field("start_s", pa.float64()),  # of the segment's window, on the track's time line
            pa.field("modality", pa.string(), nullable=False),  # audio or video
            pa.field("artist", pa.string()),
            pa.field("title", pa.string()),
            pa.field("genre", pa.string()),
            pa.field("tags", pa.list_(pa.string())),
            pa.field("year", pa.int32()),
            pa.field("split", pa.string()),
            pa.field("vector", pa.list_(pa.float32(), dim), nullable=False),  # of length 1
        ]
    )


def embedding_table(model: DualEncoder, features: Features, catalogue: Catalogue, per: Per = "track") -> pa.Table:
    """Embed features, and join what the catalogue says of each music video.

    Parameters
    ----------
    model : DualEncoder
        Fitted model.
    features : Features
        Features that it takes.
    catalogue : Catalogue
        Artists, titles and the like.
    per : {'track', 'segment'}, default 'track'
        What a row stands for.

    Returns
    -------
    pyarrow.Table
        Rows of the sound, then rows of the pictures; sides that are missing have none.

    Raises
    ------
    ModelError
        The model is not fitted, or takes other features.
    FeatureStoreError
        There are no features.
    """
    known = {row["id"]: row for row in catalogue.records()}
    names = np.unique(features.groups) if per == "track" else features.groups
    vectors, records = list[Any](), list[dict[str, Any]]()
    for modality, side in zip(MODALITIES, model.embed(features, per=per), strict=True):
        for row in np.flatnonzero(np.isfinite(side).all(axis=1)):
            about = known.get(str(names[row]), {})
            record = {"id": str(names[row]), "modality": modality, "segment_id": None, "start_s": None}
            if per == "segment":
                start_s = float(features.starts_s[row])
                record |= {"segment_id": str(features.ids[row]), "start_s": start_s if np.isfinite(start_s) else None}
            columns = ("artist", "title", "genre", "tags", "year", "split")
            records.append(record | {name: about.get(name) for name in columns})
            vectors.append(side[row])
    if not records:
        raise FeatureStoreError("There are no features to embed. Run antiphon extract or antiphon features import.")
    schema = embedding_schema(model.dim)
    table = pa.Table.from_pylist(records, pa.schema([field for field in schema if field.name != "vector"]))
    values = pa.array(np.concatenate(vectors), pa.float32())
    table = table.append_column(schema.field("vector"), pa.FixedSizeListArray.from_arrays(values, model.dim))
    return table.replace_schema_metadata({ABOUT: json.dumps(_about(model, per)).encode()})


def vectors_of(table: pa.Table) -> Any:
    """Return the vectors of an exported table, (n, dim) float32."""
    column = table["vector"].combine_chunks()
    return np.asarray(column.flatten()).reshape(len(table), -1)


def plain_vectors(table: pa.Table) -> Any:
    """Return the vectors of an exported table without what corrects scores across the sides, as tools compare them."""
    about = json.loads((table.schema.metadata or {}).get(ABOUT, b"{}"))
    return within_side(vectors_of(table), about.get("correction_dim", 0))


def _about(model: DualEncoder, per: Per) -> dict[str, str | int]:
    return {
        "version": version("antiphon"),
        "recipe": model.recipe.name,
        "fingerprint": model.fingerprint,
        "audio": model.audio_name,
        "video": model.video_name,
        "per": per,
        "correction_dim": model.correction_dim,
    }
