"""Recipes, run records, histories and weights of the previous version are read under their old names."""

import tomllib
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tomli_w
from safetensors.torch import load_file, save_file

from antiphon import DualEncoder, Features
from antiphon.errors import ConfigError
from antiphon.model.recipe import changed_recipe, load_recipe
from antiphon.model.renamed_keys import with_current_keys, with_current_parameters
from antiphon.runs import read_history

OLD_NAMES = {
    "head": {"embedding_dim": "dim"},
    "closed_form": {"num_components": "dim", "num_landmarks": "landmarks"},
    "loss": {"min_temperature": "least_temperature", "max_temperature": "most_temperature"},
    "training": {"min_steps": "least_steps", "min_pairs": "least_pairs"},
}
OLD_COLUMNS = {"train_lower_bound": "train_least", "validation_lower_bound": "validation_least"}
TINY = {
    "head": {"hidden": (8,), "embedding_dim": 4},
    "training": {"epochs": 2, "min_steps": 0, "min_pairs": 2},
    "track": {"num_axes": 2},
}


def in_old_names(recipe):
    return {
        table: {OLD_NAMES.get(table, {}).get(key, key): value for key, value in settings.items()}
        if isinstance(settings, dict)
        else settings
        for table, settings in recipe.items()
    }


def features(count=20):
    values = np.random.default_rng(0).normal(size=(count, 6)).astype(np.float32)
    return Features.from_arrays(audio=values, video=values[:, ::-1], groups=[row // 2 for row in range(count)])


@pytest.fixture
def old_run(tmp_path):
    """A run as the previous version wrote it, beside the model that it holds."""
    recipe = changed_recipe(load_recipe("antiphon-track"), TINY, "tiny")
    model = DualEncoder(recipe).fit(features())
    model.save(tmp_path)
    record = tomllib.loads((tmp_path / "run.toml").read_text())
    record["recipe"] = in_old_names(record["recipe"])
    del record["sha256"]
    (tmp_path / "run.toml").write_text(tomli_w.dumps(record))
    weights = load_file(tmp_path / "model.safetensors")
    save_file(
        {"log_scale" if name == "logit_scale" else name: value for name, value in weights.items()},
        tmp_path / "model.safetensors",
    )
    history = pq.read_table(tmp_path / "history.parquet")
    pq.write_table(
        history.rename_columns([OLD_COLUMNS.get(name, name) for name in history.column_names]),
        tmp_path / "history.parquet",
    )
    return tmp_path, model


def test_a_run_of_the_previous_version_is_the_same_model(old_run):
    folder, model = old_run
    text = (folder / "run.toml").read_text()
    assert "least_steps" in text and "min_steps" not in text and "log_scale" in load_file(folder / "model.safetensors")
    with pytest.warns(UserWarning, match="settings under old names") as caught:
        loaded = DualEncoder.load(folder)
    assert len(caught) == 1
    assert str(caught[0].message).count(" is now ") == sum(map(len, OLD_NAMES.values()))
    assert (loaded.recipe, loaded.fingerprint) == (model.recipe, model.fingerprint)
    assert [vars(epoch) for epoch in loaded.history] == [vars(epoch) for epoch in model.history]
    for before, after in zip(model.embed(features()), loaded.embed(features()), strict=True):
        assert np.array_equal(before, after)


def test_the_history_of_the_previous_version_has_the_current_columns(old_run):
    table = read_history(old_run[0] / "history.parquet")
    assert {"train_lower_bound", "validation_lower_bound"} <= set(table.column_names)
    assert isinstance(table, pa.Table) and not any("least" in name for name in table.column_names)


def test_a_recipe_in_old_names_is_the_same_recipe(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text('inherits = "antiphon-base"\nname = "own"\n[head]\ndim = 7\n[training]\nleast_steps = 3\n')
    with pytest.warns(UserWarning) as caught:
        recipe = load_recipe(file)
    assert [str(warning.message) for warning in caught] == [
        f"{file}: has settings under old names, which the next version will refuse: [head] dim is now embedding_dim, "
        "[training] least_steps is now min_steps."
    ]
    assert (recipe.head.embedding_dim, recipe.training.min_steps) == (7, 3)
    file.write_text('inherits = "antiphon-base"\nname = "own"\n[head]\nembedding_dim = 7\n[training]\nmin_steps = 3\n')
    assert load_recipe(file) == recipe


@pytest.mark.parametrize("name", ["antiphon-track", "paper-base"])
def test_every_renamed_key_is_read_and_none_is_current(name):
    recipe = load_recipe(name).model_dump(mode="json")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert with_current_keys(in_old_names(recipe), "old") == recipe
    expected = sum(len(names) for table, names in OLD_NAMES.items() if recipe[table] is not None)
    assert len(caught) == 1
    assert str(caught[0].message).count(" is now ") == expected
    assert with_current_keys(recipe, "current") == recipe


def test_a_key_under_both_names_is_refused(tmp_path):
    file = tmp_path / "both.toml"
    file.write_text('inherits = "paper-base"\nname = "both"\n[loss]\nleast_temperature = 0.1\nmin_temperature = 0.2\n')
    with pytest.raises(ConfigError, match=r"\[loss\] has both least_temperature and min_temperature"):
        load_recipe(file)


def test_the_track_model_of_an_earlier_version_is_refused_with_what_to_do(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text('inherits = "antiphon-track"\nname = "old"\n[track]\naggregator = "transformer"\nlayers = 1\n')
    with pytest.raises(
        ConfigError, match=r"run.toml: \[track\] aggregator, layers: settings of .*Remove them, and train"
    ):
        load_recipe(file)


def test_a_change_in_old_names_counts():
    with pytest.warns(UserWarning, match=r"study: .*\[training\] least_pairs is now min_pairs"):
        recipe = changed_recipe(load_recipe("paper-base"), {"training": {"least_pairs": 9}}, "study")
    assert recipe.training.min_pairs == 9


def test_parameters_keep_their_order():
    assert list(with_current_parameters({"b": 1, "log_scale": 2, "a": 3}).items()) == [
        ("b", 1),
        ("logit_scale", 2),
        ("a", 3),
    ]
