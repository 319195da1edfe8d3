"""Features out in AVE's published layout: what other people's code will train on."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from made_up import World, features_of, made_up
from published_layout import LINES, ORDERS, Layout, publish, read_array, write_array

import avloc
from avloc.artifacts import FeatureStore
from avloc.datasets import load_dataset
from avloc.errors import DatasetError, OutputError, UsageError
from avloc.spec import FeatureSpec

FILES = [
    "Annotations.txt",
    "audio_feature.h5",
    "labels.h5",
    "test_order.h5",
    "train_order.h5",
    "val_order.h5",
    "visual_feature.h5",
]
CLASSES = ("Bark", "Flute", "Church bell", "background")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = publish(tmp_path / "in")
    avloc.import_features(layout.folder, artifacts=tmp_path / "a")
    return layout


@pytest.fixture
def store(layout: Layout, tmp_path: Path) -> FeatureStore:
    return FeatureStore.open(tmp_path / "a" / "features")


def expected_labels(lines: tuple[str, ...]) -> np.ndarray:
    labels = np.zeros((len(lines), 10, len(CLASSES)))
    for row, line in enumerate(lines):
        label, _, _, start, end = line.split("&")
        for second in range(10):
            happens = int(start) <= second < int(end)
            labels[row, second, CLASSES.index(label if happens else "background")] = 1
    return labels


def orders_in(folder: Path) -> dict[str, list[int]]:
    return {name: read_array(folder / f"{name}_order.h5", "order").tolist() for name in ORDERS}


def test_what_went_in_comes_out(tmp_path: Path, layout: Layout) -> None:
    out = tmp_path / "out"
    done = avloc.export_features(out, artifacts=tmp_path / "a")
    assert sorted(path.name for path in out.iterdir()) == FILES
    assert sorted(path.name for path in done.written) == FILES
    assert (done.n_rows, done.left_out, done.n_filled) == (8, {}, 0)
    assert done.split_sizes == {"train": 4, "val": 2, "test": 2}
    visual, audio = read_array(out / "visual_feature.h5"), read_array(out / "audio_feature.h5")
    assert (visual.dtype, audio.dtype) == (np.float64, np.float64)
    assert (visual == layout.visual.astype(np.float16)).all()
    assert (audio == layout.audio.astype(np.float32)).all()
    labels = read_array(out / "labels.h5")
    assert labels.dtype == np.float32
    assert (labels == expected_labels(LINES)).all()
    assert orders_in(out) == {name: sorted(numbers) for name, numbers in ORDERS.items()}
    assert (out / "Annotations.txt").read_text().splitlines() == list(LINES)


def test_files_say_what_their_numbers_are(
    tmp_path: Path, layout: Layout, store: FeatureStore
) -> None:
    avloc.export_features(tmp_path / "out", artifacts=tmp_path / "a")
    for name in ("visual_feature.h5", "audio_feature.h5"):
        with h5py.File(tmp_path / "out" / name) as file:
            assert file.attrs["fingerprint"] == store.fingerprint
            assert FeatureSpec(**json.loads(file.attrs["spec"])).fingerprint == store.fingerprint
    with h5py.File(tmp_path / "out" / "labels.h5") as file:
        assert tuple(json.loads(file.attrs["labels"])) == CLASSES


def test_exported_features_can_be_imported_again(
    tmp_path: Path, layout: Layout, store: FeatureStore
) -> None:
    avloc.export_features(tmp_path / "out", artifacts=tmp_path / "a")
    again = avloc.import_features(tmp_path / "out", artifacts=tmp_path / "b").store
    assert again.video_ids() == store.video_ids()
    for video_id in store.video_ids():
        before, after = store.read(video_id), again.read(video_id)
        assert (before.visual == after.visual).all()
        assert (before.audio == after.audio).all()


def test_video_without_features_is_refused_by_name(
    tmp_path: Path, layout: Layout, store: FeatureStore
) -> None:
    store.path_of("-dog").unlink()
    store.path_of("park").write_bytes(b"half a file")
    words = r"3 of 8 rows have no features .*\(-dog: no features; park: .*park\.h5"
    with pytest.raises(DatasetError, match=words) as caught:
        avloc.export_features(tmp_path / "out", artifacts=tmp_path / "a")
    assert "--only-present" in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_only_present_numbers_the_others_anew(
    tmp_path: Path, layout: Layout, store: FeatureStore
) -> None:
    for video_id in ("-dog", "hall", "park"):  # every row of the class Flute, and one of Bark
        store.path_of(video_id).unlink()
    out = tmp_path / "out"
    done = avloc.export_features(out, artifacts=tmp_path / "a", only_present=True)
    present = [1, 4, 5, 6]
    assert (done.n_rows, list(done.left_out)) == (4, ["-dog", "hall", "park"])
    lines = (out / "Annotations.txt").read_text().splitlines()
    assert lines == [LINES[row] for row in present]
    for name, numbers in ORDERS.items():
        written = [LINES.index(lines[index]) for index in orders_in(out)[name]]
        assert written == sorted(set(numbers) & set(present))
    assert (read_array(out / "audio_feature.h5") == layout.audio[present].astype(np.float32)).all()
    # a class that is left out keeps its index, or the next one would take it
    assert (read_array(out / "labels.h5") == expected_labels(LINES)[present]).all()


def test_absent_modality_is_never_zeros(
    tmp_path: Path, layout: Layout, store: FeatureStore
) -> None:
    whole = store.read("tower")
    store.write(replace(whole, audio=None, audio_valid=np.zeros(10, bool), flags=("no_audio",)))
    with pytest.raises(DatasetError, match=r"1 of 8 rows .*tower: no sound"):
        avloc.export_features(tmp_path / "out", artifacts=tmp_path / "a")
    done = avloc.export_features(tmp_path / "out", artifacts=tmp_path / "a", only_present=True)
    assert done.left_out == {"tower": "no sound"}
    assert read_array(tmp_path / "out" / "audio_feature.h5").shape == (7, 10, 5)


def test_store_of_sound_alone_has_nothing_to_write(tmp_path: Path) -> None:
    folder = publish(tmp_path / "in").folder
    (folder / "visual_feature.h5").unlink()
    avloc.import_features(folder, artifacts=tmp_path / "a")
    with pytest.raises(DatasetError, match=r"8 of 8 rows .*no picture"):
        avloc.export_features(tmp_path / "out", artifacts=tmp_path / "a", only_present=True)
    assert not (tmp_path / "out").exists()


def test_other_lengths_and_shapes_are_not_forced_into_a_row(
    tmp_path: Path, layout: Layout, store: FeatureStore
) -> None:
    short = features_of("yard", np.zeros((9, 3, 3, 6)), np.zeros((9, 5)))
    store.write(replace(short, spec=store.spec))
    flat = features_of("hall", np.zeros((10, 1, 1, 6)), np.zeros((10, 5)))
    store.write(replace(flat, spec=store.spec))
    done = avloc.export_features(tmp_path / "out", artifacts=tmp_path / "a", only_present=True)
    assert list(done.left_out) == ["yard", "hall"]
    assert done.left_out["yard"] == "9 segments, not 10"
    assert "(10, 1, 1, 6)" in done.left_out["hall"]


def test_rows_with_seconds_that_were_filled_are_counted(
    tmp_path: Path, layout: Layout, store: FeatureStore
) -> None:
    ends_early = np.arange(10) < 8
    store.write(replace(store.read("-dog"), audio_valid=ends_early))
    assert avloc.export_features(tmp_path / "out", artifacts=tmp_path / "a").n_filled == 2


def test_files_that_are_there_are_never_written_over(tmp_path: Path, layout: Layout) -> None:
    before = {path.name: path.read_bytes() for path in layout.folder.iterdir()}
    with pytest.raises(OutputError, match=r"holds visual_feature.h5 already"):
        avloc.export_features(layout.folder, artifacts=tmp_path / "a")
    assert {path.name: path.read_bytes() for path in layout.folder.iterdir()} == before


def test_interrupted_export_leaves_no_array(tmp_path: Path, layout: Layout) -> None:
    def interrupt(done: int, total: int, what: str) -> None:
        assert total == 7 + 8
        if done == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        avloc.export_features(tmp_path / "out", artifacts=tmp_path / "a", progress=interrupt)
    assert list((tmp_path / "out").iterdir()) == []


def test_memory_does_not_grow_with_the_store(tmp_path: Path) -> None:
    lines = tuple(f"Bark&video{number}&good&0&10" for number in range(60))
    folder = publish(tmp_path / "in", lines, side=7, channels=(64, 128)).folder
    avloc.import_features(folder, artifacts=tmp_path / "a")
    tracemalloc.start()
    avloc.export_features(tmp_path / "out", artifacts=tmp_path / "a")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    n_bytes = (tmp_path / "out" / "visual_feature.h5").stat().st_size
    assert n_bytes > 14e6
    assert peak < n_bytes / 4


def test_rows_without_splits_stay_so(tmp_path: Path) -> None:
    layout = publish(tmp_path / "in", orders=None)
    avloc.import_features(layout.folder, artifacts=tmp_path / "a")
    done = avloc.export_features(tmp_path / "out", artifacts=tmp_path / "a")
    assert done.split_sizes == {"train": 0, "val": 0, "test": 0}
    rows = load_dataset(tmp_path / "out").rows
    assert rows == load_dataset(layout.folder).rows
    assert {row.split for row in rows} == {""}


def test_data_set_without_a_fixed_grid_is_refused(tmp_path: Path) -> None:
    world: World = made_up(tmp_path / "a", n_videos=2)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("video,label,start,end\nvideo000.mp4,bell,0,2\n")
    assert world.store.video_ids() == ["video000", "video001"]
    with pytest.raises(UsageError, match=r"manifest.csv cannot be written in AVE's layout"):
        avloc.export_features(tmp_path / "out", artifacts=tmp_path / "a", dataset=manifest)
    assert not (tmp_path / "out").exists()


@pytest.mark.real
def test_real_rows_that_are_present_keep_their_labels_and_splits(
    real_data: Path, tmp_path: Path
) -> None:
    """178 rows of AVE with real sound (of other videos), made pictures, real labels and orders.

    The labels are checked against those that were published, the orders against the real ones.
    """
    published = real_data / "ave_published"
    audio = read_array(published / "audio_feature_noisy.h5")
    lines = (published / "Annotations.txt").read_text().splitlines()
    chosen = [*range(0, 4143, 47), *range(20, 4143, 47)][:177]
    background_row = next(k for k, line in enumerate(lines) if line.endswith("&0&0"))
    chosen = sorted({*chosen, background_row})
    ids = [lines[row].split("&")[1] for row in chosen]
    assert len(set(ids)) == len(chosen) == 178
    folder = publish(
        tmp_path / "in", tuple(lines[row] for row in chosen), orders=None, side=2
    ).folder
    write_array(folder / "audio_feature.h5", audio)
    avloc.import_features(folder, artifacts=tmp_path / "a")

    out = tmp_path / "out"
    done = avloc.export_features(
        out, artifacts=tmp_path / "a", dataset=published, only_present=True
    )
    written = (out / "Annotations.txt").read_text().splitlines()
    rows = [row for row, line in enumerate(lines) if line.split("&")[1] in set(ids)]
    assert written == [lines[row] for row in rows]
    assert done.n_rows == len(rows) > 178  # the other rows of videos that have several
    assert (
        read_array(out / "audio_feature.h5")[[rows.index(row) for row in chosen]] == audio
    ).all()

    classes = read_array(published / "mil_labels.h5").argmax(axis=1)[rows]
    is_event = read_array(published / "labels_closs.h5")[rows] > 0.5
    labels = read_array(out / "labels.h5")
    assert labels.shape == (len(rows), 10, 29)
    assert (labels.sum(axis=2) == 1).all()
    assert (labels.argmax(axis=2) == np.where(is_event, classes[:, None], 28)).all()
    for name, indices in orders_in(out).items():
        order = set(read_array(published / f"{name}_order.h5", "order").tolist())
        assert {rows[index] for index in indices} == order & set(rows)
