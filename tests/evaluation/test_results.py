"""Results read as dictionaries, print within a page's width, export themselves, and compare like with like."""

import json
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

import antiphon as ap
from antiphon.evaluation import results
from antiphon.metrics import RetrievalResult, retrieval
from antiphon.metrics.paired import rank_ratio
from antiphon.metrics.results import Comparison

SEGMENTS = 3


def embeddings(noise: float, rows: int = 120) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    random = np.random.default_rng(0)
    audio, other = random.normal(size=(2, rows, 6))
    return audio, audio + noise * other


def ranked(noise: float, **options: Any) -> RetrievalResult:
    return retrieval(*embeddings(noise), resamples=200, permutations=100, **options)


@pytest.fixture(scope="module")
def features() -> ap.Features:
    random = np.random.default_rng(1)
    videos = np.repeat(np.arange(120), SEGMENTS)
    shared = random.normal(size=(120, 5))[videos]
    return ap.Features.from_arrays(
        audio=shared + 0.3 * random.normal(size=shared.shape),
        video=shared @ random.normal(size=(5, 7)) + 0.3 * random.normal(size=(len(videos), 7)),
        groups=[f"v{video}" for video in videos],
        genres=np.array(["rock", "pop"])[videos % 2],
    ).split(seed=2)


@pytest.fixture(scope="module")
def evaluated(features: ap.Features) -> tuple[results.Evaluation, results.Evaluation]:
    cca = ap.CCA().fit_features(features["train"])
    other = ap.DualEncoder("paper-base").fit(features, verbose=False)
    return ap.evaluate(cca, features["test"]), ap.evaluate(other, features["test"])


@pytest.fixture(scope="module")
def probed(features: ap.Features) -> results.ProbeResult:
    model = ap.DualEncoder("paper-base").fit(features, verbose=False)
    return ap.probe(model, features, kinds=["linear"], seeds=1)


def test_a_result_is_a_mapping_over_plain_numbers() -> None:
    found = ranked(1.0)
    assert set(found) == {"a2v", "v2a"}
    assert {**found} == dict(found) == dict(found.items()) == found.to_dict() == found
    assert json.loads(json.dumps(dict(found))) == found.to_dict()
    assert ({"run": "r"} | found)["a2v"] == (found | {"run": "r"})["a2v"] == found["a2v"]
    found.to_dict()["a2v"]["n"] = 0
    assert found["a2v"]["n"] == 120


def test_the_ranks_kept_are_those_behind_the_numbers() -> None:
    found = ranked(1.0, groups=np.repeat(np.arange(40), 3), ids=np.arange(120))
    for way in ("a2v", "v2a"):
        assert np.median(found.ranks[way]) == found[way]["median_rank"]
        assert np.mean(1 / found.ranks[way]) == pytest.approx(found[way]["mrr"])
    assert "ranks" not in found.to_dict()
    with pytest.raises(ValueError, match=r"ids has shape \(3,\)"):
        ranked(1.0, ids=["a", "b", "c"])


def test_text_fits_a_page_and_says_what_stands_beside_a_number() -> None:
    found = ranked(1.0, name="a model")
    text = repr(found)
    assert text.splitlines()[0] == "a model: 120 pairs of 120 videos"
    assert text.splitlines()[1].split() == ["median", "rank", "95%", "null", "chance", "R@10", "MRR"]
    assert re.search(r"audio → video +[\d.]+ of 120 +[\d.]+–[\d.]+ +[\d.]+–[\d.]+ +60\.5 +[\d.]+% +0\.\d{3}", text)
    assert "video → audio" in text
    assert str(found) == text


def test_the_widest_numbers_still_fit() -> None:
    number = {"median_rank": 49_999.5, "n": 100_000, "chance": 50_000.5, "ci95": [49_123.5, 50_123.5], "mrr": 0.001}
    number |= {"null95": [49_123.5, 50_123.5], "groups": 100_000, "recall@10": 0.0001}
    both = dict.fromkeys(("a2v", "v2a"), number)
    pool = RetrievalResult(both, dict.fromkeys(both, np.ones(1)), np.arange(1))
    whole = results.Evaluation({**both, "seen": 3}, dict.fromkeys(("tracks", "segments", "other_tracks"), pool), "cca")
    assert max(map(len, repr(whole).splitlines())) <= 100
    assert "3 of these videos were seen in training" in repr(whole)


