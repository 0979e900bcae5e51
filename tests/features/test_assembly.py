"""Features of a workspace beside what its catalogue says about the videos."""

import numpy as np

from antiphon.catalogue import Catalogue
from antiphon.catalogue.description import describe
from antiphon.features.assembly import assemble
from antiphon.features.store import FeatureStore, VideoFeatures
from antiphon.workspace import Workspace

GENRES = ("Folk", "folk", None, "folk", "Rock")
TAGS = (["Live", "live"], ["live", "sad"], [], ["Sad"], ["sad"])


def test_names_that_differ_by_case_alone_are_one(tmp_path):
    names = [f"v{number}" for number in range(5)]
    rows = [
        {"id": name, "genre": genre, "tags": tags, "split": "train"}
        for name, genre, tags in zip(names, GENRES, TAGS, strict=True)
    ]
    catalogue = Catalogue(rows)
    store = FeatureStore(tmp_path / "features" / "b", {"backbone": "b", "modality": "audio"})
    store.append([VideoFeatures(name, [f"{name}#0"], np.ones((1, 3), np.float32)) for name in names])
    features = assemble(Workspace(tmp_path), catalogue, "b", None)
    assert features.genres.tolist() == ["folk", "folk", "", "folk", "Rock"]
    assert [list(labels) for labels in features.labels] == [["live"], ["live", "sad"], [], ["sad"], ["sad"]]
    found = describe(catalogue)
    assert {name: counts["total"] for name, counts in found["genres"].items()} == {"folk": 3, "Rock": 1}
    assert {name: counts["total"] for name, counts in found["tags"].items()} == {"sad": 3, "live": 2}
    assert [row["genre"] for row in catalogue.records()] == list(GENRES)
