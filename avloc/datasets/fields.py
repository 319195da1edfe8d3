"""Checks of an annotation file's fields; a ValueError has the reason, the caller adds the line."""

from __future__ import annotations

import math
import unicodedata
from pathlib import Path
from typing import cast

from avloc.errors import DatasetError, UnknownNameError
from avloc.labels import LabelSet
from avloc.timeline import SENSES, Sense

MAX_ID_BYTES = 200  # an id becomes a file name, and a file system allows 255 with its suffix
MAX_LABEL_BYTES = 1000
MAX_LINE_BYTES = 2**16  # an event takes about a hundred; a longer line is not an annotation
UNPLAIN = ("Cc", "Cs", "Zl", "Zp")
BACKGROUND = LabelSet(()).background


def read_text(path: Path, longest_line: int | None = MAX_LINE_BYTES) -> str:
    """Return a UTF-8 file's text without its byte order mark; a DatasetError names a bad line.

    A line may have ``longest_line`` bytes; None is for files that need no line breaks.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"cannot be read: {error.strerror or error}", path) from error
    for line, text in enumerate(raw.split(b"\n"), start=1):
        if longest_line is not None and len(text) > longest_line:
            message = f"has {len(text)} bytes, more than {longest_line}"
            raise DatasetError(message, path, line, "One event goes on one line.")
        if b"\0" in text:
            message = "holds a NUL character, as text in UTF-16 does"
            raise DatasetError(message, path, line, "Save the file as UTF-8.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DatasetError("is not UTF-8 text", path, line, "Save the file as UTF-8.") from error


def numbered_lines(text: str) -> list[tuple[int, str]]:
    """Return the lines that are not blank, with 1-based numbers; only line feeds end a line."""
    lines = enumerate(text.split("\n"), start=1)
    return [(number, line.rstrip("\r")) for number, line in lines if line.strip()]


def checked_id(video_id: str) -> str:
    """Return a video id if it can be a file name in any folder."""
    if not video_id:
        raise ValueError("the video id is empty")
    if video_id.startswith(".") or "/" in video_id or "\\" in video_id or not is_plain(video_id):
        raise ValueError(f"{video_id[:200]!r} is not a video id, since it cannot be a file name")
    if len(video_id.encode()) > MAX_ID_BYTES:
        raise ValueError(f"the video id {video_id[:40]!r}... is longer than {MAX_ID_BYTES} bytes")
    return video_id


def checked_label(label: str) -> str:
    """Return a label if it can be one of a model's."""
    if not label:
        raise ValueError("the label is empty")
    if label == BACKGROUND:
        raise ValueError(f"{label!r} is not an event label: it names the segments without an event")
    if not is_plain(label):
        raise ValueError(f"the label {label[:200]!r} holds a character that cannot be printed")
    if len(label.encode()) > MAX_LABEL_BYTES:
        raise ValueError(f"the label {label[:40]!r}... is longer than {MAX_LABEL_BYTES} bytes")
    return label


def checked_sense(text: str) -> Sense:
    """Return the sense that a field names; unknown if it is empty."""
    if text and text not in SENSES:
        raise UnknownNameError("sense", text[:60], SENSES)
    return cast(Sense, text or "unknown")


def seconds(value: str | float, what: str) -> float:
    """Return a number, or its text, as a finite time of at least 0."""
    try:
        if isinstance(value, str) and not (value.isascii() and "_" not in value):
            raise ValueError(value)  # Python's own spellings of numbers, for example 1_0 for 10
        time = float(value)
    except (ValueError, OverflowError):
        time = math.nan
    if not math.isfinite(time) or time < 0:
        raise ValueError(f"{what} is {value!r:.60}, not a time in seconds")
    return time


def is_plain(text: str) -> bool:
    """Return whether a text stays on its line and can be stored as UTF-8.

    Joiners pass, although ``str.isprintable`` refuses them: scripts need them.
    """
    return not any(unicodedata.category(character) in UNPLAIN for character in text)


def plain_name(text: str) -> str:
    """Return a name like ``text`` that `checked_id` accepts."""
    name = "".join(c if is_plain(c) and c not in "/\\" else "_" for c in text)
    name = f"_{name[1:]}" if name.startswith(".") else name
    return name.encode()[: MAX_ID_BYTES - 8].decode(errors="ignore")
