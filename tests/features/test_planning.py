"""Segments that two machines plan at once."""

import pytest

from antiphon.catalogue import Catalogue
from antiphon.errors import FeatureStoreError
from antiphon.features import planning
from antiphon.segments.sampling import SamplingConfig
from antiphon.workspace import Workspace

SAMPLING = SamplingConfig(sections=2)


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([{"id": name, "path": f"/{name}.mp4", "duration_s": 60.0} for name in "ab"])


def test_segments_drawn_by_another_machine_meanwhile_are_no_conflict(
    catalogue: Catalogue, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, read = Workspace(tmp_path), planning.read_segments

    def overtaken(place: Workspace) -> planning.PlannedSegments:
        found = read(place)
        monkeypatch.setattr(planning, "read_segments", read)
        planning.plan_segments(place, catalogue, SAMPLING)
        return found

    monkeypatch.setattr(planning, "read_segments", overtaken)
    planned, failures = planning.plan_segments(workspace, catalogue, SAMPLING)
    assert set(planned.by_video) == {"a", "b"} and not failures
    assert read(workspace).by_video == planned.by_video


def test_another_sampling_is_refused(catalogue: Catalogue, tmp_path) -> None:
    workspace = Workspace(tmp_path)
    planning.plan_segments(workspace, catalogue, SAMPLING)
    with pytest.raises(FeatureStoreError, match="was drawn with .*Use one workspace per sampling"):
        planning.plan_segments(workspace, catalogue, SamplingConfig(sections=3))
