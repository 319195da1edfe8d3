"""OV-AVEBench's files; the real ones, where they are."""

import json
from pathlib import Path

import pytest

from avloc.datasets import count_labels, load_dataset
from avloc.errors import DatasetError

META = """split,cls_name,cls_type,vid_name
train,people burping,close,EpxQKLhAP0s
val,playing mandolin,open,-kWe4EJtI3nE
test,people burping,close,tWe4EJtI3nE
test,"birds, chirping",open,silentsilen
"""
CLIPS = {
    "EpxQKLhAP0s": ("people burping", [0, 1, 1, 1, 0, 0, 0, 0, 0, 0]),
    "-kWe4EJtI3nE": ("playing mandolin", [1, 0, 1, 0, 0, 0, 0, 0, 0, 1]),
    "tWe4EJtI3nE": ("people burping", [1] * 10),
    "silentsilen": ("birds, chirping", [0] * 10),
}


def annotations(**changed: object) -> dict[str, object]:
    made = {clip: {"category": name, "label": str(label)} for clip, (name, label) in CLIPS.items()}
    return {**made, **changed}


def write(folder: Path, meta: str = META, content: object = None, text: str = "") -> Path:
    (folder / "ovave_dataset_meta.csv").write_text(meta, encoding="utf-8", newline="")
    text = text or json.dumps(content or annotations(), indent=4)
    (folder / "released_ovavel_dataset_anno.json").write_text(text, encoding="utf-8")
    return folder


def test_runs_of_seconds_are_rows_that_are_heard_and_seen(tmp_path):
    dataset = load_dataset(write(tmp_path))
    assert [(r.video_id, r.label, r.start, r.end, r.split) for r in dataset.rows] == [
        ("EpxQKLhAP0s", "people burping", 1, 4, "train"),
        ("-kWe4EJtI3nE", "playing mandolin", 0, 1, "val"),
        ("-kWe4EJtI3nE", "playing mandolin", 2, 3, "val"),
        ("-kWe4EJtI3nE", "playing mandolin", 9, 10, "val"),
        ("tWe4EJtI3nE", "people burping", 0, 10, "test"),
        ("silentsilen", "birds, chirping", 0, 0, "test"),
    ]
    assert {row.sense for row in dataset.rows} == {"both"}
    assert (dataset.labels.kind, dataset.n_segments) == ("exclusive", 10)
    assert dataset.events_of("silentsilen") == ()
    [(_, full), (_, silent)] = dataset.split("test")
    assert dataset.present(full).tolist() == [True, False, False]
    assert dataset.present(silent).tolist() == [False, False, False]
    assert count_labels(dataset).of("(no event)", "test") == 1


def test_the_type_of_each_class_is_its_group(tmp_path):
    assert load_dataset(write(tmp_path)).label_groups == {
        "people burping": "close",
        "playing mandolin": "open",
        "birds, chirping": "open",
    }


def test_videos_lie_in_a_folder_and_the_others_are_missing(tmp_path):
    (tmp_path / "videos/people burping").mkdir(parents=True)
    path = tmp_path / "videos/people burping/EpxQKLhAP0s.mp4"
    path.touch()
    dataset = load_dataset(write(tmp_path))
    assert dataset.videos == {"EpxQKLhAP0s": path}
    assert (dataset.coverage.present, dataset.coverage.total) == (1, 4)


@pytest.mark.parametrize(
    "meta",
    [
        "\ufeff" + META,
        META.replace("\n", "\r\n"),
        META.replace("\n", " \n\n"),
        META.replace("train,", " Train ,").replace("close", "Close "),
        META.partition("\n")[2],
        META.removesuffix("\n"),
        META.replace("people burping", '"people burping"'),
    ],
)
def test_a_table_as_people_save_it_says_the_same(tmp_path, meta):
    plain = load_dataset(write(tmp_path)).rows
    assert load_dataset(write(tmp_path, meta)).rows == plain


def test_a_label_that_is_a_list_is_read_like_a_text(tmp_path):
    plain = load_dataset(write(tmp_path)).rows
    lists = {clip: {"category": name, "label": label} for clip, (name, label) in CLIPS.items()}
    assert load_dataset(write(tmp_path, content=lists)).rows == plain


