"""Files opened as containers; what is not media, or names other files, is refused."""

from __future__ import annotations

from pathlib import Path

import av
from av.container import InputContainer

from avloc.errors import MediaError

# Formats that hold no media but name it: lists and patterns of files, addresses, devices,
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
_MEDIA_FORMATS = ",".join(sorted(av.formats_available - _NAMES_OTHERS))


def open_container(path: Path) -> InputContainer:
    """Open a media file for reading; `MediaError` where it is missing, empty or not media."""
    # FFmpeg takes a name such as ``concat:a.ts`` for an address.
    name = f"./{path}" if ":" in str(path) and not path.is_absolute() else str(path)
    try:
        _refuse_non_files(path)
        return av.open(
            name,
            mode="r",
            metadata_errors="ignore",  # names in metadata may be in any encoding
            options={"format_whitelist": _MEDIA_FORMATS},
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(
            f"{path} cannot be opened: {reason}",
            "It is not a media file (lists of other files are not opened), or it is damaged "
            "beyond opening: get it again or leave it out.",
        ) from error


def _refuse_non_files(path: Path) -> None:
    if not path.exists():
        raise MediaError(f"{path} does not exist", "Check the path.")
    if path.is_dir():
        raise MediaError(f"{path} is a folder, not a media file", "Give a file in it.")
    if path.is_file() and path.stat().st_size == 0:
        raise MediaError(f"{path} is empty", "Get the file again.")
