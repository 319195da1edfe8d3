"""Where annotation tools say that a video is: a path, a file URL, an address of their server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from avloc.datasets.fields import plain_name
from avloc.datasets.video_paths import is_file

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_UPLOADED = re.compile(r"[0-9a-f]{8}-(.+)")  # what Label Studio makes of an uploaded file's name


def stated_path(text: str) -> str:
    """Return the path in an address: of Label Studio's local files, of its uploads, or of a URL."""
    parts = urlsplit(text) if _URL.match(text) or "/local-files/?" in text else None
    if parts is None:
        path = text
    elif "d" in (query := parse_qs(parts.query)):
        path = query["d"][0]
    elif parts.scheme == "file" or not parts.scheme:
        path = unquote(parts.path)
    else:
        path = PurePosixPath(unquote(parts.path)).name
    name = PurePosixPath(path).name
    uploaded = _UPLOADED.fullmatch(name) if "/upload/" in path else None
    return uploaded[1] if uploaded else path


def stated_id(text: str) -> str:
    """Return the id of a stated video: its file name without suffix."""
    return plain_name(PurePosixPath(stated_path(text).replace("\\", "/")).stem)


def stated_video(
    texts: Iterable[str], video_id: str, folder: Path, beside: Mapping[str, Path]
) -> Path | None:
    """Return the file that is stated, or the one next to the annotations with the video's id."""
    paths = [stated_path(text) for text in texts if text]
    for path in (*paths, *map(unquote, paths)):  # ELAN writes relative paths either way
        if is_file(folder / path):
            return folder / path
    return beside.get(video_id)
