"""Things in the air: embers rise, dust floats, confetti falls."""

import numpy as np
from numpy.typing import NDArray

_COUNTS = {"none": 0, "embers": 45, "dust": 26, "confetti": 34}
_FALL = {"none": 0.0, "embers": -0.35, "dust": -0.02, "confetti": 0.4}
"""Heights a second, downwards."""


class Particles:
    """Specks that drift and wrap around, drawn into the luma plane alone."""

    def __init__(self, kind: str, motion: float, size_px: tuple[int, int], random: np.random.Generator) -> None:
        count = _COUNTS[kind]
        self.size_px = size_px
        self.start = random.random((count, 2))
        self.fall = _FALL[kind] * (0.5 + motion) * random.uniform(0.5, 1.4, count)
        self.drift = random.normal(0, 0.05, count)
        self.luma = random.integers(150, 225, count, dtype=np.uint8)
        self.long = 2 if kind != "confetti" else 4

    def draw(self, luma: NDArray[np.uint8], time_s: float) -> None:
        """Set the specks as they are at `time_s`."""
        width, height = self.size_px
        rows = ((self.start[:, 0] + self.fall * time_s) % 1 * (height - self.long)).astype(np.intp)
        sway = 0.012 * np.sin(time_s * 2 + self.start[:, 0] * 20)
        columns = ((self.start[:, 1] + self.drift * time_s + sway) % 1 * (width - 2)).astype(np.intp)
        for down in range(self.long):
            luma[rows + down, columns] = self.luma
            luma[rows + down, columns + 1] = self.luma
