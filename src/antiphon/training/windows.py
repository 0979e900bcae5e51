"""Windows of kept segments: the one whose features are extracted, or one at random, augmented, for fine-tuning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.catalogue import Catalogue
from antiphon.errors import DecodeError
from antiphon.features.keeping import kept_path
from antiphon.media.layout import FrameLayout
from antiphon.runs import fingerprint
from antiphon.segments.kept import FRAMES_PER_S, RATE_HZ, read_kept
from antiphon.tables import SEGMENTS, read_table
from antiphon.training.augmentation import AugmentationConfig, augment_audio, augment_video
from antiphon.workspace import Workspace

_SAMPLES_PER_FRAME = RATE_HZ // FRAMES_PER_S


@dataclass(frozen=True)
class KeptRow:
    """A kept segment with pictures and sound, and the window in it whose features are extracted.

    Attributes
    ----------
    frames, window_frames : how many frames the segment has, and a window.
    offset_s : where the window starts in the segment.
    start_s : where it starts on the track's time line; NaN where unknown.
    artist, labels : of the video; "" and none where unknown.
    """

    segment_id: str
    video_id: str
    path: Path
    frames: int
    window_frames: int
    offset_s: float
    start_s: float = float("nan")
    artist: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class RowDescriptions:
    """(n,) artists of kept rows, and the labels of each."""

    artists: npt.NDArray[np.str_]
    labels: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, rows: Sequence[KeptRow]) -> "RowDescriptions":
        """Those of `rows`."""
        return cls(np.array([row.artist for row in rows], dtype=np.str_), tuple(row.labels for row in rows))


def kept_rows(workspace: Workspace) -> dict[str, list[KeptRow]]:
    """The kept segments of each split of the workspace's catalogue, those with both pictures and sound.

    Raises
    ------
    CatalogueError
        The workspace has no catalogue.
    """
    records = Catalogue.load(workspace.catalogue).records()
    videos = {row["id"]: row for row in records if row["has_audio"] and row["has_video"]}
    found: dict[str, list[KeptRow]] = {"train": [], "validation": [], "test": []}
    if not workspace.segments.exists():
        return found
    for segment in read_table(workspace.segments, SEGMENTS).to_pylist():
        video = videos.get(segment["video_id"])
        if video is not None and video["split"] in found and kept_path(workspace, segment).exists():
            found[video["split"]].append(_row(workspace, segment, video))
    return found


def rows_about(rows: Mapping[str, Sequence[KeptRow]]) -> dict[str, Any]:
    """What a run's record says of the rows that it was tuned on.

    Their hash covers which segments stand in which split, where they lie in their tracks, and their files' sizes.
    """
    lines = [
        f"{split}\x1f{row.segment_id}\x1f{row.path.name}\x1f{row.offset_s}\x1f{row.path.stat().st_size}"
        for split, found in sorted(rows.items())
        for row in found
    ]
    return {
        "pairs": len(rows["train"]),
        "videos": len({row.video_id for row in rows["train"]}),
        "validation_pairs": len(rows["validation"]),
        "sha256": fingerprint(np.array(lines, dtype=np.str_)),
    }


def planned_window(row: KeptRow, layout: FrameLayout) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """The window that extraction takes, to within half a frame: uint8 (frames, height, width, 3) and (samples,) sound.

    Raises
    ------
    DecodeError
        The kept file is damaged.
    """
    first = min(max(round(row.offset_s * FRAMES_PER_S), 0), row.frames - row.window_frames)
    return _read(row, layout, first, round(row.offset_s * RATE_HZ))


def random_window(
    row: KeptRow, layout: FrameLayout, config: AugmentationConfig, generator: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """A window anywhere in the segment, augmented.

    Returns
    -------
    Pictures, (frames, 3, size_px, size_px) float32 in [0, 255] thinned out as `layout` says, and sound of the same
    moment, (samples,) float32.

    Raises
    ------
    DecodeError
        The kept file is damaged.
    """
    first = int(generator.integers(0, row.frames - row.window_frames, endpoint=True))
    frames, waveform = _read(row, layout, first, first * _SAMPLES_PER_FRAME)
    video = augment_video(frames, layout.size_px, config, generator)
    return video, augment_audio(torch.from_numpy(waveform), config, generator)


def _read(
    row: KeptRow, layout: FrameLayout, first: int, first_sample: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    kept = read_kept(row.path, range(first, first + row.window_frames, layout.every))
    samples = row.window_frames * _SAMPLES_PER_FRAME
    if kept.frames is None or kept.waveform is None or len(kept.waveform) < samples:
        raise DecodeError(f"{row.path}: is not whole. Delete it, and extract with kept segments again.")
    start = min(max(first_sample, 0), len(kept.waveform) - samples)
    return kept.frames, kept.waveform[start : start + samples].copy()


def _row(workspace: Workspace, segment: dict[str, Any], video: dict[str, Any]) -> KeptRow:
    return KeptRow(
        segment_id=segment["segment_id"],
        video_id=segment["video_id"],
        path=kept_path(workspace, segment),
        frames=round((segment["end_s"] - segment["start_s"]) * FRAMES_PER_S),
        window_frames=round((segment["window_end_s"] - segment["window_start_s"]) * FRAMES_PER_S),
        offset_s=segment["window_start_s"] - segment["start_s"],
        start_s=segment["window_start_s"],
        artist=video["artist"] or "",
        labels=tuple(video["tags"] or ()),
    )
