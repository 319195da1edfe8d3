"""ELAN documents (.eaf) as a manifest: what ``avloc localize --format elan`` writes, corrected.

An annotation's value is its label; an empty value has the name of its tier. Its sense is the value
of the annotation that belongs to it on a tier of the type ``sense``. The video is the
document's media file; its id is the file's name without suffix, or the document's without media.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from avloc.datasets.dataset import Dataset, Row
from avloc.datasets.fields import checked_id, checked_label, checked_sense, plain_name, read_text
from avloc.datasets.label_kind import labels_of
from avloc.datasets.stated_videos import stated_id, stated_video
from avloc.datasets.video_paths import videos_beside
from avloc.errors import DatasetError, UnknownNameError
from avloc.timeline import Sense

ELAN_SUFFIX = ".eaf"


@dataclass(frozen=True)
class _Document:
    path: Path
    root: Element
    lines: dict[Element, int]  # that each element begins on

    def error(self, reason: str, element: Element | None = None, hint: str = "") -> DatasetError:
        line = 0 if element is None else self.lines[element]
        return DatasetError(reason, self.path, line, hint)


def load_elan(paths: Iterable[Path], root: Path) -> Dataset:
    """Read ELAN documents, each of one video. Missing videos are not an error."""
    rows: list[Row] = []
    videos: dict[str, Path] = {}
    path_of: dict[str, Path] = {}
    n_empty = 0
    for path in paths:
        document = _parse(path)
        video_id, video = _video(document)
        if path_of.setdefault(video_id, path) != path:
            raise document.error(f"is of the video {video_id!r}, as {path_of[video_id]} is")
        if video is not None:
            videos[video_id] = video
        events = list(_events(document, video_id))
        rows += [row for row in events if row.is_event] or [Row(video_id, "", 0.0, 0.0)]
        n_empty += sum(not row.is_event for row in events)
    note = f"{n_empty} annotations without length are left out"
    return Dataset(
        name=root.stem,
        root=root,
        labels=labels_of(rows),
        rows=tuple(rows),
        videos=videos,
        is_row_alone=False,
        notes=(note,) if n_empty else (),
    )


def _parse(path: Path) -> _Document:
    """Parse a document; entities are refused, since a small file can make them endless."""
    text = read_text(path, longest_line=None)
    parser, builder = expat.ParserCreate(), TreeBuilder()
    lines: dict[Element, int] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        lines[builder.start(tag, attributes)] = parser.CurrentLineNumber

    def refuse(*_: object) -> None:
        line = parser.CurrentLineNumber
        raise DatasetError("declares a document type, and an ELAN document does not", path, line)

    parser.StartElementHandler, parser.CharacterDataHandler = start, builder.data
    parser.EndElementHandler = lambda tag: builder.end(tag)
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        reason = f"is not XML: {expat.ErrorString(error.code)}"
        raise DatasetError(reason, path, error.lineno) from error
    document = _Document(path, builder.close(), lines)
    if document.root.tag != "ANNOTATION_DOCUMENT":
        raise document.error(
            f"is not an ELAN document, but {document.root.tag[:60]}", document.root
        )
    return document


def _video(document: _Document) -> tuple[str, Path | None]:
    """Return the id of the document's video, and its file if it exists."""
    stated: list[str] = []
    media = document.root.findall("HEADER/MEDIA_DESCRIPTOR")
    is_video = [medium.get("MIME_TYPE", "").startswith("video") for medium in media]
    if media:  # ELAN lists a video's sound as another file
        medium = media[is_video.index(True) if any(is_video) else 0]
        if medium.get("TIME_ORIGIN", "0").strip() not in ("", "0"):
            hint = "Set the offset of the media file to 0 in ELAN."
            raise document.error("the media file has an offset (TIME_ORIGIN)", medium, hint)
        stated = [medium.get("MEDIA_URL", ""), medium.get("RELATIVE_MEDIA_URL", "")]
    own_name = document.path.name.removesuffix(ELAN_SUFFIX).removesuffix(".avloc")
    names = [stated_id(text) for text in stated if text] or [plain_name(own_name)]
    folder = document.path.parent
    try:
        video_id = checked_id(names[0])
    except ValueError as error:
        raise document.error(str(error)) from error
    return video_id, stated_video(stated, video_id, folder, videos_beside(folder))


def _events(document: _Document, video_id: str) -> Iterator[Row]:
    """Yield the annotations that have times of their own."""
    header = document.root.find("HEADER")
    units = "milliseconds" if header is None else header.get("TIME_UNITS", "milliseconds")
    if units != "milliseconds":
        raise document.error(f"its times are {units[:60]}, not milliseconds", header)
    slots = {slot.get("TIME_SLOT_ID"): slot for slot in document.root.iter("TIME_SLOT")}
    senses = dict(_senses(document))
    for tier in document.root.findall("TIER"):
        for annotation in tier.iter("ALIGNABLE_ANNOTATION"):
            try:
                start, end = (
                    _seconds(slots.get(annotation.get(f"TIME_SLOT_REF{n}"))) for n in (1, 2)
                )
                if start > end:
                    raise ValueError(f"the event lasts from {start:g} to {end:g} s")
                label = (annotation.findtext("ANNOTATION_VALUE") or "").strip()
                label = checked_label(label or tier.get("TIER_ID", "").strip())
            except ValueError as error:
                raise document.error(str(error), annotation) from error
            sense = senses.get(annotation.get("ANNOTATION_ID"), "unknown")
            yield Row(video_id, label, start, end, sense=sense)


def _senses(document: _Document) -> Iterator[tuple[str | None, Sense]]:
    """Yield the id of an annotation, and its sense."""
    for tier in document.root.findall("TIER"):
        if tier.get("LINGUISTIC_TYPE_REF") != "sense":
            continue
        for annotation in tier.iter("REF_ANNOTATION"):
            word = (annotation.findtext("ANNOTATION_VALUE") or "").strip()
            try:
                yield annotation.get("ANNOTATION_REF"), checked_sense(word)
            except UnknownNameError as error:
                raise document.error(error.message, annotation, error.hint) from error


def _seconds(slot: Element | None) -> float:
    if slot is None:
        raise ValueError("names a time slot that does not exist")
    text = slot.get("TIME_VALUE")
    if text is None:
        raise ValueError(f"its time slot {slot.get('TIME_SLOT_ID')!r:.60} has no time")
    if not (text.strip().isascii() and text.strip().isdigit()) or len(text) > 12:
        raise ValueError(f"a time is {text!r:.60}, not whole milliseconds")
    return int(text) / 1000
