"""The ranks of an evaluation as text, LaTeX and CSV."""

import csv
import io
from typing import Any

from antiphon.presentation.ranked_pools import ranked_pools, ranks_to_copy


def ranks(median: float) -> dict[str, Any]:
    """Numbers of one direction."""
    found = {
        "n": 1200,
        "groups": 300,
        "resampled": 90,
        "median_rank": median,
        "ci95": [median - 2, median + 1 / 3],
        "mrr": 0.12345,
    }
    return found | {"null95": [560.5, 640.5], "chance": 600.5, "recall@10": 0.25}


def both(median: float) -> dict[str, Any]:
    """Numbers of a pool."""
    return {"a2v": ranks(median), "v2a": ranks(median + 1)}


def test_every_pool_is_copied_with_size_interval_null_and_chance() -> None:
    found = ranks_to_copy("Run my_run, test split", both(90.5) | {"tracks": both(40.5), "other_tracks": both(80.5)})
    assert list(found) == ["text", "LaTeX", "CSV"]
    lines = found["text"].splitlines()
    assert lines[0] == "Run my_run, test split"
    assert " ".join(lines[4].split()) == "segments, audio → video 90.5 of 1,200 88.5–90.8 560–640 600.5 25% 0.123"
    assert (
        r"others, video $\rightarrow$ audio & 1,200 & 81.5 & 79.5--81.8 & 560--640 & 600.5 & 25\% & 0.123 \\"
        in (found["LaTeX"])
    )
    assert (
        "300 videos in 90 groups by artist" in found["text"] and "300 videos in 90 groups by artist" in found["LaTeX"]
    )
    assert "% Run my_run, test split" in found["LaTeX"]
    rows = list(csv.DictReader(io.StringIO(found["CSV"])))
    assert [(row["pool"], row["query"]) for row in rows] == [
        (pool, side) for pool in ("tracks", "segments", "others") for side in ("audio", "video")
    ]
    first = {name: value if name in {"pool", "query", "target"} else float(value) for name, value in rows[0].items()}
    assert first == {
        **{
            "pool": "tracks",
            "query": "audio",
            "target": "video",
            "n": 1200,
            "groups": 300,
            "resampled": 90,
            "median_rank": 40.5,
        },
        **{"median_rank_low": 38.5, "median_rank_high": 40.5 + 1 / 3, "median_rank_null_low": 560.5},
        **{"median_rank_null_high": 640.5, "median_rank_chance": 600.5, "recall@10": 0.25, "mrr": 0.12345},
    }


def test_what_was_not_measured_is_left_out() -> None:
    small = both(2.0)
    for way in small.values():
        del way["recall@10"]
    assert list(ranked_pools(small)) == ["tracks"]
    assert "R@" not in ranks_to_copy("x", small)["text"]
    assert ",600.5,,0.12345" in ranks_to_copy("x", small)["CSV"]
