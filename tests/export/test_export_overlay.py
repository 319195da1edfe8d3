import subprocess
import sys
import wave
from fractions import Fraction

import av
import numpy as np
import pytest
from made_up_timelines import timeline_of
from media_clips import run_ffmpeg

from avloc.errors import UsageError
from avloc.export.heat_style import HeatStyle
from avloc.export.heatmap.overlay import Painter, render_heatmap
from avloc.media import probe, write_clip
from avloc.timeline import Event

RATE, SOUND_RATE = 10, 16000


def clip(path, size=(96, 64), seconds=2, has_sound=True):
    grey = np.full((size[1], size[0], 3), 110, np.uint8)
    frames = [grey] * (seconds * RATE)
    tone = np.sin(np.arange(seconds * SOUND_RATE) * 0.2).astype(np.float32) * 0.3
    write_clip(path, frames, RATE, tone if has_sound else None, SOUND_RATE)
    return path


def times(path):
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


def sound(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def picture(path, n):
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        return frames[n].astype(int)


def looking_at(cell, n_segments=2, winners=(0, 0)):
    maps = np.zeros((n_segments, 4, 4))
    maps[(slice(None), *cell)] = 1
    return timeline_of(winners, maps=maps, gates=[0.3] * n_segments)


def test_pictures_and_sound_keep_their_times(tmp_path):
    source = clip(tmp_path / "in.mp4")
    told = []
    target = render_heatmap(
        looking_at((1, 2)),
        source,
        tmp_path / "out" / "heat.mp4",
        progress=lambda *step: told.append(step),
    )
    assert times(target) == pytest.approx(times(source), abs=1e-3)
    assert len(times(target)) == 2 * RATE
    assert sound(target) == sound(source)
    with av.open(str(target)) as container:
        assert container.streams.video[0].average_rate == Fraction(RATE)
        assert container.duration / av.time_base == pytest.approx(2.0, abs=0.1)
    assert [p.name for p in target.parent.iterdir()] == ["heat.mp4"]
    assert told[-1] == (2, 2, "clip")


def test_the_heat_is_where_the_model_looked(tmp_path):
    source = clip(tmp_path / "in.mp4", size=(320, 240))
    target = render_heatmap(looking_at((1, 2)), source, tmp_path / "heat.mp4")
    moved = abs(picture(target, 10)[:240] - 110).max(axis=2)
    cells = moved.reshape(4, 60, 4, 80).mean(axis=(1, 3))
    assert np.unravel_index(cells.argmax(), cells.shape) == (1, 2)
    assert cells[:, 0].max() < 8  # two cells away: only what the encoder does
    assert cells[3].max() < 8


def test_no_heat_while_nothing_was_found(tmp_path):
    source = clip(tmp_path / "in.mp4", size=(320, 240))
    timeline = looking_at((1, 2), winners=(0, 2))
    target = render_heatmap(timeline, source, tmp_path / "heat.mp4")
    assert abs(picture(target, 5)[:240] - 110).max() > 40
    assert abs(picture(target, 17)[:240] - 110).mean() < 3


def test_the_strip_is_below_and_its_playhead_moves(tmp_path):
    source = clip(tmp_path / "in.mp4", size=(320, 240))
    timeline = timeline_of([2, 2])
    target = render_heatmap(timeline, source, tmp_path / "heat.mp4")
    width, height = Painter(timeline, (320, 240)).size
    places = []
    for n in (0, 10, 19):
        shown = picture(target, n)
        assert shown.shape[:2] == (height, width)
        places.append(shown[240 + 40 : height - 25].min(axis=2).sum(axis=0).argmax())
    assert places[0] < places[1] < places[2]
    assert places[1] == pytest.approx(160, abs=3)


@pytest.mark.parametrize("size", [(48, 32), (90, 160)])
def test_small_and_portrait_pictures_are_enlarged(size, tmp_path):
    source = clip(tmp_path / "in.mp4", size=size, seconds=1)
    target = render_heatmap(looking_at((0, 0), 1, [0]), source, tmp_path / "heat.mp4")
    height, width = picture(target, 0).shape[:2]
    assert width >= 320
    assert width % 2 == height % 2 == 0
    assert height > width * size[1] / size[0]


def test_a_silent_film_stays_silent(tmp_path):
    source = clip(tmp_path / "in.mp4", seconds=1, has_sound=False)
    target = render_heatmap(
        timeline_of([0]), source, tmp_path / "h.mp4", truth=[Event(0, 1, "Dog", 1)]
    )
    with av.open(str(target)) as container:
        assert not container.streams.audio
    assert len(times(target)) == RATE


def test_sound_alone_is_refused_in_words(tmp_path):
    source = tmp_path / "sound.wav"
    with wave.open(str(source), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16000))
    with pytest.raises(UsageError, match=r"sound\.wav has no picture") as caught:
        render_heatmap(timeline_of([0]), source, tmp_path / "heat.mp4")
    assert caught.value.hint
    assert not (tmp_path / "heat.mp4").exists()


