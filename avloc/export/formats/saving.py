"""One door for every file a timeline can become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from avloc.artifacts import write_localization, write_text
from avloc.errors import UnknownNameError, UsageError
from avloc.export.formats.annotations import audacity_text, elan_text
from avloc.export.formats.delimited import csv_text, dcase_text, json_text, jsonl_text
from avloc.export.formats.label_studio import label_studio_text
from avloc.export.formats.subtitles import srt_text, vtt_text
from avloc.timeline import Timeline


@dataclass(frozen=True)
class _Format:
    suffix: str
    text: Callable[[Timeline], str] | None  # None: not text, the HDF5 file


FORMATS = {
    "json": _Format(".json", json_text),
    "jsonl": _Format(".jsonl", jsonl_text),
    "csv": _Format(".csv", csv_text),
    "tsv": _Format(".tsv", dcase_text),
    "srt": _Format(".srt", srt_text),
    "vtt": _Format(".vtt", vtt_text),
    "audacity": _Format(".txt", audacity_text),
    "elan": _Format(".eaf", elan_text),
    "label-studio": _Format(".label-studio.json", label_studio_text),
    "h5": _Format(".h5", None),
}


def formats() -> dict[str, str]:
    """Return each format's name and the suffix of its files."""
    return {name: known.suffix for name, known in FORMATS.items()}


def dumps(timeline: Timeline, format: str) -> str:
    """Return a timeline as text in a named format.

    Raises:
        UnknownNameError: there is no such format.
        UsageError: the format is not text.
    """
    text = _format(format).text
    if text is None:
        raise UsageError(f"{format} is not a text format", "Save it to a file instead.")
    # A file name that is not UTF-8 comes with lone surrogates, which no file can hold.
    return text(timeline).encode("utf-8", errors="backslashreplace").decode("utf-8")


def save(timeline: Timeline, path: Path | str, format: str | None = None) -> Path:
    """Write a timeline to a file, whole or not at all.

    Args:
        timeline: what to write.
        path: the file; its suffix chooses the format unless ``format`` does.
        format: one of `formats`.

    Returns:
        The file's path.

    Raises:
        UnknownNameError: no format has this name or suffix.
        OutputError: the file cannot be written.
    """
    path = Path(path)
    format = format or _format_of_suffix(path)
    if _format(format).text is None:
        write_localization(path, timeline)
    else:
        write_text(path, dumps(timeline, format))
    return path


def _format(name: str) -> _Format:
    if name not in FORMATS:
        raise UnknownNameError("format", name, FORMATS)
    return FORMATS[name]


def _format_of_suffix(path: Path) -> str:
    names = {suffix: name for name, suffix in formats().items()}
    fitting = [suffix for suffix in names if path.suffix and path.name.lower().endswith(suffix)]
    if not fitting:
        raise UnknownNameError("format with the suffix", path.suffix.lower() or path.name, names)
    return names[max(fitting, key=len)]  # x.label-studio.json ends in .json too
