"""UnAV-100's file, of which the format is known; the file itself is not at hand."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.datasets import load_dataset
from avloc.errors import DatasetError

ANNOTATIONS = [
    {"label": "dog barking", "label_id": 12, "segment": [0.0, 13.4]},
    {"label": "man speaking", "label_id": 0, "segment": [10, 42.0]},
    {"label": "dog barking", "label_id": 12, "segment": [0.0009, 13.4001]},  # again
    {"label": "dog barking", "label_id": 12, "segment": [0.0021, 13.4]},  # 2 ms later: another
]
DATABASE = {
    "-0J1SbgYLaw": {"subset": "train", "duration": 42.0, "fps": 25, "annotations": ANNOTATIONS},
    "second_clip": {
        "subset": "Validation",
        "annotations": [{"label": "sailing", "segment": [1.5, 9], "label_id": 55}],
    },
    "third": {"subset": "TEST", "duration": 30, "annotations": []},
    "fourth": {"subset": "test", "duration": None},
}


def write(
    folder: Path, database: object = DATABASE, name: str = "unav100_annotations.json"
) -> Path:
    content = {"version": "1", "database": database}
    (folder / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
    return folder


def changed(**fields: object) -> dict[str, object]:
    """Return the database with other fields in its first annotation; None removes."""
    database = copy.deepcopy(DATABASE)
    first = database["-0J1SbgYLaw"]["annotations"][0]
    first.update(fields)
    for name in [name for name, value in fields.items() if value is ...]:
        del first[name]
    return database


def test_events_and_splits(tmp_path):
    dataset = load_dataset(write(tmp_path))
    assert [(r.video_id, r.label, r.start, r.end, r.split, r.sense) for r in dataset.rows] == [
        ("-0J1SbgYLaw", "dog barking", 0, 13.4, "train", "both"),
        ("-0J1SbgYLaw", "man speaking", 10, 42, "train", "both"),
        ("-0J1SbgYLaw", "dog barking", 0.0021, 13.4, "train", "both"),
        ("second_clip", "sailing", 1.5, 9, "val", "both"),
        ("third", "", 0, 0, "test", "unknown"),
        ("fourth", "", 0, 0, "test", "unknown"),
    ]
    assert dataset.labels.names == ("man speaking", "dog barking", "sailing")  # by number
    assert (dataset.labels.kind, dataset.n_segments) == ("independent", None)
    assert dataset.notes == (
        "unav100_annotations.json: 1 of its events repeat another and are left out",
    )


def test_labels_without_numbers_are_in_order_of_appearance(tmp_path):
    dataset = load_dataset(write(tmp_path, changed(label_id=..., label="zebra")))
    assert dataset.labels.names == ("zebra", "man speaking", "dog barking", "sailing")


def test_the_file_may_have_another_name_and_lie_on_one_line(tmp_path):
    plain = load_dataset(write(tmp_path))
    path = tmp_path / "other.json"
    path.write_text("\ufeff" + json.dumps({"database": DATABASE}) + " " * 100_000)
    assert load_dataset(path).rows == plain.rows
    assert load_dataset(tmp_path / "unav100_annotations.json").rows == plain.rows


def test_an_event_that_ends_after_its_video_is_counted(tmp_path):
    dataset = load_dataset(write(tmp_path, changed(segment=[1, 42.5])))
    assert "1 of its events end after the duration of their video" in dataset.notes[-1]
    assert dataset.rows[0].end == 42.5


def test_videos_are_found_and_the_others_are_missing(tmp_path):
    (tmp_path / "video").mkdir()
    for name in ("-0J1SbgYLaw.mkv", "video/third.mp4"):
        (tmp_path / name).touch()
    dataset = load_dataset(write(tmp_path))
    assert set(dataset.videos) == {"-0J1SbgYLaw", "third"}
    assert dataset.coverage.missing == ("second_clip", "fourth")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"segment": [3, 3]}, "lasts from 3 to 3 s"),
        ({"segment": [4, 3]}, "lasts from 4 to 3 s"),
        ({"segment": [-1, 3]}, "start is -1"),
        ({"segment": [43, 44]}, "lasts from 43 to 44 s of 42"),
        ({"segment": [0, float("nan")]}, "end is nan"),
        ({"segment": [0, float("inf")]}, "end is inf"),
        ({"segment": ["0", 3]}, "start is '0'"),
        ({"segment": [True, 3]}, "start is True"),
        ({"segment": [0, 1, 2]}, "not two times"),
        ({"segment": ...}, "not two times"),
        ({"label": ...}, "a label is None"),
        ({"label": " "}, "the label is empty"),
        ({"label": "background"}, "not an event label"),
        ({"label": ["dog"]}, "a label is ['dog']"),
        ({"label": "a\nb"}, "cannot be printed"),
        ({"label_id": 0}, "'man speaking' and 'dog barking' have the label_id 0"),
        ({"label_id": 13}, "'dog barking' has the label_id 12 here and 13 before"),
        ({"label_id": "x"}, "label_id is 'x'"),
        ({"label_id": -1}, "label_id is -1"),
    ],
)
def test_a_wrong_annotation_is_named_with_the_line_of_its_video(tmp_path, fields, message):
    with pytest.raises(DatasetError) as caught:
        load_dataset(write(tmp_path, changed(**fields)))
    assert "unav100_annotations.json, line 4: '-0J1SbgYLaw': " in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ([], "not an object"),
        ({"annotations": []}, "subset is None"),
        ({"subset": "trian", "annotations": []}, "no subset is called 'trian'"),
        ({"subset": "train", "annotations": {}}, "annotations is {}"),
        ({"subset": "train", "annotations": [1]}, "an annotation is 1"),
        ({"subset": "train", "duration": -1}, "duration is -1"),
        ({"subset": "train", "duration": "long"}, "duration is 'long'"),
    ],
)
def test_a_wrong_video_is_named_with_its_line(tmp_path, entry, message):
    with pytest.raises(DatasetError, match=r"line \d+: 'zz': ") as caught:
        load_dataset(write(tmp_path, {**DATABASE, "zz": entry}))
    lines = (tmp_path / "unav100_annotations.json").read_text().splitlines()
    number = next(n for n, line in enumerate(lines, start=1) if '"zz"' in line)
    assert f", line {number}: " in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize("video_id", ["", "../x", "a/b", ".x", "x" * 201])
def test_an_id_that_is_no_file_name_is_refused(tmp_path, video_id):
    with pytest.raises(DatasetError):
        load_dataset(write(tmp_path, {video_id: {"subset": "train"}}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"database": {\n"a": {"subset": "train"},\n"a": {"subset": "test"}}}',
            "line 3: names 'a'",
        ),
        ('{"database": {\n"a": {"subset": "train"}', "line 2: is not JSON"),
        ('{"database": {}}', "names no videos"),
        ('{"database": []}', "has no object named database"),
        ('{"data base": {}}', "not a JSON file of annotations"),
        ("", "line 1: is not JSON"),
        ("7", "not a JSON file of annotations"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, text, message):
    path = tmp_path / "u.json"
    path.write_text(text)
    with pytest.raises(DatasetError, match=r"u\.json") as caught:
        load_dataset(path)
    assert message in str(caught.value)


ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers(-5, 50) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["subset", "annotations", "label", "segment", "duration", "train"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("unav")


@given(ANY, st.sampled_from(["label", "segment", "label_id", "annotation", "entry", "database"]))
def test_any_json_is_read_or_refused(scratch, value, where):
    database = copy.deepcopy(DATABASE)
    if where == "database":
        database = value
    elif where == "entry":
        database["third"] = value
    elif where == "annotation":
        database["third"] = {"subset": "test", "annotations": [value]}
    else:
        database = changed(**{where: value})
    try:
        dataset = load_dataset(write(scratch, database))
    except DatasetError:
        return
    for row in dataset.rows:
        assert (row.is_event and row.label in dataset.labels.names) or (row.label, row.end) == (
            "",
            0,
        )
