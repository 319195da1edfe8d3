from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from avloc.datasets import Dataset, Row
from avloc.errors import UnknownNameError
from avloc.labels import LabelSet
from avloc.timeline import Grid

LABELS = LabelSet(("bell", "dog"))


def dataset(*rows: Row, **options: object) -> Dataset:
    return Dataset("name", Path("root"), LABELS, rows, **options)


def test_segments_whose_middle_lies_in_the_event_have_its_label():
    row = Row("a", "dog", 1.0, 3.5)
    # Middles 0.5 .. 4.5: 1.5 and 2.5 lie inside; 3.5 is the end, which is exclusive.
    assert dataset(row).targets(row, Grid(5)).classes.tolist() == [2, 1, 1, 2, 2]
    # Halves: middles 0.25 .. 4.75, inside from 1.25 to 3.25.
    halves = dataset(row).targets(row, Grid(10, Fraction(1, 2))).classes
    assert np.flatnonzero(halves == 1).tolist() == [2, 3, 4, 5, 6]
    assert halves.dtype == np.int64


def test_a_row_without_label_or_length_is_all_background():
    for row in (Row("a", "", 0, 0), Row("a", "bell", 0, 0)):
        assert dataset(row).targets(row, Grid(3)).classes.tolist() == [2, 2, 2]


def test_rows_of_one_video_stand_alone_in_ave_and_together_otherwise():
    rows = (Row("a", "bell", 0, 1, "train"), Row("a", "dog", 2, 3, "train"))
    alone, together = dataset(*rows), dataset(*rows, is_row_alone=False)
    assert alone.targets(rows[0], Grid(3)).classes.tolist() == [0, 2, 2]
    assert together.targets(rows[0], Grid(3)).classes.tolist() == [0, 2, 1]
    assert alone.split("train") == [(0, rows[0]), (1, rows[1])]
    assert together.split("train") == [(0, rows[0])]


def test_split_keeps_row_numbers_and_refuses_other_names():
    rows = tuple(Row(f"v{k}", "dog", 0, 1, split) for k, split in enumerate(["val", "", "val"]))
    assert [number for number, _ in dataset(*rows).split("val")] == [0, 2]
    assert dataset(*rows).split("test") == []
    assert [number for number, _ in dataset(*rows).split("")] == [1]
    with pytest.raises(UnknownNameError, match="no split is called 'valid'") as caught:
        dataset(*rows).split("valid")
    assert "Did you mean 'val'" in caught.value.hint


def test_coverage_counts_distinct_videos():
    rows = tuple(Row(video_id, "dog", 0, 1) for video_id in "abacb")
    coverage = dataset(*rows, videos={"a": Path("a.mp4"), "z": Path("z.mp4")}).coverage
    assert (coverage.present, coverage.total, coverage.missing) == (2, 4, ("b", "c"))
