"""Folders that `save_to_disk` of Hugging Face's `datasets` wrote, read with pyarrow: no code of theirs is run.

Source: github.com/huggingface/datasets. A data set is state.json with the names of Arrow streams beside it; a
dictionary of splits is dataset_dict.json with the names of such folders.
"""

from pathlib import Path
from typing import Any, cast

import polars as pl
import pyarrow as pa

from antiphon.documents import parsed_object, read_document, refuse_no_file
from antiphon.errors import FeatureStoreError
from antiphon.features.features import Features
from antiphon.features.parquet import name_column, vector_column

_STATE, _SPLITS = "state.json", "dataset_dict.json"
_SPLIT_WORDS = {
    "train": "train",
    "validation": "validation",
    "valid": "validation",
    "dev": "validation",
    "test": "test",
}
_ROW_SPLIT = "__split"
_MAX_FILES = 100_000
_MOST_UNPACKED = 50
"""Largest ratio of what a file holds to its own size: vectors compress little."""
_POLARS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)


def is_arrow_folder(folder: Path) -> bool:
    """Whether a folder is what `save_to_disk` wrote."""
    return (folder / _STATE).is_file() or (folder / _SPLITS).is_file()


def from_arrow_folder(
    folder: Path, audio: str | None, video: str | None, ids: str = "id", **columns: str | None
) -> Features:
    """Read features from a saved data set.

    Parameters
    ----------
    folder : Path
        What `save_to_disk` wrote.
    audio, video : str or None
        Columns of the vectors, lists of one length. One of them may be None.
    ids : str, default 'id'
        Column of row ids.
    **columns : str or None
        `groups`, `labels`, `splits`, `genres`, `artists`, `starts_s`: further columns; see `Features.from_arrays`. The
        splits of a dictionary of data sets are those of its rows, unless a column gives them.

    Returns
    -------
    Features
        The features.

    Raises
    ------
    FeatureStoreError
        The folder or a file is damaged, a column is missing, or vectors differ in length.
    """
    if audio is None and video is None:
        raise FeatureStoreError(f"{folder}: name the columns of the vectors by --audio or --video.")
    further = {name: column for name, column in columns.items() if column}
    wanted = [ids, *(name for name in (audio, video) if name), *further.values()]
    frame = _frame(folder, list(dict.fromkeys(wanted)))
    values = {name: frame[column].to_list() for name, column in further.items()}
    if "splits" not in values and _ROW_SPLIT in frame.columns:
        values["splits"] = frame[_ROW_SPLIT].to_list()
    return Features.from_arrays(
        audio=vector_column(frame, audio) if audio else None,
        video=vector_column(frame, video) if video else None,
        ids=name_column(frame, ids),
        audio_name=audio or "",
        video_name=video or "",
        **cast(Any, values),
    )


def _frame(folder: Path, columns: list[str]) -> pl.DataFrame:
    if not (folder / _SPLITS).is_file():
        return _data_set(folder, columns)
    names = _listed(folder / _SPLITS, "splits")
    frames: list[pl.DataFrame] = []
    for name in names:
        split = _SPLIT_WORDS.get(str(name).lower(), "")
        frames.append(_data_set(folder / _inside(folder, name), columns).with_columns(pl.lit(split).alias(_ROW_SPLIT)))
    return _together(frames, folder)


def _data_set(folder: Path, columns: list[str]) -> pl.DataFrame:
    files = _listed(folder / _STATE, "_data_files")
    names = [file.get("filename") if isinstance(file, dict) else None for file in files]
    return _together([_stream(folder / _inside(folder, name), columns) for name in names], folder)


def _listed(path: Path, key: str) -> list[Any]:
    try:
        found = parsed_object(read_document(path)).get(key)
    except (OSError, ValueError) as error:
        raise FeatureStoreError(f"{path}: cannot be read ({error}).") from error
    if not isinstance(found, list) or not 0 < len(found) <= _MAX_FILES:
        raise FeatureStoreError(f"{path}: lists no {key}. Save the data set again.")
    return found


def _inside(folder: Path, name: Any) -> str:
    """Return the name of a file in the folder itself: state.json is anyone's text."""
    if not isinstance(name, str) or Path(name).name != name or name in ("", ".", "..") or "\0" in name:
        raise FeatureStoreError(f"{folder}: names '{str(name)[:80]}', which is no file in it. Save the data set again.")
    return name


def _stream(path: Path, columns: list[str]) -> pl.DataFrame:
    try:
        refuse_no_file(path)
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
            there = reader.schema.names
        missing = [name for name in columns if name not in there]
        if missing:
            named = ", ".join(there)[:300]
            raise FeatureStoreError(f"{path}: has no column {', '.join(missing)}; its columns are {named}.")
        table = _columns(path, [there.index(name) for name in columns]).select(columns)
        table.validate(full=True)
        return cast(pl.DataFrame, pl.from_arrow(table))
    except FeatureStoreError:
        raise
    except (OSError, ValueError, TypeError, KeyError, MemoryError, pa.ArrowException, *_POLARS) as error:
        raise FeatureStoreError(f"{path}: cannot be read as an Arrow stream ({str(error)[:200]}).") from error


def _columns(path: Path, numbers: list[int]) -> pa.Table:
    """Read some columns, batch by batch, and no more of them than a file of this size honestly holds."""
    limit = _MOST_UNPACKED * path.stat().st_size
    options = pa.ipc.IpcReadOptions(included_fields=numbers)
    batches: list[pa.RecordBatch] = []
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file, options=options) as reader:
        for batch in reader:
            batches.append(batch)
            limit -= batch.nbytes
            if limit < 0:
                raise FeatureStoreError(f"{path}: holds more than {_MOST_UNPACKED} times its size. Save it again.")
        return pa.Table.from_batches(batches, reader.schema)


def _together(frames: list[pl.DataFrame], folder: Path) -> pl.DataFrame:
    try:
        return pl.concat(frames, how="vertical_relaxed")
    except _POLARS as error:
        raise FeatureStoreError(f"{folder}: its files have different columns ({error}).") from error
