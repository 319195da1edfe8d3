"""AVE's facts are those of the real files; h5py reads the labels that were published with it."""

from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from avloc.datasets import Dataset, load_ave, load_dataset
from avloc.errors import DatasetError
from avloc.timeline import Grid

HEADER = "Category&VideoID&Quality&StartTime&EndTime\n"
ROWS = "Bark&aaa&good&0&10\nFlute&-bb&good&2&5\nBark&-bb&good&6&8\n"
LAST_LABELS = ["Cat", "Horse", "Toilet flush", "Rodents", "Accordion", "Mandolin"]


def write(folder: Path, annotations: str | bytes = ROWS, **splits: str) -> Path:
    raw = annotations if isinstance(annotations, bytes) else annotations.encode()
    (folder / "Annotations.txt").write_bytes(raw)
    for name, text in splits.items():
        (folder / f"{name}Set.txt").write_text(text)
    return folder


@pytest.fixture(scope="module")
def ave(real_data: Path) -> Dataset:
    return load_dataset(real_data / "AVE_Dataset")


@pytest.mark.real
def test_real_counts(ave):
    videos = Counter(row.video_id for row in ave.rows)
    assert (len(ave.rows), len(videos)) == (4143, 4097)
    assert sum(n > 1 for n in videos.values()) == 45
    assert sum(video_id.startswith("-") for video_id in videos) == 1012
    assert [len(ave.split(name)) for name in ("train", "val", "test")] == [3339, 402, 402]
    assert ave.n_segments == 10


@pytest.mark.real
def test_real_class_order(ave):
    assert len(ave.labels.names) == 28
    assert ave.labels.background_index == 28
    assert ave.labels.names[:3] == ("Church bell", "Male speech, man speaking", "Bark")
    assert [name.split(" (")[0].split(",")[0] for name in ave.labels.names[22:]] == LAST_LABELS


@pytest.mark.real
def test_real_videos_are_found_and_the_rest_is_coverage(ave):
    assert sorted(ave.videos) == ["0lFf-HP86Q0", "16eUxQwxxbs", "22olCB3wQaA"]
    assert (ave.coverage.present, ave.coverage.total) == (3, 4097)
    assert len(ave.coverage.missing) == 4094


@pytest.mark.real
def test_real_targets_are_the_published_labels(ave, real_data):
    published = real_data / "ave_published"
    with h5py.File(published / "mil_labels.h5") as file:
        classes = file["avadataset"][:].argmax(axis=1)
    with h5py.File(published / "labels_closs.h5") as file:
        is_event = file["avadataset"][:] > 0.5
    expected = np.where(is_event, classes[:, None], 28)
    targets = np.stack([ave.targets(row, Grid(10)).classes for row in ave.rows])
    # The one all-background row is published as class background, which says the same.
    assert (targets == expected).all()
    number = next(k for k, row in enumerate(ave.rows) if row.video_id == "VWi2ENBuTbw")
    assert (targets[number] == 28).all()


@pytest.mark.real
def test_real_splits_are_the_published_orders(ave, real_data):
    for name in ("train", "val", "test"):
        with h5py.File(real_data / "ave_published" / f"{name}_order.h5") as file:
            order = sorted(file["order"][:].tolist())
        assert [number for number, _ in ave.split(name)] == order


@pytest.mark.real
def test_real_annotations_are_the_same_without_header_and_splits(ave, real_data, tmp_path):
    bare = load_dataset(write(tmp_path, (real_data / "ave_published/Annotations.txt").read_bytes()))
    assert bare.labels == ave.labels
    assert [(r.video_id, r.label, r.start, r.end) for r in bare.rows] == [
        (r.video_id, r.label, r.start, r.end) for r in ave.rows
    ]
    assert {row.split for row in bare.rows} == {""}


@pytest.mark.real
def test_real_test_split_has_the_known_share_of_background(ave):
    targets = np.stack([ave.targets(row, Grid(10)).classes for _, row in ave.split("test")])
    assert round(100 * float((targets == 28).mean()), 1) == 17.8


def test_rows_carry_what_the_lines_say(tmp_path):
    splits = {"train": "Bark&aaa&good&0&10\n", "val": "Bark&-bb&ok&6&8\r\n", "test": ""}
    dataset = load_ave(write(tmp_path, HEADER + ROWS, **splits))
    assert dataset.labels.names == ("Bark", "Flute")
    assert [row.split for row in dataset.rows] == ["train", "", "val"]
    assert (dataset.rows[1].start, dataset.rows[1].end, dataset.rows[1].quality) == (2, 5, "good")


def test_header_line_end_byte_order_mark_and_blank_lines_do_not_matter(tmp_path):
    bare = load_ave(write(tmp_path)).rows
    for text in (HEADER + ROWS, ROWS + "\n\n", "\ufeff" + HEADER + ROWS.replace("\n", "\r\n")):
        assert load_ave(write(tmp_path, text)).rows == bare


