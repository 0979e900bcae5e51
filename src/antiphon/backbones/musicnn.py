"""musicnn as an audio backbone: 3 s of audio → 1506 pooled values or 200 penultimate ones, and 50 tags.

Pons and Serra (2019), https://arxiv.org/abs/1909.06654; weights from the PyPI wheel musicnn 0.1.0 (ISC licence).
Outputs match the TensorFlow original in float32 (`tests/backbones/test_musicnn.py`).
"""

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from antiphon.backbones.base import FloatArray
from antiphon.backbones.downloads import read_member
from antiphon.backbones.inference import checked_waveform, exact_inference, loaded, resolve_device
from antiphon.backbones.mel import BANDS, MIN_SAMPLES, PATCH_FRAMES, RATE_HZ, log_mel_patches
from antiphon.backbones.musicnn_network import (
    PENULTIMATE,
    POOLED,
    Activations,
    MusicnnNetwork,
    from_tensorflow,
    interleaved,
)
from antiphon.backbones.musicnn_tags import TAGS, Corpus
from antiphon.backbones.runtime import RunsNetwork, Runtime
from antiphon.backbones.tensorflow_checkpoint import read_index, read_variable
from antiphon.backbones.tuning import Block, TunableAudio
from antiphon.backbones.weights import Tensors
from antiphon.errors import ConfigError
from antiphon.ordering import descending

Output = Literal["pooled", "penultimate"]


class MusicnnOutputs(NamedTuple):
    """Outputs of musicnn for each patch; fields can also be read by name, `outputs["taggram"]`.

    Attributes
    ----------
    taggram : ndarray of float32, shape (patches, 50)
        Probability of each tag.
    mean_pool, max_pool : ndarray of float32, shape (patches, 753)
        Mean and maximum over time of the front end's 561 and the middle's 3 × 64 channels.
    penultimate : ndarray of float32, shape (patches, 200)
        Layer before the tags.
    """

    taggram: FloatArray
    mean_pool: FloatArray
    max_pool: FloatArray
    penultimate: FloatArray

    def __getitem__(self, key: str | int) -> FloatArray:  # pyright: ignore[reportIncompatibleMethodOverride]
        return getattr(self, key) if isinstance(key, str) else tuple(self)[key]


