"""Basic Pitch as an audio backbone: which of 88 keys sound and start in a window → 176 values.

Weights from the PyPI wheel basic-pitch 0.4.0 (Apache-2.0, Spotify), whose ONNX file is read here and not run. It was
trained to transcribe any instrument and voice, several at once.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from antiphon.backbones.base import AudioBackbone, FloatArray
from antiphon.backbones.basic_pitch_network import HOP, KEYS, RATE_HZ, SAMPLES, BasicPitchNetwork
from antiphon.backbones.downloads import read_member
from antiphon.backbones.inference import checked_waveform, exact_inference, loaded, resolve_device
from antiphon.backbones.onnx_file import read_floats
from antiphon.backbones.runtime import RunsNetwork, Runtime
from antiphon.backbones.weights import Tensors
from antiphon.errors import WeightsError

FRAMES_PER_S = RATE_HZ // HOP
MEMBER = "basic_pitch/saved_models/icassp_2022/nmp.onnx"
_OVERLAP = 30
"""Frames that successive stretches share, half of which are dropped at either side."""


class BasicPitch(RunsNetwork, AudioBackbone):
    """Basic Pitch: how strongly each of 88 keys sounds, then how strongly it starts, on average over the window.

    Parameters
    ----------
    tensors : Tensors
        Weights.
    fingerprint : str
        SHA-256 of the weights.
    device : str, default 'cpu'
        "cpu", "cuda" or "auto".
    """

    name = "basic-pitch"
    dim = 2 * KEYS
    rate_hz = RATE_HZ

    def __init__(self, tensors: Tensors, fingerprint: str, device: str = "cpu") -> None:
        self.fingerprint = fingerprint
        self.device = resolve_device(device)
        self.network = loaded(BasicPitchNetwork(), tensors, self.name).to(self.device)
        self._run = Runtime(self.network, lambda network, stacked: network(stacked))
        self.arithmetic = self._run.arithmetic
        self._batch = 64 if self.device.type == "cuda" else 1

    def __call__(self, waveform: npt.ArrayLike, rate_hz: int = RATE_HZ) -> FloatArray:
        """Compute the means over all frames of what `transcribe` returns.

        Parameters
        ----------
        waveform : array_like, shape (n, samples) or (samples,)
            Mono floats in [-1, 1].
        rate_hz : int, default RATE_HZ
            Sample rate; must be 22,050 Hz.

        Returns
        -------
        ndarray of float32, shape (n, 176)
            Features.

        Raises
        ------
        ConfigError
            Another rate, integers, values that are not finite, or less than one second.
        """
        notes, onsets = self.transcribe(waveform, rate_hz)
        return np.concatenate([notes.mean(1), onsets.mean(1)], axis=1, dtype=np.float32)

    def transcribe(self, waveform: npt.ArrayLike, rate_hz: int = RATE_HZ) -> tuple[FloatArray, FloatArray]:
        """Compute how likely keys sound and start, as `basic_pitch.inference.run_inference` does.

        Stretches of about 2 s overlap; each has its own loudness taken out, so that soft and loud music are alike.

        Parameters
        ----------
        waveform : array_like, shape (n, samples) or (samples,)
            Mono floats in [-1, 1].
        rate_hz : int, default RATE_HZ
            Sample rate; must be 22,050 Hz.

        Returns
        -------
        notes, onsets : ndarray of float32, shape (n, frames, 88)
            In [0, 1], for keys from A0 on, 86 frames a second.

        Raises
        ------
        ConfigError
            As in `__call__`.
        """
        checked = checked_waveform(waveform, rate_hz, RATE_HZ, RATE_HZ)
        rows, samples = checked.shape
        frames = samples * FRAMES_PER_S // RATE_HZ
        if not rows:
            empty = np.empty((0, frames, KEYS), np.float32)
            return empty, empty
        with exact_inference():
            # One spectrogram at a time, whose bits do not depend on the others.
            stacked = [self.network.stacked(part[None].to(self.device)) for part in _stretches(checked)]
            found = self._run(torch.cat(stacked), self._batch)
            notes, onsets = (_joined(values, rows, frames) for values in found)
        return notes, onsets


def _stretches(waveforms: Tensor) -> Tensor:
    """Cut (n, samples) waveforms into the (n × parts, 43844) overlapping stretches that the network takes."""
    step = SAMPLES - _OVERLAP * HOP
    lead = _OVERLAP * HOP // 2
    parts = -(-(waveforms.shape[1] + lead) // step)
    end = (parts - 1) * step + SAMPLES
    padded = F.pad(waveforms, (lead, max(0, end - lead - waveforms.shape[1])))
    return padded.unfold(1, SAMPLES, step)[:, :parts].flatten(0, 1)


def _joined(values: Tensor, rows: int, frames: int) -> FloatArray:
    """Drop what overlaps of (rows × parts, 172, 88) values, and what lies after the waveform's end."""
    half = _OVERLAP // 2
    return values[:, half:-half].unflatten(0, (rows, -1)).flatten(1, 2)[:, :frames].cpu().numpy()


