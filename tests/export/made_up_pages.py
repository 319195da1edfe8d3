"""Pages to open in a browser, and a film whose frames can be told apart."""

from __future__ import annotations

import numpy as np
from made_up_timelines import NASTY, timeline_of
from media_clips import run_ffmpeg

from avloc.export.pictures import report_thumbnails
from avloc.export.report.page import write_report
from avloc.export.report.report_clips import ReportClip
from avloc.timeline import Event

N_SECONDS, RATE = 6, 25
NAMES = ("Bell", *NASTY)
WINNERS = (6, 6, 1, 1, 6, 3)  # index 6 is background: NASTY[0] from 2 to 4 s, NASTY[2] from 5


def write_film(path, *, n_seconds=N_SECONDS, sound_only=False):
    """Write a small clip of H.264 and AAC with a key frame a second; or the tone alone."""
    grey = np.linspace(0, 255, n_seconds * RATE).astype(np.uint8)
    feed = np.broadcast_to(grey[:, None, None], (len(grey), 48, 64)).tobytes()
    picture = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", "64x48", "-r", str(RATE), "-i", "-")
    tone = ("-f", "lavfi", "-i", f"sine=440:r=44100:d={n_seconds}", "-c:a", "aac")
    video = ("-c:v", "libx264", "-g", str(RATE), "-pix_fmt", "yuv420p")
    if sound_only:
        run_ffmpeg(*tone, path)
    else:
        run_ffmpeg(*picture, *tone, *video, path, feed=feed)
    return path


def clip_of(video, **fields):
    """Make a clip with every part a page can show, under labels that nobody would choose."""
    maps = np.zeros((N_SECONDS, 7, 7))
    maps[:, 2, 2] = 1
    said = np.tile([[0.1], [0.2], [0.3], [0.4], [0.5], [0.6]], (1, len(NAMES)))
    senses = {"heard": said, "seen": 1 - said, "senses": ["heard", "both"]}
    given = {"maps": maps, **senses, "frame_size": (64, 48), "video_id": NASTY[2], **fields}
    timeline = timeline_of(WINNERS, NAMES, **given)
    frames = [np.full((48, 64, 3), 40 * n, np.uint8) for n in range(5)]
    thumbnails = report_thumbnails(timeline, dict(enumerate(frames)))
    return ReportClip(timeline, [Event(1, 3, "Bell", 1)], thumbnails, video, [video], NASTY[2])


def write_page(folder, *clips):
    return write_report(folder / "report.html", title=NASTY[2], timelines=clips)
