import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import avloc.datasets.manifest as documented
from avloc.datasets import find_boxes, load_dataset, load_manifest
from avloc.errors import DatasetError
from avloc.timeline import Grid

CSV = """video,label,start,end,split
clips/kitchen.mp4,frying,0.5,7.2,train
clips/kitchen.mp4,dog,8,9.5,train
clips/street.mp4,,,,val
park.mkv,dog,2,3,test
"""


def write(folder: Path, text: str, name: str = "manifest.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_csv_rows_labels_and_splits(tmp_path):
    dataset = load_manifest(write(tmp_path, CSV))
    assert dataset.labels.names == ("frying", "dog")
    assert [row.video_id for row in dataset.rows] == ["kitchen", "kitchen", "street", "park"]
    assert [row.split for row in dataset.rows] == ["train", "train", "val", "test"]
    assert (dataset.rows[0].start, dataset.rows[0].end) == (0.5, 7.2)
    assert (dataset.rows[2].label, dataset.n_segments) == ("", None)
    assert dataset.coverage.missing == ("kitchen", "street", "park")


def test_a_video_is_one_example_with_all_its_events(tmp_path):
    dataset = load_manifest(write(tmp_path, CSV))
    [(number, row)] = dataset.split("train")
    # Middles 0.5 .. 9.5: frying holds 0.5 (its start) to 6.5, dog 8.5 only (9.5 is its end).
    assert (number, dataset.targets(row, Grid(10)).classes.tolist()) == (0, [0] * 7 + [2, 1, 2])
    [(_, silent)] = dataset.split("val")
    assert dataset.targets(silent, Grid(2)).classes.tolist() == [2, 2]


def test_jsonl_says_the_same_as_csv(tmp_path):
    records = [
        {
            key: float(value) if key in ("start", "end") else value
            for key, value in row.items()
            if value
        }
        for row in csv.DictReader(io.StringIO(CSV))
    ]
    text = "\n".join(json.dumps(record) for record in records)
    assert load_dataset(write(tmp_path, text, "mine.jsonl")).rows == (
        load_dataset(write(tmp_path, CSV, "mine.csv")).rows
    )


def test_the_documented_examples_load(tmp_path):
    blocks = (documented.__doc__ or "").split("::\n\n")[1:]
    for name, block in zip(("a.csv", "b.jsonl"), blocks, strict=True):
        lines = [line.strip() for line in block.split("\n\n")[0].splitlines()]
        assert load_dataset(write(tmp_path, "\n".join(lines), name)).labels.names[0] == "frying"


def test_files_are_found_beside_the_manifest_and_by_absolute_path(tmp_path):
    elsewhere = tmp_path / "elsewhere" / "far.mp4"
    for path in (tmp_path / "set" / "clips" / "near.mp4", elsewhere):
        path.parent.mkdir(parents=True)
        path.touch()
    text = f"video,id\nclips/near.mp4,\n{elsewhere},distant\ngone.mp4,\n"
    dataset = load_dataset(write(tmp_path / "set", text).parent)
    assert dataset.videos == {"near": tmp_path / "set/clips/near.mp4", "distant": elsewhere}
    assert dataset.coverage.missing == ("gone",)
    assert load_dataset(dataset.root).rows == dataset.rows


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("../a.mp4,dog,0,1,", "not a path inside"),
        ("a/../../b.mp4,dog,0,1,", "not a path inside"),
        ("a\0b.mp4,dog,0,1,", "holds a NUL"),
        (f"a.mp4,{'d' * 1001},0,1,", "longer than 1000 bytes"),
        (f"a.mp4,{'d' * 70_000},0,1,", "more than 65536"),
        (f"a.mp4,dog,0,1,{'train' * 50}", "no split is called 'traintrain"),
        (",dog,0,1,", "is empty"),
        ("a.mp4,dog,2,1,", "from 2 to 1 s"),
        ("a.mp4,dog,2,2,", "from 2 to 2 s"),
        ("a.mp4,dog,,1,", "start is ''"),
        ("a.mp4,dog,nan,1,", "start is 'nan'"),
        ("a.mp4,,0,1,", "times but no label"),
        ("a.mp4,background,0,1,", "not an event label"),
        ("a.mp4,dog,0,1,training", "no split is called 'training'"),
        ("a.mp4,dog,0,1", "has 4 fields, the first line names 5"),
        ("other/street.mp4,dog,0,1,val", "line 4"),
        ("park.mkv,dog,5,6,train", "in split 'train' here and 'test' on line 5"),
        ('a.mp4,"dog,0,1,', "is not CSV"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, message):
    with pytest.raises(DatasetError, match=r"manifest.csv, line 6: ") as caught:
        load_manifest(write(tmp_path, CSV + line + "\n"))
    assert message in str(caught.value)
    assert caught.value.hint or "fields" in str(caught.value) or "CSV" in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 60_000, "is not JSON"),
        ("[1]", "not a JSON object"),
        ('{"label": "dog"}', "names no video"),
        ('{"video": 3}', "video is 3"),
        ('{"video": "a.mp4", "label": ["dog"]}', "label is"),
        ('{"video": "a.mp4", "label": "dog", "start": true, "end": 1}', "start is True"),
        ('{"video": "a.mp4", "label": "dog", "start": NaN, "end": 1}', "start is nan"),
        (f'{{"video": "a.mp4", "label": "dog", "start": 1{"0" * 400}, "end": 1}}', "start is 1000"),
        ('{"video": "a.mp4", "lable": "dog"}', "no manifest field is called 'lable'"),
        ('{"video": "\\ud800.mp4"}', "is not"),
        ('{"video": "a\\u0000.mp4"}', "is not"),
        ('{"video": "a.mp4", "video": "b.mp4"}', "names a field twice"),
    ],
)
def test_a_wrong_json_line_is_named(tmp_path, line, message):
    path = write(tmp_path, f'{{"video": "fine.mp4"}}\n{line}\n', "m.jsonl")
    with pytest.raises(DatasetError, match=r"m.jsonl, line 2: ") as caught:
        load_manifest(path)
    assert message in str(caught.value)


