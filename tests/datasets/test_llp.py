"""LLP's files, as published and as people save them; the real ones, where they are."""

import csv
from pathlib import Path

import numpy as np
import pytest

from avloc.datasets import count_labels, load_dataset
from avloc.errors import DatasetError
from avloc.timeline import Grid

TRAIN = """filename\tevent_labels
AAAAAAAAAAA_20_30\tSpeech,Dog
BBBBBBBBBBB_101.8_111.8\tAccordion
"""
VAL = """filename\tevent_labels
VVVVVVVVVVV_0_10\tSpeech
"""
TEST = """filename\tevent_labels
--4gqARaEJE_0_10\tSpeech,Dog
TTTTTTTTTT2_0_10\tDog,Dog
TTTTTTTTTT3_30_40\tCat
"""
AUDIO = """filename\tonset\toffset\tevent_labels
--4gqARaEJE_0_10\t0\t4\tSpeech
--4gqARaEJE_0_10\t6\t8\tSpeech
--4gqARaEJE_0_10\t6\t8\tSpeech
--4gqARaEJE_0_10\t9\t9\tDog
VVVVVVVVVVV_0_10\t9\t0\tSpeech
19jWnmYnlD8_30_400\t0\t1\tDog
"""
VISUAL = """filename\tonset\toffset\tevent_labels
--4gqARaEJE_0_10\t2\t10\tSpeech
TTTTTTTTTT2_0_10\t0\t10\tDog
"""
FILES = {
    "AVVP_train.csv": TRAIN,
    "AVVP_val_pd.csv": VAL,
    "AVVP_test_pd.csv": TEST,
    "AVVP_eval_audio.csv": AUDIO,
    "AVVP_eval_visual.csv": VISUAL,
}


def write(folder: Path, **changed: str | None) -> Path:
    """Write LLP's files; ``test_pd="..."`` replaces one, None leaves it out."""
    for name, text in FILES.items():
        text = changed.get(name.removeprefix("AVVP_").removesuffix(".csv"), text)
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


def rows_of(dataset, video_id):
    return [
        (r.label, r.start, r.end, r.sense, r.is_whole_video)
        for r in dataset.rows
        if r.video_id == video_id
    ]


def test_training_clips_have_labels_of_the_whole_clip(tmp_path):
    dataset = load_dataset(write(tmp_path))
    assert rows_of(dataset, "AAAAAAAAAAA_20_30") == [
        ("Speech", 0, 0, "unknown", True),
        ("Dog", 0, 0, "unknown", True),
    ]
    assert [len(dataset.split(split)) for split in ("train", "val", "test", "")] == [2, 1, 3, 0]
    assert (dataset.labels.kind, dataset.n_segments) == ("independent", 10)
    assert dataset.labels.names == ("Speech", "Dog", "Accordion", "Cat")  # in order of appearance
    assert dataset.events_of("AAAAAAAAAAA_20_30") is None


def test_evaluated_clips_have_events_that_are_heard_and_events_that_are_seen(tmp_path):
    dataset = load_dataset(write(tmp_path))
    assert rows_of(dataset, "--4gqARaEJE_0_10") == [
        ("Speech", 0, 4, "heard", False),
        ("Speech", 6, 8, "heard", False),
        ("Speech", 2, 10, "seen", False),
    ]
    [event] = dataset.events_of("--4gqARaEJE_0_10")
    assert (event.start, event.end, event.sense) == (0, 10, "both")
    assert rows_of(dataset, "TTTTTTTTTT2_0_10") == [("Dog", 0, 10, "seen", False)]
    assert rows_of(dataset, "TTTTTTTTTT3_30_40") == [("", 0, 0, "unknown", False)]  # no event


def test_what_is_heard_and_seen_at_once_is_counted_once(tmp_path):
    counts = count_labels(load_dataset(write(tmp_path)))
    assert counts.columns == ("train", "val", "test")
    assert counts.counts == {
        "Speech": (1, 0, 1),  # two rows heard and one seen: one event
        "Dog": (1, 0, 1),
        "Accordion": (1, 0, 0),
        "Cat": (0, 0, 0),
        "(no event)": (0, 1, 1),
    }


def test_weak_labels_are_those_of_the_split_file(tmp_path):
    dataset = load_dataset(write(tmp_path))
    test = {row.video_id: row for _, row in dataset.split("test")}
    present = {
        clip: np.array(dataset.labels.names)[dataset.present(row)].tolist()
        for clip, row in test.items()
    }
    assert present["--4gqARaEJE_0_10"] == ["Speech", "Dog"]  # although the dog has no second
    assert present["TTTTTTTTTT2_0_10"] == ["Dog"]
    assert dataset.weak_labels["TTTTTTTTTT3_30_40"] == ("Cat",)


