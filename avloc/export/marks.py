"""Which files avloc wrote, so that it replaces no other."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from avloc.errors import ArtifactError, OutputError

OWN = ".avloc"
"""Comes before the suffix of a file that avloc writes beside a video: ``NAME.avloc.srt``."""

_PAGE = b'<meta name="generator" content="avloc'
_MARKS = {
    ".png": b"Software\0avloc",
    ".pdf": b"/Creator (avloc",
    ".svg": b"<dc:title>avloc",
    ".html": _PAGE,
    ".htm": _PAGE,
}


def refuse_foreign(path: Path | str) -> None:
    """Raise an OutputError rather than replace a file that avloc did not write.

    Files named ``NAME.avloc.*`` are avloc's by name. HDF5 files have their schema as a mark,
    heat-map videos a comment, figures and pages the program that made them.
    """
    path = Path(path)
    if path.is_file() and not _is_from_avloc(path):
        raise OutputError(
            f"{path} exists and was not written by avloc", "Give another name, or move it away."
        )


def _is_from_avloc(path: Path) -> bool:
    suffix = path.suffix.lower()
    if f"{OWN}." in path.name:
        return True
    if suffix == ".mp4":
        from avloc.media import comment_of

        return comment_of(path).startswith("avloc ")
    with suppress(ArtifactError, OSError):
        if suffix in (".h5", ".hdf5"):
            from avloc.artifacts.hdf5 import identify

            return bool(identify(path))
        return suffix in _MARKS and _MARKS[suffix] in path.read_bytes()
    return False
