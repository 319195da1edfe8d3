"""Files opened as containers: what is none, or names other files, is refused."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import av

from avloc.errors import MediaError

if TYPE_CHECKING:
    from av.container import InputContainer

# Formats that are no media but name some: lists and patterns of files, addresses, devices,
# scripts. A text file called clip.mp4 must not choose which files are opened.
_NAMES_OTHERS = frozenset(
    (
        *("concat", "dash", "hls", "imf", "vobsub", "webm_dash_manifest"),
        *("alias_pix", "brender_pix", "image2", "image2pipe"),
        *("rtp", "rtsp", "sap", "sdp"),
        *("alsa", "avfoundation", "dshow", "fbdev", "gdigrab", "jack", "kmsgrab", "oss", "pulse"),
        *("sndio", "v4l2", "video4linux2", "video4linux2,v4l2", "x11grab", "xcbgrab"),
        *("avisynth", "lavfi", "sbg", "vapoursynth"),
    )
)


def open_container(path: Path) -> InputContainer:
    """Open a media file for reading.

    Raises:
        MediaError: it is missing, a folder, empty, or not a container of media.
    """
    try:
        _refuse_what_is_no_file(path)
        return av.open(
            _as_file_name(path),
            mode="r",
            # Names in metadata may be in any encoding; none of them matters here.
            metadata_errors="ignore",
            options={"format_whitelist": _media_formats()},
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(
            f"{path} cannot be opened: {reason}",
            "It is no media file (lists of other files are not opened), or it is damaged beyond "
            "opening: get it again or leave it out.",
        ) from error


def _refuse_what_is_no_file(path: Path) -> None:
    if not path.exists():
        raise MediaError(f"{path} does not exist", "Check the path.")
    if path.is_dir():
        raise MediaError(f"{path} is a folder, not a media file", "Give a file in it.")
    if path.is_file() and path.stat().st_size == 0:
        raise MediaError(f"{path} is empty", "Get the file again.")


def _as_file_name(path: Path) -> str:
    """Return a name that FFmpeg does not take for an address, as it does ``concat:a.ts``."""
    return f"./{path}" if ":" in str(path) and not path.is_absolute() else str(path)


@cache
def _media_formats() -> str:
    return ",".join(sorted(av.formats_available - _NAMES_OTHERS))
