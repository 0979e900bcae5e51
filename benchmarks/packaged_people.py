"""MediaPipe's models of faces and poses in OpenVINO: how many people are seen, where, how large, and how they stand.

Anchors and decoding are those of MediaPipe's graphs (Lugaresi et al. 2019, https://arxiv.org/abs/1906.08172; Bazarevsky
et al. 2020, https://arxiv.org/abs/2006.10204).
"""

from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from packaged_networks import Array, Candidate, Packaged, letterboxed

WHEEL = "mediapipe-0.10.14-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


def anchors(size_px: int, layers: tuple[tuple[int, int], ...]) -> Array:
    """Centres of anchors, (n, 2) as shares of the side; a layer has a stride and anchors for each place."""
    found = []
    for stride, each in layers:
        side = size_px // stride
        row, column = np.divmod(np.arange(side * side), side)
        found.append(np.repeat((np.stack([column, row], 1) + 0.5) / side, each, axis=0))
    return np.concatenate(found).astype(np.float32)


def boxes(raw: Array, scores: Array, centres: Array, size_px: int, threshold: float) -> tuple[Array, Array]:
    """Return the (n, 4 + 2 points) centre, size and points of what is detected, and scores, best first."""
    values = raw / size_px
    values[:, :2] += centres
    for point in range(4, values.shape[1], 2):
        values[:, point : point + 2] += centres
    found = 1 / (1 + np.exp(-np.clip(scores.ravel().astype(np.float64), -100, 100)))
    order = [place for place in np.argsort(-found, kind="stable") if found[place] >= threshold]
    kept: list[int] = []
    for place in order:
        if all(_overlap(values[place], values[other]) < 0.3 for other in kept):
            kept.append(int(place))
    return values[kept], found[kept]


def _overlap(one: Array, other: Array) -> float:
    low = np.maximum(one[:2] - one[2:4] / 2, other[:2] - other[2:4] / 2)
    high = np.minimum(one[:2] + one[2:4] / 2, other[:2] + other[2:4] / 2)
    shared = float(np.prod(np.maximum(0, high - low)))
    return shared / max(float(np.prod(one[2:4]) + np.prod(other[2:4])) - shared, 1e-9)


class Faces(Candidate):
    """Faces: how many, the largest one's place, size and score; mean and deviation over the frames."""

    name, side, dim, size_px = "faces", "video", 12, 256
    packaged = Packaged(
        WHEEL, "Apache-2.0", ("mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",)
    )
    aspect = 16 / 9
    SIZE_PX, THRESHOLD = 192, 0.6

    @cached_property
    def network(self) -> Any:
        return self.compiled()

    def found(self, images: Array) -> list[tuple[Array, Array]]:
        """Return boxes and scores of the faces of each frame; images are squares of RGB from 0 to 255."""
        centres = anchors(self.SIZE_PX, ((4, 1),))
        runs = [self.network(image[None] / 127.5 - 1) for image in images.astype(np.float32)]
        return [boxes(run[0][0].copy(), run[1][0], centres, self.SIZE_PX, self.THRESHOLD) for run in runs]

    def __call__(self, window: Array) -> Array:
        rows = np.zeros((len(window), 6), np.float32)
        for row, (places, scores) in zip(rows, self.found(letterboxed(window, self.aspect, self.SIZE_PX)), strict=True):
            if len(scores):
                largest = int(np.prod(places[:, 2:4], axis=1).argmax())
                row[:] = len(scores), *places[largest, :2] - 0.5, *places[largest, 2:3], scores[largest], 1
        return np.concatenate([rows.mean(0), rows.std(0)])


class Poses(Candidate):
    """The pose of the person found first: 33 points in the frame; mean, deviation and mean step over the frames."""

    name, side, dim, size_px = "poses", "video", 303, 256
    packaged = Packaged(
        WHEEL, "Apache-2.0",
        ("mediapipe/modules/pose_detection/pose_detection.tflite",
         "mediapipe/modules/pose_landmark/pose_landmark_full.tflite"),
    )  # fmt: skip
    aspect = 16 / 9
    SIZE_PX, ROI_PX, THRESHOLD = 224, 256, 0.5

    @cached_property
    def networks(self) -> tuple[Any, Any]:
        return self.compiled(0), self.compiled(1)

    def found(self, images: Array) -> list[Array | None]:
        """Return (33, 3) points of the first person in each frame: place as shares of the side, and visibility."""
        centres = anchors(self.SIZE_PX, ((8, 2), (16, 2), (32, 6)))
        found: list[Array | None] = []
        for image in images.astype(np.float32):
            run = self.networks[0](image[None] / 127.5 - 1)
            places, _ = boxes(run[0][0].copy(), run[1][0], centres, self.SIZE_PX, self.THRESHOLD)
            found.append(self._points(image, places[0]) if len(places) else None)
        return found

    def _points(self, image: Array, place: Array) -> Array | None:
        """Look closer, at an upright square around the person."""
        middle, end = place[4:6], place[6:8]
        half = 2 * 1.25 * float(np.linalg.norm(end - middle))  # of a square whose side is 2
        angle = np.pi / 2 - np.arctan2(middle[1] - end[1], end[0] - middle[0])
        turn = half * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        theta = torch.from_numpy(np.concatenate([turn, (2 * middle - 1)[:, None]], 1)[None].astype(np.float32))
        grid = F.affine_grid(theta, [1, 3, self.ROI_PX, self.ROI_PX], align_corners=False)
        source = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
        region = F.grid_sample(source, grid, align_corners=False)[0].permute(1, 2, 0).numpy()
        run = self.networks[1](np.ascontiguousarray(region[None]))
        if float(run[1][0, 0]) < 0.5:
            return None
        points = run[0].reshape(39, 5)[:33]
        local = 2 * points[:, :2] / self.ROI_PX - 1
        where = local @ turn.T + 2 * middle - 1
        return np.concatenate([(where + 1) / 2, 1 / (1 + np.exp(-points[:, 3:4].astype(np.float64)))], 1)

    def __call__(self, window: Array) -> Array:
        people = self.found(letterboxed(window, self.aspect, self.SIZE_PX))
        rows = np.zeros((len(window), 33, 4), np.float32)
        for row, points in zip(rows, people, strict=True):
            if points is not None:
                row[:, 0], row[:, 1], row[:, 2], row[:, 3] = *(points[:, :2] - 0.5).T, points[:, 2], 1
        flat, seen = rows[..., :3].reshape(len(rows), 99), rows[:, 0, 3]
        steps = np.abs(np.diff(flat, axis=0)).mean(0)
        return np.concatenate([flat.mean(0), flat.std(0), steps, [seen.mean(), seen.std(), seen.max()] * 2]).astype(
            np.float32
        )