def test_what_is_left_out_is_counted_and_named(tmp_path):
    assert load_dataset(write(tmp_path)).notes == (
        "AVVP_eval_audio.csv: 2 of its events have an empty or negative span and are left out: "
        "lines 5, 6",
        "AVVP_eval_audio.csv: 1 of its events repeat another and are left out",
        "AVVP_eval_audio.csv: 1 of its events are of clips that no split file names and are left "
        "out: 19jWnmYnlD8_30_400",
    )


@pytest.mark.parametrize("read", ["AVVP_test_pd.csv", "AVVP_eval_visual.csv", ""])
def test_the_folder_or_one_of_its_files_names_the_data_set(tmp_path, read):
    folder = write(tmp_path)
    assert load_dataset(folder / read).rows == load_dataset(folder).rows


def test_without_the_evaluation_files_all_labels_are_weak(tmp_path):
    dataset = load_dataset(write(tmp_path, eval_audio=None, eval_visual=None, train=None))
    assert {row.is_whole_video for row in dataset.rows} == {True}
    assert len(dataset.rows) == 5
    with pytest.raises(DatasetError, match=r"no AVVP_eval_visual\.csv beside the other"):
        load_dataset(write(tmp_path, eval_visual=None, train=None))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "  \n"),
        lambda text: text.replace("\n", "\t\n").replace("\t\n", "\n") + "\n\n",
        lambda text: text.replace("\t", " \t "),
        lambda text: text.partition("\n")[2],  # no header line
        lambda text: text.removesuffix("\n"),
        lambda text: "".join(
            "\t".join(f'"{cell}"' for cell in line.split("\t")) + "\n" for line in text.splitlines()
        ),
        lambda text: "".join(
            ",".join(f'"{cell}"' for cell in line.split("\t")) + "\n" for line in text.splitlines()
        ),
    ],
    ids=["mark", "returns", "spaces", "blank", "padded", "headless", "endless", "quoted", "commas"],
)
def test_files_as_people_save_them_say_the_same(tmp_path, change):
    (tmp_path / "plain").mkdir()
    (tmp_path / "saved").mkdir()
    changed = {
        name.removeprefix("AVVP_").removesuffix(".csv"): change(text)
        for name, text in FILES.items()
    }
    saved = load_dataset(write(tmp_path / "saved", **changed))
    plain = load_dataset(write(tmp_path / "plain"))
    assert saved.rows == plain.rows
    assert len(saved.notes) == len(plain.notes)


def test_columns_may_have_another_order_and_company(tmp_path):
    lines = [line.split("\t") for line in AUDIO.splitlines()]
    text = "\n".join("\t".join([c[3], c[1], "x", c[0], c[2]]) for c in lines)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert (
        load_dataset(write(tmp_path / "a", eval_audio=text)).rows
        == load_dataset(write(tmp_path / "b")).rows
    )


@pytest.mark.parametrize(
    ("name", "line", "message", "hint"),
    [
        ("eval_audio", "--4gqARaEJE_0_10\t0\t4\tSpeach", "no class is called 'Speach'", "'Speech'"),
        ("eval_audio", "--4gqARaEJE_0_10\tx\t4\tSpeech", "onset is 'x'", ""),
        ("eval_audio", "--4gqARaEJE_0_10\t-1\t4\tSpeech", "onset is '-1'", ""),
        ("eval_visual", "--4gqARaEJE_0_10\t\t4\tSpeech", "onset is ''", ""),
        ("eval_visual", "--4gqARaEJE_0_10\t0\tnan\tSpeech", "offset is 'nan'", ""),
        ("eval_visual", "--4gqARaEJE_0_10\t3\t11\tSpeech", "from 3 to 11 s of 10", ""),
        ("eval_visual", "--4gqARaEJE_0_10\t3\t4", "has 3 columns, not 4", "filename, onset"),
        ("eval_visual", "../etc_0_10\t3\t4\tDog", "is not a video id", ""),
        ("test_pd", "--4gqARaEJE_0_10\tSpeech", "also on line 2 of AVVP_test_pd.csv", ""),
        ("test_pd", "AAAAAAAAAAA_20_30\tSpeech,Dog", "also on line 2 of AVVP_train.csv", ""),
        ("test_pd", "TTTTTTTTTT9_0_10\tSpeech,,Dog", "the label is empty", ""),
        ("test_pd", "TTTTTTTTTT9_0_10 Speech", "has 1 columns, not 2", "filename, event_labels"),
        ("train", "TTTTTTTTTT9_0_10\tbackground", "not an event label", ""),
        ("train", 'TTTTTTTTTT9_0_10\t"Dog', "is not a table", ""),
        ("train", "a/b_0_10\tDog", "is not a video id", ""),
    ],
)
def test_a_wrong_line_is_named(tmp_path, name, line, message, hint):
    text = FILES[f"AVVP_{name}.csv"]
    number = text.count("\n") + 1
    with pytest.raises(DatasetError) as caught:
        load_dataset(write(tmp_path, **{name: text + line + "\n"}))
    assert f"AVVP_{name}.csv, line {number}: " in str(caught.value)
    assert message in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("name", "header", "near"),
    [
        ("test_pd", "filename\tevent_label", "event_label"),
        ("test_pd", "file\tlabels", ""),
        ("eval_audio", "filename\tonset\tofset\tevent_labels", "ofset"),
        ("eval_audio", "filename\tonset\tevent_labels", ""),
    ],
)
def test_a_wrong_column_is_named(tmp_path, name, header, near):
    text = header + "\n" + FILES[f"AVVP_{name}.csv"].partition("\n")[2]
    with pytest.raises(DatasetError, match=rf"AVVP_{name}.csv, line 1: no column is") as caught:
        load_dataset(write(tmp_path, **{name: text}))
    assert near in caught.value.hint