_BATCH_NORM = "model_1/batch_normalization/FusedBatchNormV3"
_BY_NAME = {
    "root_lengths": ("model_1/cq_t2010v2_1/Sqrt;", (309,)),
    "scale": (f"{_BATCH_NORM};{_BATCH_NORM}", (1,)),
    "shift": (f"{_BATCH_NORM};{_BATCH_NORM}1", (1,)),
    "contour_1.bias": ("model_1/re_lu_1/", (8,)),
    "contour_2.bias": ("model_1/contours-reduced/", (1,)),
    "note_1.bias": ("model_1/conv2d_2/BiasAdd", (32,)),
    "note_2.bias": ("model_1/conv2d_3/BiasAdd", (1,)),
    "onset_1.bias": ("model_1/re_lu_3/", (32,)),
    "onset_2.bias": ("model_1/conv2d_5/BiasAdd", (1,)),
}
"""Beginnings of the names in the ONNX file, and shapes here."""
_BY_SHAPE = {
    "low_pass": (1, 1, 1, 256),
    "contour_1.weight": (8, 8, 3, 39),
    "contour_2.weight": (1, 8, 5, 5),
    "note_1.weight": (32, 1, 7, 7),
    "note_2.weight": (1, 32, 7, 3),
    "onset_1.weight": (32, 8, 5, 5),
    "onset_2.weight": (1, 33, 3, 3),
}
"""Tensors whose names in the ONNX file say nothing."""
_KERNELS = (36, 1, 1, 256)


def convert(path: Path) -> Tensors:
    """Read the tensors of the ONNX file, alone or in the wheel.

    Parameters
    ----------
    path : Path
        Wheel, or ONNX file.

    Returns
    -------
    Tensors
        Weights of a `BasicPitchNetwork`.

    Raises
    ------
    WeightsError
        The file is damaged, or of another network.
    """
    stored = read_floats(path.read_bytes() if path.suffix == ".onnx" else read_member(path, MEMBER))
    kernels = [values for values in stored.values() if values.shape == _KERNELS]
    try:
        # The two are squared and added, so it does not matter which is which.
        real, imaginary = (kernel.reshape(36, 1, 256) for kernel in kernels)
        found = {name: _named(stored, start).reshape(shape) for name, (start, shape) in _BY_NAME.items()}
        found |= {name: _shaped(stored, shape) for name, shape in _BY_SHAPE.items()}
    except (ValueError, StopIteration) as error:
        raise WeightsError(
            f"{path}: is not the network of basic-pitch 0.4.0. Use the wheel of that version, or its {MEMBER}."
        ) from error
    return found | {"real": real, "imaginary": imaginary, "low_pass": found["low_pass"].reshape(1, 1, 256)}


def _named(stored: Tensors, start: str) -> npt.NDArray[np.float32]:
    """Return the only tensor of a name, or else the first whose name begins so."""
    return stored[start] if start in stored else next(stored[name] for name in stored if name.startswith(start))


def _shaped(stored: Tensors, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    return next(values for values in stored.values() if values.shape == shape)
