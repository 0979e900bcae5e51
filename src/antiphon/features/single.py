"""Features of one file that is in no catalogue."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon import backbones
from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.catalogue.media import probe
from antiphon.errors import DecodeError
from antiphon.features.windows import decode_windows, window_features, windows_job
from antiphon.segments.sampling import SamplingConfig, segment_rows


def file_features(
    path: str | Path, backbone: str, device: str = "auto", sampling: SamplingConfig | None = None
) -> tuple[list[tuple[float, float]], npt.NDArray[np.float32]]:
    """Features of a file's windows by one backbone.

    Returns
    -------
    The windows, (start, end) in seconds on the track's time line, and their (windows, dim) features.

    Raises
    ------
    DecodeError
        The file cannot be read, is too short, or lacks what the backbone looks at.
    """
    network = _loaded(backbone, device)
    info = probe(path)
    if not (info.has_audio if network.modality == "audio" else info.has_video):
        raise DecodeError(f"{path}: has no {'sound' if network.modality == 'audio' else 'pictures'}.")
    settings = sampling or SamplingConfig()
    name = Path(path).name
    rows = segment_rows(name, info.duration_s, settings, info.start_s)
    windows = [(float(row["window_start_s"]), float(row["window_end_s"])) for row in rows]
    decoded = decode_windows(windows_job(name, str(path), windows, [network], settings.seed))
    return windows, window_features(network, decoded)


@lru_cache(maxsize=4)
def _loaded(name: str, device: str) -> AudioBackbone | VideoBackbone:
    return backbones.load(name, device=device)