def test_videos_have_the_name_of_the_clip_or_of_its_id(tmp_path):
    names = (
        "AAAAAAAAAAA_20_30.mkv",
        "videos/BBBBBBBBBBB.mp4",
        "video/in/--4gqARaEJE.mp4",
        "LLP_dataset/video/VVVVVVVVVVV.mp4",
        "videos/other.mp4",
        "TTTTTTTTTT2.heatmap.mp4",
    )
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    dataset = load_dataset(write(tmp_path))
    assert {
        clip: path.relative_to(tmp_path).as_posix() for clip, path in dataset.videos.items()
    } == {
        "AAAAAAAAAAA_20_30": names[0],
        "BBBBBBBBBBB_101.8_111.8": names[1],
        "--4gqARaEJE_0_10": names[2],
        "VVVVVVVVVVV_0_10": names[3],
    }
    assert dataset.coverage.missing == ("TTTTTTTTTT2_0_10", "TTTTTTTTTT3_30_40")


def test_a_video_of_two_clips_is_not_taken_for_one(tmp_path):
    (tmp_path / "AAAAAAAAAAA.mp4").touch()
    text = TRAIN + "AAAAAAAAAAA_40_50\tDog\n"
    assert load_dataset(write(tmp_path, train=text)).videos == {}


# the published files


def table(path):
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def test_the_published_clips_and_classes(real_annotations):
    dataset = load_dataset(real_annotations / "llp")
    assert dataset.coverage.total == 11_849
    assert dataset.labels.n_labels == 25
    assert dataset.labels.kind == "independent"
    assert [len(dataset.split(split)) for split in ("train", "val", "test")] == [10_000, 649, 1200]


def test_published_test_clips_without_anything_to_see_or_hear(real_annotations):
    folder = real_annotations / "llp"
    dataset = load_dataset(folder)
    clips = {row.video_id for _, row in dataset.split("test")}
    for sense, name, n_unlisted in (("seen", "visual", 121), ("heard", "audio", 5)):
        listed = table(folder / f"AVVP_eval_{name}.csv")
        assert len(clips - {line["filename"] for line in listed}) == n_unlisted
        real = {line["filename"] for line in listed if int(line["onset"]) < int(line["offset"])}
        known = {row.video_id for row in dataset.rows if row.sense == sense}
        # The only line of one of the clips that are heard has no length.
        assert len(clips - known) == len(clips - real) == n_unlisted + (sense == "heard")


def test_published_lines_that_are_left_out(real_annotations):
    dataset = load_dataset(real_annotations / "llp")
    spans, repeats, strange, strange_seen = dataset.notes
    assert "6 of its events have an empty or negative span" in spans
    assert spans.endswith("lines 48, 66, 100, 129, 137, 3770")
    assert "8 of its events repeat another" in repeats
    assert "of clips that no split file names" in strange
    assert "19jWnmYnlD8_30_400" in strange_seen


def test_published_seconds_are_those_of_the_files(real_annotations):
    folder = real_annotations / "llp"
    dataset = load_dataset(folder)
    names, expected = dataset.labels.names, {}
    for name in ("audio", "visual"):
        for line in table(folder / f"AVVP_eval_{name}.csv"):
            seconds = expected.setdefault((line["filename"], name), np.zeros((10, 25), bool))
            part = slice(int(line["onset"]), int(line["offset"]))
            seconds[part, names.index(line["event_labels"])] = True
    nothing = np.zeros((10, 25), bool)
    for split in ("val", "test"):
        for _, row in dataset.split(split):
            targets = dataset.targets(row, Grid(10))
            assert (targets.heard == expected.get((row.video_id, "audio"), nothing)).all()
            assert (targets.seen == expected.get((row.video_id, "visual"), nothing)).all()
            assert (targets.events == targets.heard | targets.seen).all()
            assert targets.scored.all()


def test_published_weak_labels_of_test_clips(real_annotations):
    dataset = load_dataset(real_annotations / "llp")
    names = np.array(dataset.labels.names)
    row_of = {row.video_id: row for _, row in dataset.split("test")}
    for line in table(real_annotations / "llp" / "AVVP_test_pd.csv"):
        present = names[dataset.present(row_of[line["filename"]])]
        assert set(present) == set(line["event_labels"].split(","))
