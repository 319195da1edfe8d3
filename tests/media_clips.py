"""Clips made by another program, whose every frame tells its own number."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np

from avloc.media import MediaInfo, SoundReader, sampled_segments
from avloc.media.frames import SegmentFrames
from avloc.media.media_file import open_media
from avloc.timeline import Grid

WIDTH, HEIGHT, BLOCK = 64, 48, 16  # 12 blocks: 4 across, 3 down, one bit each
# Two B-frames after every other, whatever the encoder thinks of it: so frames are decoded in
# another order than they are shown in.
H264 = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-b_strategy", "0")


def run_ffmpeg(*arguments: object, feed: bytes | None = None) -> bytes:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *map(str, arguments)]
    done = subprocess.run(command, input=feed, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def counter_picture(number: int) -> np.ndarray:
    bits = [(number >> bit) & 1 for bit in range(12)]
    blocks = np.array(bits, dtype=np.uint8).reshape(3, 4) * 255
    return np.kron(blocks, np.ones((BLOCK, BLOCK), dtype=np.uint8))


def read_counter(picture: np.ndarray) -> int:
    grey = picture.mean(axis=2) if picture.ndim == 3 else picture
    middles = grey.reshape(3, BLOCK, 4, BLOCK)[:, 4:12, :, 4:12].mean(axis=(1, 3)).ravel()
    return sum(1 << bit for bit, value in enumerate(middles) if value > 127)


def counters_of_raw(raw: bytes) -> list[int]:
    return [
        read_counter(picture) for picture in np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH)
    ]


def counter_clip(
    target: Path,
    rate: str = "25",
    n_frames: int = 75,
    *,
    after: tuple[object, ...] = (),
    sound: str | None = "sine=440:r=44100",
    codec: tuple[str, ...] = H264,
) -> Path:
    """Write frames 0, 1, 2, ... at a rate, with a tone as long as they are."""
    raw = b"".join(counter_picture(k).tobytes() for k in range(n_frames))
    size = f"{WIDTH}x{HEIGHT}"
    picture = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", size, "-r", rate, "-i", "-")
    tone = () if sound is None else ("-f", "lavfi", "-i", sound, "-shortest", "-c:a", "aac")
    run_ffmpeg(*picture, *tone, *codec, "-pix_fmt", "yuv420p", *after, target, feed=raw)
    return target


def sampled_by_ffmpeg(path: Path, rate: int, *, has_sound: bool = False) -> list[int]:
    """What `ffmpeg -vf fps=` shows in each slot.

    Args:
        path: a clip of counters.
        rate: slots a second.
        has_sound: use the sound too: a stream that is left out has no part in ffmpeg's origin
            of an MPEG-TS, and here there is one origin for both.
    """
    slots = ("-map", "0:v:0", "-vf", f"fps={rate}", "-f", "rawvideo", "-pix_fmt", "gray", "-")
    sound = ("-map", "0:a", "-f", "null", "-") if has_sound else ()
    return counters_of_raw(run_ffmpeg("-i", path, *slots, *sound))


def has_b_frames(path: Path) -> bool:
    """Whether a clip's packets are stored in another order than they are shown in."""
    with av.open(str(path)) as container:
        times = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    return times != sorted(times)


def sound_by_ffmpeg(path: Path, n_channels: int) -> np.ndarray:
    """(n,): the mean over channels of what ffmpeg decodes."""
    raw = run_ffmpeg("-i", path, "-map", "0:a:0", "-f", "f64le", "-c:a", "pcm_f64le", "-")
    return np.frombuffer(raw, np.float64).reshape(-1, n_channels).mean(axis=1)


@dataclass(frozen=True)
class Waveform:
    """A file's sound read whole: (n,) mono samples, and what `SoundReader` says at its end."""

    samples: np.ndarray
    rate: int
    is_valid_from: float
    is_valid_until: float
    flags: tuple[str, ...]


def read_waveform(path: Path, info: MediaInfo | None = None) -> Waveform:
    reader = SoundReader(path, info)
    samples = np.concatenate([np.zeros(0, np.float32), *reader])
    times = reader.is_valid_from, reader.is_valid_until
    return Waveform(samples, reader.rate, *times, reader.flags)


def shown_numbers(segments: Iterable[SegmentFrames]) -> list[int]:
    """The counter that each sample shows."""
    return [read_counter(each.images[i]) for each in segments for i in each.which]


def numbers_and_flags(path: Path, n_segments: int, rate: int) -> tuple[list[int], list[str]]:
    flags: list[str] = []
    segments = sampled_segments(path, rate=rate, grid=Grid(n_segments), flags=flags)
    return shown_numbers(segments), flags


def frame_index_at(times: Sequence[Fraction], n_samples: int, rate: int) -> np.ndarray:
    """(n_samples,): the frame of each sample, by the sentence of the rule, word for word.

    Sample k is the last frame with ``time < (2k+1)/(2r)``; before the first frame it is the
    first frame.
    """
    limits = [Fraction(2 * k + 1, 2 * rate) for k in range(n_samples)]
    before = [[i for i, time in enumerate(times) if time < limit] for limit in limits]
    return np.array([indices[-1] if indices else 0 for indices in before])


def origin_of(path: Path) -> Fraction:
    """Where a file begins by its own clock, in seconds."""
    with open_media(path) as media:
        return media.origin
