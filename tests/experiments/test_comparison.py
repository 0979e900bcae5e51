"""A comparison of backbones on made-up features: what is ranked, on which videos, and what is said of it."""

import numpy as np
import pytest

import antiphon as ap
from antiphon.errors import ConfigError, FeatureStoreError, ModelError
from antiphon.experiments.cells import Cell
from antiphon.experiments.comparison import compare, costs
from antiphon.experiments.comparison.common import folder_name, in_common, usual_draws
from antiphon.experiments.comparison.verdict import verdict
from antiphon.experiments.draws import drawn
from antiphon.experiments.study import CCA, ZERO_SHOT, DrawSettings, ResolvedStep
from antiphon.experiments.zero_shot import ZeroShot
from antiphon.features import Features
from antiphon.workers.pool import run_in_processes
from antiphon.workspace import Workspace

VIDEOS = 60
QUICK = """
inherits = "antiphon-base"
name = "quick"
head = { hidden = [32], embedding_dim = 16, dropout = 0.0, input_dropout = 0.0 }
training = { epochs = 4, min_steps = 4 }
"""


def made(kind: str, *, segments: int = 1, size: int = VIDEOS, **about: object) -> Features:
    """Features of one space ("joint"), of two that a linear map connects ("linear"), or of nothing shared ("noise")."""
    random, mix = np.random.default_rng(3), np.random.default_rng(4)
    hidden = np.repeat(random.normal(size=(size, 6)), segments, axis=0)
    audio = hidden @ mix.normal(size=(6, 12)) + 0.2 * random.normal(size=(len(hidden), 12))
    video = {
        "joint": audio + 0.2 * random.normal(size=audio.shape),
        "linear": hidden @ mix.normal(size=(6, 9)) + 0.2 * random.normal(size=(len(hidden), 9)),
        "noise": random.normal(size=(len(hidden), 12)),
    }[kind]
    videos = np.repeat([f"video-{row:03d}" for row in range(size)], segments)
    ids = [f"{name}:{row % segments}" for row, name in enumerate(videos)]
    return Features.from_arrays(audio=audio, video=video, ids=ids, groups=videos, **about)


