"""ONNX files of a model, compared with PyTorch before anyone relies on them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.backbones.openvino_import import openvino
from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import MODALITIES, Modality
from antiphon.errors import ModelError
from antiphon.features import Features
from antiphon.interchange.onnx_heads import INPUT, OUTPUT, onnx_head
from antiphon.interchange.onnx_writing import write_model
from antiphon.model.heads import Standardise, Unprojected
from antiphon.seeding import generator

TOLERANCE = 1e-5
"""Largest difference of a value of an embedding."""
_ROWS = 64


def write_checked(model: DualEncoder, folder: Path) -> dict[Modality, float]:
    """Write both heads, and compare them with the model on random features.

    Parameters
    ----------
    model : DualEncoder
        Fitted model.
    folder : Path
        Where to write audio.onnx and video.onnx.

    Returns
    -------
    dict of {'audio', 'video'} to float
        Largest difference of any value.

    Raises
    ------
    ModelError
        The model has no form in ONNX, or differs by more than 1e-5. Nothing is written then.
    """
    contents: dict[Modality, bytes] = {side: onnx_head(model, side) for side in MODALITIES}
    found: dict[Modality, float] = {}
    for side, difference in differences(model, contents).items():
        if not difference <= TOLERANCE:
            raise ModelError(f"The {side} head as ONNX differs by {difference:.1g} from PyTorch; nothing was written.")
        found[side] = difference
    for side, content in contents.items():
        write_model(content, folder / f"{side}.onnx")
    return found


def differences(model: DualEncoder, contents: dict[Modality, bytes]) -> dict[Modality, float]:
    """Compare ONNX heads with a model, on features drawn with the means and deviations that it standardises by.

    Parameters
    ----------
    model : DualEncoder
        Fitted model.
    contents : dict of {'audio', 'video'} to bytes
        ONNX of each side.

    Returns
    -------
    dict of {'audio', 'video'} to float
        Largest difference of any value.
    """
    drawn = {side: _drawn(model, side) for side in MODALITIES}
    features = Features.from_arrays(
        drawn["audio"], drawn["video"], audio_name=model.audio_name, video_name=model.video_name
    )
    wanted = dict(zip(MODALITIES, model.embed(features), strict=True))
    found: dict[Modality, float] = {}
    for side, content in contents.items():
        core = openvino.Core()
        model_read = core.read_model(content, b"")
        compiled = core.compile_model(model_read, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        made = compiled({INPUT: getattr(features, side)})[OUTPUT]
        found[side] = float(np.abs(made - wanted[side]).max())
    return found


def _drawn(model: DualEncoder, side: Modality) -> npt.NDArray[np.float64]:
    values = generator(0, "onnx check", side).normal(size=(_ROWS, model.feature_dims[side]))
    head = model.towers.audio if side == "audio" else model.towers.video
    first = head.standardise if isinstance(head, Unprojected) else head.layers[0]
    if isinstance(first, Standardise):
        values = values * first.scale.detach().cpu().numpy() + first.mean.detach().cpu().numpy()
    return values
