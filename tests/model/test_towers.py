"""Heads as the recipes describe them."""

import numpy as np
import pytest
import tomli_w
import torch
from pydantic import ValidationError
from scipy.special import erf
from torch import nn

from antiphon.errors import ConfigError
from antiphon.model.heads import Head, HeadConfig
from antiphon.model.losses import LossConfig
from antiphon.model.recipe import load_recipe, recipe_names
from antiphon.model.towers import Towers

pytestmark = pytest.mark.numeric

BASE = load_recipe("paper-base")
LEARNED = BASE.model_copy(update={"loss": LossConfig(temperature=0.1, learn_temperature=True)})


def test_the_papers_base_head_is_dense_relu_dropout_dense_sigmoid():
    head = Head(1506, load_recipe("paper-base").head)
    layers = [*head.layers, head.output]
    assert [type(layer) for layer in layers] == [nn.Linear, nn.ReLU, nn.Dropout, nn.Linear, nn.Sigmoid]
    assert (layers[0].in_features, layers[0].out_features, layers[3].out_features) == (1506, 512, 256)
    assert layers[2].p == 0.3


def test_the_papers_code_has_batch_norm_before_the_relu():
    layers = list(Head(8, HeadConfig(normalisation="batch")).layers)
    assert [type(layer) for layer in layers[:4]] == [nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Dropout]


def test_a_head_without_hidden_layers_is_linear():
    assert [type(layer) for layer in Head(8, HeadConfig(hidden=())).layers] == [nn.Linear]


def test_standardised_input_has_no_mean_and_unit_deviation_and_survives_constants():
    features = torch.randn(500, 3) * torch.tensor([5.0, 0.1, 0.0]) + torch.tensor([100.0, -3.0, 7.0])
    head = Head(3, HeadConfig(standardise=True))
    head.fit_input(features)
    scaled = head.layers[0](features)
    torch.testing.assert_close(scaled.mean(0), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(0, correction=0), torch.tensor([1.0, 1.0, 0.0]), atol=1e-4, rtol=0)
    assert any("mean" in name for name in head.state_dict())


