"""Whatever is wrong in an annotation file or a manifest is refused with its line."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.datasets import Dataset, load_ave, load_manifest
from avloc.errors import DatasetError

FIELDS = ("video", "label", "start", "end", "split", "id", "sense")


def as_ave(rows: list[dict[str, str]]) -> str:
    return "".join(f"{r['label']}&{r['id']}&good&{r['start']}&{r['end']}\n" for r in rows)


def as_csv(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows([row[name] for name in FIELDS] for row in rows)
    return text.getvalue()


def as_jsonl(rows: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def load_annotations(path: Path) -> Dataset:
    return load_ave(path.parent)


Format = tuple[str, Callable[[list[dict[str, str]]], str], Callable[[Path], Dataset], int]
FORMATS: tuple[Format, ...] = (  # the last is the number of lines before the first row
    ("Annotations.txt", as_ave, load_annotations, 0),
    ("m.csv", as_csv, load_manifest, 1),
    ("m.jsonl", as_jsonl, load_manifest, 0),
)
FORMAT = st.sampled_from(FORMATS)
MANIFEST = st.sampled_from(FORMATS[1:])


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


def good_rows(n_rows: int) -> list[dict[str, str]]:
    """Return rows of different videos, each of them right in every format."""
    return [
        {
            "video": f"clips/v{k}.mp4",
            "label": ("Glocke", "dog, barking")[k % 2],
            "start": str(k % 3),
            "end": "7.5",
            "split": "",
            "id": f"v{k}",
            "sense": ("", "both", "heard", "seen", "unknown")[k % 5],
        }
        for k in range(n_rows)
    ]


def assert_refused(load: Callable[[Path], Dataset], path: Path, raw: bytes, line: int) -> None:
    """Check that a file is refused in one line that names the file and the line in it."""
    path.write_bytes(raw)
    with pytest.raises(DatasetError) as caught:
        load(path)
    message = str(caught.value)
    assert re.match(rf"{re.escape(str(path))}, line {line}: ", message), message
    assert len(message) < 1000 + len(str(path))


def one_field(name: str, values: tuple[str, ...]) -> st.SearchStrategy[dict[str, str]]:
    """Draw another value of one field."""
    return st.sampled_from(values).map(lambda value: {name: value})


NOT_A_TIME = ("nan", "inf", "-inf", "-1", "", "x", "1e400", "1_0", "１", "0x1", "1:30", "1,5")
NOT_AN_ID = ("..", ".", "../x", "/etc/passwd", "a/b", "a\\b", "a\0b", ".hidden", "x" * 201)
UNPRINTABLE = ("\0", "a\0", "a\x1b[31m", "a\x0bb", "a\u2028b")
WRONG = st.one_of(
    one_field("start", NOT_A_TIME),
    one_field("end", NOT_A_TIME),
    one_field("id", NOT_AN_ID),
    one_field("label", (*UNPRINTABLE, "background", "x" * 1001, "x" * 2**16, "x" * 10**6)),
    st.tuples(st.floats(0.1, 9), st.floats(0.1, 9))
    .filter(lambda times: times[0] > times[1])
    .map(lambda times: {"start": str(times[0]), "end": str(times[1])}),
)
NOT_A_PATH = ("../a.mp4", "a/../../b.mp4", "/../a.mp4", "", "/", "..", "a\0.mp4")
WRONG_IN_A_MANIFEST = st.one_of(
    one_field("video", NOT_A_PATH),
    one_field("split", ("training", "Train", "x" * 5000)),
    one_field("label", ("",)),  # and times
    one_field("sense", ("herd", "Both", "x" * 5000, "\0", "heard seen", "1")),
)
PLACE = st.integers(0, 5)


@given(FORMAT, PLACE, WRONG)
def test_wrong_row_is_refused_with_its_line(scratch, form, place, wrong):
    name, write, load, n_before = form
    rows = good_rows(6)
    rows[place] |= wrong
    raw = write(rows).encode()
    assert_refused(load, scratch / name, raw, place + 1 + n_before)


@given(MANIFEST, PLACE, WRONG_IN_A_MANIFEST)
def test_wrong_row_of_a_manifest_is_refused_with_its_line(scratch, form, place, wrong):
    name, write, load, n_before = form
    rows = good_rows(6)
    rows[place] |= wrong
    assert_refused(load, scratch / name, write(rows).encode(), place + 1 + n_before)


@given(FORMAT, st.integers(0, 4), st.data())
def test_repeated_row_or_id_is_refused_with_its_line(scratch, form, first, data):
    name, write, load, n_before = form
    second = data.draw(st.integers(first + 1, 5))
    rows = good_rows(6)
    if load is load_manifest:
        rows[second]["id"] = rows[first]["id"]  # one id, two videos
    else:
        rows[second] = rows[first]
    assert_refused(load, scratch / name, write(rows).encode(), second + 1 + n_before)


@given(FORMAT, PLACE, st.sampled_from([-1, 1]))
def test_wrong_number_of_fields_is_refused_with_its_line(scratch, form, place, more):
    name, write, load, n_before = form
    lines = write(good_rows(6)).splitlines()
    at = place + n_before
    if name == "m.jsonl":
        record = json.loads(lines[at])
        label = record.pop("label")
        lines[at] = json.dumps(record | {"lable": label} if more > 0 else {"label": label})
    else:
        mark = "&" if load is load_annotations else ","
        lines[at] = lines[at] + mark if more > 0 else lines[at].rsplit(mark, 1)[0]
    assert_refused(load, scratch / name, "\n".join(lines).encode(), at + 1)


@given(FORMAT, PLACE)
def test_text_in_latin_1_is_refused_with_its_line(scratch, form, place):
    name, write, load, n_before = form
    lines = write(good_rows(6)).split("\n")
    at = place + n_before
    raw = [line.encode() for line in lines]
    raw[at] = raw[at].replace(b"o", "ö".encode("latin-1"), 1)
    assert_refused(load, scratch / name, b"\n".join(raw), at + 1)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form[0])
def test_text_in_utf_16_is_refused_at_its_first_line(tmp_path, form, encoding):
    name, write, load, _ = form
    assert_refused(load, tmp_path / name, write(good_rows(3)).encode(encoding), 1)


@given(FORMAT, st.booleans(), st.booleans())
def test_byte_order_mark_and_carriage_returns_change_nothing(scratch, form, has_mark, has_returns):
    name, write, load, _ = form
    text = write(good_rows(4))
    (scratch / name).write_text(text, encoding="utf-8")
    plain = load(scratch / name)
    raw = text.replace("\n", "\r\n" if has_returns else "\n").encode()
    (scratch / name).write_bytes((b"\xef\xbb\xbf" if has_mark else b"") + raw)
    assert load(scratch / name).rows == plain.rows


def test_absolute_path_is_a_manifests_right_and_no_id(tmp_path):
    rows = good_rows(1)
    rows[0]["video"] = "/data/park.mp4"
    (tmp_path / "m.csv").write_text(as_csv(rows))
    assert [row.video_id for row in load_manifest(tmp_path / "m.csv").rows] == ["v0"]
