"""The facts of a workspace that neighbours are explained by."""

from antiphon.catalogue import Catalogue
from antiphon.search.explaining import Facts, facts_of
from antiphon.tables import ATTRIBUTES, read_table
from antiphon.workspace import Workspace


def workspace_facts(workspace: Workspace) -> Facts:
    """What catalogue and attributes say of each track; without `attributes.parquet`, or with an older one, no measures.

    Raises
    ------
    CatalogueError
        The catalogue is missing or damaged.
    FeatureStoreError
        The table of attributes is damaged.
    """
    records = Catalogue.load(workspace.catalogue).records()
    if not workspace.attributes.exists():
        return facts_of(records)
    table = read_table(workspace.attributes)
    measured = set(ATTRIBUTES.names) <= set(table.column_names)
    return facts_of(records, table.to_pylist() if measured else ())
