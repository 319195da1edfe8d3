"""A folder of published features is split by its order files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from published_layout import ORDERS, publish, write_array

from avloc.datasets import load_dataset
from avloc.errors import DatasetError


def splits(folder: Path) -> dict[str, list[int]]:
    dataset = load_dataset(folder)
    return {name: [number for number, _ in dataset.split(name)] for name in ORDERS}


def order(folder: Path, name: str, numbers: list[int]) -> None:
    write_array(folder / f"{name}_order.h5", np.array(numbers, dtype=np.int64), "order")


def test_orders_split_the_rows_with_and_without_header_line(tmp_path: Path) -> None:
    folder = publish(tmp_path).folder
    expected = {name: sorted(numbers) for name, numbers in ORDERS.items()}
    assert splits(folder) == expected
    annotations = folder / "Annotations.txt"
    header = "Category&VideoID&Quality&StartTime&EndTime\n"
    annotations.write_text(header + annotations.read_text())
    assert splits(folder) == expected


def test_split_files_go_before_orders(tmp_path: Path) -> None:
    layout = publish(tmp_path)
    for place, name in enumerate(("train", "val", "test")):
        (tmp_path / f"{name}Set.txt").write_text(layout.lines[place] + "\n")
    assert splits(tmp_path) == {"train": [0], "val": [1], "test": [2]}


def test_orders_that_do_not_fit_are_named(tmp_path: Path) -> None:
    publish(tmp_path)
    order(tmp_path, "val", [1, 7])
    with pytest.raises(DatasetError, match=r"val_order.h5: row 7 is already in train_order.h5"):
        load_dataset(tmp_path)
    order(tmp_path, "val", [8])
    with pytest.raises(DatasetError, match=r"val_order.h5: lists row 8, and rows are 0 to 7"):
        load_dataset(tmp_path)
    (tmp_path / "val_order.h5").unlink()
    with pytest.raises(DatasetError, match=r"no val_order.h5 beside the other"):
        load_dataset(tmp_path)


def test_annotations_under_another_name_are_a_data_set(tmp_path: Path) -> None:
    layout = publish(tmp_path, orders=None)
    (tmp_path / "some.txt").write_text(layout.lines[3] + "\n")
    assert [row.video_id for row in load_dataset(tmp_path / "some.txt").rows] == ["hall"]
    assert load_dataset(tmp_path / "some.txt").root == tmp_path / "some.txt"
    assert load_dataset(tmp_path / "Annotations.txt").rows == load_dataset(tmp_path).rows
    assert load_dataset(tmp_path / "Annotations.txt").root == tmp_path


@pytest.mark.real
def test_real_orders_are_the_real_split_files(real_data: Path) -> None:
    by_number = load_dataset(real_data / "ave_published")
    by_line = load_dataset(real_data / "AVE_Dataset")
    assert by_number.rows == by_line.rows
    assert [len(by_number.split(name)) for name in ORDERS] == [3339, 402, 402]
