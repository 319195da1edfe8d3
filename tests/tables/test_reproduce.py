"""A table reproduced on a made world: what is run, what is kept, what is said."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from importlib import import_module

import numpy as np
import pytest
from made_up import SPEC, made_up, predictions_of

from avloc.artifacts import (
    FeatureStore,
    Predictions,
    read_comparison,
    read_predictions,
    write_predictions,
)
from avloc.errors import UnknownNameError
from avloc.evaluation.metrics import bootstrap_interval
from avloc.models.cman import CMAN, CMANConfig
from avloc.options import option
from avloc.tables.comparing import compare
from avloc.tables.numbers import BACKGROUND, BOUNDARY, CLASS_ORACLE, accuracies_of
from avloc.tables.plan import RULES, plan
from avloc.tables.recipes import Recipe, RecipeRow, table_rows
from avloc.tables.reproduction import reproduce
from avloc.tables.showing import comparison_table, write_comparison_files
from avloc.training import TrainingConfig

QUICK = TrainingConfig(epochs=2, batch_size=8)
SMALL = {"cman": {"width": 8}, "avel": {"width": 4}, "avsdn": {"width": 4}, "cam": {"width": 4}}
MANIFEST = "dataset.csv"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Features, and a manifest of their rows."""
    world = made_up(tmp_path_factory.mktemp("world"))
    lines = ["video,label,start,end,split"]
    for row in world.dataset.rows:
        lines.append(f"{row.video_id}.mp4,{row.label},{row.start},{row.end},{row.split}")
    (world.dataset.root / MANIFEST).write_text("\n".join(lines) + "\n")
    return world


@pytest.fixture(scope="module")
def reproduced(world, tmp_path_factory):
    """Table 2, both supervisions, two seeds; and the place where it went."""
    artifacts = tmp_path_factory.mktemp("artifacts")
    return again(world, artifacts), artifacts


def again(world, artifacts, **changes):
    asked = {
        "features": world.store.root,
        "dataset": world.dataset.root / MANIFEST,
        "seeds": 2,
        "recipe": Recipe({}, QUICK, (), models=SMALL),
        "device": "cpu",
        "jobs": 2,
    }
    return reproduce("table2", artifacts=artifacts, **asked | changes)


@pytest.mark.slow
def test_every_row_is_run_and_written_beside_the_papers(reproduced):
    done, artifacts = reproduced
    assert not done.failures
    full, weak = done.comparisons
    assert (full.supervision, weak.supervision) == ("full", "weak, proportion")
    assert full.titles == tuple(row.title for row in table_rows("table2"))
    np.testing.assert_allclose(full.paper, [0.747, 0.754, 0.723, 0.757, 0.761, 0.771, np.nan])
    for comparison in done.comparisons:
        accuracy = comparison.metrics["segment_accuracy"]
        assert accuracy.shape == (7, 2)
        assert np.isfinite(accuracy).all()
        low, high = comparison.interval.T
        assert (low <= accuracy.mean(1)).all()
        assert (accuracy.mean(1) <= high).all()
        constant, oracle = accuracies_of(comparison.baselines)
        assert "most frequent in training" in constant
        assert oracle == CLASS_ORACLE
        assert all(0 < value < 1 for value in accuracies_of(comparison.baselines).values())
    names = {path.name for path in done.written}
    stems = ("table2-full", "table2-weak-proportion")
    assert names == {f"{stem}{suffix}" for stem in stems for suffix in (".md", ".csv", ".h5")}
    rows = list(csv.reader((artifacts / "reproduce" / "table2-full.csv").open()))
    assert [row[0] for row in rows[1:]] == [*full.titles, *accuracies_of(full.baselines)]
    text = (artifacts / "reproduce" / "table2-full.md").read_text()
    for said in ("argmax per segment", "segment accuracy on val", world_features(done), "+-"):
        assert said in text
    kept = read_comparison(artifacts / "reproduce" / "table2-full.h5")
    np.testing.assert_array_equal(kept.metrics["segment_accuracy"], accuracies(full))


def world_features(done) -> str:
    return str(done.comparisons[0].made["features"])


def accuracies(comparison):
    return comparison.metrics["segment_accuracy"]