def test_recall_is_shown_at_ten_or_at_the_largest_cut_off_there_is() -> None:
    assert "R@3 " in repr(ranked(1.0, ks=(1, 3)))
    assert "R@" not in repr(ranked(1.0, ks=()))


def test_html_holds_the_chart_the_table_and_their_style_and_escapes_names() -> None:
    page = ranked(1.0, name="<b>&")._repr_html_()
    assert page.count("<svg") == page.count("<table") == page.count("<style") == 1
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;: 120 pairs" in page
    assert "<script" not in page
    drawn = set(re.findall(r'class="bar (\w+)"', page))
    assert drawn
    assert all(f"svg .bar.{name} {{" in page for name in drawn)


def test_the_frame_has_a_row_a_direction_with_every_interval() -> None:
    found = ranked(1.0)
    frame = found.to_frame()
    assert frame["query"].to_list() == ["audio", "video"]
    assert frame["target"].to_list() == ["video", "audio"]
    for row, way in zip(frame.iter_rows(named=True), ("a2v", "v2a"), strict=True):
        for metric, number in found[way]["by_metric"].items():
            assert [row[f"{metric}{end}"] for end in ("", "_low", "_high")] == [number["value"], *number["ci95"]]
            assert [row[f"{metric}_null_{end}"] for end in ("low", "high")] == number["null95"]
            assert row[f"{metric}_chance"] == number["chance"]


def test_latex_is_a_booktabs_table_with_everything_escaped() -> None:
    text = ranked(1.0, name="my_model").to_latex(caption="50% & more", label="tab:ranks")
    assert text.startswith("% my_model: 120 pairs of 120 videos\n")
    assert r"\caption{50\% \& more}" in text
    assert r"\label{tab:ranks}" in text
    assert r"95\%" in text
    assert r"audio $\rightarrow$ video & 120 & " in text
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    assert {line.count(" & ") for line in body.splitlines()[1:]} == {7}
    assert not re.search(r"(?<!\\)%", text.split(r"\begin{table}")[1])


def test_a_comparison_is_the_paired_rank_ratio_of_both_directions() -> None:
    groups = np.repeat(np.arange(60), 2)
    near, far = (ranked(noise, groups=groups, name=name) for noise, name in ((0.5, "near"), (2.0, "far")))
    found = near.compare(far)
    ratio, (low, high) = rank_ratio(*(np.stack(list(each.ranks.values())) for each in (near, far)), groups)
    assert found == Comparison("near", "far", ratio, low, high, 120, 60, "both", 120, 60)
    assert found.verdict == "better"
    sentence = f"near ranks partners higher than far, by a factor of {ratio:.2f} (95% {low:.2f}–{high:.2f}, "
    assert str(found) == repr(found) == f"{sentence}paired over 120 queries each way, 60 videos)."
    one_way = near.compare(far, direction="a2v")
    assert one_way.ratio == rank_ratio(near.ranks["a2v"], far.ranks["a2v"], groups)[0]
    assert "queries from audio to video" in str(one_way)


def test_a_worse_model_is_said_to_rank_lower_and_a_like_one_alike() -> None:
    near, far = ranked(0.5, name="near"), ranked(2.0, name="far")
    worse = far.compare(near)
    assert worse.verdict == "worse"
    assert worse.ratio < 1
    lower = f"far ranks partners lower than near, by a factor of {1 / worse.ratio:.2f} (95% {1 / worse.high:.2f}–"
    assert str(worse).startswith(lower)
    same = near.compare(near)
    assert same.verdict == "none"
    beginning = "this model and the other do not differ measurably: the ratio of their ranks is 1.00 (95% 1.00–1.00"
    assert str(same).startswith(beginning)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ids": [f"q{row}" for row in range(119)] + ["another"]}, "row 119 is 'q119' in one result and 'another'"),
        ({"groups": np.repeat(np.arange(60), 2)}, "group their queries differently"),
        ({"groups": np.repeat(np.arange(40), 3), "exclude_same_group": True}, "exclude_same_group is set"),
    ],
)
def test_other_queries_and_pools_are_refused(options: dict[str, Any], message: str) -> None:
    plain: dict[str, Any] = {"ids": [f"q{row}" for row in range(120)]}
    if "exclude_same_group" in options:
        plain["groups"] = options["groups"]
    with pytest.raises(ValueError, match=message):
        ranked(1.0, **plain).compare(ranked(1.0, **options))


