"""Shares of a catalogue: disjoint, complete, and the same however the catalogue grows."""

import json

import pytest

import antiphon as ap
from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.errors import ConfigError
from antiphon.features.shares import is_in_share, share_of
from antiphon.features.store import FeatureStore
from antiphon.segments.sampling import SamplingConfig

SAMPLING = SamplingConfig(sections=1)


@pytest.mark.parametrize("count", [1, 2, 7, 64])
def test_each_video_falls_into_one_share_and_shares_are_about_as_large(count: int) -> None:
    ids = [f"video-{number}" for number in range(6400)]
    shares = [[name for name in ids if is_in_share(name, (number, count))] for number in range(1, count + 1)]
    assert sorted(name for share in shares for name in share) == sorted(ids)
    mean = len(ids) / count
    assert all(abs(len(share) - mean) < 5 * mean**0.5 for share in shares)  # five standard deviations


def test_the_share_of_a_video_is_the_same_in_every_process_and_version() -> None:
    # Written down: machines of one extraction may run different versions.
    found = {name: [is_in_share(name, (number, 3)) for number in (1, 2, 3)].index(True) + 1 for name in "abcdef"}
    assert found == {"a": 1, "b": 3, "c": 1, "d": 1, "e": 3, "f": 1}


@pytest.mark.parametrize("share", [(0, 2), (3, 2), (-1, 2), (1, 0)])
def test_numbers_that_are_no_share_are_refused(share: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="how many there are: 2/8"):
        ap.extract(Catalogue([{"id": "a"}]), workspace="never-made", share=share)


def test_a_share_without_videos_is_refused() -> None:
    share = next((number, 2) for number in (1, 2) if not is_in_share("a", (number, 2)))
    with pytest.raises(ConfigError, match="no video of the catalogue falls into"):
        ap.extract(Catalogue([{"id": "a"}]), workspace="never-made", share=share)


@pytest.mark.parametrize("text", ["2", "2/", "/8", "a/8", "2/8/9", "-1/8", "1.0/2", "²/8", ""])
def test_texts_that_are_no_share_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="how many there are: 2/8"):
        share_of(text)


def test_machines_compute_their_shares_and_together_everything(synthetic_table, tmp_path, capsys) -> None:
    catalogue, place = Catalogue.from_csv(synthetic_table), tmp_path / "w"
    shares = [{name for name in catalogue.ids if is_in_share(name, (number, 2))} for number in (1, 2)]
    assert all(shares)
    store = place / "features" / "musicnn-mtt"

    def done() -> set[str]:
        return FeatureStore.existing(store).done()

    options = {"video": None, "workspace": place, "sampling": SAMPLING}
    ap.extract(catalogue, **options, share=(1, 2))
    assert done() == shares[0]
    kept = {part.name: part.stat().st_mtime_ns for part in store.glob("*.parquet")}
    again = sorted(shares[0])[:1]
    argv = ["--workspace", str(place), "--json", "extract", "--video", "none", "--share", "2/2", "--again", *again]
    assert run(argv) == 0
    assert json.loads(capsys.readouterr().out)["videos"] == len(catalogue)
    assert done() == shares[0] | shares[1]
    # What another machine computed again is not removed.
    assert {name: (store / name).stat().st_mtime_ns for name in kept} == kept


def test_segments_are_not_kept_of_a_share(synthetic_table, tmp_path) -> None:
    with pytest.raises(ConfigError, match="kept of the whole catalogue"):
        ap.extract(Catalogue.from_csv(synthetic_table), workspace=tmp_path, share=(1, 2), keep_segments=True)
