"""Features on disk: one folder a backbone, one Parquet part a batch of videos."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from antiphon.errors import FeatureStoreError
from antiphon.tables import feature_schema, read_table, write_table

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class VideoFeatures:
    """Features of one video: (n,) segment ids and (n, dim) vectors."""

    video_id: str
    segment_ids: list[str]
    vectors: FloatArray


class FeatureStore:
    """Features of one backbone. Every part carries what made it; parts of another maker are refused.

    Parameters
    ----------
    folder : `features/<backbone>` of a workspace.
    made_by : what the vectors depend on (weights, sampling, crop …), text to text.
    """

    def __init__(self, folder: Path, made_by: Mapping[str, str]) -> None:
        self.folder = folder
        self.made_by = dict(made_by)

    @classmethod
    def existing(cls, folder: Path) -> "FeatureStore":
        """The store in `folder`, whoever made it.

        Raises
        ------
        FeatureStoreError
            There is none.
        """
        parts = _parts(folder)
        if not parts:
            raise FeatureStoreError(f"{folder}: no features here. Extract or import them first.")
        return cls(folder, _made_by(parts[0]))

    def done(self) -> set[str]:
        """Videos that have their rows.

        Raises
        ------
        FeatureStoreError
            The store was made by something else.
        """
        return {
            video
            for part in self._checked()
            for video in pq.read_table(part, columns=["video_id"])["video_id"].to_pylist()
        }

    def append(self, rows: Iterable[VideoFeatures]) -> None:
        """Write the rows of some videos as one new part, whole or not at all."""
        batch = list(rows)
        if not batch:
            return
        vectors = np.concatenate([item.vectors for item in batch]).astype(np.float32, copy=False)
        dim = vectors.shape[1]
        columns = [
            pa.array([name for item in batch for name in item.segment_ids]),
            pa.array([item.video_id for item in batch for _ in item.segment_ids]),
            pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), dim),
        ]
        table = pa.Table.from_arrays(columns, schema=feature_schema(dim))
        number = 1 + max((int(part.stem.split("-")[1]) for part in _parts(self.folder)), default=-1)
        write_table(table.replace_schema_metadata(self.made_by), self.folder / f"part-{number:06d}.parquet")

    def read(self) -> tuple[list[str], list[str], FloatArray]:
        """Segment ids, video ids and (n, dim) vectors of all rows.

        Raises
        ------
        FeatureStoreError
            The store is empty, damaged, or was made by something else.
        """
        parts = self._checked()
        if not parts:
            raise FeatureStoreError(f"{self.folder}: no features here. Extract or import them first.")
        tables = [read_table(part, feature_schema(1)) for part in parts]
        table = pa.concat_tables([part.replace_schema_metadata(None) for part in tables])
        flat = np.concatenate([chunk.flatten().to_numpy() for chunk in table["vector"].chunks])
        return (
            table["segment_id"].to_pylist(),
            table["video_id"].to_pylist(),
            flat.reshape(table.num_rows, -1).astype(np.float32, copy=False),
        )

    def _checked(self) -> list[Path]:
        parts = _parts(self.folder)
        for part in parts:
            found = _made_by(part)
            different = [key for key in {**self.made_by, **found} if self.made_by.get(key) != found.get(key)]
            if different:
                key = sorted(different)[0]
                raise FeatureStoreError(
                    f"{part}: was made with {key} = {found.get(key)}, not {self.made_by.get(key)}. "
                    f"Use another workspace, or delete {self.folder} to compute these features again."
                )
        return parts


def store_names(features: Path) -> list[str]:
    """Names of the stores below a workspace's `features` folder."""
    if not features.is_dir():
        return []
    return sorted(folder.name for folder in features.iterdir() if _parts(folder))


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def _made_by(part: Path) -> dict[str, str]:
    try:
        metadata = pq.read_schema(part).metadata or {}
    except (pa.ArrowInvalid, OSError) as error:
        raise FeatureStoreError(
            f"{part}: is damaged ({error}). Delete this file; its videos are computed again."
        ) from error
    return {key.decode(): value.decode() for key, value in metadata.items() if key != b"ARROW:schema"}
