"""Compare hub backbones that were published with the library's own pipelines, on a real file, where the hub is open.

    python benchmarks/hub.py FILE [NAME …]

For each backbone (those of the list that have names of their own, or any hub:…): fetch it, compute the features of the
first 3 s of a media file, and compute the same with the library's processor and the forward pass of its model. Prints
a table of the largest differences, relative to the largest value of a feature. Models that cannot be fetched are said
with the reason, and so are processors that need torchvision where it is missing.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers as tf
from torch.nn.functional import normalize

from antiphon import backbones
from antiphon.backbones.hub.entries import ENTRIES
from antiphon.backbones.hub.names import parsed
from antiphon.backbones.hub.specs import HubWeights
from antiphon.errors import AntiphonError
from antiphon.media.decoding import decode_stretches

_WINDOW_S = 3.0
_MOST = 1e-3


def main() -> int:
    """Print the table; 1 if a difference exceeds 1e-3 or nothing could be compared."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("names", nargs="*", default=list(ENTRIES), metavar="NAME")
    options = parser.parse_args()
    print(f"{'backbone':<24}{'values':>7}{'seconds':>9}{'difference':>12}  licence and commit, or why not")
    differences = [found for name in options.names if (found := _compared(name, options.file)) is not None]
    if not differences:
        print("Nothing could be compared: the hub cannot be reached, or its models are not here.", file=sys.stderr)
    return 0 if differences and max(differences) <= _MOST else 1


def _compared(name: str, file: Path) -> float | None:
    said: list[str] = []
    try:
        backbones.fetch(name, said.append)
        backbone: Any = backbones.load(name)
        inputs = _inputs(backbone, file)
        started = time.perf_counter()
        found = backbone(inputs, backbone.rate_hz) if backbone.modality == "audio" else backbone(inputs)
        seconds = time.perf_counter() - started
        files = HubWeights(ENTRIES[name].model if name in ENTRIES else parsed(name)).needed()
        with torch.inference_mode():
            expected = _LIBRARY[files.config["model_type"]](files.folder, backbone, inputs[0])
    except (AntiphonError, ImportError) as error:
        print(f"{name:<24}{'':>28}  {' '.join(str(error).split())[:200]}")
        return None
    difference = float(np.abs(found - expected.cpu().numpy()).max() / np.abs(found).max())
    about = said[0] if said else f"{backbones.info(name).licence}, commit {backbone.revision[:12] or 'of no hub'}"
    print(f"{name:<24}{backbone.dim:>7}{seconds:>9.2f}{difference:>12.1e}  {about}")
    return difference


def _inputs(backbone: Any, file: Path) -> np.ndarray:
    """Decode the start of a file: (1, samples) or (1, frames, size, size, 3)."""
    if backbone.modality == "audio":
        (decoded,) = decode_stretches(str(file), [(0.0, _WINDOW_S)], [], backbone.rate_hz)
        return np.asarray(decoded.waveform, np.float32)[None]
    (decoded,) = decode_stretches(str(file), [(0.0, _WINDOW_S)], [backbone.layout], None)
    return decoded.frames[backbone.layout][None]


def _sound(folder: Path, backbone: Any, waveform: np.ndarray) -> Any:
    extractor = tf.AutoFeatureExtractor.from_pretrained(folder)
    return extractor(waveform, sampling_rate=backbone.rate_hz, return_tensors="pt").to(backbone.device)


def _clap(folder: Path, backbone: Any, waveform: np.ndarray) -> torch.Tensor:
    return backbone.model.get_audio_features(**_sound(folder, backbone, waveform)).pooler_output


def _ast(folder: Path, backbone: Any, waveform: np.ndarray) -> torch.Tensor:
    return backbone.model(**_sound(folder, backbone, waveform)).pooler_output


