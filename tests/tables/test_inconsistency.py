"""The study of inconsistency: shares, runs, numbers by hand, table and figure."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from made_up import SPEC, predictions_of

from avloc.artifacts import FeatureStore, read_comparison, read_predictions, write_predictions
from avloc.datasets import Dataset, Row, SynthesisConfig, find_senses
from avloc.datasets.senses import is_inconsistent
from avloc.errors import UnknownNameError, UsageError
from avloc.labels import LabelSet
from avloc.tables.inconsistency import ShareData, read_shares
from avloc.tables.plan import plan
from avloc.tables.recipes import Recipe, RecipeRow
from avloc.tables.reproduction import Reproduction, reproduce
from avloc.tables.share_results import result_of
from avloc.tables.share_tables import share_table
from avloc.training import TrainingConfig

pytestmark = pytest.mark.usefixtures("runs_in_this_process")

TITLES = ("A + V", "AVEL", "CMAN - sentinel", "CMAN")
TINY = Recipe(
    features={"visual": "efficientnet-lite0", "audio": "logmel", "fps": 1, "offline": True},
    training=TrainingConfig(epochs=1, batch_size=4),
    rows=(),
    synthesis=SynthesisConfig(
        n_train=5, n_val=2, n_test=4, n_classes=3, width=96, height=96, fps=1
    ),
    models={"cman": {"width": 8}, "avel": {"attention_width": 4}},
)


def study(artifacts: Path, **changes: object) -> Reproduction:
    asked = {"recipe": TINY, "seeds": 1, "shares": "0,100", "jobs": 1, "device": "cpu"}
    return reproduce("inconsistency", artifacts=artifacts, **asked | changes)


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> tuple[Reproduction, Path]:
    artifacts = tmp_path_factory.mktemp("study")
    return study(artifacts), artifacts


@pytest.mark.slow
def test_every_share_has_every_model(studied: tuple[Reproduction, Path]) -> None:
    done, artifacts = studied
    assert not done.failures
    assert [comparison.titles for comparison in done.comparisons] == [TITLES, TITLES]
    (table,) = done.tables
    assert [row[:2] for row in table.rows] == [
        [share, title] for share in ("0.0%", "100.0%") for title in TITLES
    ]
    for row in table.rows:  # of a share of 0 no second is inconsistent, of 100 each is
        assert row[4] == ("-" if row[0] == "0.0%" else row[2])
        assert row[5] == ("-" if row[0] == "0.0%" else row[3])
    names = {path.name for path in done.written}
    of_study = {f"inconsistency-full.{kind}" for kind in ("md", "csv", "pdf", "png", "svg")}
    of_shares = {f"inconsistency-{n}-full.{k}" for n in (0, 100) for k in ("md", "csv", "h5")}
    assert names == of_study | of_shares
    assert all(path.stat().st_size for path in done.written)
    lines = list(csv.reader((artifacts / "reproduce" / "inconsistency-full.csv").open()))
    assert lines[1:] == table.rows
    svg = (artifacts / "reproduce" / "inconsistency-full.svg").read_text()
    assert all(title in svg for title in (*TITLES, "inconsistent seconds alone"))


@pytest.mark.slow
def test_numbers_are_those_of_predictions_and_senses(studied: tuple[Reproduction, Path]) -> None:
    done, artifacts = studied
    for share, comparison in zip((0, 100), done.comparisons, strict=True):
        folder = artifacts / "inconsistency" / f"share-{share}"
        senses = find_senses(folder / "data" / f"share-{share}")
        assert senses is not None
        kept = read_comparison(artifacts / "reproduce" / f"inconsistency-{share}-full.h5")
        for k, name in enumerate(("both", "avel", "no-sentinel", "cman")):
            found = read_predictions(next((folder / "runs").glob(f"{name}-full*.predictions.h5")))
            right = found.class_scores.argmax(-1) == found.targets
            marks = np.array([is_inconsistent(senses[name], 10) for name in found.video_ids])
            assert marks.mean() == share / 100
            assert comparison.metrics["segment_accuracy"][k, 0] == pytest.approx(right.mean())
            expected = right[marks].mean() if marks.any() else np.nan
            np.testing.assert_allclose(kept.metrics["inconsistent_accuracy"][k, 0], expected)


@pytest.mark.slow
def test_shares_differ_in_their_features_and_not_in_their_events(
    studied: tuple[Reproduction, Path],
) -> None:
    _, artifacts = studied
    folders = [artifacts / "inconsistency" / f"share-{share}" for share in (0, 100)]
    texts = [(f / "data" / f.name / "Annotations.txt").read_text() for f in folders]
    assert texts[0] == texts[1]
    stores = [FeatureStore.open(folder / "features") for folder in folders]
    differ = [
        not np.array_equal(*(store.read(name).audio for store in stores))
        for name in stores[0].video_ids()
    ]
    assert any(differ)


@pytest.mark.slow
def test_what_is_lost_is_done_again_and_nothing_else(studied: tuple[Reproduction, Path]) -> None:
    first, artifacts = studied
    kept = sorted((artifacts / "inconsistency").rglob("runs/*.h5"))
    lost = next(path for path in kept if path.name.startswith("avel") and "pred" in path.name)
    lost.unlink()
    before = {path: path.stat().st_mtime_ns for path in kept if path != lost}
    progress: list[tuple[float, int]] = []
    again = study(artifacts, progress=lambda done, total, what: progress.append((done, total)))
    assert progress[-2:] == [(7, 8), (8, 8)]
    changed = {path for path in before if path.stat().st_mtime_ns != before[path]}
    assert changed == {lost.with_name(lost.name.replace(".predictions", ""))}
    assert again.tables == first.tables


LABELS = LabelSet(("bell", "bark"))


def test_a_share_by_hand(tmp_path: Path) -> None:
    """Two models, two seeds, two videos of four seconds: every number worked out on paper."""
    rows = tuple(Row(name, "bell", 0, 2, "test") for name in ("a", "b"))
    dataset = Dataset("d", tmp_path, LABELS, rows, {}, 4)
    senses = {
        "a": {"bell": {"heard": [1, 1, 0, 0], "seen": [1, 1, 0, 0]}},
        "b": {
            "bell": {"heard": [1, 1, 1, 0], "seen": [1, 1, 0, 0]},
            "bark": {"heard": [0, 0, 0, 0], "seen": [1, 0, 0, 0]},
        },
    }
    (tmp_path / "senses.json").write_text(json.dumps(senses))
    store = FeatureStore.create(tmp_path / "features", SPEC)
    recipe_rows = [RecipeRow("one", "One"), RecipeRow("two", "Two")]
    runs = plan(recipe_rows, TrainingConfig(), 2, store, dataset)
    targets = np.array([[0, 0, 2, 2], [0, 0, 2, 2]])
    wrong = {  # seconds of video b; its seconds 0 and 2 are inconsistent
        ("one", 0): [0, 2],
        ("one", 1): [0, 1],
        ("two", 0): [],
        ("two", 1): [2, 3],
    }
    for run in runs:
        predicted = targets.copy()
        predicted[1, wrong[run.row.name, run.training.seed]] = 1
        found = predictions_of(predicted, targets, video_ids=("a", "b"))
        write_predictions(run.predictions_path(tmp_path), found)
    result = result_of(ShareData(25, store, dataset, tmp_path), runs)
    assert result.share == 2 / 8
    metrics = result.comparison.metrics
    np.testing.assert_allclose(metrics["segment_accuracy"], [[6 / 8, 6 / 8], [1, 6 / 8]])
    np.testing.assert_allclose(metrics["inconsistent_accuracy"], [[0, 1 / 2], [1, 1 / 2]])
    for of_metric in result.differences.values():
        assert of_metric[0] is None
    overall = result.differences["segment_accuracy"][1]
    assert overall is not None
    assert overall.mean == pytest.approx(1 / 8)
    # video a has no difference, b has 1/4 in the mean over seeds; drawn twice, once or never
    assert overall.interval == pytest.approx((0, 1 / 4))
    alone = result.differences["inconsistent_accuracy"][1]
    assert alone is not None
    assert alone.mean == pytest.approx(3 / 4 - 1 / 4)
    assert alone.interval == pytest.approx((1 / 2, 1 / 2))  # only b counts
    table = share_table([result])
    assert table.rows[1] == [
        *("25.0%", "Two", "87.5% +- 17.7", "+12.5 (+0.0 to +25.0)"),
        *("75.0% +- 35.4", "+50.0 (+50.0 to +50.0)"),
    ]


def test_a_share_without_a_finished_run_is_dashes(tmp_path: Path) -> None:
    rows = (Row("a", "bell", 0, 2, "test"),)
    (tmp_path / "senses.json").write_text("{}")
    store = FeatureStore.create(tmp_path / "features", SPEC)
    dataset = Dataset("d", tmp_path, LABELS, rows, {}, 4)
    runs = plan([RecipeRow("one", "One")], TrainingConfig(), 1, store, dataset)
    table = share_table([result_of(ShareData(50, store, dataset, tmp_path), runs)])
    assert table.rows == [["-", "One", "-", "-", "-", "-"]]


@pytest.mark.parametrize("text", ["", "half", "0,120", "-1", "nan", "0;50"])
def test_shares_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="shares of seconds"):
        read_shares(text)


def test_shares_are_in_order_and_once() -> None:
    assert read_shares("100, 0,12.5,0") == [0, 12.5, 100]


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"shares": "all"}, UsageError, "shares of seconds"),
        ({"features": "somewhere"}, UsageError, "makes its clips"),
        ({"dataset": "somewhere"}, UsageError, "makes its clips"),
        ({"recipe": Recipe({}, TrainingConfig(), ())}, UsageError, "this recipe makes none"),
        ({"set": ["synthesis.n_trian=3"]}, UnknownNameError, "n_trian"),
        ({"set": ["synthesis.n_classes=2"]}, UsageError, "needs 3 classes"),
    ],
)
def test_what_cannot_be_studied_is_refused_before_anything_is_made(
    tmp_path: Path, changes: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        study(tmp_path, **changes)
    assert list(tmp_path.iterdir()) == []


def test_the_study_is_run_by_itself(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="without other tables"):
        reproduce(["table1", "inconsistency"], artifacts=tmp_path)
    with pytest.raises(UsageError, match="no clips are made here"):
        reproduce("table1", artifacts=tmp_path, set=["synthesis.n_train=3"])
