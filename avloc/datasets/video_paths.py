"""Where a data set's videos are: next to its files, or in a folder of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from avloc.errors import MediaError
from avloc.media import AUDIO_SUFFIXES, HEATMAP_SUFFIX, MEDIA_SUFFIXES, video_files

VIDEO_FOLDERS = ("videos", "video")


def videos_beside(root: Path, folders: Iterable[str] = VIDEO_FOLDERS) -> dict[str, Path]:
    """Return media files by name without suffix: those in root, and in folders at any depth.

    Of files with one name, an .mp4 comes first, then other videos, then sound.
    """
    paths = list(_media_in(root))
    for folder in folders:
        try:
            paths += video_files(root / folder) if (root / folder).is_dir() else []
        except (MediaError, OSError):  # no media in it, or no permission
            continue
    by_name: dict[str, Path] = {}
    for path in sorted(paths, key=_preference):
        by_name.setdefault(path.stem, path)
    return by_name


def is_file(path: Path) -> bool:
    """Return whether a path names a file; a path that no file can have does not."""
    try:
        return path.is_file()
    except OSError:  # a name too long for the file system, or a folder without permission
        return False


def _media_in(root: Path) -> Iterator[Path]:
    try:
        paths = sorted(root.iterdir())
    except OSError:
        return
    for path in paths:
        is_shown = not path.name.startswith(".") and not path.name.lower().endswith(HEATMAP_SUFFIX)
        if is_shown and path.suffix.lower() in MEDIA_SUFFIXES and is_file(path):
            yield path


def _preference(path: Path) -> tuple[bool, bool]:
    suffix = path.suffix.lower()
    return suffix != ".mp4", suffix in AUDIO_SUFFIXES