@pytest.mark.slow
@pytest.mark.usefixtures("runs_in_this_process")
def test_what_is_done_is_not_done_again_and_what_is_lost_is(world, reproduced):
    first, artifacts = reproduced
    runs = artifacts / "reproduce" / "runs"
    before = {path: path.stat().st_mtime_ns for path in runs.iterdir()}
    lost = next(runs.glob("avel-full-seed1-*.predictions.h5"))
    lost.write_bytes(lost.read_bytes()[:100])
    told = []
    second = again(world, artifacts, progress=lambda *x: told.append(x))
    assert [n_done for n_done, _, _ in told] == [27, 28]
    after = {path: path.stat().st_mtime_ns for path in runs.iterdir()}
    changed = {path.name for path in after if after[path] != before[path]}
    assert changed == {lost.name, lost.name.replace(".predictions", "")}
    for one, other in zip(first.comparisons, second.comparisons, strict=True):
        np.testing.assert_array_equal(accuracies(one), accuracies(other))


@pytest.mark.slow
def test_a_run_that_fails_costs_its_row_only(world, tmp_path):
    options = {**SMALL, "cam": {"width": 0}}
    recipe = Recipe({}, QUICK, (), models=options)
    done = again(world, tmp_path, seeds=1, supervision="full", recipe=recipe, jobs=1)
    assert [failure.run.row.name for failure in done.failures] == ["cam"]
    assert "width is 0" in done.failures[0].reason
    assert np.isnan(accuracies(done.comparisons[0])).sum() == 1
    assert comparison_table(done.comparisons[0]).rows[2][1] == "-"


def test_supervision_and_table_are_checked_before_anything_runs(world, tmp_path):
    with pytest.raises(UnknownNameError, match="strong"):
        again(world, tmp_path, supervision="full,strong")
    with pytest.raises(UnknownNameError, match="table9"):
        reproduce("table9", artifacts=tmp_path, features=world.store.root, dataset="x")


def test_a_key_changes_with_all_that_decides_a_result_and_with_nothing_else(world):
    row = RecipeRow("a", "A", options={"when": False})
    planned = plan([row], QUICK, 1, world.store, world.dataset)[0]

    def key(row=row, training=QUICK, dataset=world.dataset, models=None):
        return plan([row], training, 1, world.store, dataset, models)[0].key

    assert key(row=replace(row, title="B", paper={"full": 1.0})) == planned.key
    fewer = replace(world.dataset, rows=world.dataset.rows[:-1])
    changed = [
        key(row=replace(row, options={})),
        key(row=replace(row, model="avel", options={})),
        key(training=replace(QUICK, epochs=3)),
        key(training=replace(QUICK, supervision="weak")),
        key(training=replace(QUICK, seed=1)),
        key(dataset=fewer),
        key(models={"cman": {"width": 8}}),
    ]
    assert len({planned.key, *changed}) == len(changed) + 1
    assert key(row=replace(row, options={"when": "false", "similarity": "projection"})) == (
        planned.key  # a default by its name, and a value as text, are the same model
    )


def test_a_changed_default_rule_or_set_of_features_changes_the_key(world, tmp_path, monkeypatch):
    """Else results of yesterday's defaults stand in a table beside today's."""

    def key(store=world.store):
        return plan([RecipeRow("a", "A")], QUICK, 1, store, world.dataset)[0].key

    before = key()
    assert key() == before

    @dataclass(frozen=True)
    class OtherDefault(CMANConfig):
        similarity: str = option("cosine", help="-", choices=("cosine", "projection"))

    with monkeypatch.context() as changed:
        changed.setattr(CMAN, "Config", OtherDefault)
        of_default = key()
    with monkeypatch.context() as changed:
        changed.setattr(import_module("avloc.tables.plan"), "RULES", RULES + 1)
        of_rules = key()
    part = FeatureStore.create(tmp_path / "part", SPEC)
    part.write(world.store.read("video000"))
    assert len({before, of_default, of_rules, key(part)}) == 4