def test_fewer_queries_and_unknown_directions_are_refused() -> None:
    few = retrieval(*embeddings(1.0, rows=50), resamples=10, permutations=10)
    with pytest.raises(ValueError, match="120 queries and the other 50"):
        ranked(1.0).compare(few)
    with pytest.raises(ValueError, match="direction must be 'both', 'a2v' or 'v2a', not 'audio'"):
        few.compare(few, direction="audio")  # type: ignore[arg-type]


def test_an_evaluation_has_every_pool_and_compares_tracks(
    evaluated: tuple[results.Evaluation, results.Evaluation],
) -> None:
    cca, other = evaluated
    assert list(cca) == ["a2v", "v2a", "seen", "flagged", "other_tracks", "tracks"]
    assert list(cca.pools) == ["tracks", "segments", "other_tracks"]
    assert cca["tracks"] == cca.pools["tracks"]
    assert cca["a2v"] == cca.pools["segments"]["a2v"]
    assert cca.ranks["a2v"] is cca.pools["segments"].ranks["a2v"]
    assert json.loads(json.dumps(dict(cca))) == cca.to_dict()
    assert max(map(len, repr(cca).splitlines())) <= 100
    assert [line.split(",")[0] for line in repr(cca).splitlines()[2:8]] == ["tracks"] * 2 + ["segments"] * 2 + [
        "others"
    ] * 2
    frame = cca.to_frame()
    assert frame.select("pool", "query").rows() == [(pool, query) for pool in cca.pools for query in ("audio", "video")]
    assert set(frame["model"]) == {"cca"}
    found = cca.compare(other)
    assert found == cca.pools["tracks"].compare(other.pools["tracks"])
    assert (found.name, found.other, found.n) == ("cca", "paper-base", cca["tracks"]["a2v"]["n"])
    assert cca.compare(other, "segments").n == cca["a2v"]["n"]
    with pytest.raises(ValueError, match="cca has no ranks of 'albums'; it has tracks, segments, other_tracks"):
        cca.compare(other, "albums")
    assert cca._repr_html_().count("<svg") == 1
    assert cca.to_latex().count("tracks, audio") == 1


def test_evaluations_of_other_videos_are_not_compared(
    features: ap.Features, evaluated: tuple[results.Evaluation, results.Evaluation]
) -> None:
    test = features["test"]
    fewer = test.take(test.groups != test.groups[0])
    one = ap.evaluate(ap.CCA().fit_features(features["train"]), fewer)
    with pytest.raises(ValueError, match="a paired comparison needs the same queries"):
        one.compare(evaluated[0])


def test_a_probe_prints_and_exports_a_row_a_classifier(probed: results.ProbeResult) -> None:
    text = repr(probed)
    assert max(map(len, text.splitlines())) <= 100
    for row in probed["table"]:
        number = row["roc_auc"]
        assert f"{number['value']:.3f} [{number['ci95'][0]:.3f}, {number['ci95'][1]:.3f}]" in text
    frame = probed.to_frame()
    assert frame.height == len(probed["table"])
    assert frame["roc_auc"].to_list() == [row["roc_auc"]["value"] for row in probed["table"]]
    backbones = frame.filter(pl.col("representation").str.ends_with("backbone"))
    assert backbones["roc_auc_difference"].null_count() == backbones.height > 0
    assert probed.to_latex().count(r"\\") == frame.height + 1
    assert "<table" in probed._repr_html_()


