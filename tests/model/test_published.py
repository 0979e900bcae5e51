import json
import os
import pickle
import re
import struct
import tomllib
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from antiphon import DualEncoder, Features, evaluate
from antiphon.errors import ModelError
from antiphon.metrics import retrieval

SINGLE = Path(__file__).parents[3] / "shared" / "data" / "published" / "Single_proj_head.tar"
NAMES = {"audio_name": "musicnn-won-mtat", "video_name": "r2plus1d_18-unscaled"}


def head(inputs: int, hidden: int, dim: int, seed: int) -> OrderedDict[str, torch.Tensor]:
    """A state dict of the authors' layout in which no layer is the identity."""
    generator = torch.Generator().manual_seed(seed)

    def values(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) / shape[-1] ** 0.5

    return OrderedDict(
        {
            "dense1.weight": values(hidden, inputs),
            "dense1.bias": values(hidden),
            "bn1.weight": 1 + values(hidden),
            "bn1.bias": values(hidden),
            "bn1.running_mean": values(hidden),
            "bn1.running_var": 0.5 + torch.rand(hidden, generator=generator),
            "bn1.num_batches_tracked": torch.tensor(1495),
            "dense2.weight": 5 * values(dim, hidden),
            "dense2.bias": values(dim),
        }
    )


def single() -> list[Any]:
    video = head(512, 512, 1506, 0)
    video |= {"dense3.weight": torch.empty(0, 1506), "dense3.bias": torch.empty(0)}
    return [video, OrderedDict()]


def two_heads() -> list[Any]:
    return [head(512, 512, 256, 0), head(1506, 512, 256, 1)]


def write(path: Path, model: Any, **further: Any) -> Path:
    torch.save({"epoch": 23, "model": model, "best_rsum": torch.tensor(13.6), "opt": {"val_step": 5}} | further, path)
    return path


def plain(state: dict[str, torch.Tensor], features: np.ndarray) -> np.ndarray:
    """(n, inputs) → (n, dim) unit rows, in double precision: dense1, bn1, ReLU, dense2, sigmoid, unit length."""
    at = {name: tensor.double().numpy() for name, tensor in state.items()}
    rows = features.astype(np.float64) @ at["dense1.weight"].T + at["dense1.bias"]
    rows = (rows - at["bn1.running_mean"]) / np.sqrt(at["bn1.running_var"] + 1e-5) * at["bn1.weight"] + at["bn1.bias"]
    rows = np.maximum(rows, 0) @ at["dense2.weight"].T + at["dense2.bias"]
    rows = 1 / (1 + np.exp(-rows))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def features(count: int = 60, **names: str) -> Features:
    rng = np.random.default_rng(5)
    audio = rng.normal(size=(count, 1506)).astype(np.float32) * rng.uniform(0.2, 5, (count, 1)).astype(np.float32)
    video = rng.gamma(1, 1, (count, 512)).astype(np.float32)
    ids = [f"v{number:03}" for number in range(count)]
    return Features.from_arrays(audio=audio, video=video, ids=ids, **(NAMES | names))


@pytest.fixture
def real() -> Path:
    if not SINGLE.exists():
        pytest.skip("the authors' checkpoint is not beside this checkout")
    return SINGLE


def checkpoints(tmp_path: Path) -> list[Path]:
    made = [write(tmp_path / "single.tar", single()), write(tmp_path / "two.tar", two_heads())]
    return [*made, SINGLE] if SINGLE.exists() else made


def test_heads_are_evaluated_as_the_authors_do(tmp_path: Path) -> None:
    given = features()
    for path in checkpoints(tmp_path):
        video_state, audio_state = torch.load(path, map_location="cpu", weights_only=True)["model"]
        audio, video = DualEncoder.from_published(path, device="cpu").embed(given)
        np.testing.assert_allclose(video, plain(video_state, given.video), atol=1e-5)
        lengths = np.linalg.norm(given.audio, axis=1, keepdims=True)
        expected = plain(audio_state, given.audio) if audio_state else given.audio / lengths
        np.testing.assert_allclose(audio, expected, atol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(audio, axis=1), 1, atol=1e-5)


