"""The sentence encoder in numpy against the library that its weights were made with, and names by meaning."""

import numpy as np
import pytest

from antiphon.errors import WeightsError
from antiphon.words.meanings import Meanings
from antiphon.words.sentences import Sentences

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "calm",
    "guitar",
    "sea",
    "##side",
    "##s",
    "rock",
    "&",
    "roll",
    "日",
    "u",
    "##ber",
]
TEXTS = ["Calm seaside", "guitars", "rock & roll!", "ÜBER", "日日", "", "unheard-of calm", "calm " * 100]


@pytest.fixture(scope="module")
def tiny():
    """A tiny network of the same shape with random weights, and its tensors as they are kept."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers", reason="needs transformers: pip install 'antiphon[hub]'")
    config = transformers.BertConfig(
        vocab_size=len(WORDS), hidden_size=48, num_hidden_layers=6, num_attention_heads=12, intermediate_size=40
    )
    torch.manual_seed(0)
    network = transformers.BertModel(config).eval()
    with torch.no_grad():
        for values in network.parameters():
            values.add_(0.1 * torch.randn_like(values))
    tensors = {name: values.numpy() for name, values in network.state_dict().items() if values.dtype == torch.float32}
    return network, tensors | {"vocabulary": np.frombuffer("\n".join(WORDS).encode(), np.uint8)}


@pytest.mark.numeric
def test_vectors_are_those_of_the_library(tiny, tmp_path):
    import torch
    import transformers

    network, tensors = tiny
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    tokenizer = transformers.BertTokenizer(str(tmp_path / "vocab.txt"), do_lower_case=True)
    found = Sentences(tensors).encode(TEXTS)
    for text, vector in zip(TEXTS, found, strict=True):
        pieces = tokenizer(text, max_length=66, truncation=True, return_tensors="pt")
        with torch.inference_mode():
            mean = network(**pieces).last_hidden_state[0].mean(axis=0).numpy()
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=2e-5)


def test_weights_of_something_else_are_refused(tiny):
    with pytest.raises(WeightsError, match="are not all-MiniLM-L6-v2's"):
        Sentences({name: values for name, values in tiny[1].items() if "layer.5.output.dense" not in name})


class Axes:
    """Encodes a text by its first letter."""

    def encode(self, texts):
        return np.array([np.eye(26)[ord(text[0]) - 97] for text in texts])


def test_names_are_near_that_lie_in_nearly_the_same_direction():
    vectors = {"sea": np.eye(26)[18], "storm": np.r_[np.zeros(18), 0.9, np.zeros(7)], "calm": np.eye(26)[2]}
    meanings = Meanings(vectors, Axes())
    found = meanings.nearest("sailing")
    assert list(found) == ["sea", "storm"]
    assert sum(found.values()) == pytest.approx(1)
    assert found["sea"] / found["storm"] == pytest.approx(np.exp(0.1 / 0.07), rel=1e-6)
    assert meanings.nearest("zzz") == {} and Meanings({}, Axes()).nearest("calm") == {}