def test_a_comparison_by_hand(world, tmp_path):
    """Two rows and two seeds of two videos: every number worked out on paper."""
    rows = [RecipeRow("a", "A", paper={"full": 50.0}), RecipeRow("b", "B")]
    runs = plan(rows, QUICK, 2, world.store, world.dataset)
    right = {("a", 0): 4, ("a", 1): 2, ("b", 0): 3}  # of 4 segments; (b, 1) is not there
    for run in runs:
        if (run.row.name, run.training.seed) in right:
            n_right = right[run.row.name, run.training.seed]
            predictions = of_two_videos(n_right)
            write_predictions(run.predictions_path(tmp_path), predictions)
    runs[0].model_path(tmp_path).write_bytes(b"damaged: no model names the constant answer")
    found = compare("t", runs, tmp_path, world.store, world.dataset)
    accuracy = found.metrics["segment_accuracy"]
    np.testing.assert_allclose(accuracy, [[1.0, 0.5], [0.75, np.nan]])
    np.testing.assert_allclose(found.paper, [0.5, np.nan])
    assert accuracies_of(found.baselines) == {CLASS_ORACLE: 0.5}
    # resampled videos have 2, 1 or 0 of 2 right: A's first video is always right, its second
    # in one seed of two; so the mean lies between 50 and 100 %
    np.testing.assert_allclose(found.interval[0], [0.5, 1.0])
    # B is the last row, so the full model; in both models the first video is right, and the
    # second in half of its segments
    assert found.made["full model"] == "B"
    np.testing.assert_array_equal(found.full_minus_row, np.zeros((2, 3)))
    table = comparison_table(found)
    assert table.rows[0][1] == f"75.0% +- {100 * np.std([1, 0.5], ddof=1):.1f}"
    assert (table.rows[1][1], table.rows[1][3]) == ("75.0%", "1")
    minus = table.header.index("B minus it")
    assert [row[minus] for row in table.rows[:2]] == ["+0.0", ""]
    paths = write_comparison_files(tmp_path / "t", found)
    assert [path.suffix for path in paths] == [".md", ".csv", ".h5"]


def test_the_full_model_is_compared_with_each_row_on_the_same_videos(world, tmp_path):
    """Of 40 videos of two segments A misses a segment in 30, B in one, CMAN in none."""
    rows = [RecipeRow(name, name.upper()) for name in ("cman", "a", "b", "c")]
    runs = plan(rows, QUICK, 1, world.store, world.dataset)
    targets = np.tile([0, 2], (40, 1))
    for run, n_wrong in zip(runs, (0, 30, 1), strict=False):  # nothing of C is there
        predicted = targets.copy()
        predicted[:n_wrong, 1] = 0
        made = predictions_of(predicted, targets, video_ids=tuple(f"v{k}" for k in range(40)))
        write_predictions(run.predictions_path(tmp_path), made)
    found = compare("t", runs, tmp_path, world.store, world.dataset)
    np.testing.assert_allclose(found.full_minus_row[:, 0], [0, 30 / 80, 1 / 80, np.nan])
    half = 1.96 * np.sqrt(0.75 * 0.25 / 40) / 2  # of a mean of 40 halves or nothings
    np.testing.assert_allclose(found.full_minus_row[1, 1:], [0.375 - half, 0.375 + half], atol=0.02)
    table = comparison_table(found)
    cells = [row[table.header.index("CMAN minus it")] for row in table.rows[:4]]
    assert cells == ["", "+37.5 *", "+1.2", "-"]
    assert "paired 95 % interval" in table.caption
    older = comparison_table(replace(found, full_minus_row=None))
    assert "CMAN minus it" not in older.header
    assert "paired" not in older.caption


def test_a_table_shows_what_a_good_accuracy_may_hide(world, tmp_path):
    """The class of each video is right everywhere, as of a classifier of whole videos."""
    targets = np.array([[0, 0, 0, 0], [1, 1, 2, 2]])
    [run] = plan([RecipeRow("a", "A")], QUICK, 1, world.store, world.dataset)
    answers = np.array([[0, 0, 0, 0], [1, 1, 1, 2]])
    write_predictions(run.predictions_path(tmp_path), predictions_of(answers, targets))
    found = compare("t", [run], tmp_path, world.store, world.dataset)
    table = comparison_table(found)
    columns = [table.header.index(n) for n in ("ours", "boundary clips", "background found")]
    of_model, of_oracle = ([row[n] for n in columns] for row in table.rows)
    assert of_model == ["87.5%", "75.0%", "50.0%"]
    assert of_oracle == ["75.0%", "50.0%", "0.0%"]
    older = comparison_table(replace(found, baselines={CLASS_ORACLE: 0.75}))
    assert [older.rows[1][n] for n in columns] == ["75.0%", "-", "-"]