def test_wrong_columns_are_named_with_the_nearest(tmp_path):
    with pytest.raises(DatasetError, match="line 1: no manifest field is called 'Label'") as caught:
        load_manifest(write(tmp_path, "video,Label\na.mp4,dog\n"))
    assert "Did you mean 'label'" in caught.value.hint
    with pytest.raises(DatasetError, match="names a field twice"):
        load_manifest(write(tmp_path, "video,id,id\n"))
    with pytest.raises(DatasetError, match="holds no rows"):
        load_manifest(write(tmp_path, "video,label\n"))
    with pytest.raises(DatasetError, match="cannot be read"):
        load_manifest(tmp_path / "gone.csv")


def test_fields_that_say_nothing_here_are_ignored_and_named(tmp_path):
    plain = load_manifest(write(tmp_path, CSV))
    assert plain.ignored_fields == ()
    lines = [f"{line},{extra}" for line, extra in zip(CSV.splitlines(), "nabcd", strict=True)]
    more = load_manifest(write(tmp_path, "\n".join(lines).replace("split,n", "split,comment")))
    assert more.rows == plain.rows
    assert more.ignored_fields == ("comment",)
    text = '{"video": "a.mp4", "tags": ["x", {}]}\n{"video": "b.mp4", "idx": null, "tags": 1}\n'
    dataset = load_manifest(write(tmp_path, text, "m.jsonl"))
    assert dataset.ignored_fields == ("tags", "idx")
    assert [row.video_id for row in dataset.rows] == ["a", "b"]


def test_a_manifest_may_have_tabs_between_its_fields(tmp_path):
    plain = load_dataset(write(tmp_path, CSV))
    tabs = load_dataset(write(tmp_path, CSV.replace(",", "\t"), "manifest.tsv"))
    assert tabs.rows == plain.rows
    assert tabs.labels == plain.labels


def test_one_id_means_one_file_and_one_file_one_id(tmp_path):
    with pytest.raises(DatasetError, match=r"line 3: the id 'x' names x.mp4 here and .* line 2"):
        load_manifest(write(tmp_path, "video\na/x.mp4\nb/x.mp4\n"))
    with pytest.raises(DatasetError, match=r"line 3: x.mp4 has the id 'one' on an earlier line"):
        load_manifest(write(tmp_path, "video,id\nx.mp4,one\nx.mp4,two\n"))
    dataset = load_manifest(write(tmp_path, "video,id\na/x.mp4,one\nb/x.mp4,two\n"))
    assert [row.video_id for row in dataset.rows] == ["one", "two"]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


VALUE = st.one_of(
    st.sampled_from(
        ["a.mp4", "dog", "../x", "0", "3", "train", "", "\0", '"', "/", ".", "a" * 300]
    ),
    st.text(max_size=4),
)
CSV_TEXT = st.lists(st.lists(VALUE, min_size=5, max_size=5).map(",".join), max_size=3).map(
    lambda lines: "\n".join(["video,label,start,end,split", *lines]).encode(errors="replace")
)
JSON_TEXT = st.dictionaries(
    st.sampled_from(["video", "label", "start", "end", "split", "id", "other"]),
    st.one_of(VALUE, st.floats(), st.integers(), st.none(), st.booleans(), st.just([])),
).map(lambda record: json.dumps(record).encode())