def test_the_authors_file_is_their_single_head(real: Path) -> None:
    model = DualEncoder.from_published(real)
    assert (model.recipe.heads, model.recipe.head.hidden, model.dim) == ("video", (512,), 1506)
    assert (model.recipe.head.normalisation, model.recipe.head.output) == ("batch", "sigmoid")
    assert (model.audio_name, model.video_name) == ("musicnn-won-mtat", "r2plus1d_18-unscaled")
    assert model.published is not None
    assert model.published.file == "Single_proj_head.tar"


def test_two_heads_have_the_papers_sizes(tmp_path: Path) -> None:
    model = DualEncoder.from_published(write(tmp_path / "two.tar", two_heads()))
    assert (model.recipe.heads, model.recipe.head.hidden, model.dim) == ("both", (512,), 256)


# Files that are refused.


def without(state: dict[str, Any], name: str) -> None:
    del state[name]


DAMAGE: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "renamed": (
        lambda s: s.update({"dense1.Weight": s.pop("dense1.weight")}),
        r"dense1\.Weight, dense1\.weight missing or unexpected",
    ),
    "lacking": (lambda s: without(s, "bn1.bias"), r"bn1\.bias missing or unexpected"),
    "more": (lambda s: s.update({"bn2.bias": torch.zeros(3)}), r"bn2\.bias missing or unexpected"),
    "third layer": (
        lambda s: s.update({"dense3.weight": torch.zeros(2, 1506)}),
        r"dense3\.weight has shape \(2, 1506\)",
    ),
    "transposed": (lambda s: s.update({"dense2.weight": s["dense2.weight"].T.contiguous()}), "has shape .*, expected"),
    "other inputs": (
        lambda s: s.update({"dense1.weight": torch.zeros(512, 500)}),
        r"dense1\.weight has shape \(512, 500\), expected \(512, 512\)",
    ),
    "norm": (lambda s: s.update({"bn1.weight": torch.ones(1)}), r"bn1\.weight has shape \(1,\)"),
    "nan": (lambda s: s["dense2.bias"].__setitem__(7, torch.nan), r"dense2\.bias has values that are not finite"),
    "infinite": (lambda s: s["bn1.running_mean"].__setitem__(0, torch.inf), "not finite"),
    "variance": (lambda s: s["bn1.running_var"].__setitem__(0, -1), r"running_var has negative values"),
    "doubles": (
        lambda s: s.update({"dense1.bias": s["dense1.bias"].double()}),
        r"not a dense tensor of torch\.float32",
    ),
    "list": (lambda s: s.update({"dense1.bias": [1.0]}), "not a dense tensor"),
    "expanded": (lambda s: s.update({"dense1.weight": torch.zeros(1).expand(512, 512)}), "not a dense tensor"),
    "sparse": (lambda s: s.update({"dense1.weight": torch.zeros(512, 512).to_sparse()}), "not a dense tensor"),
    "empty": (lambda s: s.update({"dense2.bias": torch.zeros(0), "dense2.weight": torch.zeros(0, 512)}), "has shape"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_tampered_head_is_refused(tmp_path: Path, kind: str) -> None:
    tamper, reason = DAMAGE[kind]
    model = single()
    tamper(model[0])
    with pytest.raises(ModelError, match=reason):
        DualEncoder.from_published(write(tmp_path / "tampered.tar", model))


def test_the_sounds_head_is_checked_too(tmp_path: Path) -> None:
    model = two_heads()
    model[1]["dense2.bias"][0] = torch.nan
    with pytest.raises(ModelError, match=r"the audio head: dense2\.bias"):
        DualEncoder.from_published(write(tmp_path / "a.tar", model))
    with pytest.raises(ModelError, match="the audio and the video head have different sizes"):
        DualEncoder.from_published(write(tmp_path / "b.tar", [head(512, 512, 256, 0), head(1506, 512, 128, 1)]))
    with pytest.raises(ModelError, match=r"has 256 outputs; without an audio head it must have 1506"):
        DualEncoder.from_published(write(tmp_path / "c.tar", [head(512, 512, 256, 0), {}]))
    with pytest.raises(ModelError, match=r"the video head"):
        DualEncoder.from_published(write(tmp_path / "d.tar", list(reversed(two_heads()))))


@pytest.mark.parametrize("model", [None, [], [{}], {"a": 1}, [1, 2], [{}, {}, {}]], ids=str)
def test_what_is_no_pair_of_heads_is_refused(tmp_path: Path, model: Any) -> None:
    with pytest.raises(ModelError, match="entry `model`"):
        DualEncoder.from_published(write(tmp_path / "other.tar", model))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.tar", single()).read_bytes()
    path = tmp_path / "damaged.tar"
    for part in (b"", whole[:100], whole[: len(whole) // 2], whole[:-30], whole[500:], b"text" * 100):
        path.write_bytes(part)
        with pytest.raises(ModelError, match=r"damaged\.tar: "):
            DualEncoder.from_published(path)
    with pytest.raises(ModelError, match="no such file"):
        DualEncoder.from_published(tmp_path / "none.tar")
    torch.save([1], path)
    with pytest.raises(ModelError, match="entry `model`"):
        DualEncoder.from_published(path)


def flipped(source: Path, path: Path) -> str:
    """Writes `source` with the lowest bit of some bytes of its largest member turned; returns the member's name."""
    data = bytearray(source.read_bytes())
    with zipfile.ZipFile(source) as archive:
        member = max(archive.infolist(), key=lambda one: one.file_size)
    name, extra = struct.unpack_from("<HH", data, member.header_offset + 26)
    start = member.header_offset + 30 + name + extra
    for place in range(start + 4000, start + 4400, 4):  # the low byte of a float32: values stay finite
        data[place] ^= 1
    path.write_bytes(data)
    return member.filename


def test_a_member_that_was_changed_is_refused(tmp_path: Path) -> None:
    for number, source in enumerate(checkpoints(tmp_path)):
        path = tmp_path / f"flipped-{number}.tar"
        member = flipped(source, path)
        assert "/data/" in member
        torch.load(path, map_location="cpu", weights_only=True)  # torch alone does not notice
        with pytest.raises(ModelError, match=rf"the checksum of its member {re.escape(member)} does not match"):
            DualEncoder.from_published(path)


class Harmful:
    """Would run a command if it were unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch harmed",)


def test_a_payload_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = SINGLE if SINGLE.exists() else write(tmp_path / "single.tar", single())
    paths = [write(tmp_path / "beside.tar", single(), opt=Harmful()), tmp_path / "swapped.tar", tmp_path / "plain.tar"]
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(paths[1], "w", zipfile.ZIP_STORED) as new:
        for member in old.namelist():
            harmful = member.endswith("data.pkl")
            new.writestr(member, pickle.dumps({"model": Harmful()}, protocol=2) if harmful else old.read(member))
    paths[2].write_bytes(pickle.dumps({"model": Harmful()}))
    for path in paths:
        with pytest.raises(ModelError, match=path.name):
            DualEncoder.from_published(path)
    assert not (tmp_path / "harmed").exists()
    # The payload would work: unpickled without care it leaves its mark.
    pickle.loads(pickle.dumps(Harmful()))  # noqa: S301
    assert (tmp_path / "harmed").exists()


def test_a_file_that_unpacks_to_gigabytes_is_not_unpacked(tmp_path: Path) -> None:
    path = write(tmp_path / "bomb.tar", single())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/99", bytes(300 << 20))
    assert path.stat().st_size < 1 << 23
    with pytest.raises(ModelError, match="unpacks to 3"):
        DualEncoder.from_published(path)


# What it may be used on.


def test_features_of_another_network_are_refused_even_of_the_same_size(tmp_path: Path) -> None:
    path = write(tmp_path / "single.tar", single())
    model = DualEncoder.from_published(path)
    for names in ({"audio_name": "musicnn-mtt"}, {"audio_name": ""}, {"video_name": "r2plus1d_18"}, {"video_name": ""}):
        with pytest.raises(
            ModelError, match=r"(same size from another network.*from_published\(…, (audio|video)_name=)"
        ):
            model.embed(features(**names))
    with pytest.raises(ModelError, match="musicnn-mtt; this published model was read for those of musicnn-won-mtat"):
        evaluate(model, features(audio_name="musicnn-mtt"))
    told = DualEncoder.from_published(path, audio_name="musicnn-mtt", video_name="")
    np.testing.assert_array_equal(
        told.embed(features(audio_name="musicnn-mtt", video_name=""))[1], model.embed(features())[1]
    )
    with pytest.raises(ModelError, match="read for those of musicnn-mtt"):
        told.embed(features(video_name=""))


@pytest.mark.parametrize("make", [single, two_heads])
def test_saved_and_loaded_it_is_as_strict(tmp_path: Path, make: Callable[[], list[Any]]) -> None:
    model = DualEncoder.from_published(write(tmp_path / "a.tar", make()), audio_name="mine", device="cpu")
    model.save(tmp_path / "run")
    loaded = DualEncoder.load(tmp_path / "run", device="cpu")
    given = features(audio_name="mine")
    for before, after in zip(model.embed(given), loaded.embed(given), strict=True):
        np.testing.assert_array_equal(before, after)
    assert loaded.published == model.published
    assert loaded.recipe == model.recipe
    assert loaded.history == []
    with pytest.raises(ModelError, match="read for those of mine"):
        loaded.embed(features())
    record = tomllib.loads((tmp_path / "run" / "run.toml").read_text())
    assert record["published"]["file"] == "a.tar"
    assert len(record["published"]["sha256"]) == 64


def test_trained_again_it_is_a_model_like_any_other(tmp_path: Path) -> None:
    model = DualEncoder.from_published(write(tmp_path / "two.tar", two_heads()), device="cpu")
    model.recipe = model.recipe.model_copy(
        update={"training": model.recipe.training.model_copy(update={"epochs": 1, "first_segment_only": False})}
    )
    given = features(audio_name="mine", video_name="")
    model.fit(given)
    assert model.published is None
    assert model.trained_on(given).any()
    model.embed(given)


# What is measured.


def test_its_training_videos_are_not_claimed_to_be_known(tmp_path: Path) -> None:
    model = DualEncoder.from_published(write(tmp_path / "two.tar", two_heads()))
    with pytest.warns(UserWarning, match=r"two\.tar: its training videos are not published, so"):
        found = evaluate(model, features())
    assert found["seen"] is None
    assert json.loads(json.dumps(found))["seen"] is None
    assert "authors_dot_product" not in found  # both sides have unit length: their score is the cosine
    assert model.seen_videos(features()) is None
    with pytest.raises(ModelError, match=r"two\.tar was trained on is not published"):
        model.trained_on(features())


def test_the_authors_score_stands_beside_the_cosine(tmp_path: Path) -> None:
    model = DualEncoder.from_published(write(tmp_path / "single.tar", single()), device="cpu")
    given = features()
    with pytest.warns(UserWarning, match="not published"):
        found = evaluate(model, given, seed=3)
    _, video = model.embed(given)
    assert found["authors_dot_product"] == retrieval(given.audio, video, groups=given.groups, seed=3)
    # The length of a query changes nothing in its ranks; that of the candidates does.
    assert found["authors_dot_product"]["a2v"]["mean_rank"] == found["a2v"]["mean_rank"]
    assert found["authors_dot_product"]["v2a"]["mean_rank"] != found["v2a"]["mean_rank"]
