"""Names of videos, and links and pictures in a page."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from PIL import Image

_JPEG_QUALITY = 82


def shown_names(video_ids: Sequence[str]) -> list[str]:
    """Return names of videos without the folders that absolute paths among them share.

    A page or figure that is passed on must not show the folders of a machine.
    """
    paths = [PurePosixPath(video_id) for video_id in video_ids]
    folders = [path.parent for path in paths if path.is_absolute() and path.name]
    shared = os.path.commonpath(folders) if folders else ""
    return [
        path.relative_to(shared).as_posix() if path.is_absolute() and path.name else video_id
        for path, video_id in zip(paths, video_ids, strict=True)
    ]


def relative_link(file: Path | str, page: Path) -> str:
    """Return a file's path relative to a page for ``href``; a colon could pass for a scheme's."""
    here = Path(page).absolute().parent
    try:
        path = Path(os.path.relpath(Path(file).absolute(), here)).as_posix()
    except ValueError:  # on another drive
        return Path(file).absolute().as_uri()
    return quote(os.fsencode(path), safe="/")


def data_uri(picture: bytes) -> str:
    """Return a JPEG as an address that contains it."""
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode("ascii")


def jpeg(picture: Image.Image) -> bytes:
    """Return a picture as a JPEG file's bytes."""
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return file.getvalue()