@given(
    st.sampled_from(["m.csv", "m.jsonl"]), st.one_of(st.binary(max_size=40), CSV_TEXT, JSON_TEXT)
)
def test_any_bytes_are_read_or_refused_by_name(scratch, name, raw):
    (scratch / name).write_bytes(raw)
    try:
        dataset = load_manifest(scratch / name)
    except DatasetError:
        return
    for row in dataset.rows:
        assert (scratch / "videos" / f"{row.video_id}.h5").parent == scratch / "videos"
        assert row.start < row.end or (row.label, row.start, row.end) == ("", 0, 0)


def test_boxes_lie_beside_a_manifest_and_in_a_data_sets_folder(tmp_path):
    manifest = write(tmp_path, CSV)
    assert find_boxes(load_dataset(manifest).root) is None
    two = "[[0, 0, 0.5, 1], [0.5, 0, 1, 1]]"
    write(tmp_path, f'{{"park": [[0, 0, 0.5, 1], null, {two}]}}', "boxes.json")
    expected = {"park": [((0, 0, 0.5, 1),), (), ((0, 0, 0.5, 1), (0.5, 0, 1, 1))]}
    assert find_boxes(load_dataset(manifest).root) == expected
    assert find_boxes(tmp_path) == expected


def test_true_events_of_a_video_are_those_of_its_rows(tmp_path):
    dataset = load_manifest(write(tmp_path, CSV))
    events = dataset.events_of("kitchen")
    assert [(e.start, e.end, e.label) for e in events] == [(0.5, 7.2, "frying"), (8, 9.5, "dog")]
    assert dataset.events_of("street") == ()  # known to hold nothing
    assert dataset.events_of("cellar") is None  # no row names it


def test_an_exported_table_is_a_manifest(tmp_path):
    for name in ("one.mp4", "videos/deep/two.mkv", "video/two.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    text = "video_id,start,end,label,score,sense,heard,seen\n"
    text += 'one,0.5,2,"dog, barking",0.91,heard,0.9,0.1\ntwo,1,2,cat,,both,,\n'
    dataset = load_dataset(write(tmp_path, text + text.replace("two", "gone"), "answers.csv"))
    assert [(r.video_id, r.label, r.start, r.end, r.sense) for r in dataset.rows[:2]] == [
        ("one", "dog, barking", 0.5, 2, "heard"),
        ("two", "cat", 1, 2, "both"),
    ]
    assert dataset.videos == {"one": tmp_path / "one.mp4", "two": tmp_path / "video/two.mp4"}
    assert (dataset.coverage.missing, dataset.ignored_fields) == (("gone",), ())


def test_an_id_that_is_a_path_names_its_video(tmp_path):
    (tmp_path / "yard").mkdir()
    (tmp_path / "yard/two.mp4").touch()
    text = '{"video_id": "yard/two.mp4", "label": "dog", "start": 0, "end": 1, "score": 0.5}\n'
    dataset = load_dataset(write(tmp_path, text, "answers.jsonl"))
    assert dataset.videos == {"yard__two": tmp_path / "yard/two.mp4"}
    with pytest.raises(DatasetError, match="not a path inside"):
        load_dataset(write(tmp_path, text.replace("yard/", "../"), "answers.jsonl"))


def test_dcases_table_is_a_manifest(tmp_path):
    text = "filename\tonset\toffset\tevent_label\nin/a.wav\t0.5\t2\tdog\n"
    dataset = load_dataset(write(tmp_path, text, "meta.tsv"))
    [row] = dataset.rows
    assert (row.video_id, row.label, row.start, row.end) == ("a", "dog", 0.5, 2)


def test_a_field_that_is_near_a_fields_name_by_chance_is_ignored(tmp_path):
    dataset = load_dataset(write(tmp_path, "video,scene,id\na.mp4,street,x\n"))
    assert dataset.ignored_fields == ("scene",)
    with pytest.raises(DatasetError, match="no manifest field is called 'senses'"):
        load_dataset(write(tmp_path, "video,senses\na.mp4,seen\n"))
    with pytest.raises(DatasetError, match="no manifest field is called 'event_labels'"):
        load_dataset(write(tmp_path, "filename\tevent_labels\na.wav\tdog,cat\n", "weak.tsv"))
    with pytest.raises(DatasetError, match="names no video"):
        load_dataset(write(tmp_path, "label,start\ndog,1\n"))
