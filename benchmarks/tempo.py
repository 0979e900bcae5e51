"""How often the tempo that is measured is the true one, on a synthetic catalogue, whose tempi are known.

    python benchmarks/tempo.py WORKSPACE

measures what `attributes.parquet` of a workspace with a synthetic catalogue lacks, and compares. The constants of
`antiphon/media/tempo.py` were chosen on every third video (the first, the fourth, …) of a catalogue of 400; the
table is of the others.
"""

import sys
import tomllib
from pathlib import Path

import numpy as np

from antiphon.catalogue import Catalogue
from antiphon.features.attributes import measure_attributes
from antiphon.synthetic.config import SyntheticConfig
from antiphon.synthetic.styles import draw_song
from antiphon.tables import ATTRIBUTES, read_table
from antiphon.workspace import Workspace

_WITHIN = 0.04


def main(root: Path) -> None:
    """Print one line for all and one a genre: videos, share with a clear beat, share of those right."""
    workspace = Workspace(root)
    catalogue = Catalogue.load(workspace.catalogue)
    measure_attributes(workspace, catalogue)
    rows = read_table(workspace.attributes, ATTRIBUTES).to_pylist()
    measured = {row["video_id"]: row["tempo_bpm"] for row in rows}
    records = catalogue.records()
    record = Path(records[0]["path"]).parent / "synthetic.toml"
    config = SyntheticConfig(**tomllib.loads(record.read_text(encoding="utf-8"))["synthetic"], videos=len(records))
    others = [(row, draw_song(config.seed, number, config.songs_per_artist)) for number, row in enumerate(records)]
    others = [pair for number, pair in enumerate(others) if number % 3]
    for genre in (None, *sorted({row["genre"] for row, _ in others})):
        kept = [(measured.get(row["id"]), song.tempo_bpm) for row, song in others if genre in {None, row["genre"]}]
        ratios = np.array([found / true for found, true in kept if found is not None])
        right, octaves = (_share(ratios, times) for times in ((1.0,), (0.5, 1.0, 2.0)))
        sys.stdout.write(
            f"{genre or 'all':10} {len(kept):4} videos, clear beat {len(ratios) / len(kept):.2f}; of these within 4%: "
            f"{right:.2f}, up to octaves {octaves:.2f}\n"
        )


def _share(ratios: np.ndarray, times: tuple[float, ...]) -> float:
    return float(np.mean([min(abs(ratio / one - 1) for one in times) < _WITHIN for ratio in ratios]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
