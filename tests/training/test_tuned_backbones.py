"""Tuned parameters on disk: what is loaded is what was recorded, or it is refused."""

import shutil

import numpy as np
import pytest

from antiphon import backbones
from antiphon.backbones.tuning import tuned_tensors, unfreeze
from antiphon.backbones.weights import read_tensors, write_tensors
from antiphon.errors import ModelError
from antiphon.runs import TUNED_FILE
from antiphon.training.fine_tuning import TuningConfig
from antiphon.training.tuned_backbones import TunedBackbones, TunedFrom

NAMES = ("musicnn-mtt", "efficientnet_lite0")


def tuning(factor):
    """Backbones whose last blocks were multiplied by a factor."""
    networks = [backbones.load(name) for name in NAMES]
    tensors = {}
    for side, network in zip(("audio", "video"), networks, strict=True):
        unfreeze(network, 1)
        tensors[side] = {name: np.float32(factor) * values for name, values in tuned_tensors(network).items()}
    prints = [network.fingerprint for network in networks]
    return TunedBackbones(TunedFrom(*NAMES, *prints, TuningConfig().model_dump(), 1.0, 0.5, []), tensors)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Two tunings on disk: folder, record and names of each."""
    found = []
    for factor in (1.01, 1.02):
        made, folder = tuning(factor), tmp_path_factory.mktemp("run")
        record = made.save(folder)
        names = {network.modality: network.name for network in made.both("cpu")}
        found.append((folder, record, names))
    return found


def test_what_was_saved_is_loaded(saved):
    for folder, record, names in saved:
        loaded = TunedBackbones.load(folder, record, names)
        assert [network.name for network in loaded.both("cpu")] == list(names.values())


def test_the_file_of_another_tuning_is_refused(saved, tmp_path):
    (_, record, names), (other, _, others) = saved
    shutil.copy(other / TUNED_FILE, tmp_path / TUNED_FILE)
    mixed = TunedBackbones.load(tmp_path, record, names)
    for side, name in names.items():
        said = f"turn .* into {others[side]}, .* recorded with {name}: they are of another fine-tuning".replace(
            "+", "[+]"
        )
        with pytest.raises(ModelError, match=said):
            mixed.backbone(side, "cpu")


def test_a_file_that_lacks_parameters_or_has_those_of_another_network_is_refused(saved, tmp_path):
    folder, record, names = saved[0]
    tensors = read_tensors(folder / TUNED_FILE)[0]
    gone = next(name for name in tensors if name.startswith("audio."))
    write_tensors({name: values for name, values in tensors.items() if name != gone}, tmp_path / TUNED_FILE)
    lacking = TunedBackbones.load(tmp_path, record, names)
    with pytest.raises(ModelError, match="or incomplete"):
        lacking.backbone("audio", "cpu")
    assert lacking.backbone("video", "cpu").name == names["video"]
    write_tensors(tensors | {"audio.block9.0.weight": tensors[gone]}, tmp_path / TUNED_FILE)
    with pytest.raises(ModelError, match="does not belong to musicnn-mtt: .*no parameter block9"):
        TunedBackbones.load(tmp_path, record, names).backbone("audio", "cpu")
