"""Which files of a folder are videos."""

from __future__ import annotations

import re
from pathlib import Path

from avloc.errors import MediaError

VIDEO_SUFFIXES = frozenset(
    (
        *(".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".gif", ".h264"),
        *(".h265", ".hevc", ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mkv", ".mov", ".mp4", ".mpeg"),
        *(".mpg", ".mts", ".mxf", ".ogv", ".qt", ".rm", ".rmvb", ".ts", ".vob", ".webm", ".wmv"),
    )
)
AUDIO_SUFFIXES = frozenset(
    (
        *(".aac", ".ac3", ".aif", ".aiff", ".amr", ".au", ".caf", ".eac3", ".flac", ".m4a"),
        *(".m4b", ".mka", ".mp2", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".weba", ".wma", ".wv"),
    )
)
MEDIA_SUFFIXES = VIDEO_SUFFIXES | AUDIO_SUFFIXES
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)  # Path makes one slash of two
HEATMAP_SUFFIX = ".heatmap.mp4"
"""How the names of avloc's own heat-map videos end: they lie beside their sources."""


def video_files(path: Path | str) -> list[Path]:
    """Return the media files a path means: itself, or everything in a folder, sorted.

    A file is taken whatever its name; in a folder, and the folders in it, those with the
    suffix of a video or sound container, but for hidden ones (names that begin with a dot)
    and heat-map videos, which avloc itself left there.

    Raises:
        MediaError: there is none.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir() and _ADDRESS.match(str(path)):
        raise MediaError(f"{path} is an address, and avloc opens files only", "Download it first.")
    if not path.is_dir():
        raise MediaError(f"{path} does not exist", "Check the path.")
    found = sorted(inner for inner in path.rglob("*") if _is_media(inner.relative_to(path), path))
    if not found:
        raise MediaError(
            f"{path} holds no media file",
            f"Files are known by suffix: {' '.join(sorted(MEDIA_SUFFIXES))}.",
        )
    return found


def _is_media(inner: Path, root: Path) -> bool:
    is_hidden = any(part.startswith(".") for part in inner.parts)
    if is_hidden or inner.name.endswith(HEATMAP_SUFFIX):
        return False
    return inner.suffix.lower() in MEDIA_SUFFIXES and (root / inner).is_file()
