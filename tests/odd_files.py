"""What real files do: one generated clip for each row of the table in docs: extraction, 2."""

from __future__ import annotations

import struct
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


def with_matroska_length(path: Path, milliseconds: float) -> Path:
    """Overwrite the one length that a Matroska file states."""
    data = bytearray(path.read_bytes())
    at = data.index(b"\x44\x89\x88") + 3  # Duration, a float of eight bytes
    data[at : at + 8] = struct.pack(">d", milliseconds)
    path.write_bytes(bytes(data))
    return path


def hours_claimed(folder: Path) -> Path:
    """Three seconds that state three hours."""
    return with_matroska_length(recoded("clip.mkv", *COPY)(folder), 3 * 3600e3)


def joined(folder: Path) -> Path:
    """Twice the same three seconds, joined with ``cat``."""
    part = recoded("part.ts", "-an", *COPY)(folder)
    (folder / "joined.ts").write_bytes(part.read_bytes() * 2)
    return folder / "joined.ts"


def overlapping_sound(folder: Path) -> Path:
    """Three parts of a second, each stamped to begin 0.1 s before the last is over."""
    parts = []
    for number in range(3):
        parts.append(folder / f"{number}.ts")
        tone = ("-f", "lavfi", "-i", "sine=440:r=48000:d=1", "-c:a", "mp2")
        run_ffmpeg(*tone, "-output_ts_offset", 0.9 * number, parts[-1])
    (folder / "overlapping.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    return folder / "overlapping.ts"


def sound_ahead(folder: Path) -> Path:
    """Three seconds of sound, one packet of which is stamped two hours ahead."""
    song = recoded("song.mka", "-vn", *COPY)(folder)
    return restamped(song, folder / "ahead.mka", "audio", lambda k, t: t + 7200 * (k == 50))


def with_avi_scale(path: Path, scale: int, rate: int) -> Path:
    """Overwrite how long an AVI file's pictures last: ``scale / rate`` seconds each."""
    data = bytearray(path.read_bytes())
    at = data.index(b"vids") + 20
    data[at : at + 8] = struct.pack("<II", scale, rate)
    path.write_bytes(bytes(data))
    return path


def with_mp4_length(path: Path, factor: int) -> Path:
    """Multiply the length that each track of an MP4 file states in its headers."""
    data = bytearray(path.read_bytes())
    for name, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20), (b"elst", 12)):
        at = data.find(name)
        while at >= 0:
            old = struct.unpack_from(">I", data, at + offset)[0]
            struct.pack_into(">I", data, at + offset, min(old * factor, 2**31 - 1))
            at = data.find(name, at + 4)
    path.write_bytes(bytes(data))
    return path


def restamped(
    source: Path, target: Path, kind: str, time_of: Callable[[int, float], float]
) -> Path:
    """Copy a clip, with packet k of one stream, stamped t seconds, stamped ``time_of(k, t)``.

    What a container keeps of it is when packets are shown: Matroska keeps no other time.
    """
    with av.open(str(source)) as incoming, av.open(str(target), "w") as outgoing:
        streams = {s.index: outgoing.add_stream_from_template(s) for s in incoming.streams}
        k, reached = 0, None
        for packet in incoming.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == kind:
                base = packet.time_base
                begin = round(time_of(k, float(packet.pts * base)) / base)
                order = packet.dts + min(begin - packet.pts, 0)
                packet.dts = order if reached is None else max(order, reached + 1)
                packet.pts = begin
                k, reached = k + 1, packet.dts
            packet.stream = streams[packet.stream.index]
            outgoing.mux(packet)
    return target


def move_times(data: bytearray, number: int, by: int) -> int:
    """Move the time of picture ``number`` of an MPEG-TS by some of its ticks, 90,000 a second.

    Returns:
        How many were changed: a picture that states no second time (for decoding) has one.
    """
    heads = [at for at in range(len(data) - 14) if data[at : at + 4] == b"\0\0\1\xe0"]
    at = heads[number] + 9
    a, b, c = struct.unpack_from(">BHH", data, at)
    ticks = (a >> 1 & 7) << 30 | b >> 1 << 15 | c >> 1
    ticks += by
    marks = (
        a & 0xF0 | ticks >> 30 << 1 | 1,
        (ticks >> 15 & 0x7FFF) << 1 | 1,
        (ticks & 0x7FFF) << 1 | 1,
    )
    struct.pack_into(">BHH", data, at, *marks)
    return 1 if data[heads[number] + 7] >> 6 == 2 else 2
