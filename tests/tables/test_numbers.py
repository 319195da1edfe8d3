"""Tables say what the evaluation says, the baselines and a leak included."""

from __future__ import annotations

from dataclasses import replace

from made_up import predictions_of

from avloc.evaluation.measure import measure
from avloc.labels import LabelSet
from avloc.tables.numbers import accuracy_table, class_table
from avloc.tables.table import interval, percent

NAMES = {"video_ids": ("a", "b"), "labels": LabelSet(("bark", "bell"))}
# video a: 3 of 4 segments right; video b: 1 of 4; 7 of 8 segments are events
HAND_MADE = predictions_of([[0, 0, 2, 2], [1, 2, 2, 2]], [[0, 0, 0, 2], [1, 1, 0, 0]], **NAMES)


def test_accuracy_stands_beside_a_constant_answer_and_an_oracle_of_the_class() -> None:
    table = accuracy_table([("ours", measure(HAND_MADE, majority_label="bell"))])
    (ours, constant, oracle) = table.rows
    assert ours[:2] == ("ours", "50.0%")
    assert "'bell'" in constant[0]
    assert (constant[1], constant[-1]) == ("25.0%", "0.0%")  # 2 of 8 segments are bells
    assert "oracle" in oracle[0]
    assert oracle[1] == "87.5%"
    background = accuracy_table([("ours", measure(HAND_MADE, majority_label="background"))])
    assert (background.rows[1][1], background.rows[1][-1]) == ("12.5%", "100.0%")
    older = accuracy_table([("ours", measure(HAND_MADE))])  # its model file names no such label
    assert [row[0] for row in older.rows] == [ours[0], oracle[0]]
    assert "8 segments of 2 videos" in table.caption
    assert "Without" not in table.caption


def test_leak_between_training_and_test_is_reported() -> None:
    table = accuracy_table([("ours", measure(HAND_MADE, training_videos=["b"]))])
    assert table.caption.endswith("Without the 1 rows whose video is also trained on: ours 75.0%.")


def test_a_table_says_where_and_by_what_the_epoch_was_chosen() -> None:
    found = measure(HAND_MADE, selection="val split")
    assert "epoch chosen on validation;" in accuracy_table([("ours", found)]).caption
    found = replace(found, selected_by="agreement with weak labels")
    said = "epoch chosen by agreement with weak labels on validation;"
    assert said in accuracy_table([("ours", found)]).caption
    found = replace(found, selected_by="the weak loss", selection="TEST split")
    said = "epoch chosen by the weak loss on TEST, so these numbers are too high;"
    assert said in accuracy_table([("ours", found)]).caption


def test_every_class_has_its_row_background_last() -> None:
    table = class_table(measure(HAND_MADE))
    assert [row[0] for row in table.rows] == ["bark", "bell", "background"]
    assert [row[table.header.index("segments")] for row in table.rows] == ["5", "2", "1"]


def test_the_accuracy_of_a_class_never_found_is_named_as_that_of_its_clips() -> None:
    missed = predictions_of([[2, 2, 2, 2], [2, 2, 2, 2]], [[0, 2, 2, 2], [1, 1, 2, 2]], **NAMES)
    table = class_table(measure(missed))
    assert table.header[-1] == "accuracy of its clips"
    assert table.rows[0][1:] == ("0.0%", "0.0%", "0.0%", "1", "75.0%")
    assert "background too" in table.caption


def test_what_cannot_be_given_is_a_dash() -> None:
    assert percent(None) == percent(float("nan")) == "-"
    assert interval(None) == interval((float("nan"), float("nan"))) == "-"
    assert interval((0.1, 0.25)) == "10.0% to 25.0%"
    assert percent(0.1234) == "12.3%"
