"""Containers to arrays and back, in exact seconds from a file's ``start_time``; all use of PyAV."""

from avloc.media.discovery import (
    AUDIO_SUFFIXES,
    HEATMAP_SUFFIX,
    MEDIA_SUFFIXES,
    comment_of,
    video_files,
)
from avloc.media.flags import FLAGS
from avloc.media.frames import sampled_segments
from avloc.media.loudness import loudness
from avloc.media.probe import MediaInfo, probe
from avloc.media.read_frame import middle_frames, read_frame
from avloc.media.repaint import repaint
from avloc.media.sampling import ave2018_frame_index
from avloc.media.sound_reader import SoundReader
from avloc.media.write_clip import write_clip

__all__ = [
    "AUDIO_SUFFIXES",
    "FLAGS",
    "HEATMAP_SUFFIX",
    "MEDIA_SUFFIXES",
    "MediaInfo",
    "SoundReader",
    "ave2018_frame_index",
    "comment_of",
    "loudness",
    "middle_frames",
    "probe",
    "read_frame",
    "repaint",
    "sampled_segments",
    "video_files",
    "write_clip",
]
