"""ELAN's documents as manifests, also those that another library wrote."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pympi.Elan import Eaf

from avloc.datasets import load_dataset
from avloc.errors import DatasetError

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="a" DATE="2026-01-01T00:00:00" FORMAT="3.0" VERSION="3.0">
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
        <MEDIA_DESCRIPTOR MEDIA_URL="file:///films/the%20yard.wav" MIME_TYPE="audio/x-wav"/>
        <MEDIA_DESCRIPTOR MEDIA_URL="file:///films/the%20yard.mp4" MIME_TYPE="video/mp4"
            RELATIVE_MEDIA_URL="./films/the%20yard.mp4"/>
    </HEADER>
    <TIME_ORDER>
        <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="500"/>
        <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="2000"/>
        <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="1250"/>
        <TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="61000"/>
    </TIME_ORDER>
    <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="dog &amp; cat">
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
                <ANNOTATION_VALUE></ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
                <ANNOTATION_VALUE> siren </ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="sense" PARENT_REF="dog &amp; cat" TIER_ID="dog &amp; cat: sense">
        <ANNOTATION>
            <REF_ANNOTATION ANNOTATION_ID="s2" ANNOTATION_REF="a2">
                <ANNOTATION_VALUE>heard</ANNOTATION_VALUE>
            </REF_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="note" PARENT_REF="dog &amp; cat" TIER_ID="remarks">
        <ANNOTATION>
            <REF_ANNOTATION ANNOTATION_ID="n1" ANNOTATION_REF="a1">
                <ANNOTATION_VALUE>is it a dog?</ANNOTATION_VALUE>
            </REF_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
"""


def write(folder: Path, text: str = DOCUMENT, name: str = "answer.eaf") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def rows_of(dataset):
    return [(r.video_id, r.label, r.start, r.end, r.sense) for r in dataset.rows]


def test_annotations_are_events_of_the_documents_video(tmp_path):
    dataset = load_dataset(write(tmp_path))
    assert rows_of(dataset) == [
        ("the yard", "dog & cat", 0.5, 2, "unknown"),  # the tier's name
        ("the yard", "siren", 1.25, 61, "heard"),
    ]
    assert dataset.labels.kind == "independent"
    assert dataset.coverage.missing == ("the yard",)


@pytest.mark.parametrize("where", ["films/the yard.mp4", "the yard.mkv", "videos/the yard.mp4"])
def test_the_video_is_where_the_document_says_or_next_to_it(tmp_path, where):
    path = tmp_path / where
    path.parent.mkdir(exist_ok=True)
    path.touch()
    document = write(tmp_path)
    assert load_dataset(document).videos == {"the yard": path}
    absolute = DOCUMENT.replace("file:///films/the%20yard.mp4", path.as_uri())
    assert load_dataset(write(tmp_path, absolute)).videos == {path.stem: path}


def test_a_document_without_media_has_the_name_of_its_file(tmp_path):
    lines = [line for line in DOCUMENT.splitlines() if "MEDIA_" not in line or "HEADER" in line]
    dataset = load_dataset(write(tmp_path, "\n".join(lines), "clip.avloc.eaf"))
    assert {row.video_id for row in dataset.rows} == {"clip"}


def test_a_folder_of_documents_is_one_data_set(tmp_path):
    write(tmp_path, DOCUMENT, "one.eaf")
    write(tmp_path, DOCUMENT.replace("the%20yard", "street").replace("siren", "bell"), "two.eaf")
    dataset = load_dataset(tmp_path)
    assert [row.video_id for row in dataset.rows] == ["the yard"] * 2 + ["street"] * 2
    assert dataset.labels.names == ("dog & cat", "siren", "bell")
    write(tmp_path, DOCUMENT, "three.eaf")
    with pytest.raises(DatasetError, match=r"three\.eaf") as caught:
        load_dataset(tmp_path)
    assert "is of the video 'the yard', as" in str(caught.value)


def test_documents_next_to_videos_are_not_taken_for_truth(tmp_path):
    (tmp_path / "the yard.mp4").touch()
    write(tmp_path)
    assert load_dataset(tmp_path).rows == ()


