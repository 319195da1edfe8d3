"""Containers in, arrays out, and arrays back into containers; the only importer of PyAV.

Times are exact seconds (`fractions.Fraction`) from a file's one origin, ``start_time``.
"""

from avloc.media.compose import write_clip
from avloc.media.discovery import (
    AUDIO_SUFFIXES,
    MEDIA_SUFFIXES,
    VIDEO_SUFFIXES,
    video_files,
)
from avloc.media.flags import FLAGS
from avloc.media.frames import SegmentFrames, sampled_segments
from avloc.media.loudness import loudness
from avloc.media.probe import MediaInfo, probe
from avloc.media.render import HEATMAP_SUFFIX, comment_of, is_heatmap, render_video
from avloc.media.sampling import ave2018_frame_index, frame_index_at
from avloc.media.still import middle_frames, read_frame_at
from avloc.media.waveform import SoundTrack, Waveform, read_waveform

__all__ = [
    "AUDIO_SUFFIXES",
    "FLAGS",
    "HEATMAP_SUFFIX",
    "MEDIA_SUFFIXES",
    "VIDEO_SUFFIXES",
    "MediaInfo",
    "SegmentFrames",
    "SoundTrack",
    "Waveform",
    "ave2018_frame_index",
    "comment_of",
    "frame_index_at",
    "is_heatmap",
    "loudness",
    "middle_frames",
    "probe",
    "read_frame_at",
    "read_waveform",
    "render_video",
    "sampled_segments",
    "video_files",
    "write_clip",
]
