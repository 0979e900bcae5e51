"""What `antiphon compare` refuses: the file, the column and the row are named, or the method."""

import numpy as np
import polars as pl
import pytest

from antiphon.cli.app import run
from antiphon.errors import ConfigError
from antiphon.experiments.comparison import compare
from antiphon.features import Features

ROWS = np.arange(24, dtype=np.float32).reshape(6, 4) + 1


def changed(row, values):
    rows = ROWS.tolist()
    rows[row] = values
    return rows


@pytest.mark.parametrize(
    ("audio", "words"),
    [
        (changed(3, [1.0, np.nan, 2.0, 3.0]), "own.parquet: audio: 1 rows have values that are not finite (row 3"),
        (changed(2, [1.0, np.inf, 2.0, 3.0]), "own.parquet: audio: 1 rows have values that are not finite (row 2"),
        (
            changed(4, [1.0]),
            "own.parquet: column 'audio': all vectors must have one length above 0; row 4 has 1 values, most",
        ),
        ([[]] * 6, "own.parquet: column 'audio': all vectors must have one length above 0; row 0 has 0 values"),
        ([None] * 6, "own.parquet: column 'audio': all vectors must have one length above 0, and all rows are empty"),
        ([], "own.parquet: column 'audio': the table has no rows. Write a row for each music video."),
    ],
)
def test_a_table_that_cannot_be_compared_is_named_with_column_and_row(audio, words, tmp_path, capsys):
    count = len(audio)
    kind = pl.List(pl.Float32)
    columns = [pl.Series("id", [f"v{row}" for row in range(count)], pl.String)]
    columns += [pl.Series("audio", audio, kind), pl.Series("video", ROWS.tolist()[:count], kind)]
    pl.DataFrame(columns).write_parquet(tmp_path / "own.parquet")
    assert run(["-w", str(tmp_path / "w"), "compare", str(tmp_path / "own.parquet"), "--draws", "1"]) == 1
    assert words in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("method", "hint"), [("CCA", " Did you mean cca?"), ("paper-bas", " Did you mean paper-base"), ("x", "")]
)
def test_an_unknown_method_is_named_with_what_there_is(method, hint):
    features = Features.from_arrays(audio=ROWS, video=ROWS, ids=list("abcdef"))
    with pytest.raises(
        ConfigError, match=rf"methods: there is no '{method}'\.{hint.replace('?', '.')}.*zero-shot, cca, .*paper-base"
    ):
        compare(features, methods=["zero-shot", method])
