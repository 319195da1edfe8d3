"""Damaged files: what decodes before and after the damage is used, and a flag says so."""

from __future__ import annotations

from functools import partial

import av
import numpy as np
import odd_files
import pytest
from media_clips import (
    counter_clip,
    numbers_and_flags,
    read_waveform,
    run_ffmpeg,
    sampled_by_ffmpeg,
    shown_numbers,
)

from avloc.errors import MediaError
from avloc.media import probe, sampled_segments
from avloc.media.media_file import Damage
from avloc.timeline import Grid

# A sweep: sound that is put down at the wrong time shows as another pitch.
SWEEP = "aevalsrc='0.3*sin(2*PI*(300*t+100*t*t))':s=44100"


def test_bad_packets_of_sound_are_silence_and_the_rest_is_kept(tmp_path):
    whole = read_waveform(odd_files.plain(tmp_path, sound=SWEEP))
    path = odd_files.plain(tmp_path, sound=SWEEP)
    odd_files.damage(path, "audio", 40, 45)
    n_naive = 0
    with av.open(str(path)) as container, pytest.raises(av.FFmpegError):
        for frame in container.decode(audio=0):
            n_naive += frame.samples
    assert n_naive < 42 * 1024  # a plain loop ends at the damage
    wave = read_waveform(path)
    assert len(wave.samples) == len(whole.samples)
    assert np.array_equal(wave.samples[: 37 * 1024], whole.samples[: 37 * 1024])
    # AAC's decoder makes noise of its own, which the damage has set to another draw
    assert np.abs(wave.samples[46 * 1024 :] - whole.samples[46 * 1024 :]).max() < 0.01
    assert not wave.samples[40 * 1024 : 43 * 1024].any()
    assert set(wave.flags) == {"corrupt", "audio_gap"}
    assert numbers_and_flags(path, 3, 25) == (list(range(75)), [])  # the picture has no part in it


def test_bad_packets_of_picture_cost_what_is_built_on_them(tmp_path):
    path = odd_files.with_bad_packets(tmp_path)
    numbers, flags = numbers_and_flags(path, 3, 25)
    assert numbers[:29] == list(range(29))
    assert numbers[40:] == list(range(40, 75))  # every tenth frame stands on its own
    assert "corrupt" in flags


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts", "flv"])
def test_noise_anywhere_in_a_file_does_not_end_it(tmp_path, suffix):
    """3000 bytes of it, over packets of both streams and the container's own marks."""
    clip = tmp_path / f"clip.{suffix}"
    counter_clip(clip, "25", 100, sound=SWEEP, after=("-g", "10"))
    before, whole = numbers_and_flags(clip, 4, 25)[0], read_waveform(clip)
    data = bytearray(clip.read_bytes())
    at = len(data) * 2 // 5
    data[at : at + 3000] = np.random.default_rng(0).integers(0, 256, 3000, np.uint8).tobytes()
    clip.write_bytes(bytes(data))
    numbers, flags = numbers_and_flags(clip, 4, 25)
    assert numbers[60:] == before[60:]
    assert numbers[:30] == before[:30]
    wave = read_waveform(clip)
    assert wave.is_valid_until == pytest.approx(whole.is_valid_until, abs=0.002)
    n = min(len(wave.samples), len(whole.samples))
    # some containers count in milliseconds: within 1 ms of its place, the same sound
    shifts = range(-48, 49)
    ends = [wave.samples[n - 30_000 + s : n - 1000 + s] for s in shifts]
    assert min(np.abs(end - whole.samples[n - 30_000 : n - 1000]).max() for end in ends) < 0.01
    assert {"corrupt", "audio_gap"} & {*wave.flags, *flags}


def test_a_truncated_file_keeps_what_it_has(tmp_path):
    whole = counter_clip(tmp_path / "whole.mp4", "25", 100, after=("-movflags", "faststart"))
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    flags: list[str] = []
    segments = list(sampled_segments(cut, rate=16, grid=Grid(4), flags=flags))
    numbers = shown_numbers(segments)
    truth = sampled_by_ffmpeg(whole, 16)[:64]
    n_good = numbers.index(numbers[-1]) - 2  # the last B-frames lack what they stand on
    assert n_good > 32
    assert numbers[:n_good] == truth[:n_good]
    assert [each.is_valid for each in segments] == [True, True, True, False]
    assert numbers[-1] < 99
    assert {"truncated", "padded"} == set(flags)
    assert probe(cut).duration == 4  # what it states


def test_truncated_sound_keeps_what_it_has(tmp_path):
    whole = counter_clip(tmp_path / "whole.mp4", "25", 100, after=("-movflags", "faststart"))
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    full, part = read_waveform(whole), read_waveform(cut)
    n = len(part.samples)
    assert 0.3 * len(full.samples) < n < 0.8 * len(full.samples)
    assert np.array_equal(part.samples[: n - 4096], full.samples[: n - 4096])
    assert part.flags == ("truncated",)


def test_a_picture_without_a_frame_costs_only_itself(tmp_path):
    path = odd_files.hollow(tmp_path, "video")
    info = probe(path)
    assert not info.has_video
    assert info.has_audio
    assert (info.frame_size, info.shown_size) == (None, None)
    assert set(info.flags) == {"no_video", "no_frame"}
    assert read_waveform(path, info).is_valid_until == pytest.approx(3, abs=0.01)


def test_sound_without_a_sample_costs_only_itself(tmp_path):
    path = odd_files.hollow(tmp_path, "audio")
    info = probe(path)
    assert info.has_video
    assert not info.has_audio
    assert info.sound_rate is None
    assert set(info.flags) == {"no_audio", "no_sound"}
    assert numbers_and_flags(path, 3, 25) == (list(range(75)), [])


def both_hollow(folder):
    path = odd_files.hollow(folder, "video")
    odd_files.damage(path, "audio", 0, None)
    return path


@pytest.mark.parametrize(
    "make",
    [
        odd_files.empty_wave,
        odd_files.empty_video,
        both_hollow,
        partial(odd_files.bytes_of(b"RIFF\0\0\0\0WAVE")),
    ],
    ids=["zero-length sound", "zero-length video", "nothing decodes", "header alone"],
)
def test_nothing_is_refused_with_its_reason(tmp_path, make):
    path = make(tmp_path)
    with pytest.raises(MediaError, match=path.name) as caught:
        probe(path)
    assert caught.value.hint


def test_a_stated_length_is_believed_where_it_breaks_off_early(tmp_path):
    """A recorder that lost power: the header speaks of ten seconds, two are there."""
    song = tmp_path / "song.wav"
    run_ffmpeg("-f", "lavfi", "-i", "sine=440:d=10", "-c:a", "pcm_s16le", song)
    song.write_bytes(song.read_bytes()[: 44 + 2 * 2 * 44100])
    wave = read_waveform(song)
    assert wave.is_valid_until == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
def test_a_slow_film_is_whole(tmp_path, suffix):
    """A picture every five seconds: the last one comes long before its end."""
    slow = tmp_path / f"slow.{suffix}"
    counter_clip(slow, "1/5", 6, codec=("-c:v", "mpeg4"), sound="sine=440:r=44100")
    assert numbers_and_flags(slow, 30, 25)[1] == []
    assert read_waveform(slow).flags == ()


def test_damage_that_decoding_stops_at_is_flagged():
    """A grid may end there, before a later packet shows that the file goes on."""
    damage = Damage()
    damage.note_packet(is_good=False)
    assert damage.flags == ["corrupt"]
    damage.note_end()
    assert damage.flags == ["truncated"]