def test_a_document_without_events_is_a_video_without_events(tmp_path):
    text = DOCUMENT[: DOCUMENT.index("    <TIER")] + "</ANNOTATION_DOCUMENT>"
    dataset = load_dataset(write(tmp_path, text))
    assert rows_of(dataset) == [("the yard", "", 0, 0, "unknown")]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('TIME_VALUE="2000"', 'TIME_VALUE="2.5"', 16, "a time is '2.5'"),
        ('TIME_VALUE="2000"', 'TIME_VALUE="-2000"', 16, "a time is '-2000'"),
        ('TIME_VALUE="2000"', 'TIME_VALUE="１２"', 16, "a time is"),
        ('TIME_VALUE="2000"', f'TIME_VALUE="{"9" * 5000}"', 16, "a time is"),
        ('TIME_VALUE="2000"', 'TIME_VALUE="499"', 16, "from 0.5 to 0.499 s"),
        (' TIME_VALUE="2000"', "", 16, "'ts2' has no time"),
        ('TIME_SLOT_REF2="ts4"', 'TIME_SLOT_REF2="ts9"', 21, "does not exist"),
        (' TIME_SLOT_REF2="ts4"', "", 21, "does not exist"),
        ("siren", "background", 21, "not an event label"),
        (">heard<", ">herd<", 28, "no sense is called 'herd'"),
        ("milliseconds", "PAL-frames", 3, "its times are PAL-frames"),
        ('MIME_TYPE="video/mp4"', 'MIME_TYPE="video/mp4" TIME_ORIGIN="200"', 5, "an offset"),
        ("</HEADER>", "</HEADERS>", 7, "is not XML: mismatched tag"),
        ("&amp;", "&bomb;", 14, "is not XML: undefined entity"),
        ("</ANNOTATION_DOCUMENT>\n", "", 41, "is not XML: no element found"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, old, new, line, message):
    assert old in DOCUMENT
    with pytest.raises(DatasetError, match=rf"answer.eaf, line {line}: ") as caught:
        load_dataset(write(tmp_path, DOCUMENT.replace(old, new)))
    assert message in str(caught.value)


BOMB = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha" * 1000}">' for n in range(12))


@pytest.mark.parametrize(
    ("declared", "used"),
    [
        (f"[{BOMB}]", "&l11;"),
        ('[<!ENTITY x SYSTEM "file:///etc/passwd">]', "&x;"),
        ('SYSTEM "file:///etc/passwd"', ""),
        ("", ""),
    ],
)
def test_declared_entities_are_refused_before_they_are_used(tmp_path, declared, used):
    text = DOCUMENT.replace("?>\n", f"?>\n<!DOCTYPE d {declared}>\n", 1).replace("siren", used)
    with pytest.raises(DatasetError, match="line 2: declares a document type"):
        load_dataset(write(tmp_path, text))


def test_deep_or_foreign_xml_is_refused(tmp_path):
    deep = "<a>" * 100_000 + "</a>" * 100_000
    for text in (deep, "<html/>", "", "no XML", "\ufeff"):
        with pytest.raises(DatasetError, match=r"answer\.eaf"):
            load_dataset(write(tmp_path, text))


def test_a_document_in_utf_16_is_refused(tmp_path):
    (tmp_path / "answer.eaf").write_bytes(DOCUMENT.replace("UTF-8", "UTF-16").encode("utf-16"))
    with pytest.raises(DatasetError, match="UTF-16"):
        load_dataset(tmp_path / "answer.eaf")


WORD = st.text("abc &<>\"'éж", min_size=1, max_size=6).map(str.strip).filter(bool)
EVENTS = st.lists(
    st.tuples(WORD, WORD, st.integers(0, 10**6), st.integers(1, 10**5)), min_size=1, max_size=6
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("elan")


@given(EVENTS)
def test_documents_of_another_library_are_read(scratch, events):
    document = Eaf(author="somebody")
    for tier, value, start, length in events:
        if tier not in document.tiers:
            document.add_tier(tier)
        document.add_annotation(tier, start, start + length, value)
    document.to_file(str(scratch / "made.eaf"))
    read = sorted((r.label, r.start, r.end) for r in load_dataset(scratch / "made.eaf").rows)
    expected = sorted((v, s / 1000, (s + n) / 1000) for _, v, s, n in events)
    assert read == expected


PLACES = st.integers(0, len(DOCUMENT) - 1)


@given(PLACES, PLACES, st.text('<>&"/= aTIER\0', max_size=5))
def test_a_damaged_document_is_read_or_refused(scratch, first, last, patch):
    text = DOCUMENT[: min(first, last)] + patch + DOCUMENT[max(first, last) :]
    try:
        dataset = load_dataset(write(scratch, text))
    except DatasetError:
        return
    assert all(row.is_event or not row.label for row in dataset.rows)
