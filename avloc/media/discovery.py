"""Which files of a folder are videos."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path

from avloc.errors import MediaError
from avloc.media.media_file import open_media

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
HEATMAP_SUFFIX = ".heatmap.mp4"
"""How the names of avloc's heat-map videos end: they lie beside their sources."""


def video_files(path: Path | str) -> list[Path]:
    """Return a file itself, or a folder's media files at any depth, sorted.

    In a folder, suffixes decide; hidden files and avloc's own heat-map videos are left out.
    Links are followed, each folder once. `MediaError` if there is no file.
    """
    path = Path(path)
    try:
        if path.is_file():
            return [path]
        _refuse_non_folders(path)
        files = sorted(inner for inner in _entries_below(path) if _is_media(inner))
    except OSError as error:  # no permission, or a name that no file can have
        raise MediaError(f"{path} cannot be read: {error.strerror}", "Check the path.") from error
    if not files:
        raise MediaError(
            f"{path} holds no media file",
            f"Files are known by suffix: {' '.join(sorted(MEDIA_SUFFIXES))}.",
        )
    return files


def comment_of(path: Path) -> str:
    """Return the comment of a video file; empty if it has none or cannot be opened."""
    try:
        with open_media(path) as media:
            tags = {name.lower(): text for name, text in media.container.metadata.items()}
            return tags.get("comment", "")  # Matroska's name is COMMENT
    except MediaError:
        return ""


def _refuse_non_folders(path: Path) -> None:
    if path.is_dir():
        return
    if path.exists():
        raise MediaError(
            f"{path} is a pipe or a device, not a regular file", "Write the video to a file first."
        )
    raise MediaError(f"{path} does not exist", "Check the path.")


def _entries_below(root: Path) -> Iterator[Path]:
    """Yield what a folder holds at any depth, each once; its real path before links to it."""
    visited: set[tuple[int, int]] = set()
    linked = deque([root])
    while linked:
        inner = [linked.popleft()]
        while inner:
            folder = inner.pop()
            status = folder.stat()
            if (status.st_dev, status.st_ino) in visited:
                continue
            visited.add((status.st_dev, status.st_ino))
            for entry in _entries(folder, is_root=folder == root):
                if entry.is_dir():
                    (linked if entry.is_symlink() else inner).append(entry)
                yield entry


def _entries(folder: Path, *, is_root: bool) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except PermissionError:
        if is_root:
            raise
        return []  # folders inside that may not be read are left out


def _is_media(path: Path) -> bool:
    if path.suffix.lower() not in MEDIA_SUFFIXES or not path.is_file():
        return False
    is_heatmap = path.name.endswith(HEATMAP_SUFFIX) and comment_of(path).startswith("avloc ")
    return not is_heatmap
