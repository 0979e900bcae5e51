"""A study on made-up features: what is dealt, run, kept, and summed up."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import ConfigError, DecodeError
from antiphon.experiments import study_run
from antiphon.experiments.cells import Cell, read_outcome, run_cell, write_outcome
from antiphon.experiments.draws import drawn
from antiphon.experiments.study import DrawSettings, Study, load_study, resolved_steps
from antiphon.experiments.study_run import run_study, study_cells
from antiphon.experiments.study_table import study_table
from antiphon.features import Features
from antiphon.metrics.paired import rank_ratio
from antiphon.model.recipe import load_recipe

TEXT = """
name = "small"
seeds = 2
videos = [60, "all"]
draws = { count = 2, test = 30 }

[[step]]
name = "cca"

[[step]]
name = "paper-base"

[[step]]
name = "cool"
label = "temperature 0.3"
inherits = "paper-base"
changes.loss.temperature = 0.3
changes.training.epochs = 4

[[step]]
name = "more"
label = "more pairs"
inherits = "cool"
extra = true
"""


def some(count, first=0, artists=None, segments=1):
    random, mix = np.random.default_rng(first), np.random.default_rng(99)
    hidden = np.repeat(random.normal(size=(count, 4)), segments, axis=0)
    audio, video = (
        hidden @ mix.normal(size=(4, size)) + 0.3 * random.normal(size=(len(hidden), size)) for size in (10, 14)
    )
    videos = np.repeat([f"video-{first + row:04d}" for row in range(count)], segments)
    return Features.from_arrays(
        audio=audio,
        video=video,
        ids=[f"{video}:{row % segments}" for row, video in enumerate(videos)],
        groups=videos,
        artists=None if artists is None else np.repeat(artists, segments),
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("study") / "study.toml"
    path.write_text(TEXT)
    return load_study(path)


@pytest.fixture(scope="module")
def ran(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ran")
    steps = resolved_steps(study, folder)
    outcomes = run_study(study, steps, some(160), folder, extra=some(50, first=1000))
    return folder, steps, outcomes


def test_steps_inherit_from_recipes_and_from_earlier_steps(study, tmp_path):
    cca, base, cool, more = resolved_steps(study, tmp_path)
    assert cca.recipe is None and base.recipe == load_recipe("paper-base").model_copy(
        update={"description": "paper-base"}
    )
    assert cool.recipe.loss.temperature == 0.3 and cool.recipe.head == base.recipe.head
    assert cool.recipe.training == base.recipe.training.model_copy(update={"epochs": 4})
    assert more.extra and not cool.extra and more.recipe.loss == cool.recipe.loss


def test_a_step_may_inherit_a_file_beside_the_study(tmp_path):
    (tmp_path / "own.toml").write_text('inherits = "paper-base"\nname = "own"\nhead = { embedding_dim = 7 }\n')
    study = Study.model_validate({"name": "s", "step": [{"name": "mine", "inherits": "own.toml"}]})
    assert resolved_steps(study, tmp_path)[0].recipe.head.embedding_dim == 7


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"name": "mine"}, "Step mine: Unknown recipe 'mine'"),
        ({"name": "mine", "inherits": "none.toml"}, "Step mine: .*none.toml: no such recipe file"),
        ({"name": "mine", "inherits": "cca"}, "Step mine: cannot inherit cca, which has no recipe"),
        (
            {"name": "cca", "inherits": "paper-base"},
            "two steps are named cca|Step cca: cannot inherit or change anything",
        ),
        ({"name": "mine", "inherits": "paper-base", "changes": {"head": {"wide": 1}}}, "Step mine: head.wide: Extra"),
    ],
)
def test_a_wrong_step_is_named(step, message, tmp_path):
    steps = [step] if step["name"] == "cca" else [{"name": "cca"}, step]
    study = Study.model_validate({"name": "s", "step": steps})
    with pytest.raises(ConfigError, match=message):
        resolved_steps(study, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "study.toml: not TOML"),
        (TEXT + "colour = 1", "step.3.colour: Extra inputs"),
        (TEXT.replace('"more"', '"cool"'), "two steps are named cool"),
        ('reference = "gone"\n' + TEXT, "reference gone is not a step; use one of cca, paper-base"),
        (TEXT.replace("[60, ", "[60, 60, "), "videos has duplicate sizes"),
        (TEXT.replace('"cool"\nlabel', '"../cool"\nlabel'), "step.2.name: String should match pattern"),
    ],
)
def test_a_wrong_file_is_named(text, message, tmp_path):
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_study(tmp_path / "study.toml")
    with pytest.raises(ConfigError, match="no such study file"):
        load_study(tmp_path / "other.toml")


@settings(max_examples=25)
@given(st.integers(0, 99), st.integers(1, 4), st.integers(1, 3), st.integers(5, 40))
def test_draws_are_disjoint_nested_and_keep_artists_together(seed, songs, segments, size):
    artists = [f"artist-{row // songs}" if row % 7 else "" for row in range(120)]
    features = some(120, artists=artists, segments=segments)
    draws = DrawSettings(count=3, test=20, seed=seed)
    tested = []
    for draw in range(3):
        small, whole = (drawn(features, draws, draw, each) for each in (size, "all"))
        for part in (small, whole):
            sides = [set(part[split].groups) for split in ("train", "validation", "test")]
            assert sum(map(len, sides)) == len(set.union(*sides))
            known = [set(part[split].artists) - {""} for split in ("train", "validation", "test")]
            assert sum(map(len, known)) == len(set.union(*known))
            assert all(sides)
        assert set(small["test"].ids) == set(whole["test"].ids)
        assert set(small.ids) < set(whole.ids) and len(whole) == len(features)
        count = len(set(small.groups) - set(small["test"].groups))
        assert size <= count < size + songs
        assert 20 <= len(set(small["test"].groups)) < 20 + songs
        tested += sorted(set(small["test"].groups))
    assert len(tested) == len(set(tested))


def test_extra_pairs_of_what_is_held_out_are_not_trained_on(study, tmp_path):
    features = some(120, artists=[f"artist-{row // 2}" for row in range(120)])
    step = resolved_steps(study, tmp_path)[3]
    cell = Cell(step, "all", DrawSettings(count=2, test=30), 0, 0)
    dealt = drawn(features, cell.draws, 0, "all")
    held_out = features.take(~np.isin(features.groups, dealt["train"].groups))
    same_videos = replace(held_out, ids=np.char.add(held_out.ids, "-copy"), artists=np.full(len(held_out), ""))
    same_artists = some(len(held_out), first=1000, artists=held_out.artists)
    for extra, more in ((same_videos, 0), (same_artists, 0), (some(60, first=1000), 60)):
        assert run_cell(cell, features, extra).about["train_pairs"] == len(dealt["train"]) + more


def test_a_step_that_pretrains_on_extra_pairs_is_another_training_on_the_same_ones(study, tmp_path):
    data, more = some(120), some(60, first=1000)
    cool, step = resolved_steps(study, tmp_path)[2:]
    cells = [
        Cell(step.model_copy(update={"extra": extra}), "all", DrawSettings(count=2, test=30), 0, 0)
        for extra in (cool.extra, "pretrain")
    ]
    plain, pretrained = (run_cell(cell, data, more) for cell in cells)
    assert plain.about["train_pairs"] == pretrained.about["train_pairs"]
    assert pretrained.about["epochs"] > plain.about["epochs"]
    assert (plain.ranks["a2v"] != pretrained.ranks["a2v"]).any()
    inputs = study_run._inputs(data, more)
    assert len({cells[0].key(inputs[extra]) for extra in (False, True, "pretrain")}) == 3
    closed = Study.model_validate({"name": "closed", "step": [{"name": "cca", "extra": "pretrain"}]})
    with pytest.raises(ConfigError, match="Step cca: has no heads to pretrain"):
        resolved_steps(closed, tmp_path)


def test_workers_see_which_backbones_the_features_are_of(study, tmp_path):
    step = resolved_steps(study, tmp_path)[3]
    one = study.model_copy(update={"seeds": 1, "videos": ("all",), "draws": DrawSettings(count=1, test=30)})
    named, others = replace(some(120), audio_name="one"), replace(some(60, first=1000), audio_name="other")
    outcomes = run_study(one, [step], named, tmp_path, extra=others, jobs=2)
    assert all("The audio features are one" in outcome.reason for outcome in outcomes.values())


def test_a_label_leaves_only_its_videos_in_the_pool_and_training_as_it_was():
    features = replace(some(120), labels=tuple(("live",) if row % 3 else ("live", "14") for row in range(120)))
    whole, strict = (drawn(features, DrawSettings(count=2, test=30, label=label), 1, "all") for label in (None, "14"))
    wanted = {name for name, labels in zip(whole.ids, whole.labels, strict=True) if "14" in labels}
    assert set(strict["test"].ids) == set(whole["test"].ids) & wanted
    assert 2 <= len(strict["test"]) < len(whole["test"])
    for split in ("train", "validation"):
        assert list(strict[split].ids) == list(whole[split].ids)
    with pytest.raises(ConfigError, match="Fewer than two test videos of a draw have the label none"):
        drawn(features, DrawSettings(count=2, test=30, label="none"), 0, "all")


def test_what_cannot_be_dealt_is_refused():
    with pytest.raises(ConfigError, match="50 videos are too few for 3 draws of 20 test videos"):
        drawn(some(50), DrawSettings(count=3, test=20), 0, "all")
    with pytest.raises(ConfigError, match="needs 40 training videos, but a draw leaves only 30"):
        drawn(some(50), DrawSettings(count=1, test=20), 0, 40)


def test_every_cell_is_run_once_and_the_linear_analysis_with_one_seed(ran, study):
    _, steps, outcomes = ran
    assert list(outcomes) == study_cells(study, steps) and len(outcomes) == 2 * 2 * (1 + 3 * 2)
    for cell, outcome in outcomes.items():
        assert not outcome.reason and len(outcome.ranks["a2v"]) == len(outcome.ranks["v2a"]) == 30
        kept = 54 if cell.size == 60 else 117
        assert outcome.about["train_pairs"] == kept + 50 * cell.step.extra


def test_a_second_run_trains_nothing_and_a_damaged_or_foreign_cell_is_made_anew(ran, study, monkeypatch):
    folder, steps, outcomes = ran
    trained = []
    monkeypatch.setattr(study_run, "run_cell", lambda cell, *_: trained.append(cell) or outcomes[cell])
    again = run_study(study, steps, some(160), folder, extra=some(50, first=1000))
    assert not trained
    assert all(np.array_equal(again[cell].ranks["v2a"], outcomes[cell].ranks["v2a"]) for cell in outcomes)
    damaged = list(outcomes)[3]
    (folder / damaged.path).write_bytes((folder / damaged.path).read_bytes()[:100])
    run_study(study, steps, some(160), folder, extra=some(50, first=1000))
    assert trained == [damaged]
    trained.clear()
    run_study(study, steps, some(160), folder, extra=some(50, first=2000))
    assert trained == [cell for cell in outcomes if cell.step.extra]


def test_a_renamed_step_is_the_same_and_a_changed_one_is_not(ran):
    cell = next(cell for cell in ran[2] if cell.step.name == "cool")
    named = cell.step.recipe.model_copy(update={"name": "else", "description": "else"})
    changed = named.model_copy(update={"heads": "video"})
    assert replace(cell, step=cell.step.model_copy(update={"recipe": named})).key("x") == cell.key("x") != cell.key("y")
    assert replace(cell, step=cell.step.model_copy(update={"recipe": changed})).key("x") != cell.key("x")


def test_several_processes_find_the_same(ran, study, tmp_path):
    _, steps, outcomes = ran
    small = study.model_copy(update={"videos": (60,), "seeds": 1})
    found = run_study(small, [steps[1], steps[3]], some(160), tmp_path, extra=some(50, first=1000), jobs=2)
    assert len(found) == 4
    for cell, outcome in found.items():
        assert np.array_equal(outcome.ranks["a2v"], outcomes[cell].ranks["a2v"])
        assert read_outcome(cell.key("other"), tmp_path / cell.path) is None


def test_other_processes_see_labels_and_times_too(study, tmp_path, monkeypatch):
    seen = []

    def here(function, jobs, _):
        for job in jobs:
            seen.append(study_run._loaded(job.features))
            yield job, DecodeError("not of interest")

    monkeypatch.setattr(study_run, "run_in_processes", here)
    labels = tuple(("rock", "live") if row % 2 else () for row in range(160))
    given = replace(some(160), labels=labels, starts_s=np.arange(160.0))
    run_study(study, resolved_steps(study, tmp_path)[1:2], given, tmp_path, jobs=2)
    assert seen[0].fingerprint() == given.fingerprint()


def test_a_training_that_fails_is_a_row_with_its_reason(tmp_path):
    steps = [
        {"name": "paper-base"},
        {"name": "wild", "inherits": "paper-base", "changes": {"training": {"learning_rate": 1e30, "epochs": 3}}},
    ]
    study = Study.model_validate({"name": "s", "seeds": 1, "step": steps, "draws": {"count": 1, "test": 30}})
    resolved = resolved_steps(study, tmp_path)
    outcomes = run_study(study, resolved, some(100), tmp_path)
    table = study_table(study, resolved, outcomes)
    base, wild = table["rows"]
    assert (wild["trainings"], wild["failures"]) == (0, 1) and "diverged" in wild["failed"][0]
    assert base["failures"] == 0 and base["against"] == {}
    assert "diverged" in table["cells"][1]["reason"] and table["cells"][0]["reason"] is None
    assert run_study(study, resolved, some(100), tmp_path)[list(outcomes)[1]].reason == wild["failed"][0]


def test_a_cell_whose_process_is_killed_loses_only_itself_and_is_tried_again(study, tmp_path, monkeypatch):
    steps = resolved_steps(study, tmp_path)[1:2]
    small = study.model_copy(update={"videos": ("all",), "seeds": 1})
    attempts = []

    def first_dies(function, jobs, _):
        for number, job in enumerate(jobs):
            attempts.append(job.cell)
            yield job, DecodeError("died") if number == 0 else function(job)

    monkeypatch.setattr(study_run, "run_in_processes", first_dies)
    reasons = [outcome.reason for outcome in run_study(small, steps, some(160), tmp_path, jobs=2).values()]
    assert reasons == ["The process that trained it was killed.", ""]
    run_study(small, steps, some(160), tmp_path, jobs=2)
    assert attempts[2:] == attempts[:1]


def test_extra_features_must_be_given_where_a_step_trains_on_them(study, tmp_path):
    with pytest.raises(ConfigError, match="Step more trains on extra features"):
        run_study(study, resolved_steps(study, tmp_path), some(160), tmp_path)


def test_the_table_is_a_naive_reading_of_the_ranks(ran, study):
    _, steps, outcomes = ran
    table = study_table(study, steps, outcomes)
    assert json.loads(json.dumps(table, allow_nan=False)) == table
    assert [(row["step"], row["size"]) for row in table["rows"]] == [
        (step.name, size) for size in (60, "all") for step in steps
    ]
    row = next(row for row in table["rows"] if (row["step"], row["size"]) == ("cool", "all"))
    mine = {(c.draw, c.seed): o for c, o in outcomes.items() if (c.step.name, c.size) == ("cool", "all")}
    medians = [np.median(outcome.ranks["v2a"]) for outcome in mine.values()]
    assert row["v2a"]["median_rank"]["value"] == pytest.approx(np.mean(medians))
    assert row["v2a"]["by_training"] == medians
    assert row["v2a"]["recall@10"]["value"] == pytest.approx(
        np.mean([(outcome.ranks["v2a"] <= 10).mean() for outcome in mine.values()])
    )
    assert (row["n"], row["chance"], row["trainings"]) == (30, 15.5, 4)
    assert row["a2v"]["null95"][0] < 15.5 < row["a2v"]["null95"][1]


def test_differences_are_paired_by_query_over_all_draws(ran, study):
    _, steps, outcomes = ran
    rows = {row["step"]: row for row in study_table(study, steps, outcomes)["rows"] if row["size"] == 60}
    assert set(rows["cca"]["against"]) == {"reference"} and set(rows["paper-base"]["against"]) == {"reference", "cca"}
    assert {role: other["step"] for role, other in rows["cool"]["against"].items()} == {
        "previous": "paper-base",
        "reference": "more",
        "cca": "cca",
    }

    def ranks(step, way):
        both = [[outcomes[c] for c in outcomes if (c.step.name, c.size, c.draw) == (step, 60, d)] for d in range(2)]
        trainings = min(map(len, both))
        return np.concatenate([np.stack([o.ranks[way] for o in part[:trainings]]) for part in both], axis=1)

    groups = np.concatenate([next(o for c, o in outcomes.items() if c.draw == draw).groups for draw in range(2)])
    expected, interval = rank_ratio(ranks("cool", "a2v"), ranks("cca", "a2v"), groups)
    found = rows["cool"]["against"]["cca"]["a2v"]
    assert found["ratio"] == pytest.approx(expected) and found["ci95"] == pytest.approx(interval)


def test_a_kept_outcome_comes_back_whole(tmp_path):
    step = resolved_steps(Study.model_validate({"name": "s", "step": [{"name": "cca"}]}), tmp_path)[0]
    outcome = run_cell(Cell(step, "all", DrawSettings(count=1, test=20), 0, 0), some(80))
    write_outcome(outcome, "key", tmp_path / "cell.npz")
    back = read_outcome("key", tmp_path / "cell.npz")
    assert back.about == outcome.about and np.array_equal(back.queries, outcome.queries)
    assert all(np.array_equal(back.null[way], outcome.null[way]) for way in ("a2v", "v2a"))
    assert [path.name for path in Path(tmp_path).iterdir()] == ["cell.npz"]
