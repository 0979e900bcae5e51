"""Tables in a store that several machines write at once, without locks; see `antiphon.places.SharedTable`.

Each write adds one object, whose metadata names those that it replaces: all that this process has read or written of
the table, also those that others had replaced and not deleted yet: else who replaces the one that names them would
bring them back. What others have added meanwhile is not among them, stays, and is joined when the table is read: of
rows with one key that of the later object counts.
"""

import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from antiphon.errors import FeatureStoreError
from antiphon.parquet_files import open_table, read_parquet, sealed
from antiphon.places import Address, SharedTable, new_name

_REPLACES = b"antiphon.replaces"
_KEYS = (("segment_id",), ("id",), ("video_id", "stage"))
_TRIES = 8
_known: dict[str, tuple[set[str], pa.Table]] = {}
"""By address: what this process has seen or written of a table last, and its rows."""


def write_object(table: pa.Table, address: Address, **layout: Any) -> None:
    """Write a table as one object.

    Parameters
    ----------
    table : pyarrow.Table
        Table to write.
    address : Address
        Where.
    **layout : object
        Further arguments of `pyarrow.parquet.write_table`.

    Raises
    ------
    StorageError
        The store fails.
    """
    buffer = io.BytesIO()
    pq.write_table(sealed(table), buffer, write_page_checksum=True, **layout)
    address.write_bytes(buffer.getvalue())


def write_shared(table: pa.Table, address: SharedTable) -> None:
    """Write a table in place of what this process has read of it.

    Parameters
    ----------
    table : pyarrow.Table
        Table to write.
    address : SharedTable
        Where.

    Raises
    ------
    StorageError
        The store fails.
    """
    names, before = _known.get(address.text, (set[str](), None))
    if before is not None and before.equals(table, check_metadata=True):
        return
    own = new_name()
    replaces = {_REPLACES: json.dumps(sorted(names)).encode()}
    write_object(table.replace_schema_metadata((table.schema.metadata or {}) | replaces), address / own)
    _known[address.text] = ({own} | names, table)
    for name in names:  # Killed here, they stay, and are still replaced.
        (address / name).unlink(missing_ok=True)
    _known[address.text] = ({own}, table)


def read_shared(address: SharedTable) -> pa.Table:
    """Read a table: what others have written at once, joined.

    Parameters
    ----------
    address : SharedTable
        Where it is.

    Returns
    -------
    pyarrow.Table
        Its rows, in the order of the objects, and of the rows in them.

    Raises
    ------
    FeatureStoreError
        It is missing, or damaged.
    StorageError
        The store fails.
    """
    for _ in range(_TRIES):
        try:
            names, heads = _listed(address)
            tables = [read_parquet(head) for head in heads]
        except FileNotFoundError:  # replaced since it was listed
            continue
        if not tables:
            raise FeatureStoreError(f"{address}: no such table. Run the stage again.")
        table = _joined(tables)
        _known[address.text] = (names, table)
        return table
    raise FeatureStoreError(f"{address}: is being written all the time, and could not be read. Try again.")


def shared_schema(address: SharedTable) -> pa.Schema:
    """Read the columns and the metadata of a table, of several objects those of the last one."""
    for _ in range(_TRIES):
        try:
            _, heads = _listed(address)
            if heads:
                with open_table(heads[-1]) as file:
                    return _plain(file.schema_arrow)
            break
        except FileNotFoundError:
            continue
    raise FeatureStoreError(f"{address}: no such table. Run the stage again.")


def _listed(address: SharedTable) -> tuple[set[str], list[Address]]:
    """List the names of all objects, and those objects that no other one replaces."""
    found = [item for item in address.iterdir() if item.name.endswith(".parquet")]
    names = {item.name for item in found}
    if len(found) < 2:
        return names, found
    replaced: set[str] = set()
    for item in found:
        with open_table(item) as file:
            replaced.update(json.loads((file.schema_arrow.metadata or {}).get(_REPLACES, b"[]")))
    return names, [item for item in found if item.name not in replaced]


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    about = _plain(tables[-1].schema).metadata
    if len(tables) == 1:
        return tables[0].replace_schema_metadata(about)
    names = next(key for key in _KEYS if set(key) <= set(tables[0].column_names))
    table = pa.concat_tables([one.replace_schema_metadata(None) for one in tables], promote_options="permissive")
    places: dict[tuple[Any, ...], int] = {}
    for row, key in enumerate(zip(*(table[name].to_pylist() for name in names), strict=True)):
        places[key] = row
    return table.take(pa.array(_in_order(places.values()), pa.int64())).replace_schema_metadata(about)


def _in_order(rows: Iterable[int]) -> list[int]:
    return sorted(rows)


def _plain(schema: pa.Schema) -> pa.Schema:
    metadata = schema.metadata or {}
    hidden = (_REPLACES, b"antiphon.sha256", b"ARROW:schema")
    return schema.with_metadata({key: value for key, value in metadata.items() if key not in hidden})
