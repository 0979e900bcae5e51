"""musicnn retrained by Won et al. (2020) as an audio backbone: 3 s of audio → 1506 pooled values.

This is the audio backbone of Veldkamp et al. (2023): https://github.com/minzwon/sota-music-tagging-models, weights
trained on MagnaTagATune. It has as many values as `musicnn-mtt`, but other ones in another order. Its tags are not
offered, because the order of its outputs is not published with the weights.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from antiphon.backbones.base import FloatArray
from antiphon.backbones.decibel_mel import decibel_mel, htk_filters
from antiphon.backbones.inference import checked_waveform, exact_inference, loaded, resolve_device
from antiphon.backbones.mel import N_FFT, RATE_HZ
from antiphon.backbones.runtime import RunsNetwork, Runtime
from antiphon.backbones.tuning import Block, TunableAudio
from antiphon.backbones.weights import Tensors, read_pth
from antiphon.backbones.won_musicnn_network import POOLED, WonMusicnnNetwork
from antiphon.errors import WeightsError

WINDOW_SAMPLES = 3 * RATE_HZ
"""Length of the network's training windows."""
_WINDOW, _FILTERS = "spec.spectrogram.window", "spec.mel_scale.fb"


class WonMusicnn(RunsNetwork, TunableAudio):
    """musicnn of Won et al. (2020), trained on MagnaTagATune.

    Parameters
    ----------
    tensors : Tensors
        Weights.
    fingerprint : str
        SHA-256 of the weights.
    device : str, default 'cpu'
        "cpu", "cuda" or "auto".
    """

    name = "musicnn-won-mtat"
    dim = 2 * POOLED
    rate_hz = RATE_HZ

    def __init__(self, tensors: Tensors, fingerprint: str, device: str = "cpu") -> None:
        self.fingerprint = fingerprint
        self.device = resolve_device(device)
        self.network = loaded(WonMusicnnNetwork(), tensors, self.name).to(self.device)
        self._run = Runtime(self.network, lambda network, decibels: [network.features(decibels)])
        self.arithmetic = self._run.arithmetic
        # A single window fits in a CPU's cache.
        self._batch = 64 if self.device.type == "cuda" else 1

    def __call__(self, waveform: npt.ArrayLike, rate_hz: int = RATE_HZ) -> FloatArray:
        """Compute the maxima over 3 s of 753 channels, then their means; averaged over consecutive windows.

        A window has 188 mel frames. A remainder shorter than 3 s is dropped.

        Parameters
        ----------
        waveform : array_like, shape (n, samples) or (samples,)
            Mono floats in [-1, 1].
        rate_hz : int, default RATE_HZ
            Sample rate; must be 16 kHz.

        Returns
        -------
        ndarray of float32, shape (n, 1506)
            Features.

        Raises
        ------
        ConfigError
            Another rate than 16 kHz, integers, values that are not finite, or fewer than 48,000 samples.
        """
        checked = checked_waveform(waveform, rate_hz, RATE_HZ, WINDOW_SAMPLES)
        windows = checked.unfold(1, WINDOW_SAMPLES, WINDOW_SAMPLES)
        if not len(windows):
            return np.empty((0, self.dim), np.float32)
        with exact_inference():
            # One spectrogram at a time, whose bits do not depend on the others.
            decibels = [decibel_mel(window[None].to(self.device)) for window in windows.flatten(0, 1)]
            (features,) = self._run(torch.cat(decibels), self._batch)
            return features.unflatten(0, windows.shape[:2]).mean(1).cpu().numpy()

    def blocks(self) -> list[Block]:
        """Return the front end, and the three densely connected layers.

        Returns
        -------
        list of Block
            Blocks from input to output.
        """
        network = self.network
        return [(network.spec_bn, *network.layers), (network.layer1,), (network.layer2,), (network.layer3,)]

    def differentiable(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute features with gradients, averaged over consecutive windows of 3 s.

        Parameters
        ----------
        inputs : torch.Tensor, shape (n, samples)
            Float32 at 16 kHz.

        Returns
        -------
        torch.Tensor, shape (n, 1506)
            Features, as `__call__` computes them.
        """
        windows = inputs.unfold(1, WINDOW_SAMPLES, WINDOW_SAMPLES)
        features = self.network.features(decibel_mel(windows.flatten(0, 1)))
        return features.unflatten(0, windows.shape[:2]).mean(1)


def convert(path: Path) -> Tensors:
    """Read the learned tensors of a state file of that project.

    Some versions of torchaudio store the window and the mel filters as well. They are not learned: if present, they
    must equal those computed here, and are dropped.

    Parameters
    ----------
    path : Path
        State file.

    Returns
    -------
    Tensors
        Weights of a `WonMusicnnNetwork`.

    Raises
    ------
    WeightsError
        The file cannot be read safely, or its network was trained on another spectrogram.
    """
    tensors = read_pth(path)
    expected = {_WINDOW: torch.hann_window(N_FFT, periodic=True).numpy(), _FILTERS: htk_filters().T}
    for name, values in expected.items():
        stored = tensors.pop(name, None)
        # Filters that had not been computed when the state was saved are stored as an empty tensor.
        if stored is None or (name == _FILTERS and stored.size == 0):
            continue
        if stored.shape != values.shape or not np.allclose(stored, values, atol=1e-3):
            raise WeightsError(
                f"{path}: its {name} is not that of torchaudio's default spectrogram at 16 kHz with {N_FFT} points, so "
                "the network was trained on another spectrogram. Use models/mtat/musicnn/best_model.pth of that "
                "project."
            )
    return tensors