def test_scaled_together_all_values_have_the_root_mean_square_of_the_deviations():
    features = torch.randn(500, 3) * torch.tensor([5.0, 0.1, 0.0]) + 7
    head = Head(3, HeadConfig(standardise="together"))
    head.fit_input(features, together=True)
    deviations = features.double().numpy().std(axis=0)
    expected = (features.double().numpy() - features.double().numpy().mean(axis=0)) / np.sqrt((deviations**2).mean())
    np.testing.assert_allclose(head.standardised(features).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("output", ["none", "sigmoid"])
def test_a_skip_adds_a_linear_map_of_the_standardised_feature_before_the_output(output):
    config = {"hidden": (7,), "embedding_dim": 4, "activation": "gelu", "normalisation": "layer", "input_dropout": 0.5}
    head = Head(5, HeadConfig(**config, standardise=True, skip=True, output=output)).eval()
    features = torch.randn(50, 5) * 3 + 2
    head.fit_input(features)
    state = {name: values.double().numpy() for name, values in head.state_dict().items()}
    rows = (features.double().numpy() - state["layers.0.mean"]) / state["layers.0.scale"]
    hidden = rows @ state["layers.2.weight"].T + state["layers.2.bias"]
    hidden = (hidden - hidden.mean(axis=1, keepdims=True)) / np.sqrt(hidden.var(axis=1, keepdims=True) + 1e-5)
    hidden = hidden * (1 + erf(hidden / np.sqrt(2))) / 2
    expected = hidden @ state["layers.6.weight"].T + state["layers.6.bias"] + rows @ state["skip.1.weight"].T
    if output == "sigmoid":
        expected = 1 / (1 + np.exp(-expected))
    with torch.inference_mode():
        np.testing.assert_allclose(head(features).numpy(), expected, atol=1e-5)
        np.testing.assert_allclose(head.project(head.standardised(features)).numpy(), expected, atol=1e-5)
    assert isinstance(head.skip[0], nn.Dropout), "the skip's input is dropped in training too"
    assert head.skip[0].p == 0.5


@pytest.mark.parametrize("name", recipe_names())
def test_embeddings_are_unit_vectors(name):
    recipe = load_recipe(name)
    towers = Towers(7, 5, recipe).eval()
    audio, video = towers(torch.randn(4, 7), torch.randn(4, 5))
    for rows in (audio, video):
        assert rows.shape == (4, towers.trained_dim)
        torch.testing.assert_close(rows.norm(dim=1), torch.ones(4))
    assert towers.embed("audio", torch.randn(4, 7)).shape == (4, towers.embedding_dim)


def test_a_learned_temperature_stays_inside_its_limits_and_a_fixed_one_does_not_move():
    towers = Towers(2, 2, LEARNED)
    assert towers.temperature.item() == pytest.approx(0.1)
    for value, expected in ((99.0, 0.01), (-99.0, 1.0)):
        with torch.no_grad():
            towers.logit_scale.fill_(value)
        towers.clamp_temperature()
        assert towers.temperature.item() == pytest.approx(expected)
    assert not Towers(2, 2, BASE).logit_scale.requires_grad


def test_recipes_are_read_strictly(tmp_path):
    with pytest.raises(ConfigError, match="Unknown recipe 'nope'. Use one of antiphon-base, .*paper-base"):
        load_recipe("nope")
    with pytest.raises(ConfigError, match="no such recipe file"):
        load_recipe(tmp_path / "gone.toml")
    mine = tmp_path / "mine.toml"
    for text, fault in (
        ("name =", "is not valid TOML"),
        (
            'name = "x"\ndescription = ""\n[head]\nwidth = 3\n[loss]\ntemperature = -1\n[training]\n',
            r"mine.toml: head.width: .*; loss.temperature: .*greater than 0",
        ),
        ('inherits = "nope"', r"mine.toml: inherits 'nope'; it must be one of antiphon-base"),
        ('inherits = ["paper-base"]', "it must be one of"),
        ('inherits = "paper-base"\n[loss]\nheat = 1', "mine.toml: loss.heat"),
    ):
        mine.write_text(text)
        with pytest.raises(ConfigError, match=fault):
            load_recipe(mine)


def test_a_recipe_says_only_what_it_changes(tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('inherits = "coded-all"\nname = "mine"\n[head]\nembedding_dim = 16\n')
    recipe, above = load_recipe(mine), load_recipe("coded-all")
    assert recipe.name == "mine"
    assert recipe.head == above.head.model_copy(update={"embedding_dim": 16})
    assert (recipe.loss, recipe.training) == (above.loss, above.training)
    assert recipe.training.learning_rate == BASE.training.learning_rate


def test_the_six_configurations_of_experiment_1_differ_from_the_base_in_one_thing_each():
    expected = {
        "paper-embedding-512": {"head.embedding_dim": 512},
        "paper-four-layers": {"head.hidden": (512, 512, 512)},
        "paper-single-head": {"heads": "video"},
        "paper-temperature-0.3": {"loss.temperature": 0.3},
        "paper-autoencoders": {"autoencoder.epochs": 20},
    }
    for name, changes in expected.items():
        assert differences(load_recipe(name), BASE) == changes


def differences(recipe, base):
    flat = [
        {
            f"{part}.{key}" if isinstance(values, dict) else part: value
            for part, values in found.model_dump(exclude={"name", "description"}).items()
            for key, value in (values.items() if isinstance(values, dict) else [("", values)])
        }
        for found in (recipe, base)
    ]
    return {key: value for key, value in flat[0].items() if value != flat[1][key]}


def test_a_single_head_projects_pictures_to_the_size_of_the_sound_which_passes_as_it_is():
    towers = Towers(7, 5, load_recipe("paper-single-head")).eval()
    audio = torch.randn(4, 7)
    assert list(towers.heads) == ["video"]
    assert not [name for name, _ in towers.named_parameters() if name.startswith("audio")]
    torch.testing.assert_close(towers.embed("audio", audio), audio / audio.norm(dim=1, keepdim=True))
    assert towers.embed("video", torch.randn(4, 5)).shape == (4, 7)


def test_a_frozen_affine_keeps_scale_and_shift_out_of_training():
    free, frozen = (
        Head(8, HeadConfig(normalisation="batch", frozen_affine=choice)).layers[1] for choice in (False, True)
    )
    assert all(parameter.requires_grad for parameter in free.parameters())
    assert not any(parameter.requires_grad for parameter in frozen.parameters())


@pytest.mark.parametrize(("temperature", "least", "most"), [(2.0, 0.01, 1.0), (0.005, 0.01, 1.0), (0.5, 0.9, 0.1)])
def test_a_learned_temperature_must_start_inside_its_limits(temperature, least, most):
    limits = {"min_temperature": least, "max_temperature": most}
    with pytest.raises(ValidationError, match=rf"temperature {temperature:g} is not between min_temperature {least}"):
        LossConfig(temperature=temperature, learn_temperature=True, **limits)
    assert LossConfig(temperature=temperature, **limits).temperature == temperature


def test_hidden_layers_have_at_least_one_value():
    assert HeadConfig(hidden=(1, 3)).hidden == (1, 3)
    with pytest.raises(ValidationError, match=r"hidden\.1\n.*greater than or equal to 1"):
        HeadConfig(hidden=(4, 0))


def test_a_run_record_is_a_recipe_too(tmp_path):
    recipe = load_recipe("paper-base")
    path = tmp_path / "run.toml"
    path.write_text(tomli_w.dumps({"seed": 3, "recipe": recipe.model_dump(mode="json", exclude_none=True)}))
    assert load_recipe(path) == recipe
