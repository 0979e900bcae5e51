"""A workspace of synthetic media whose features are made up: quick, and enough for what comes after them."""

from pathlib import Path

import numpy as np

from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.features.planning import plan_segments
from antiphon.features.store import FeatureStore, VideoFeatures
from antiphon.segments.sampling import SamplingConfig
from antiphon.workspace import Workspace


def with_features(root: Path, table: Path) -> Workspace:
    """A workspace at `root` with the music videos of `table`, two segments each, and random features of 8 values."""
    workspace = Workspace(root)
    fractions = ["--fractions", "0.4", "0.2", "0.4"]
    assert run(["-w", str(root), "catalogue", "add", str(table), "--by", "video", *fractions]) == 0
    segments = plan_segments(workspace, Catalogue.load(workspace.catalogue), SamplingConfig(sections=2))[0].by_video
    random = np.random.default_rng(0)
    for name, modality in (("hearing", "audio"), ("seeing", "video")):
        store = FeatureStore(workspace.features / name, {"backbone": name, "modality": modality})
        for video, rows in segments.items():
            vectors = random.normal(size=(len(rows), 8)).astype(np.float32)
            store.append([VideoFeatures(video, [row["segment_id"] for row in rows], vectors)])
    return workspace
