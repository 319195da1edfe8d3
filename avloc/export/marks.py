"""Which files avloc wrote, so that it replaces no other."""

from __future__ import annotations

from pathlib import Path

from avloc.errors import ArtifactError, OutputError

OWN = ".avloc"
"""What stands before the suffix of a file that avloc writes beside a video: ``NAME.avloc.srt``."""

_PICTURES = {
    ".png": b"Software\0avloc",
    ".pdf": b"/Creator (avloc",
    ".svg": b"<dc:title>avloc",
}
_PAGE = b'<meta name="generator" content="avloc'
_MARKS = {**_PICTURES, ".html": _PAGE, ".htm": _PAGE}
_FILMS = (".mp4", ".mkv", ".mov")
_FILM_MARK = "avloc "
"""How the comment of a heat-map video begins."""


def refuse_foreign(path: Path | str) -> None:
    """Refuse to replace a file that avloc did not write.

    Files named ``NAME.avloc.*`` are avloc's by name; others carry a mark: HDF5 files their
    schema, heat-map videos a comment, figures and pages the program that made them.

    Args:
        path: what is to be written; it need not be there.

    Raises:
        OutputError: it is there, and no mark of avloc's is in it.
    """
    path = Path(path)
    if path.is_file() and not _is_own(path):
        raise OutputError(
            f"{path} is there and was not written by avloc",
            "Give another name, or move it away.",
        )


def _is_own(path: Path) -> bool:
    if f"{OWN}." in path.name:
        return True
    suffix = path.suffix.lower()
    if suffix in (".h5", ".hdf5"):
        return _is_artifact(path)
    if suffix in _FILMS:
        from avloc.media import comment_of

        return comment_of(path).startswith(_FILM_MARK)
    try:
        return suffix in _MARKS and _MARKS[suffix] in path.read_bytes()
    except OSError:
        return False


def _is_artifact(path: Path) -> bool:
    from avloc.artifacts.hdf5 import identify

    try:
        return bool(identify(path))
    except ArtifactError:
        return False