def test_a_video_looks_as_the_style_says(tmp_path):
    source = clip(tmp_path / "in.mp4", size=(320, 240), seconds=1)
    looks = [HeatStyle(), HeatStyle(alpha=0.0), HeatStyle("gray", 1.0)]
    shown = [
        picture(
            render_heatmap(looking_at((1, 2), 1, [0]), source, tmp_path / f"{n}.mp4", style=look), 5
        )[:240]
        for n, look in enumerate(looks)
    ]
    colour = [abs(frame - frame.mean(axis=2, keepdims=True)).max() for frame in shown]
    assert colour[0] > 40 > 20 > max(colour[1:])
    assert abs(shown[1] - 110).max() < 8
    assert abs(shown[2] - 110).max() > 40


@pytest.mark.real
@pytest.mark.slow
def test_a_real_clip_keeps_its_sound(real_data, tmp_path):
    source = next(iter(sorted((real_data / "clips").glob("1aDny*.mp4"))))
    maps = np.random.default_rng(0).dirichlet(np.full(49, 0.2), 10).reshape(10, 7, 7)
    timeline = timeline_of([0] * 10, maps=maps)
    target = render_heatmap(timeline, source, tmp_path / "heat.mp4")
    assert sound(target) == sound(source)
    assert times(target) == pytest.approx(times(source), abs=1e-3)


@pytest.mark.parametrize(("pixels", "shown"), [("2/1", 2.0), ("1/2", 0.5)])
def test_pixels_that_are_not_square_keep_the_pictures_aspect(pixels, shown, tmp_path):
    # a bright square in the file: as a player shows it, twice as wide or as high
    square = "color=black:size=320x320:rate=10:duration=1,drawbox=96:96:128:128:white:fill"
    draw = f"{square},setsar={pixels}"
    run_ffmpeg("-f", "lavfi", "-i", draw, "-c:v", "libx264", tmp_path / "in.mp4")
    target = render_heatmap(timeline_of([0]), tmp_path / "in.mp4", tmp_path / "out.mp4")
    middle = picture(target, 5)[:, :, 1]
    size = (640, 320) if shown > 1 else (320, 640)
    assert middle.shape[1] == size[0]
    bright = middle[: size[1]] > 128
    wide, high = bright.any(axis=0).sum(), bright.any(axis=1).sum()
    assert wide / high == pytest.approx(shown, abs=0.1)


def test_ten_bits_a_colour_come_out_as_eight(tmp_path):
    ramp = "gradients=size=320x240:rate=10:duration=1:c0=black:c1=white:x0=0:x1=320:y0=0:y1=0"
    made = ("-pix_fmt", "yuv420p10le", "-c:v", "libx265", tmp_path / "in.mkv")
    run_ffmpeg("-f", "lavfi", "-i", ramp, *made)
    assert "high_bit_depth" in probe(tmp_path / "in.mkv").flags
    target = render_heatmap(timeline_of([0]), tmp_path / "in.mkv", tmp_path / "out.mp4")
    before, after = picture(tmp_path / "in.mkv", 3), picture(target, 3)[:240]
    assert np.abs(before - after).mean() < 4
    with av.open(str(target)) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"


@pytest.mark.slow
def test_an_hour_takes_no_more_memory_than_a_minute(tmp_path):
    program = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[3].split(":")
from test_export_overlay import looking_at
from avloc.export.heatmap.overlay import render_heatmap
render_heatmap(looking_at((1, 2), int(sys.argv[2]), [0] * int(sys.argv[2])), Path(sys.argv[1]),
               Path(sys.argv[1]).with_suffix(".heat.mp4"))
status = Path("/proc/self/status").read_text()
print(int(status.partition("VmHWM:")[2].split()[0]) // 1024)
"""
    picture_, sound_ = "testsrc=size=160x120:rate=1/4:duration=60", "sine=d=60"
    run_ffmpeg("-f", "lavfi", "-i", picture_, "-f", "lavfi", "-i", sound_, tmp_path / "60.mp4")
    looped = ("-stream_loop", 59, "-i", tmp_path / "60.mp4", "-c", "copy")
    run_ffmpeg(*looped, tmp_path / "3600.mp4")
    peaks = {}
    for seconds in (60, 3600):
        film = tmp_path / f"{seconds}.mp4"
        here = ":".join(sys.path)
        command = [sys.executable, "-c", program, film, str(seconds), here]
        peaks[seconds] = int(subprocess.check_output(command))
    assert peaks[3600] < peaks[60] + 50, peaks
