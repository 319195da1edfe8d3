"""Whatever is wrong in a file of LLP or OV-AVEBench is refused with its line, or is left out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.datasets import load_dataset
from avloc.errors import DatasetError

CLIPS = [f"clip{n:07d}_{n}_{n + 10}" for n in range(4)]
LISTS = {"AVVP_train.csv": CLIPS[:1], "AVVP_val_pd.csv": CLIPS[1:2], "AVVP_test_pd.csv": CLIPS[2:]}
LLP: dict[str, list[list[str]]] = {
    **{name: [["filename", "event_labels"]] for name in LISTS},
    "AVVP_eval_audio.csv": [["filename", "onset", "offset", "event_labels"]],
    "AVVP_eval_visual.csv": [["filename", "onset", "offset", "event_labels"]],
}
for _name, _clips in LISTS.items():
    LLP[_name] += [[clip, "Dog,Speech"] for clip in _clips]
for _clip in CLIPS[1:]:
    LLP["AVVP_eval_audio.csv"].append([_clip, "1", "4", "Dog"])
    LLP["AVVP_eval_visual.csv"] += [[_clip, "0", "10", "Speech"], [_clip, "2", "5", "Dog"]]

META = [["split", "cls_name", "cls_type", "vid_name"]]
META += [[("train", "val", "test")[n % 3], "dog barking", "close", f"v{n}"] for n in range(4)]
ENTRIES = {
    f"v{n}": {"category": "dog barking", "label": str([n % 2] * 5 + [1] * 5)} for n in range(4)
}


def write_llp(folder: Path, name: str = "", text: str = "") -> Path:
    for other, rows in LLP.items():
        (folder / other).write_text("\n".join(map("\t".join, rows)) + "\n", encoding="utf-8")
    if name:
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def write_ov(folder: Path, rows: list[list[str]], entries: object) -> Path:
    meta = "\n".join(map(",".join, rows)) + "\n"
    (folder / "ovave_dataset_meta.csv").write_text(meta, encoding="utf-8")
    (folder / "released_ovavel_dataset_anno.json").write_text(json.dumps(entries, indent=1))
    return folder


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sets")


def assert_refused(folder: Path, name: str, line: int) -> None:
    with pytest.raises(DatasetError) as caught:
        load_dataset(folder)
    assert re.search(rf"{re.escape(name)}, line {line}: ", str(caught.value)), str(caught.value)
    assert len(str(caught.value)) < 2500 + len(str(folder))


NOT_A_TIME = st.sampled_from(["", "nan", "inf", "-1", "1_0", "１", "0x1", "1:30", "1,5", "1e400"])
NOT_A_LABEL = st.sampled_from(["Dogg", "background", "a\x0bb", "x" * 1001, "Dog,Speech", "dog"])
NOT_AN_ID = st.sampled_from(["", "..", "../x_0_10", "/a_0_10", "a\\b_0_10", ".h", "x" * 201])


@given(st.sampled_from(["audio", "visual"]), st.data())
def test_a_wrong_event_of_llp_is_refused_with_its_line(scratch, name, data):
    name = f"AVVP_eval_{name}.csv"
    rows = [row.copy() for row in LLP[name]]
    line = data.draw(st.integers(1, len(rows) - 1))
    column = data.draw(st.integers(0, 3))
    value = data.draw((NOT_AN_ID, NOT_A_TIME, NOT_A_TIME, NOT_A_LABEL)[column])
    rows[line][column] = value
    if "," in value and column == 3:
        rows[line][column] = f'"{value}"'
    folder = write_llp(scratch, name, "\n".join(map("\t".join, rows)) + "\n")
    assert_refused(folder, name, line + 1)


@given(st.sampled_from([*LLP]), st.data())
def test_a_missing_or_another_cell_is_refused_with_its_line(scratch, name, data):
    rows = [row.copy() for row in LLP[name]]
    line = data.draw(st.integers(1, len(rows) - 1))
    rows[line] = rows[line][1:] if data.draw(st.booleans()) else [*rows[line], "x"]
    folder = write_llp(scratch, name, "\n".join(map("\t".join, rows)) + "\n")
    assert_refused(folder, name, line + 1)


@given(st.sampled_from([*LLP]), st.text('\t\n",ab_0129.-é\0', max_size=40), st.booleans())
def test_any_text_is_read_or_refused(scratch, name, text, has_header):
    header = "\t".join(LLP[name][0]) + "\n" if has_header else ""
    try:
        dataset = load_dataset(write_llp(scratch, name, header + text))
    except DatasetError:
        return
    for row in dataset.rows:
        assert row.is_event or row.is_whole_video or (row.label, row.end) == ("", 0)
        assert 0 <= row.start <= row.end <= 10


WRONG = (
    st.sampled_from(["", "trian", "Tests", "x" * 100]),
    st.sampled_from(["", "background", "a\x0bb", "x" * 1001, "cat"]),
    st.sampled_from(["", "closed", "seen"]),
    st.sampled_from(["", "..", "a/b", "v9", "x" * 201]),
)


@given(st.integers(1, 4), st.integers(0, 3), st.data())
def test_a_wrong_cell_of_ov_avebench_is_refused_with_its_line(scratch, line, column, data):
    rows = [row.copy() for row in META]
    rows[line][column] = data.draw(WRONG[column])
    (scratch / "ov").mkdir(exist_ok=True)
    folder = write_ov(scratch / "ov", rows, ENTRIES)
    if (column, rows[line][1]) == (1, "cat"):  # it is the entry that disagrees
        assert_refused(folder, "released_ovavel_dataset_anno.json", 4 * line - 2)
    else:
        assert_refused(folder, "ovave_dataset_meta.csv", line + 1)


ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers(0, 1) | st.text("[]01, ", max_size=9),
    lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.just("label"), inner),
    max_leaves=12,
)


@given(ANY, st.booleans())
def test_an_entry_of_any_kind_is_read_or_refused_with_its_line(scratch, value, is_label):
    entry = {"category": "dog barking", "label": value} if is_label else value
    (scratch / "any").mkdir(exist_ok=True)
    folder = write_ov(scratch / "any", META, {**ENTRIES, "v2": entry})
    label = entry.get("label") if isinstance(entry, dict) else None
    numbers = json.loads(label) if isinstance(label, str) and is_json(label) else label
    if isinstance(numbers, list) and len(numbers) == 10 and all(type(n) is int for n in numbers):
        assert [row for row in load_dataset(folder).rows if row.video_id == "v2"]
    else:
        assert_refused(folder, "released_ovavel_dataset_anno.json", 10)


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
