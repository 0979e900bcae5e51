"""Synthetic catalogues of the same songs at several couplings, and their features."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

import antiphon as ap
from antiphon.cli.demo import FRACTIONS
from antiphon.segments.sampling import SamplingConfig
from antiphon.synthetic import SyntheticConfig, render_catalogue
from antiphon.workspace import Workspace

AUDIO, VIDEO = "musicnn-mtt", "efficientnet_lite0"


def coupled_workspace(work: Path, coupling: float, sections: int) -> Workspace:
    """Where the features of one coupling lie, with the runs trained on them."""
    return Workspace(work / f"coupling-{coupling:g}" / f"sections-{sections}")


def rendered_features(work: Path, config: SyntheticConfig, sections: int, processes: int | None = None) -> ap.Features:
    """Features of a synthetic catalogue, with splits by artist; what is there already is kept.

    Parameters
    ----------
    work : holds a folder for each coupling.
    processes : that render, and that decode. Default: one a core.
    """
    root = coupled_workspace(work, config.coupling, sections).root
    name = f"coupling {config.coupling:g}"
    table = render_catalogue(root.parent / "synthetic", config, processes, progress=every(40, f"{name}: rendered"))
    catalogue = ap.Catalogue.from_csv(table).split(by="artist", fractions=FRACTIONS, seed=config.seed)
    shown = every(40, f"{name}: extracted")
    return ap.extract(
        catalogue,
        AUDIO,
        VIDEO,
        workspace=root,
        sampling=SamplingConfig(sections=sections, seed=config.seed),
        workers=processes,
        progress=lambda state: shown(state.done, state.total),
    )


def refuse_unlike(features: dict[float, ap.Features]) -> None:
    """Stop unless the catalogues differ in nothing but their pictures: else queries could not be paired."""
    first_coupling, first = next(iter(features.items()))
    for coupling, other in features.items():
        for name in ("ids", "groups", "splits", "artists", "genres", "audio"):
            if not np.array_equal(getattr(first, name), getattr(other, name)):
                raise SystemExit(f"Coupling {coupling:g} has other {name} than coupling {first_coupling:g}.")
        if first.labels != other.labels:
            raise SystemExit(f"Coupling {coupling:g} has other tags than coupling {first_coupling:g}.")


def every(step: int, what: str) -> Callable[..., None]:
    """Prints each `step`-th of some things done."""

    def show(done: int, total: int, words: str = "") -> None:
        if done % step == 0 or done == total:
            print(f"{what} {done} of {total} {words}".rstrip(), flush=True)

    return show
