"""Label Studio's exports as manifests."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.datasets import load_dataset
from avloc.errors import DatasetError


def region(number, label, start, end, **more):
    return {
        "id": number,
        "from_name": "events",
        "to_name": "audio",
        "type": "labels",
        "original_length": 10.0,
        "value": {"start": start, "end": end, "channel": 0, "labels": [label]},
        **more,
    }


def sense(number, word):
    return {
        "id": number,
        "from_name": "sense",
        "to_name": "audio",
        "type": "choices",
        "value": {"start": 0, "end": 1, "channel": 0, "choices": [word]},
    }


def task(video="films/yard.mp4", regions=(), **more):
    annotation = {"id": 7, "was_cancelled": False, "ground_truth": False, "result": list(regions)}
    return {
        "id": 3,
        "data": {"video": video},
        "annotations": [annotation],
        "predictions": [],
        **more,
    }


YARD = [region("r1", "dog", 0.5, 2), region("r2", "siren", 1.25, 9.75), sense("r2", "heard")]


def write(folder: Path, content, name="export.json", **how) -> Path:
    (folder / name).write_text(json.dumps(content, **how), encoding="utf-8")
    return folder / name


def rows_of(dataset):
    return [(r.video_id, r.label, r.start, r.end, r.sense) for r in dataset.rows]


def test_regions_are_events_with_the_sense_that_was_chosen(tmp_path):
    dataset = load_dataset(write(tmp_path, [task(regions=YARD), task("street.mp4")]))
    assert rows_of(dataset) == [
        ("yard", "dog", 0.5, 2, "unknown"),
        ("yard", "siren", 1.25, 9.75, "heard"),
        ("street", "", 0, 0, "unknown"),  # looked at, and nothing in it
    ]
    assert (dataset.labels.kind, dataset.notes) == ("independent", ())
    assert dataset.coverage.missing == ("yard", "street")


def test_the_smaller_export_says_the_same(tmp_path):
    small = {
        "id": 3,
        "video": "films/yard.mp4",
        "events": [r["value"] for r in YARD if r["type"] == "labels"],
        "annotator": 1,
        "annotation_id": 7,
    }
    dataset = load_dataset(write(tmp_path, [small]))
    assert [row[:4] for row in rows_of(dataset)] == [
        ("yard", "dog", 0.5, 2),
        ("yard", "siren", 1.25, 9.75),
    ]


def test_one_task_alone_is_an_export(tmp_path):
    assert len(load_dataset(write(tmp_path, task(regions=YARD))).rows) == 2


@pytest.mark.parametrize(
    ("video", "video_id", "found"),
    [
        ("films/yard.mp4", "yard", True),
        ("/data/upload/2/0a1b2c3d-yard.mp4", "yard", False),
        ("/data/local-files/?d=films/yard.mp4", "yard", True),
        ("https://host.example/a/the%20yard.mp4?token=1", "the yard", False),
        ("s3://bucket/yard.mp4", "yard", False),
        ("yard.final.mp4", "yard.final", False),
        ("0a1b2c3d-yard.mp4", "0a1b2c3d-yard", False),  # not an upload
        (".mp4", "_mp4", False),
    ],
)
def test_a_video_is_named_by_a_path_or_an_address(tmp_path, video, video_id, found):
    path = tmp_path / "films/yard.mp4"
    path.parent.mkdir()
    path.touch()
    dataset = load_dataset(write(tmp_path, [task(video, YARD)]))
    assert {row.video_id for row in dataset.rows} == {video_id}
    assert dataset.videos == ({video_id: path} if found else {})


def test_the_id_and_the_split_of_a_task_count(tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/named.mp4").touch()
    made = task("gone.mp4", YARD)
    made["data"] |= {"video_id": "named", "split": "test"}
    dataset = load_dataset(write(tmp_path, [made]))
    assert {(row.video_id, row.split) for row in dataset.rows} == {("named", "test")}
    assert dataset.videos == {"named": tmp_path / "videos/named.mp4"}


def test_the_ground_truth_counts_else_the_last_that_was_not_skipped(tmp_path):
    def read(*annotations):
        made = task() | {"annotations": list(annotations)}
        return load_dataset(write(tmp_path, [made, task("b.mp4")])).rows[0].label

    first, second, third = ({"result": [region("r", name, 0, 1)]} for name in ("a", "b", "c"))
    assert read(first, second) == "b"
    assert read(first, second, third | {"was_cancelled": True}) == "b"
    assert read(first | {"ground_truth": True}, second) == "a"


def test_tasks_that_nobody_annotated_are_left_out(tmp_path):
    skipped = task("c.mp4")
    skipped["annotations"][0]["was_cancelled"] = True
    guessed = task("b.mp4") | {"annotations": [], "predictions": [{"result": YARD}]}
    dataset = load_dataset(write(tmp_path, [task("a.mp4", YARD), guessed, skipped]))
    assert {row.video_id for row in dataset.rows} == {"a"}
    assert dataset.notes == ("2 tasks without annotation are left out",)


def test_predictions_are_read_if_nothing_is_annotated(tmp_path):
    guessed = {"data": {"video": "b.mp4"}, "predictions": [{"result": YARD}]}
    dataset = load_dataset(write(tmp_path, [guessed]))
    assert len(dataset.rows) == 2
    assert dataset.notes == ("no task of the export is annotated: its predictions are read",)
    with pytest.raises(DatasetError, match="holds no annotated task"):
        load_dataset(write(tmp_path, [{"data": {"video": "b.mp4"}}]))


def test_other_regions_are_no_events(tmp_path):
    others = [
        {"id": "x", "type": "textarea", "from_name": "note", "value": {"text": ["hm"]}},
        {"id": "y", "type": "labels", "value": {"start": 1, "end": 2, "channel": 0}},
        {"id": "z", "type": "choices", "from_name": "scene", "value": {"choices": ["street"]}},
        region("w", "dog", 3, 3),
    ]
    dataset = load_dataset(write(tmp_path, [task(regions=[*YARD, *others])]))
    assert len(dataset.rows) == 2
    assert dataset.notes == ("1 regions without length are left out",)


FRAMES = {"type": "timelinelabels", "value": {"ranges": [{"start": 3, "end": 9}]}}
FRAMES["value"]["timelinelabels"] = ["dog"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (task(regions=[region("r", "dog", 2, 1)]), "from 2 to 1 s"),
        (task(regions=[region("r", "dog", -1, 1)]), "start is -1"),
        (task(regions=[region("r", "dog", "0", 1)]), "start is '0'"),
        (task(regions=[region("r", "dog", 0, True)]), "end is True"),
        (task(regions=[region("r", "dog", 0, float("nan"))]), "end is nan"),
        (task(regions=[region("r", "background", 0, 1)]), "not an event label"),
        (task(regions=[region("r", 5, 0, 1)]), "a label is 5"),
        (task(regions=[region("r", "dog", 0, 1), sense("r", "herd")]), "no sense is called"),
        (task(regions=[FRAMES]), "count frames"),
        ({"video": "c.mp4", "events": [FRAMES["value"]]}, "count frames"),
        (task(regions=["r"]), "a region is 'r'"),
        (task(regions=[{"value": []}]), "a region's value is []"),
        (task() | {"annotations": {}}, "annotations is {}"),
        (task() | {"annotations": [[]]}, "one of annotations is []"),
        (task("street.mp4"), "the video 'street' is also the task on line 2"),
        (task(""), "name no video"),
        ({"data": {}, "annotations": [{"result": []}]}, "name no video"),
        ({"id": 1}, "name no video"),
        (5, "a task is 5"),
    ],
)
def test_a_wrong_task_is_named_with_its_line(tmp_path, changed, message):
    first, second = json.dumps(task("street.mp4", YARD)), json.dumps(changed)
    path = tmp_path / "export.json"
    path.write_text(f"[\n{first}\n,\n  {second}]")
    with pytest.raises(DatasetError, match=r"export.json, line 4: ") as caught:
        load_dataset(path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "line 1: is not JSON"),
        ("[]", "holds no annotated task"),
        ('[\n{"data": {}}\n', "line 3: is not JSON"),
        ('{"schema": "avloc.localization/1"}', "not a JSON file of annotations"),
        ('{"tasks": []}', "not a JSON file of annotations"),
    ],
)
def test_another_file_is_refused(tmp_path, text, message):
    (tmp_path / "export.json").write_text(text)
    with pytest.raises(DatasetError, match=r"export\.json") as caught:
        load_dataset(tmp_path / "export.json")
    assert message in str(caught.value)


ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["result", "value", "labels", "start", "end", "choices", "id", "data"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("tasks")


@given(ANY, st.sampled_from(["task", "data", "annotations", "result", "value", "labels"]))
def test_any_json_is_read_or_refused(scratch, value, where):
    made = copy.deepcopy(task(regions=YARD))
    if where in ("data", "annotations"):
        made[where] = value
    elif where == "result":
        made["annotations"][0]["result"] = value
    elif where == "value":
        made["annotations"][0]["result"][0]["value"] = value
    elif where == "labels":
        made["annotations"][0]["result"][0]["value"]["labels"] = value
    try:
        dataset = load_dataset(write(scratch, [value if where == "task" else made]))
    except DatasetError:
        return
    assert all(row.is_event or not row.label for row in dataset.rows)