def test_the_constant_baseline_is_that_of_the_segments(reproduced):
    done, artifacts = reproduced
    baselines = done.comparisons[0].baselines
    title = next(iter(baselines))
    made = read_predictions(next((artifacts / "reproduce" / "runs").glob("*.predictions.h5")))
    names = [*made.labels.names, "background"]
    answer = names.index(title.split("'")[1])
    changing = np.array([len(set(row.tolist())) > 1 for row in made.targets])
    assert baselines[title] == pytest.approx((made.targets == answer).mean())
    of_changing = (made.targets[changing] == answer).mean()
    assert baselines[f"{BOUNDARY}{title}"] == pytest.approx(of_changing)
    assert baselines[f"{BACKGROUND}{title}"] == (answer == 2)


def test_weak_labels_are_of_one_kind_in_a_table(world):
    """``auto`` is presence for all rows where one of them cannot use proportions."""
    weak = replace(QUICK, supervision="weak")
    cman, han = RecipeRow("cman", "A"), RecipeRow("han", "B", model="han")

    def kinds(rows, dataset=world.dataset, training=weak):
        return [run.training.weak_labels for run in plan(rows, training, 1, world.store, dataset)]

    assert kinds([cman]) == ["proportion"]
    assert kinds([cman, han]) == ["presence"] * 2
    first, *rest = world.dataset.rows
    untimed = replace(first, start=0, end=0, is_whole_video=True)
    assert kinds([cman], replace(world.dataset, rows=(untimed, *rest))) == ["presence"]
    assert kinds([cman], training=replace(weak, weak_labels="presence")) == ["presence"]
    assert kinds([cman], training=QUICK) == ["auto"]  # full supervision has none
    [run] = plan([cman], weak, 1, world.store, world.dataset)
    assert run.model_path(world.store.root).name.startswith("cman-weak-proportion-seed0-")


def of_two_videos(n_right: int) -> Predictions:
    targets = np.array([[0, 2], [1, 2]])
    predicted = targets.copy().ravel()
    predicted[n_right:] = (predicted[n_right:] + 1) % 3
    return predictions_of(predicted.reshape(2, 2), targets)


def test_the_interval_of_several_seeds_is_that_of_their_mean():
    draw = np.random.default_rng(0)
    targets = draw.integers(3, size=(30, 4))
    predicted = np.where(draw.random((5, 30, 4)) < 0.7, targets, (targets + 1) % 3)
    videos = [str(k) for k in range(30)]
    low, high = bootstrap_interval(predicted, targets, videos)
    of_one = bootstrap_interval(predicted[0], targets, videos)
    mean = (predicted == targets).mean()
    assert low < mean < high
    assert high - low < of_one[1] - of_one[0]
    same = bootstrap_interval(np.stack([predicted[0]] * 5), targets, videos)
    assert same == pytest.approx(of_one)


def test_the_numbers_are_those_of_the_predictions(reproduced):
    done, artifacts = reproduced
    runs = artifacts / "reproduce" / "runs"
    for seed in (0, 1):
        one = read_predictions(next(runs.glob(f"avsdn-full-seed{seed}-*.predictions.h5")))
        share = (one.class_scores.argmax(-1) == one.targets).mean()
        assert accuracies(done.comparisons[0])[1, seed] == pytest.approx(share)
    assert json.dumps(dict(done.comparisons[0].made))


@pytest.mark.slow
def test_an_interrupt_ends_it_at_once_and_what_is_done_is_kept(world, tmp_path):
    settings = [f"--set={name}" for name in ("epochs=3", "batch_size=8", "cman.width=8")]
    command = [
        *(sys.executable, "-m", "avloc", "reproduce", "table1", "--supervision", "full"),
        *("--features", world.store.root, "--dataset", world.dataset.root / MANIFEST),
        *("--artifacts", tmp_path, "--device", "cpu", "--jobs", "1", *settings),
    ]
    runs = tmp_path / "reproduce" / "runs"
    process = subprocess.Popen(
        list(map(str, command)), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not list(runs.glob("*.predictions.h5")):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    n_done = len(list(runs.glob("*.predictions.h5")))
    _, said = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "what was finished is kept" in said
    assert len(list(runs.glob("*.predictions.h5"))) <= n_done + 1 < 50  # of 50
