"""Heads of a trained model as ONNX: features (n, feature_dim) → unit embeddings (n, dim), closed form included."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import Modality
from antiphon.errors import ModelError
from antiphon.interchange.onnx_writing import Name, OnnxGraph
from antiphon.model.closed_form import ClosedForm
from antiphon.model.heads import Head, Standardise, Unprojected
from antiphon.model.hubness import HubnessCorrection
from antiphon.model.towers import Towers

INPUT, OUTPUT = "features", "embeddings"
_LEAST_NORM = 1e-12
"""What torch.nn.functional.normalize divides by at least."""


def onnx_head(model: DualEncoder, side: Modality) -> bytes:
    """Write the head of one modality as an ONNX model.

    The model has one input, `features` (n, feature_dim) as the backbone computes them, and one output, `embeddings`
    (n, dim): what `DualEncoder.embed` gives for segments. What corrects the scores of tracks is not in it: of the mean
    of a track's segments, leave out the last `correction_dim` values.
    Metadata of the file says which backbone, recipe and weights (fingerprint) they are.

    Parameters
    ----------
    model : DualEncoder
        Fitted model.
    side : {'audio', 'video'}
        Modality.

    Returns
    -------
    bytes
        Content of the file.

    Raises
    ------
    ModelError
        The model is not fitted, or has a track model, which has no form in ONNX.
    """
    if model.recipe.track is not None:
        raise ModelError(
            f"Recipe {model.recipe.name} has a track model, which cannot be written as ONNX; its segments alone would "
            "be other embeddings than its tracks'. Train antiphon-base, or export the embeddings."
        )
    towers, graph = model.towers, OnnxGraph(f"{side} head")
    result = _embedding(graph, towers, side)
    if towers.hubness is not None and towers.hubness.is_fitted:
        result = _corrected(graph, towers.hubness, side, result)
    about = {
        "version": version("antiphon"),
        "modality": side,
        "backbone": model.audio_name if side == "audio" else model.video_name,
        "recipe": model.recipe.name,
        "fingerprint": model.fingerprint,
    }
    entry = (INPUT, ("n", model.feature_dims[side]))
    return graph.model(entry, (result, OUTPUT, ("n", towers.embedding_dim)), about)


def _embedding(graph: OnnxGraph, towers: Towers, side: Modality) -> Name:
    head: Head | Unprojected = towers.audio if side == "audio" else towers.video
    fitted = towers.fitted_closed_form
    if fitted is None:
        return _unit(graph, _projected(graph, head))
    parts: list[Callable[[], Name]] = [
        lambda: _unit(graph, _projected(graph, head)),
        lambda: _unit(graph, _linear_part(graph, fitted, side, _standardised(graph, head))),
        lambda: _unit(graph, _kernel_part(graph, fitted, side, _standardised(graph, head))),
    ]
    sizes = (towers.trained_dim, *fitted.dims)
    factors = _array((fitted.weights / fitted.weights.sum()).sqrt())
    return _joined(graph, parts, sizes, factors)


def _corrected(graph: OnnxGraph, correction: HubnessCorrection, side: Modality, rows: Name) -> Name:
    """Append what corrects scores of audio with video; see `HubnessCorrection`."""
    bound = float(correction.bound)
    others = correction.references("video" if side == "audio" else "audio")
    products = graph.apply("MatMul", rows, graph.constant(_array(others.T)))
    count = graph.constant(np.array([correction.num_neighbours]))
    nearest = graph.apply("TopK", products, count, outputs=2, axis=1)
    mean = graph.apply("ReduceMean", nearest, axes=[1], keepdims=1)
    centred = graph.apply(
        "Sub", graph.apply("Mul", mean, _number(graph, 0.5)), _number(graph, float(correction.centre))
    )
    own = graph.apply("Min", graph.apply("Max", centred, _number(graph, -bound)), _number(graph, bound))
    value = graph.apply("Mul", own, _number(graph, -(bound**-0.5)))
    nothing = graph.apply("Mul", own, _number(graph, 0.0))
    constant = graph.apply("Add", nothing, _number(graph, bound**0.5))
    used = graph.apply("Mul", graph.apply("Mul", own, own), _number(graph, 1 / bound))
    left = graph.apply("Max", graph.apply("Sub", _number(graph, bound), used), _number(graph, 0.0))
    filling = graph.apply("Sqrt", left)
    columns = (value, constant, filling, nothing) if side == "audio" else (constant, value, nothing, filling)
    extended = graph.apply("Concat", rows, *columns, axis=1)
    return graph.apply("Mul", extended, _number(graph, (1 + 2 * bound) ** -0.5))


def _number(graph: OnnxGraph, value: float) -> Name:
    return graph.constant(np.float32(value))


def _joined(
    graph: OnnxGraph, parts: list[Callable[[], Name]], sizes: tuple[int, ...], factors: npt.NDArray[np.float32]
) -> Name:
    """Join the parts that have weight, with zeros in place of the others, which are not computed."""
    zeros, found = 0, list[Name]()
    for part, size, factor in zip(parts, sizes, factors, strict=True):
        if factor:
            scaled = graph.apply("Mul", part(), graph.constant(factor))
            found.append(_padded(graph, scaled, zeros, 0))
            zeros = 0
        else:
            zeros += size
    found[-1] = _padded(graph, found[-1], 0, zeros)
    return found[0] if len(found) == 1 else graph.apply("Concat", *found, axis=1)


def _padded(graph: OnnxGraph, value: Name, before: int, after: int) -> Name:
    return graph.apply("Pad", value, graph.constant([0, before, 0, after])) if before or after else value


def _unit(graph: OnnxGraph, value: Name) -> Name:
    length = graph.apply("ReduceL2", value, axes=[1], keepdims=1)
    return graph.apply("Div", value, graph.apply("Max", length, graph.constant(np.float32(_LEAST_NORM))))


def _standardised(graph: OnnxGraph, head: Head | Unprojected) -> Name:
    first = head.standardise if isinstance(head, Unprojected) else head.layers[0]
    if not isinstance(first, Standardise):
        return INPUT
    centred = graph.apply("Sub", INPUT, graph.constant(_array(first.mean)))
    return graph.apply("Div", centred, graph.constant(_array(first.scale)))


def _projected(graph: OnnxGraph, head: Head | Unprojected) -> Name:
    entry = _standardised(graph, head)
    if isinstance(head, Unprojected):
        return entry
    value = entry
    for layer in head.layers:
        value = value if isinstance(layer, Standardise) else _layer(graph, layer, value)
    if head.skip is not None:
        skipped = entry
        for layer in head.skip:
            skipped = _layer(graph, layer, skipped)
        value = graph.apply("Add", value, skipped)
    return _layer(graph, head.output, value)


def _linear_part(graph: OnnxGraph, fitted: ClosedForm, side: Modality, rows: Name) -> Name:
    mean, directions = (_array(fitted.get_buffer(f"{side}_{name}")) for name in ("mean", "linear"))
    return graph.apply("MatMul", graph.apply("Sub", rows, graph.constant(mean)), graph.constant(directions))


def _kernel_part(graph: OnnxGraph, fitted: ClosedForm, side: Modality, rows: Name) -> Name:
    """Project exp(−‖x − l‖² / w), with ‖x − l‖² = ‖x‖² + ‖l‖² − 2 x·l."""
    names = ("landmarks", "width", "similarity", "kernel")
    landmarks, width, similarity, directions = (_array(fitted.get_buffer(f"{side}_{name}")) for name in names)
    squares = graph.constant(np.square(landmarks.astype(np.float64)).sum(axis=1))
    lengths = graph.apply("ReduceSumSquare", rows, axes=[1], keepdims=1)
    products = graph.apply("MatMul", rows, graph.constant(-2 * landmarks.T))
    distances = graph.apply("Add", graph.apply("Add", products, squares), lengths)
    distances = graph.apply("Max", distances, graph.constant(np.float32(0)))
    near = graph.apply("Exp", graph.apply("Div", distances, graph.constant(-width)))
    centred = graph.apply("Sub", near, graph.constant(similarity))
    return graph.apply("MatMul", centred, graph.constant(directions))


def _layer(graph: OnnxGraph, layer: nn.Module, value: Name) -> Name:
    if isinstance(layer, nn.Linear):
        return _dense(graph, layer, value)
    if isinstance(layer, nn.BatchNorm1d):
        return _batch_norm(graph, layer, value)
    if isinstance(layer, nn.LayerNorm):
        scale, shift = (graph.constant(_array(values)) for values in (layer.weight, layer.bias))
        return graph.apply("LayerNormalization", value, scale, shift, axis=-1, epsilon=float(layer.eps))
    if isinstance(layer, nn.ReLU | nn.Sigmoid):
        return graph.apply("Relu" if isinstance(layer, nn.ReLU) else "Sigmoid", value)
    if isinstance(layer, nn.GELU):
        inner = graph.apply("Erf", graph.apply("Mul", value, graph.constant(np.float32(2**-0.5))))
        doubled = graph.apply("Mul", value, graph.apply("Add", inner, graph.constant(np.float32(1))))
        return graph.apply("Mul", doubled, graph.constant(np.float32(0.5)))
    if isinstance(layer, nn.Dropout | nn.Identity):
        return value
    raise ModelError(f"{type(layer).__name__} has no form in ONNX here.")


def _dense(graph: OnnxGraph, layer: nn.Linear, value: Name) -> Name:
    product = graph.apply("MatMul", value, graph.constant(_array(layer.weight).T))
    bias: Any = layer.bias
    return product if bias is None else graph.apply("Add", product, graph.constant(_array(bias)))


def _batch_norm(graph: OnnxGraph, layer: nn.BatchNorm1d, value: Name) -> Name:
    statistics: tuple[Any, ...] = (layer.running_mean, layer.running_var, layer.weight, layer.bias)
    mean, variance, weight, bias = (_array(values).astype(np.float64) for values in statistics)
    scale = weight / np.sqrt(variance + layer.eps)
    scaled = graph.apply("Mul", value, graph.constant(scale))
    return graph.apply("Add", scaled, graph.constant(bias - mean * scale))


def _array(values: Tensor) -> npt.NDArray[np.float32]:
    return values.detach().cpu().numpy()
