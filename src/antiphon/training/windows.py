"""Windows of kept segments: the planned one, or a random and augmented one for fine-tuning."""

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
from antiphon.features.artists import joined_credits
from antiphon.features.keeping import kept_path
from antiphon.features.store import flagged_segments
from antiphon.media.extents import Extents
from antiphon.media.layout import FrameLayout
from antiphon.runs import fingerprint
from antiphon.segments.kept import FRAMES_PER_S, RATE_HZ, read_kept
from antiphon.tables import SEGMENTS, read_table
from antiphon.training.augmentation import AugmentationConfig, augment_audio, augment_video
from antiphon.workspace import Workspace

_SAMPLES_PER_FRAME = RATE_HZ // FRAMES_PER_S


@dataclass(frozen=True)
class KeptRow:
    """Kept segment with video and audio, and its planned window, whose features are extracted.

    Attributes
    ----------
    segment_id, video_id : str
        Names of segment and video.
    path : Path
        Kept file.
    frames, window_frames : int
        Frames in the segment and in a window.
    offset_s : float
        Start of the planned window within the segment, in seconds.
    start_s : float
        Start of the planned window on the track's time line, in seconds; NaN where unknown.
    artist : str
        Artist of the video; "" where unknown.
    labels : tuple of str
        Labels of the video.
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
class KeptMetadata:
    """Metadata of kept rows.

    Attributes
    ----------
    artists : ndarray of str, shape (n,)
        Keys of the artists of each row, joined by unit separators; "" where unknown.
    labels : tuple of tuple of str
        Labels of each row.
    """

    artists: npt.NDArray[np.str_]
    labels: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, rows: Sequence[KeptRow]) -> "KeptMetadata":
        """Collect the metadata of rows.

        Parameters
        ----------
        rows : sequence of KeptRow
            Kept segments.

        Returns
        -------
        KeptMetadata
            Their artists and labels.
        """
        artists = joined_credits(np.array([row.artist for row in rows], dtype=np.str_))
        return cls(artists, tuple(row.labels for row in rows))


def kept_rows(workspace: Workspace) -> dict[str, list[KeptRow]]:
    """List the kept segments of each split that have both video and audio, without flagged ones.

    There is no choice about flagged segments, as `train` has with `--keep-flagged`: fine-tuning never uses them.

    Parameters
    ----------
    workspace : Workspace
        Workspace with a catalogue and kept segments.

    Returns
    -------
    dict of str to list of KeptRow
        Kept segments by split: "train", "validation" and "test".

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
    flagged = flagged_segments(workspace.features)
    for segment in read_table(workspace.segments, SEGMENTS).to_pylist():
        video = videos.get(segment["video_id"])
        if video is None or video["split"] not in found or segment["segment_id"] in flagged:
            continue
        extents, stretch = Extents.of(video), (segment["start_s"], segment["end_s"])
        has_both = extents.hold("audio", *stretch) and extents.hold("video", *stretch)
        if has_both and kept_path(workspace, segment).exists():
            found[video["split"]].append(_row(workspace, segment, video))
    return found


def tuning_inputs(rows: Mapping[str, Sequence[KeptRow]]) -> dict[str, Any]:
    """Summarise the rows of a fine-tuning for the run's record.

    The hash covers the segments of each split, their positions, and the sizes of their files.

    Parameters
    ----------
    rows : mapping of str to sequence of KeptRow
        Kept segments by split.

    Returns
    -------
    dict of str to object
        Numbers of pairs and videos, and the hash.
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
    """Read the window that extraction uses, to within half a frame.

    Parameters
    ----------
    row : KeptRow
        Kept segment.
    layout : FrameLayout
        Frames that the backbone takes.

    Returns
    -------
    frames : ndarray of uint8, shape (frames, height, width, 3)
        RGB frames.
    waveform : ndarray of float32, shape (samples,)
        Audio of the same moment.

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
    """Read a window anywhere in the segment, and augment it.

    Parameters
    ----------
    row : KeptRow
        Kept segment.
    layout : FrameLayout
        Frames that the backbone takes.
    config : AugmentationConfig
        Strength of the augmentations.
    generator : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    frames : Tensor, shape (frames, 3, size_px, size_px)
        Float32 in [0, 255], thinned out as `layout` says.
    waveform : Tensor, shape (samples,)
        Float32 audio of the same moment.

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
        raise DecodeError(f"{row.path}: is incomplete. Delete it, and extract with --keep-segments again.")
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
