"""Words by meaning in an index: names are encoded once, and nothing is downloaded."""

from typing import ClassVar

import numpy as np
import pytest

from antiphon.search import Index, Query
from antiphon.search import meanings as kept_meanings

ROWS = [{"tags": ["beach"]}, {"tags": ["city"]}, {"tags": []}, {"tags": ["beach", "city"]}]


class Encoder:
    """Knows that a coast is a beach."""

    dim = 2
    asked: ClassVar[list[str]] = []

    def __init__(self, tensors):
        pass

    def encode(self, texts):
        self.asked.extend(texts)
        return np.array([[1.0, 0.0] if text in ("beach", "coast") else [0.0, 1.0] for text in texts], np.float32)


class Weights:
    cached = True

    def read(self):
        return {}, ""


@pytest.fixture
def index(tmp_path, monkeypatch):
    Encoder.asked = []
    monkeypatch.setattr(kept_meanings, "Sentences", Encoder)
    monkeypatch.setattr(kept_meanings, "SENTENCE_WEIGHTS", Weights())
    return Index.from_vectors(list("abcd"), np.eye(4), path=tmp_path, metadata=ROWS)


def test_an_unknown_word_is_taken_for_what_it_is_like(index):
    hits = index.search(Query.from_text(index, "coast"), k=2)
    assert {hit.id for hit in hits} == {"a", "d"}
    assert hits[0].reasons == ("coast: tag beach",)
    assert hits.words.terms[0].names == {"beach": 1}


def test_names_are_encoded_once_for_all_processes(index):
    Query.from_text(index, "coast")
    assert sorted(Encoder.asked) == ["beach", "city", "coast"]
    other = Index.open(index.path)
    Query.from_text(other, "coast")
    assert Encoder.asked.count("beach") == 1
    other.add_vectors(["e"], np.ones((1, 4)), metadata=[{"tags": ["harbour"]}])
    Query.from_text(other, "coast")
    assert Encoder.asked.count("harbour") == 1 and Encoder.asked.count("beach") == 1


def test_a_damaged_file_of_vectors_is_made_again(index):
    Query.from_text(index, "coast")
    kept = index.known().kept_meanings
    kept.write_bytes(b"damaged")
    assert Query.from_text(Index.open(index.path), "coast").words.terms


def test_without_the_encoder_the_word_means_nothing_and_that_is_said(index, monkeypatch):
    monkeypatch.setattr(Weights, "cached", False)
    assert Query.from_text(index, "coast").words.unknown == ("coast",)


def test_a_word_of_our_table_that_nothing_tells_of_is_taken_for_what_it_is_like(index, monkeypatch):
    monkeypatch.setattr(
        Encoder,
        "encode",
        lambda self, texts: np.array(
            [[1.0, 0.0] if text in ("beach", "calm") else [0.0, 1.0] for text in texts], np.float32
        ),
    )
    hits = index.search(Query.from_text(index, "ruhig"), k=2)  # calm
    assert {hit.id for hit in hits} == {"a", "d"}
    assert [term.label for term in hits.words.terms] == ["calm (like beach)"]
    assert not hits.silent
