"""Two data sets as one."""

import numpy as np
import pytest

from antiphon.errors import FeatureStoreError
from antiphon.features import Features
from antiphon.features.joining import join


def some(ids, size=3, name="ears"):
    count = len(ids)
    return Features.from_arrays(
        audio=np.arange(count * size, dtype=float).reshape(count, size),
        video=np.ones((count, 2)),
        ids=ids,
        labels=[[name] for name in ids],
        splits=["train"] * count,
        audio_name=name,
    )


def test_rows_of_both_in_order():
    first, second = some(["a", "b"]), some(["c"])
    joined = join(first, second)
    assert joined.ids.tolist() == ["a", "b", "c"] and joined.labels == (("a",), ("b",), ("c",))
    assert joined.take(np.array([0, 1])).fingerprint() == first.fingerprint()
    assert joined.take(np.array([2])).fingerprint() == second.fingerprint()


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(FeatureStoreError, match=r"audio features are ears \(3 values\) and ears \(4 values\)"):
        join(some(["a"]), some(["b"], size=4))
    with pytest.raises(FeatureStoreError, match=r"audio features are ears \(3 values\) and unnamed \(3 values\)"):
        join(some(["a"]), some(["b"], name=""))
    with pytest.raises(FeatureStoreError, match="1 rows are in both sets of features .'a' is the first"):
        join(some(["a", "b"]), some(["a"]))