def row(found, backbones, method):
    return next(each for each in found["rows"] if (each["backbones"], each["method"]) == (backbones, method))


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Two pairs of backbones with different rows a video, compared by all kinds of methods."""
    folder = tmp_path_factory.mktemp("compared")
    (folder / "quick.toml").write_text(QUICK)
    features = {"one": made("joint", segments=2), "two": made("linear")}
    methods = ("zero-shot", "cca", str(folder / "quick.toml"))
    return compare(features, methods, draws=2, probes=False, folder=folder / "out"), features, methods, folder


def test_zero_shot_scores_are_the_cosines_of_the_features():
    features = made("joint", segments=2)
    audio, video = ZeroShot().embed(features)
    a, v = features.audio.astype(float), features.video.astype(float)
    cosines = (a @ v.T) / np.outer(np.linalg.norm(a, axis=1), np.linalg.norm(v, axis=1))
    np.testing.assert_allclose(audio.astype(float) @ video.T.astype(float), cosines, atol=1e-6)
    tracks, _ = ZeroShot().embed(features, per="track")
    means = np.stack([audio[features.groups == name].mean(axis=0) for name in np.unique(features.groups)])
    np.testing.assert_allclose(tracks, means / np.linalg.norm(means, axis=1, keepdims=True), atol=1e-6)
    assert ZeroShot().seen_videos(features) == 0


def test_a_feature_of_zeros_is_near_to_nothing_and_ends_nothing():
    features = made("joint")
    features.audio[3] = 0
    audio, video = ZeroShot().embed(features)
    assert not audio[3].any() and np.isfinite(audio).all()
    np.testing.assert_allclose(np.linalg.norm(video, axis=1), 1, rtol=1e-6)


def test_zero_shot_needs_one_space():
    with pytest.raises(ModelError, match="12 values and video features 9"):
        ZeroShot().embed(made("linear"))


def test_all_methods_rank_the_same_tracks(compared):
    found, *_ = compared
    assert {(each["backbones"], each["method"]) for each in found["rows"]} == {
        (name, method) for name in ("one", "two") for method in ("zero-shot", "cca", "quick")
    }
    assert found["videos"] == VIDEOS and found["draws"]["test"] == VIDEOS // 2
    assert {each["n"] for each in found["rows"] if each["trainings"]} == {VIDEOS / 2}  # Tracks, not segments.
    assert row(found, "one", "zero-shot")["a2v"]["median_rank"]["value"] == 1
    assert row(found, "two", "zero-shot")["failed"][0].endswith("backbones that share one space.")
    assert row(found, "one", "quick")["trained"] and not row(found, "one", "cca")["trained"]


def test_gains_are_over_the_best_row_without_training(compared):
    found, *_ = compared
    untrained = [each for each in found["rows"] if each["trainings"] and not each["trained"]]
    best = min(untrained, key=lambda each: each["typical_rank"])
    assert best["gain"] is None
    for each in found["rows"]:
        if each["trainings"] and each is not best:
            assert (each["gain"]["backbones"], each["gain"]["method"]) == (best["backbones"], best["method"])
            assert each["gain"]["ratio"] == pytest.approx(best["typical_rank"] / each["typical_rank"])


def test_a_stopped_comparison_goes_on(compared, monkeypatch):
    found, features, methods, folder = compared
    monkeypatch.setattr("antiphon.experiments.study_run.run_cell", lambda *_: pytest.fail("trained again"))
    again = compare(features, methods, draws=2, probes=False, folder=folder / "out")
    assert again.to_dict() == found.to_dict()


def test_the_level_and_zero_shot_are_part_of_a_cells_key():
    steps = [ResolvedStep(name=name, label=name, recipe=None, extra=False) for name in (CCA, ZERO_SHOT)]
    cells = [Cell(step, "all", DrawSettings(), 0, 0, level) for step in steps for level in ("segments", "tracks")]
    assert len({cell.key("same") for cell in cells}) == len(cells)


def test_it_prints_as_a_table_and_becomes_a_frame(compared):
    found, *_ = compared
    assert found.sentence in repr(found).replace("\n", " ")
    assert "two, zero-shot" in repr(found) and "no common space" in repr(found)
    frame = found.to_frame()
    assert frame.height == 2 * sum(bool(each["trainings"]) for each in found["rows"])
    first = row(found, "one", "cca")["v2a"]["mrr"]
    mrr = frame.filter((frame["backbones"] == "one") & (frame["method"] == "cca") & (frame["direction"] == "v2a"))
    assert mrr["mrr"].to_list() == [first["value"]] and mrr["mrr_low"].to_list() == [first["ci95"][0]]
    assert "\\toprule" in found.to_latex() and "<table>" in found._repr_html_()


def test_latex_has_a_labelled_column_for_each_number_and_the_factor_over_the_baseline(compared):
    found, *_ = compared
    latex = found.to_latex("Ranks.", "tab:compare").splitlines()
    header, *body = ([cell.strip() for cell in line[:-2].split(" & ")] for line in latex if line.endswith(r"\\"))
    assert header[5:8] == [r"MRR a$\rightarrow$v", r"MRR v$\rightarrow$a", "gain"] and len(body) == len(found["rows"])
    for line, each in zip(body, found["rows"], strict=True):
        if each["trainings"]:
            assert line[5:7] == [f"{each[way]['mrr']['value']:.3f}" for way in ("a2v", "v2a")]
            assert line[7] == "--" if each["gain"] is None else f"{each['gain']['ratio']:.2f} (" in line[7]


def test_probes_tell_what_features_and_embeddings_know(quick_default, tmp_path):
    features = made("linear", segments=2)
    hidden = np.random.default_rng(3).normal(size=(VIDEOS, 6))[:, 0]
    genres = np.repeat(np.where(hidden > 0, "calm", "loud"), 2)
    known = Features.from_arrays(
        audio=features.audio, video=features.video, ids=features.ids, groups=features.groups, genres=genres
    )
    found = compare({"one": known}, ("cca",), draws=2, folder=tmp_path)
    (table,) = found["probes"]
    assert (table["backbones"], table["target"], sorted(table["labels"])) == ("one", "genre", ["calm", "loud"])
    values = {each["representation"]: each["roc_auc"] for each in table["rows"]}
    assert values["both backbones"]["value"] > 0.9
    assert "difference" in values["contrastive + backbones"]
    assert compare({"one": known}, ("cca",), draws=2, folder=tmp_path)["probes"] == found["probes"]


def test_only_videos_that_all_have_are_used_and_what_one_lacks_is_taken_from_another():
    artists = [f"artist {number // 2}" for number in range(VIDEOS)]
    labels = [["live"] if number % 2 else [] for number in range(VIDEOS)]
    known, bare = made("linear", artists=artists, labels=labels), made("joint").take(np.arange(10, VIDEOS))
    found = in_common({"known": known, "bare": bare})
    assert [len(each) for each in found.values()] == [VIDEOS - 10] * 2
    assert found["bare"].artists.tolist() == artists[10:] == found["known"].artists.tolist()
    assert found["bare"].labels == tuple(map(tuple, labels[10:]))
    draws = usual_draws(found["known"], 2, 0)
    tests = [set(drawn(each, draws, 1, "all")["test"].groups.tolist()) for each in found.values()]
    assert tests[0] == tests[1]


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        ({}, ConfigError, "Nothing to compare"),
        ({"a": made("joint"), "b": made("joint", artists=["x"] * VIDEOS)}, FeatureStoreError, "too few for 5 draws"),
        (
            {"a": made("joint", artists=["y"] * VIDEOS), "b": made("joint", artists=["x"] * VIDEOS)},
            FeatureStoreError,
            "video-000: its artist is 'x' in b and 'y' elsewhere",
        ),
        ({"a": made("joint", size=12)}, FeatureStoreError, "12 music videos, at most 1 by one artist, are too few"),
        (
            {"a": made("joint").take(np.arange(5)), "b": made("joint").take(np.arange(5, 9))},
            FeatureStoreError,
            "No music video has both audio and video features in all of a, b",
        ),
    ],
)
def test_what_cannot_be_compared_is_said(features, error, message):
    with pytest.raises(error, match=message):
        compare(features)


@pytest.mark.parametrize(
    ("methods", "message"),
    [(("none-such",), "none-such"), ((), "Nothing was compared"), (("my recipe.toml",), "Nothing was compared")],
)
def test_a_wrong_method_is_said(methods, message):
    with pytest.raises(ConfigError, match=message):
        compare(made("joint"), methods)


def test_draws_test_every_video_once_and_leave_room_for_artists():
    assert usual_draws(made("joint"), 5, 0).test == VIDEOS // 5
    artists = ["many"] * 7 + [str(number) for number in range(VIDEOS - 7)]
    features = made("joint", artists=artists)
    draws = usual_draws(features, 5, 1)
    assert draws.test == (VIDEOS - 5 * 6) // 5
    tests = [drawn(features, draws, draw, "all")["test"].groups for draw in range(5)]
    assert len(np.unique(np.concatenate(tests))) == sum(map(len, tests))
    assert usual_draws(made("joint", size=2500), 1, 0).test == 1000


def measured(method, typical, *, gain=None, trained=False, low=2.0, high=3.0, backbones="a+b", pool=100):
    ways = {"median_rank": {"value": (low + high) / 2, "ci95": [low, high]}, "null95": [40.0, 60.0]}
    found = {"backbones": backbones, "method": method, "trained": trained, "trainings": 5, "typical_rank": typical}
    found |= {"failed": [], "n": pool}
    return found | {"a2v": ways, "v2a": ways, "gain": gain and {"ratio": gain[0], "ci95": list(gain[1:])}}


@pytest.mark.parametrize(
    ("gain", "answer", "words"),
    [
        ((1.3, 1.2, 1.4), "yes", "is worth it here: ours ranks partners higher than cca, by a factor of 1.30"),
        ((1.0, 0.98, 1.02), "no", "is not worth it here: ours ranks partners no higher than cca: a factor of 1.00"),
        ((0.8, 0.7, 0.9), "no", "ours ranks partners lower than cca, by a factor of 1.25 (95% 1.11–1.43)"),
        ((1.1, 0.9, 1.3), "unclear", "It is not clear"),
    ],
)
def test_the_answer_follows_the_interval(gain, answer, words):
    rows = [measured("cca", 10.0), measured("ours", 10.0 / gain[0], gain=gain, trained=True)]
    found = verdict({"rows": rows, "videos": 500})
    assert found["answer"] == answer and words in found["sentence"]
    assert found["gain"] == gain[0] and found["ci95"] == list(gain[1:])
    assert (found["videos_needed"] is None) == (answer != "unclear")


@pytest.mark.parametrize(("pool", "few"), [(49, True), (50, False)])
def test_few_test_videos_are_said_to_be_few(pool, few):
    rows = [
        measured("cca", 10.0, pool=pool),
        measured("ours", 7.0, gain=(1.3, 1.2, 1.4), trained=True, pool=pool),
    ]
    sentence = verdict({"rows": rows, "videos": 500})["sentence"]
    assert ("only 49 test videos, which is few: the interval covers these draws and trainings alone" in sentence) is few


@pytest.mark.parametrize(("size", "artists", "draws"), [(12, None, 2), (24, 4 * ["many"] + [*map(str, range(20))], 3)])
def test_the_number_of_draws_that_is_named_does(size, artists, draws):
    features = made("joint", size=size, artists=artists)
    with pytest.raises(FeatureStoreError, match=f"--draws {draws}"):
        usual_draws(features, 5, 0)
    assert usual_draws(features, draws, 0).test >= 5
    with pytest.raises(FeatureStoreError):
        usual_draws(features, draws + 1, 0)
    with pytest.raises(FeatureStoreError, match=r"Add music videos\.$"):
        usual_draws(made("joint", size=6), 5, 0)


def test_videos_needed_settle_it_with_a_power_of_four_in_five():
    half = 1.21
    rows = [measured("cca", 10.0), measured("ours", 9.0, gain=(1.1, 1.1 / half, 1.1 * half), trained=True)]
    found = verdict({"rows": rows, "videos": 500})
    # Half of the interval must become as narrow as the gain times 1.96 / (1.96 + 0.84), in logarithms.
    expected = 500 * (np.log(half) / np.log(1.1) * 2.8 / 1.96) ** 2
    assert found["videos_needed"] == pytest.approx(expected, rel=0.02)
    assert f"about {found['videos_needed']:,} music videos instead of 500 would settle it" in found["sentence"]


@pytest.mark.parametrize("gain", [(1.02, 0.99, 1.06), (1.001, 0.999, 1.051), (1.049, 0.9999, 1.2)])
def test_no_fewer_videos_are_advised_than_there_are(gain):
    rows = [measured("cca", 10.0), measured("ours", 10 / gain[0], gain=gain, trained=True)]
    found = verdict({"rows": rows, "videos": 1000})
    assert found["answer"] == "unclear" and found["videos_needed"] >= 1000


def test_rows_that_lack_a_draw_decide_nothing():
    part = measured("ours", 5.0, gain=None, trained=True) | {"failed": ["Training diverged."]}
    found = verdict({"rows": [measured("cca", 10.0), part], "videos": 500})
    assert found["answer"] == "unknown"


def test_nothing_above_chance_is_no_answer():
    rows = [
        measured("cca", 45.0, low=38.0, high=60.0),
        measured("ours", 40.0, gain=(1.2, 1.1, 1.3), trained=True, low=38.0, high=60.0),
    ]
    assert verdict({"rows": rows, "videos": 500})["answer"] == "nothing"


def test_without_one_kind_there_is_no_answer():
    assert verdict({"rows": [measured("cca", 10.0)], "videos": 5})["answer"] == "unknown"


def test_planted_cases_are_told_apart(tmp_path):
    """Where features share a space training brings nothing; where a curve connects them, it does."""
    (tmp_path / "quick.toml").write_text(QUICK.replace("epochs = 4, min_steps = 4", "epochs = 150, min_steps = 150"))
    methods = ("zero-shot", "cca", str(tmp_path / "quick.toml"))
    joint = compare(made("joint", size=120), methods, draws=2, probes=False)
    assert joint["verdict"]["answer"] == "no" and joint["verdict"]["untrained"]["method"] == "zero-shot"
    random = np.random.default_rng(0)
    hidden = random.normal(size=(400, 2))
    audio = np.hstack([hidden, random.normal(size=(400, 2)) * 0.1])
    video = np.column_stack([hidden[:, 0] ** 2, np.abs(hidden[:, 1]), hidden[:, 0] * hidden[:, 1]])
    curved = ap.compare(
        Features.from_arrays(audio=audio, video=video, ids=[f"v{row}" for row in range(400)]),
        methods,
        draws=2,
        probes=False,
    )
    assert curved["verdict"]["answer"] == "yes", curved.sentence


def test_names_become_folders():
    assert folder_name("musicnn-mtt+hub:org/../clip") == "musicnn-mtt+hub%3Aorg%2F..%2Fclip"
    assert [folder_name(name) for name in (".", "..", ".hidden")] == ["%2E", "%2E.", "%2Ehidden"]


def test_costs_are_measured_on_files_in_a_process_for_each_backbone(extracted, monkeypatch):
    started = []

    def counted(function, jobs, workers):
        started.append([job.backbone for job in jobs])
        return run_in_processes(function, jobs, workers)

    monkeypatch.setattr(costs, "run_in_processes", counted)
    found = costs.backbone_costs(Workspace(extracted), [("musicnn-mtt", "audio"), ("none-such", "video")])
    assert started == [["musicnn-mtt"], ["none-such"]]  # The peak of one's memory is not that of the one before.
    assert (found[0]["backbone"], found[0]["videos"]) == ("musicnn-mtt", 3)
    assert found[0]["processor_s"] >= 0 and 100 < found[0]["memory_mb"] < 10_000
    assert "Unknown backbone 'none-such'" in found[1]["reason"]