def _hubert(folder: Path, backbone: Any, waveform: np.ndarray) -> torch.Tensor:
    extractor = tf.Wav2Vec2FeatureExtractor.from_pretrained(folder)
    told = extractor(waveform, sampling_rate=backbone.rate_hz, return_tensors="pt").to(backbone.device)
    return backbone.model(told["input_values"]).last_hidden_state.mean(1)


def _pictures(folder: Path, backbone: Any, frames: np.ndarray) -> Any:
    return tf.AutoImageProcessor.from_pretrained(folder)(list(frames), return_tensors="pt").to(backbone.device)


def _joint_pictures(folder: Path, backbone: Any, frames: np.ndarray) -> torch.Tensor:
    each = backbone.model.get_image_features(**_pictures(folder, backbone, frames)).pooler_output
    return normalize(normalize(each, dim=-1).mean(0, keepdim=True), dim=-1)


def _dinov3(folder: Path, backbone: Any, frames: np.ndarray) -> torch.Tensor:
    return backbone.model(**_pictures(folder, backbone, frames)).pooler_output.mean(0, keepdim=True)


def _videos(folder: Path, backbone: Any, frames: np.ndarray, count: int) -> Any:
    chosen = frames[np.linspace(0, len(frames) - 1, count).astype(int)]
    return tf.AutoVideoProcessor.from_pretrained(folder)([chosen], return_tensors="pt").to(backbone.device)


def _videomae(folder: Path, backbone: Any, frames: np.ndarray) -> torch.Tensor:
    told = _videos(folder, backbone, frames, backbone.model.config.num_frames)
    return backbone.model(**told).last_hidden_state.mean(1)


def _vjepa2(folder: Path, backbone: Any, frames: np.ndarray) -> torch.Tensor:
    told = _videos(folder, backbone, frames, len(frames) // 2 * 2)
    return backbone.model(**told, skip_predictor=True).last_hidden_state.mean(1)


def _perception(folder: Path, backbone: Any, inputs: np.ndarray) -> torch.Tensor:
    """Compute by the forward pass of a whole side with a text, since the model's shorter ways are broken in 5.24."""
    side = backbone.modality
    whole = getattr(backbone.model, f"{side}_model", backbone.model)
    words = tf.AutoTokenizer.from_pretrained(folder)("music", return_tensors="pt").to(backbone.device)
    words.pop("token_type_ids", None)
    if side == "video":
        processor = tf.AutoVideoProcessor.from_pretrained(folder)
        return whole(**processor([inputs], return_tensors="pt").to(backbone.device), **words).video_embeds
    embeds = whole(**_sound(folder, backbone, inputs), **words).audio_embeds
    return embeds.mean(1) if embeds.ndim == 3 else embeds


def _gemma(folder: Path, backbone: Any, inputs: np.ndarray) -> torch.Tensor:
    processor = tf.AutoProcessor.from_pretrained(folder)
    if backbone.modality == "audio":
        told = processor(audio=[inputs], sampling_rate=backbone.rate_hz, return_tensors="pt")
    else:
        from transformers.video_utils import VideoMetadata

        about = VideoMetadata(total_num_frames=len(inputs), fps=1.0, duration=float(len(inputs)))
        told = processor(videos=[inputs], video_metadata=[about], return_tensors="pt")
    kept = {name: one.to(backbone.device) for name, one in told.items() if name != "num_soft_tokens_per_video"}
    return normalize(backbone.model(**kept).last_hidden_state.mean(1), dim=-1)


_LIBRARY: dict[str, Callable[[Path, Any, np.ndarray], torch.Tensor]] = {
    "clap": _clap,
    "audio-spectrogram-transformer": _ast,
    "mert_model": _hubert,
    "hubert": _hubert,
    "clip": _joint_pictures,
    "siglip": _joint_pictures,
    "dinov3_vit": _dinov3,
    "videomae": _videomae,
    "vjepa2": _vjepa2,
    "pe_audio": _perception,
    "pe_video": _perception,
    "pe_audio_video": _perception,
    "embedding_gemma2": _gemma,
}

if __name__ == "__main__":
    sys.exit(main())