def test_videos_of_any_container_are_found_by_id(tmp_path):
    write(tmp_path)
    (tmp_path / "AVE").mkdir()
    for name in ("-bb.mkv", "-bb.mp4", "aaa.webm", "aaa.txt", "stranger.mp4"):
        (tmp_path / "AVE" / name).touch()
    videos = load_dataset(tmp_path).videos
    assert {key: path.name for key, path in videos.items()} == {
        "aaa": "aaa.webm",
        "-bb": "-bb.mp4",
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Bark&aaa&good&0", "has 4 fields"),
        ("Bark&aaa&good&0&1&2", "has 6 fields"),
        ("&aaa&good&0&1", "label is empty"),
        ("Bark&&good&0&1", "id is empty"),
        ("Bark&../../etc/passwd&good&0&1", "not a video id"),
        ("Bark&..&good&0&1", "not a video id"),
        ("Bark&/etc/passwd&good&0&1", "not a video id"),
        ("Bark&a\\b&good&0&1", "not a video id"),
        ("Bark&a\0b&good&0&1", "holds a NUL"),
        ("Bark&a\x0bb&good&0&1", "not a video id"),
        (f"Bark&{'a' * 201}&good&0&1", "longer than 200 bytes"),
        ("Bark&aaa&go\0od&0&1", "holds a NUL"),
        ("Ba\x1brk&aaa&good&0&1", "cannot be printed"),
        (f"{'B' * 1001}&aaa&good&0&1", "longer than 1000 bytes"),
        (f"Bark&aaa&{'good' * 20_000}&0&1", "more than 65536"),
        ("Bark&aaa&good&0&1_0", "EndTime is '1_0'"),
        ("background&aaa&good&0&1", "not an event label"),
        ("Bark&aaa&good&5&4", "from 5 to 4 s"),
        ("Bark&aaa&good&0&11", "from 0 to 11 s of 10"),
        ("Bark&aaa&good&-1&4", "StartTime is '-1'"),
        ("Bark&aaa&good&nan&4", "StartTime is 'nan'"),
        ("Bark&aaa&good&0&inf", "EndTime is 'inf'"),
        ("Bark&aaa&good&0&x", "EndTime is 'x'"),
        ("Flute&-bb&fair&2&5", "repeats line 3"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, message):
    with pytest.raises(DatasetError, match=r"Annotations.txt, line 5: ") as caught:
        load_ave(write(tmp_path, HEADER + ROWS + line + "\n"))
    assert message in str(caught.value)


def test_text_that_is_not_utf8_is_named(tmp_path):
    with pytest.raises(DatasetError, match="line 2: is not UTF-8"):
        load_ave(write(tmp_path, b"Bark&aaa&good&0&1\nFl\xfcte&bbb&good&0&1\n"))


def test_split_files_must_agree_with_the_annotations(tmp_path):
    whole = {"train": "Bark&aaa&good&0&10\n", "val": "", "test": ""}
    with pytest.raises(DatasetError, match=r"valSet.txt, line 1: no row of Annotations"):
        load_ave(write(tmp_path, **whole | {"val": "Bark&aaa&good&0&9\n"}))
    with pytest.raises(DatasetError, match=r"testSet.txt, line 1: .*already in trainSet"):
        load_ave(write(tmp_path, **whole | {"test": "Bark&aaa&good&0&10\n"}))
    (tmp_path / "valSet.txt").unlink()
    with pytest.raises(DatasetError, match=r"no valSet.txt beside the other"):
        load_ave(tmp_path)


def test_a_folder_without_annotations_says_what_was_expected(tmp_path):
    with pytest.raises(DatasetError, match=r"no Annotations.txt in this folder") as caught:
        load_ave(tmp_path)
    assert "trainSet.txt" in caught.value.hint
    with pytest.raises(DatasetError, match="holds no rows"):
        load_ave(write(tmp_path, HEADER))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


FIELD = st.sampled_from(["Bark", "a", "..", "good", "0", "10", "3.5", "-1", "1e400", "\0", "", "é"])
LINES = st.lists(st.lists(FIELD, min_size=4, max_size=6).map("&".join), max_size=4)


@given(st.one_of(st.binary(max_size=60), LINES.map("\n".join).map(str.encode)))
@example(b"\xff\xfe")
@example(b"&&&&")
def test_any_bytes_are_read_or_refused_by_name(scratch, raw):
    try:
        dataset = load_ave(write(scratch, raw))
    except DatasetError:
        return
    for row in dataset.rows:
        assert (scratch / "videos" / f"{row.video_id}.h5").parent == scratch / "videos"
        assert 0 <= row.start <= row.end <= 10
        assert dataset.targets(row, Grid(10)).classes.max() <= dataset.labels.background_index
