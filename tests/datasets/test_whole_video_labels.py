"""Labels of a whole video, senses, and whether labels exclude each other."""

from pathlib import Path

import pytest

from avloc.datasets import Dataset, Row, count_labels, load_dataset
from avloc.datasets.label_kind import label_kind
from avloc.errors import DatasetError
from avloc.labels import LabelSet
from avloc.timeline import Grid


def write(folder: Path, text: str, name: str = "manifest.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_a_label_without_times_is_of_the_whole_video(tmp_path):
    dataset = load_dataset(write(tmp_path, "video,label,start,end\na.mp4,dog,,\nb.mp4,cat,1,2\n"))
    [whole, timed] = dataset.rows
    assert (whole.is_whole_video, whole.start, whole.end, whole.is_event) == (True, 0, 0, False)
    assert (timed.is_whole_video, timed.is_event) == (False, True)
    assert dataset.present(whole).tolist() == [True, False]
    assert dataset.present(timed).tolist() == [False, True]
    assert dataset.events_of("a") is None  # nobody says when
    assert count_labels(dataset).counts == {"dog": (1,), "cat": (1,)}


def test_a_manifest_needs_no_columns_of_times(tmp_path):
    text = "video,label,split\na.mp4,dog,train\na.mp4,cat,train\nb.mp4,,train\n"
    lines = '{"video": "a.mp4", "label": "dog", "split": "train"}\n'
    lines += '{"video": "a.mp4", "label": "cat", "start": null, "split": "train"}\n'
    lines += '{"video": "b.mp4", "split": "train"}\n'
    dataset = load_dataset(write(tmp_path, text))
    assert load_dataset(write(tmp_path, lines, "m.jsonl")).rows == dataset.rows
    assert [row.is_whole_video for row in dataset.rows] == [True, True, False]
    [(_, a), (_, b)] = dataset.split("train")
    assert dataset.present(a).tolist() == [True, True]
    assert dataset.present(b).tolist() == [False, False]
    assert dataset.events_of("b") == ()


def test_segments_of_a_video_with_a_weak_label_are_not_scored(tmp_path):
    text = "video,label,start,end\na.mp4,dog,1,2\na.mp4,cat,,\nb.mp4,dog,1,2\n"
    dataset = load_dataset(write(tmp_path, text))
    [(_, a), (_, b)] = dataset.split("")
    assert not dataset.targets(a, Grid(3)).scored.any()
    assert dataset.targets(b, Grid(3)).scored.all()
    assert dataset.targets(b, Grid(3)).events[:, 0].tolist() == [False, True, False]
    assert dataset.present(a).tolist() == [True, True]


@pytest.mark.parametrize("times", ["0,", ",3", "0,0", "x,", " , 0"])
def test_half_a_time_is_no_time(tmp_path, times):
    with pytest.raises(DatasetError, match="line 2: "):
        load_dataset(write(tmp_path, f"video,label,start,end\na.mp4,dog,{times}\n"))


def test_weak_labels_that_a_data_set_gives_count_instead_of_the_rows():
    row = Row("a", "dog", 1, 2)
    options = {"is_row_alone": False, "weak_labels": {"a": ("cat",)}}
    dataset = Dataset("name", Path("root"), LabelSet(("dog", "cat")), (row,), **options)
    assert dataset.present(row).tolist() == [False, True]
    assert dataset.present(Row("b", "dog", 1, 2)).tolist() == [True, False]
    assert dataset.present(Row("b", "dog", 1, 1)).tolist() == [False, False]  # AVE's 0&0


def test_a_row_that_is_alone_has_only_its_label():
    rows = (Row("a", "dog", 1, 2), Row("a", "cat", 3, 4))
    dataset = Dataset("name", Path("root"), LabelSet(("dog", "cat")), rows)
    assert [dataset.present(row).tolist() for row in rows] == [[True, False], [False, True]]


def test_the_sense_of_an_event_is_read(tmp_path):
    senses = ["both", "heard", "seen", "unknown", ""]
    lines = [f"v{n}.mp4,dog,1,2, {sense} " for n, sense in enumerate(senses)]
    dataset = load_dataset(write(tmp_path, "\n".join(["video,label,start,end,sense", *lines])))
    assert [row.sense for row in dataset.rows] == ["both", "heard", "seen", "unknown", "unknown"]
    assert [dataset.events_of(f"v{n}")[0].sense for n in range(5)] == [
        row.sense for row in dataset.rows
    ]


@pytest.mark.parametrize(("word", "near"), [("herd", "heard"), ("Seen", "seen"), ("bth", "both")])
def test_an_unknown_sense_is_refused_with_its_line_and_the_nearest(tmp_path, word, near):
    text = f"video,label,start,end,sense\na.mp4,dog,1,2,seen\na.mp4,cat,1,2,{word}\n"
    with pytest.raises(DatasetError, match=rf"line 3: no sense is called '{word}'") as caught:
        load_dataset(write(tmp_path, text))
    assert f"Did you mean '{near}'?" in caught.value.hint


def test_a_sense_without_label_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="line 2: has a sense but no label"):
        load_dataset(write(tmp_path, "video,label,start,end,sense\na.mp4,,,,seen\n"))


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ([], "exclusive"),
        ([("a", "dog", 0, 2), ("a", "cat", 2, 3)], "exclusive"),  # they touch
        ([("a", "dog", 0, 2), ("a", "cat", 1.9, 3)], "independent"),
        ([("a", "cat", 1.9, 3), ("a", "dog", 0, 2)], "independent"),  # in any order
        ([("a", "dog", 0, 2), ("b", "cat", 1, 3)], "exclusive"),  # in two videos
        ([("a", "dog", 0, 2), ("a", "dog", 1, 3)], "exclusive"),  # of one label
        ([("a", "dog", 0, 9), ("a", "dog", 1, 2), ("a", "cat", 3, 4)], "independent"),
        ([("a", "dog", 0, 9, "seen")], "independent"),
        ([("a", "dog", 0, 0, "both")], "independent"),
        ([("a", "dog"), ("b", "cat")], "exclusive"),
        ([("a", "dog"), ("a", "dog")], "exclusive"),
        ([("a", "dog"), ("a", "cat")], "independent"),
        ([("a", "dog"), ("a", "cat", 3, 4)], "independent"),
        ([("a", "dog", 0, 0), ("a", "cat", 0, 4)], "exclusive"),  # AVE's 0&0 is no event
    ],
)
def test_labels_exclude_each_other_unless_rows_say_otherwise(rows, kind):
    made = []
    for video_id, label, *rest in rows:
        start, end, sense = (*rest, *(0, 0, "unknown")[len(rest) :])
        made.append(Row(video_id, label, start, end, sense=sense, is_whole_video=not rest))
    assert label_kind(made) == kind


def test_a_manifests_kind_of_labels_is_that_of_its_rows(tmp_path):
    text = "video,label,start,end\na.mp4,dog,1,4\na.mp4,cat,3,5\n"
    assert load_dataset(write(tmp_path, text)).labels.kind == "independent"
    assert load_dataset(write(tmp_path, text.replace("3,5", "4,5"))).labels.kind == "exclusive"


def test_events_that_overlap_are_labels_of_one_segment_by_their_senses(tmp_path):
    text = "video,label,start,end,sense\na.mp4,dog,0,3,heard\na.mp4,dog,2,4,seen\na.mp4,cat,1,3,\n"
    dataset = load_dataset(write(tmp_path, text))
    targets = dataset.targets(dataset.rows[0], Grid(5))
    assert targets.events.astype(int).T.tolist() == [[1, 1, 1, 1, 0], [0, 1, 1, 0, 0]]
    assert targets.heard.astype(int).T.tolist() == [[1, 1, 1, 0, 0], [0, 1, 1, 0, 0]]
    assert targets.seen.astype(int).T.tolist() == [[0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