class Musicnn(RunsNetwork, TunableAudio):
    """musicnn trained on MagnaTagATune ("mtt") or the Million Song Dataset ("msd").

    Parameters
    ----------
    corpus : {'mtt', 'msd'}
        Training data, which decides on the tags.
    output : {'pooled', 'penultimate'}
        Feature: "pooled" (1506 values in the order max₀, mean₀, max₁, …) or "penultimate" (200).
    tensors : Tensors
        Weights.
    fingerprint : str
        SHA-256 of the weights.
    device : str, default 'cpu'
        "cpu", "cuda" or "auto".
    """

    rate_hz = RATE_HZ

    def __init__(self, corpus: Corpus, output: Output, tensors: Tensors, fingerprint: str, device: str = "cpu") -> None:
        self.name = f"musicnn-{corpus}" + ("-penultimate" if output == "penultimate" else "")
        self.dim = 2 * POOLED if output == "pooled" else PENULTIMATE
        self.tags = TAGS[corpus]
        self.fingerprint = fingerprint
        self.device = resolve_device(device)
        self.network = loaded(MusicnnNetwork(), tensors, self.name).to(self.device)
        self._run = Runtime(self.network, lambda network, patches: [*network(patches)])
        self.arithmetic = self._run.arithmetic
        self._output: Output = output
        # A single patch fits in a CPU's cache, and is as fast there as any batch.
        self._batch = 64 if self.device.type == "cuda" else 1

    def __call__(self, waveform: npt.ArrayLike, rate_hz: int = RATE_HZ) -> FloatArray:
        """Compute features, averaged over consecutive patches.

        A window of 3 s (48,000 samples) is one patch of 187 mel frames. A remainder shorter than a patch is dropped.

        Parameters
        ----------
        waveform : array_like, shape (n, samples) or (samples,)
            Mono floats in [-1, 1].
        rate_hz : int, default RATE_HZ
            Sample rate; must be 16 kHz.

        Returns
        -------
        ndarray of float32, shape (n, dim)
            Features.

        Raises
        ------
        ConfigError
            Another rate than 16 kHz, integers, values that are not finite, or fewer than 47,616 samples.
        """
        patches = self._log_mel(waveform, rate_hz)
        with exact_inference():
            feature = self._feature(self._computed(patches.flatten(0, 1)))
            return feature.unflatten(0, patches.shape[:2]).mean(1).cpu().numpy()

    def blocks(self) -> list[Block]:
        """Return the front end, the three densely connected layers, and the penultimate layer where it is the feature.

        Returns
        -------
        list of Block
            Blocks from input to output.
        """
        network = self.network
        front = (network.input_norm, *network.timbral, *network.temporal)
        blocks: list[Block] = [front, *((layer,) for layer in network.middle)]
        if self._output == "penultimate":
            blocks.append((network.pool_norm, network.hidden, network.hidden_norm))
        return blocks

    def differentiable(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute features with gradients, averaged over the patches.

        Parameters
        ----------
        inputs : torch.Tensor, shape (n, samples)
            Float32 at 16 kHz.

        Returns
        -------
        torch.Tensor, shape (n, dim)
            Features, as `__call__` computes them.
        """
        patches = log_mel_patches(inputs)
        batches = patches.flatten(0, 1).split(self._batch)
        feature = torch.cat([self._feature(self.network(batch)) for batch in batches])
        return feature.unflatten(0, patches.shape[:2]).mean(1)

    def log_mel(self, waveform: npt.ArrayLike, rate_hz: int = RATE_HZ) -> FloatArray:
        """Compute the log-mel spectrogram of a waveform; raises as `__call__`.

        Parameters
        ----------
        waveform : array_like, shape (samples,)
            Mono floats in [-1, 1].
        rate_hz : int, default RATE_HZ
            Sample rate; must be 16 kHz.

        Returns
        -------
        ndarray of float32, shape (patches, 187, 96)
            Log-mel patches.
        """
        return self._log_mel(_one(waveform), rate_hz)[0].cpu().numpy()

    def outputs(self, log_mel: npt.ArrayLike) -> MusicnnOutputs:
        """Run the network on a log-mel spectrogram.

        Parameters
        ----------
        log_mel : array_like, shape (patches, 187, 96) or (187, 96)
            Log-mel patches; see `log_mel`.

        Returns
        -------
        MusicnnOutputs
            Outputs for each patch.

        Raises
        ------
        ConfigError
            `log_mel` has another shape.
        """
        array = np.asarray(log_mel, np.float32)
        patches = array[None] if array.ndim == 2 else array
        if patches.ndim != 3 or patches.shape[1:] != (PATCH_FRAMES, BANDS):
            raise ConfigError(f"log_mel must have shape (patches, {PATCH_FRAMES}, {BANDS}), not {np.shape(log_mel)}.")
        with exact_inference():
            run = self._computed(torch.tensor(patches, device=self.device))
            values = (run.logits.sigmoid(), run.mean_pool, run.max_pool, run.penultimate)
            return MusicnnOutputs(*(value.cpu().numpy() for value in values))

    def tag(self, waveform: npt.ArrayLike, rate_hz: int = RATE_HZ) -> list[tuple[str, float]]:
        """Predict tags, as mean probabilities over the patches.

        Parameters
        ----------
        waveform : array_like, shape (samples,)
            Mono floats in [-1, 1].
        rate_hz : int, default RATE_HZ
            Sample rate; must be 16 kHz.

        Returns
        -------
        list of (str, float)
            The 50 tags and their probabilities, the most likely first.

        Raises
        ------
        ConfigError
            As in `__call__`.
        """
        scores = self.outputs(self.log_mel(waveform, rate_hz)).taggram.mean(0)
        return [(self.tags[i], float(scores[i])) for i in descending(scores)]

    def _log_mel(self, waveform: npt.ArrayLike, rate_hz: int) -> torch.Tensor:
        checked = checked_waveform(waveform, rate_hz, RATE_HZ, MIN_SAMPLES)
        with exact_inference():
            return log_mel_patches(checked.to(self.device))

    def _feature(self, run: Activations) -> torch.Tensor:
        return run.penultimate if self._output == "penultimate" else interleaved(run.max_pool, run.mean_pool)

    def _computed(self, patches: torch.Tensor) -> Activations:
        return Activations(*self._run(patches, self._batch))


def _one(waveform: npt.ArrayLike) -> npt.NDArray[np.floating]:
    array = np.asarray(waveform)
    if array.ndim != 1:
        raise ConfigError(f"waveform must be mono, of shape (samples,), not {array.shape}.")
    return array


def convert(wheel: Path, corpus: Corpus) -> Tensors:
    """Convert the TensorFlow checkpoint inside the musicnn wheel.

    Parameters
    ----------
    wheel : Path
        The wheel.
    corpus : {'mtt', 'msd'}
        Network to convert.

    Returns
    -------
    Tensors
        Weights of a `MusicnnNetwork`.

    Raises
    ------
    WeightsError
        The checkpoint is missing or damaged.
    """
    folder = f"musicnn/{corpus.upper()}_musicnn"
    data = read_member(wheel, f"{folder}/.data-00000-of-00001")
    index = read_index(read_member(wheel, f"{folder}/.index"))
    wanted = {name: entry for name, entry in index.items() if "/Adam" not in name and "_power" not in name}
    return from_tensorflow({name: read_variable(entry, data).astype(np.float32) for name, entry in wanted.items()})
