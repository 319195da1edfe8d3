"""What real files do: one generated clip for each row of the table in docs: extraction, 2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
from media_clips import H264, counter_clip, run_ffmpeg

COPY = ("-c", "copy")


def packet_places(path: Path, kind: str) -> list[tuple[int, int]]:
    """(offset, size) in the file of each packet of the first ``video`` or ``audio`` stream."""
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[0]
        return [(packet.pos, packet.size) for packet in container.demux(stream) if packet.size]


def damage(path: Path, kind: str, first: int, last: int | None) -> None:
    """Overwrite the contents of packets ``first`` to ``last`` with ones."""
    data = bytearray(path.read_bytes())
    for offset, size in packet_places(path, kind)[first:last]:
        data[offset : offset + size] = b"\xff" * size
    path.write_bytes(bytes(data))


def plain(folder: Path, **options: object) -> Path:
    """Three seconds of counters at 25 a second, with a tone."""
    return counter_clip(folder / "plain.mp4", "25", 75, **options)


def recoded(name: str, *arguments: object) -> Callable[[Path], Path]:
    """A maker that hands `plain` to ffmpeg."""

    def make(folder: Path) -> Path:
        run_ffmpeg("-i", plain(folder), *arguments, folder / name)
        return folder / name

    return make


def raw_h264(folder: Path) -> Path:
    return counter_clip(folder / "clip.h264", "30", 90, sound=None)


def turned(folder: Path, degrees: int = 90) -> Path:
    run_ffmpeg("-display_rotation", degrees, "-i", plain(folder), *COPY, folder / "turned.mp4")
    return folder / "turned.mp4"


def edit_list(folder: Path) -> Path:
    run_ffmpeg("-ss", "1", "-i", plain(folder), *COPY, folder / "cut.mp4")
    return folder / "cut.mp4"


def offset(folder: Path, late: str, seconds: float, suffix: str = "mp4") -> Path:
    """The picture or the sound ``late`` by some seconds."""
    whole, target = plain(folder), folder / f"late_{late}.{suffix}"
    inputs = ["-itsoffset", seconds, "-i", whole], ["-i", whole]
    (first, second) = inputs if late == "video" else inputs[::-1]
    run_ffmpeg(*first, *second, "-map", "0:v", "-map", "1:a", *COPY, target)
    return target


def with_bad_packets(folder: Path) -> Path:
    """Five packets of sound and four of picture that do not decode, about a third in."""
    path = plain(folder, after=("-g", "10"))
    damage(path, "audio", 40, 45)
    damage(path, "video", 30, 34)
    return path


def truncated(folder: Path) -> Path:
    path = plain(folder, after=("-movflags", "faststart"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    return path


def index_lost(folder: Path) -> Path:
    path = plain(folder)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    return path


def bytes_of(content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / "bytes.mp4").write_bytes(content)
        return folder / "bytes.mp4"

    return make


def one_shorter(picture_seconds: float, sound_seconds: float) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        picture = counter_clip(folder / "p.mp4", "25", int(25 * picture_seconds), sound=None)
        tone = ("-f", "lavfi", "-i", f"sine=440:r=44100:d={sound_seconds}")
        run_ffmpeg("-i", picture, *tone, "-c:v", "copy", "-c:a", "aac", folder / "one_shorter.mp4")
        return folder / "one_shorter.mp4"

    return make


def with_cover(folder: Path, *, has_video: bool) -> Path:
    """A clip or a song whose first video stream is its cover."""
    whole, cover = plain(folder), folder / "cover.png"
    run_ffmpeg("-f", "lavfi", "-i", "color=red:s=128x160", "-frames:v", 1, cover)
    maps = ("-map", "1:v", *(("-map", "0:v") if has_video else ()), "-map", "0:a")
    target = folder / ("covered.mp4" if has_video else "song.m4a")
    run_ffmpeg("-i", whole, "-i", cover, *maps, *COPY, "-disposition:v:0", "attached_pic", target)
    return target


def two_sizes(folder: Path) -> Path:
    parts = []
    for number, size in enumerate(("64x48", "96x64")):
        parts.append(folder / f"{number}.ts")
        source = ("-f", "lavfi", "-i", f"testsrc=s={size}:r=25:d=1", "-pix_fmt", "yuv420p")
        # two frames more than a second: B-frames begin as late as that
        run_ffmpeg(*source, *H264, "-output_ts_offset", 1.08 * number, parts[-1])
    both = folder / "two_sizes.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    return both


def two_sounds(folder: Path) -> Path:
    """A second of 440 Hz in stereo at 48 kHz, then one in mono at 32 kHz."""
    parts = []
    for number, (rate, channels) in enumerate(((48000, 2), (32000, 1))):
        parts.append(folder / f"{number}.ts")
        tone = "|".join(["0.25*sin(440*2*PI*t)"] * channels)
        source = ("-f", "lavfi", "-i", f"aevalsrc={tone}:s={rate}:d=1")
        run_ffmpeg(*source, "-c:a", "mp2", "-output_ts_offset", number, parts[-1])
    both = folder / "two_sounds.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    return both


def pictured(size: str, *after: object, seconds: float = 1) -> Callable[[Path], Path]:
    """A maker of a test picture without sound."""

    def make(folder: Path) -> Path:
        source = ("-f", "lavfi", "-i", f"testsrc=s={size}:r=25:d={seconds}")
        target = folder / "pictured.mp4"
        run_ffmpeg(*source, "-pix_fmt", "yuv420p", *H264, *after, target)
        return target

    return make


def gap_in_sound(folder: Path) -> Path:
    cut = ("-af", "aselect='not(between(t,1,1.5))'", "-c:a", "pcm_s16le")
    return counter_clip(folder / "gap.mkv", "25", 75, after=cut)


def hollow(folder: Path, kind: str) -> Path:
    """A file whose picture or sound is there, and not one packet of it decodes."""
    path = plain(folder)
    damage(path, kind, 0, None)
    return path


def empty_wave(folder: Path) -> Path:
    run_ffmpeg("-f", "lavfi", "-i", "anullsrc=r=44100", "-t", 0, folder / "empty.wav")
    return folder / "empty.wav"


def empty_video(folder: Path) -> Path:
    run_ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=25", "-t", 0, folder / "empty.avi")
    return folder / "empty.avi"