def test_a_probe_is_compared_by_the_scores_behind_its_numbers(
    features: ap.Features, probed: results.ProbeResult
) -> None:
    row = {"representation": "audio backbone", "kind": "linear"}
    assert probed.compare(probed, **row).value == 0  # type: ignore[arg-type]
    blind = ap.Features.from_arrays(
        audio=np.random.default_rng(3).normal(size=(len(features), 5)),
        video=features.video,
        ids=features.ids,
        groups=features.groups,
        genres=features.genres,
        splits=features.splits,
    )
    other = ap.probe(ap.DualEncoder("paper-base").fit(blind, verbose=False), blind, kinds=["linear"], seeds=1)
    found = probed.compare(other, metric="pr_auc", **row)  # type: ignore[arg-type]
    mine, theirs = (
        next(one for one in each["table"] if (one["representation"], one["level"]) == ("audio backbone", "tracks"))
        for each in (probed, other)
    )
    assert found.value == pytest.approx(mine["pr_auc"]["value"] - theirs["pr_auc"]["value"])
    assert found.low < found.value < found.high
    assert "PR-AUC" in str(found)
    with pytest.raises(ValueError, match="no row audio backbone, perceptron, tracks"):
        probed.compare(other, representation="audio backbone")
    with pytest.raises(ValueError, match="metric must be one of roc_auc, pr_auc, f1"):
        probed.compare(other, metric="accuracy")  # type: ignore[arg-type]


def test_a_classification_prints_what_stands_beside_each_number_and_lists_its_labels() -> None:
    random = np.random.default_rng(0)
    targets = random.integers(0, 3, 90)
    found = ap.metrics.classification(np.eye(3)[targets] + random.normal(size=(90, 3)), targets, names=["a", "b", "c_"])
    lines = repr(found).splitlines()
    assert lines[0] == "90 items of 90 videos, 3 labels"
    for line, metric in zip(lines[2:], ("roc_auc", "pr_auc", "f1"), strict=True):
        number = found[metric]
        edges = [*number["ci95"], *number["null95"]]
        expected = [number["value"], *edges, number["chance"]]
        assert [float(text) for text in re.findall(r"\d\.\d{3}", line)] == [round(value, 3) for value in expected]
    frame = found.to_frame()
    assert frame["label"].to_list() == ["a", "b", "c_"]
    assert frame["roc_auc"].to_list() == [each["roc_auc"] for each in found["by_label"].values()]
    assert found.to_latex().count(r"\\") == 4
    assert found._repr_html_().count("<table") == 1


def test_an_audit_says_what_failed_first_and_whether_it_passed(features: ap.Features) -> None:
    from antiphon.evaluation.auditing import published

    model = ap.DualEncoder("paper-base").fit(features, verbose=False)
    good, bad = ap.audit(model, features), ap.audit(model, features, metric=published)
    assert good.passed
    assert not bad.passed
    assert "Metric: oracle" in bad.failed
    lines = repr(bad).splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0].startswith("Mend this")
    statuses = [line[:4].strip() for line in lines if re.match(r"(fail|warn|n/a|pass) ", line)]
    assert statuses == sorted(statuses, key=["fail", "warn", "n/a", "pass"].index)
    assert len(statuses) == len(bad["checks"]) == bad.to_frame().height
    assert bad.to_latex().count(r"\\") == len(bad["checks"]) + 1
    assert json.loads(json.dumps(bad.to_dict())) == bad.to_dict()
    assert "<table" in bad._repr_html_()


@pytest.mark.parametrize(("videos", "words"), [(0, "there are none"), (1, "there is 1")])
def test_too_few_videos_are_refused_with_what_to_do(videos: int, words: str) -> None:
    pairs = ap.Features.from_arrays(audio=np.eye(4), video=np.eye(4), groups=["a"] * 4).take(np.arange(4 * videos))
    with pytest.raises(ap.errors.ModelError, match=rf"{words}\. Rank another split \(--split\), or add videos"):
        ap.evaluate(ap.CCA(), pairs)
