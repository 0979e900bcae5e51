"""What can be evaluated."""

from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from antiphon.features.features import Features


class Embedder(Protocol):
    """Anything that can be evaluated: a `DualEncoder`, a `CCA`."""

    def embed(
        self, features: Features, per: Literal["segment", "track"] = "segment"
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return two (n, dim) float32 arrays of unit rows: of the rows of `features`, or of its sorted tracks."""
        ...

    def seen_videos(self, features: Features) -> int | None:
        """Count the videos of `features` that it was trained or stopped on; None where that is not known."""
        ...