def test_annotated_clips_that_the_table_does_not_list_are_counted(tmp_path):
    extra = {f"x{n}": {"category": "a", "label": str([0] * 10)} for n in range(3)}
    dataset = load_dataset(write(tmp_path, content=annotations(**extra)))
    assert dataset.notes == (
        "released_ovavel_dataset_anno.json: 3 of its clips are not in ovave_dataset_meta.csv",
    )


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        ("train,people burping,close", "trian,people burping,close", "no split is called", "train"),
        ("train,people burping,close", "train,people burping,closed", "no type of class", "close"),
        ("test,people burping,close", "test,people burping,open", "is open here and close", ""),
        ("test,people burping,close,tWe", "test,people burping,close,xWe", "has no entry in", ""),
        ("close,tWe4EJtI3nE", "close,EpxQKLhAP0s", "is also on line 2", ""),
        ("people burping,close,Epx", "background,close,Epx", "not an event label", ""),
        ("close,tWe4EJtI3nE", "close,a/b", "is not a video id", ""),
        ("train,people burping,close", "train,people burping", "has 3 columns, not 4", "cls_name"),
        ("split,cls_name", "split,class", "no column is called 'cls_name'", "class"),
        ('"birds, chirping"', "birds, chirping", "has 5 columns, not 4", "cls_name"),
    ],
)
def test_a_wrong_line_of_the_table_is_named(tmp_path, old, new, message, hint):
    lines = META.splitlines()
    number = next(n for n, line in enumerate(lines, start=1) if old in line)
    with pytest.raises(DatasetError) as caught:
        load_dataset(write(tmp_path, META.replace(old, new)))
    assert f"ovave_dataset_meta.csv, line {number}: " in str(caught.value)
    assert message in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"category": "people burping", "label": "[0, 1]"}, "not ten numbers"),
        ({"category": "people burping", "label": "[0, 1, 1, 1, 0, 0, 0, 0, 0, 2]"}, "not ten"),
        ({"category": "people burping", "label": str([False] * 10)}, "not ten numbers"),
        ({"category": "people burping", "label": [True] * 10}, "not ten numbers"),
        ({"category": "people burping", "label": "[" * 100_000}, "not ten numbers"),
        ({"category": "people burping", "label": None}, "not ten numbers"),
        ({"category": "people burping"}, "not ten numbers"),
        ({"category": "people", "label": str([0] * 10)}, "its category is 'people'"),
        ([0] * 10, "not an object"),
    ],
)
def test_a_wrong_entry_is_named_with_its_line(tmp_path, entry, message):
    with pytest.raises(DatasetError) as caught:
        load_dataset(write(tmp_path, content=annotations(tWe4EJtI3nE=entry)))
    text = (tmp_path / "released_ovavel_dataset_anno.json").read_text().splitlines()
    line = next(n for n, line in enumerate(text, start=1) if line.startswith('    "tWe4'))
    assert f"anno.json, line {line}: 'tWe4EJtI3nE': " in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{\n"a": {},\n"a": {}}', "line 3: names 'a' twice"),
        ('{\n"a": {}', "line 2: is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "not a JSON object"),
        ('{"a": ' + "1" * 5000 + "}", "is not JSON"),
    ],
)
def test_damaged_json_is_named(tmp_path, text, message):
    with pytest.raises(DatasetError, match=r"released_ovavel_dataset_anno\.json") as caught:
        load_dataset(write(tmp_path, text=text))
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["ovave_dataset_meta.csv", "released_ovavel_dataset_anno.json"])
def test_half_of_the_files_is_not_the_data_set(tmp_path, name):
    write(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(DatasetError, match=f"there is no {name} in this folder"):
        load_dataset(tmp_path)


def test_the_published_clips_and_classes(real_annotations):
    folder = real_annotations / "ov-avel"
    dataset = load_dataset(folder)
    assert dataset.coverage.total == 24_800
    assert dataset.labels.n_labels == 67
    assert [len(dataset.split(split)) for split in ("train", "val", "test")] == [13182, 5798, 5820]
    silent = {row.video_id for row in dataset.rows if not row.is_event}
    assert len(silent) == 6019  # 24 %
    content = json.loads((folder / "released_ovavel_dataset_anno.json").read_text())
    seconds = dict.fromkeys(content, 0)
    for row in dataset.rows:
        for second in range(int(row.start), int(row.end)):
            seconds[row.video_id] += 1 << second
    assert all(
        json.loads(entry["label"]) == [seconds[clip] >> second & 1 for second in range(10)]
        for clip, entry in content.items()
    )
