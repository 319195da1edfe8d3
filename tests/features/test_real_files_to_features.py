"""What real files do, and what becomes of them: the table of docs: extraction, 2, row by row.

Every row is one clip or more in `CASES`, extracted in one batch: what was recovered is
extracted, what was repaired is a flag, what is lost is a failure with its reason, and the
batch goes on. What each looks like inside is tested closer to the decoder:

row of the table                | case here                            | and in tests/media
--------------------------------|--------------------------------------|----------------------------
pts missing                     | raw h264                             | test_odd_times
pts going backwards             | h264 in avi                          | test_odd_times
rotation                        | rotation; see test_upright_maps      | test_odd_pictures
edit list                       | edit list                            | test_sampling_against_...
start_time not 0                | mpeg-ts                              | test_odd_times
A/V offset                      | late video, late audio, gap in sound | test_odd_times, ...waveform
corrupt packets                 | corrupt packets                      | test_damaged_files
truncated, index at the front   | truncated                            | test_damaged_files
truncated, index lost           | index lost                           | test_refusals_and_discovery
empty, garbage                  | empty, garbage                       | test_refusals_and_discovery
no audio, no video stream       | no audio, no video                   | test_waveform
  a stream that holds nothing   | hollow video, hollow audio           | test_damaged_files
audio shorter, or the reverse   | short audio, short video             | test_waveform
cover picture                   | cover of a video, cover of a song    | test_odd_pictures
resolution change mid-stream    | two sizes                            | test_odd_pictures
  and of the sound's rate       | two sample rates                     | test_odd_times
HDR, 10-bit                     | hdr, ten bits                        | test_odd_pictures
portrait, non-square, 48x32     | portrait, non-square, 48x32          | test_odd_pictures
one frame                       | one frame                            | test_sampled_segments
zero length                     | zero-length sound, ... video         | test_damaged_files
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import odd_files
import pytest
from odd_files import COPY, pictured, recoded
from tiny_encoders import tiny_encoders

from avloc.artifacts import FeatureStore
from avloc.features import extract
from avloc.media import FLAGS

HDR = ("-pix_fmt", "yuv420p10le", "-vf", "setparams=color_trc=smpte2084")


@dataclass(frozen=True)
class Case:
    """A clip and what extraction makes of it.

    Attributes:
        make: writes it into a folder.
        flags: all that it has, in words.
        visual, audio: which segments are real, one letter each; None where the data set is
            absent.
        lost: what the failure says, where there is nothing to extract.
    """

    make: Callable[[Path], Path]
    flags: str = ""
    visual: str | None = "111"
    audio: str | None = "111"
    lost: str = ""


silent = partial(Case, audio=None)
lost = partial(Case, visual=None, audio=None)

CASES = {
    "raw h264": silent(odd_files.raw_h264, "pts_rebuilt no_audio"),
    "h264 in avi": Case(recoded("clip.avi", *COPY), "pts_rebuilt"),
    "rotation": Case(odd_files.turned, "rotated portrait"),
    "edit list": Case(odd_files.edit_list, "", "11", "11"),
    "mpeg-ts": Case(recoded("clip.ts", *COPY)),
    "late video": Case(
        partial(odd_files.offset, late="video", seconds=1.28), "late_video", "0111", "1110"
    ),
    "late audio": Case(
        partial(odd_files.offset, late="audio", seconds=1.5), "late_audio padded", "1110", "0111"
    ),
    "gap in sound": Case(odd_files.gap_in_sound, "audio_gap"),
    "overlapping sound": Case(odd_files.overlapping_sound, "audio_overlap no_video", None, "111"),
    "sound stamped ahead": Case(
        odd_files.sound_ahead, "audio_pts_rebuilt wrong_length no_video", None, "111"
    ),
    "hours claimed": Case(odd_files.hours_claimed, "wrong_length"),
    "joined": silent(odd_files.joined, "joined corrupt no_audio", "111111"),
    "corrupt packets": Case(odd_files.with_bad_packets, "corrupt audio_gap pts_rebuilt"),
    "truncated": Case(odd_files.truncated, "truncated padded", "110", "110"),
    "index lost": lost(odd_files.index_lost, lost="Invalid data"),
    "empty": lost(odd_files.bytes_of(b""), lost="is empty"),
    "garbage": lost(odd_files.bytes_of(bytes(range(256)) * 99), lost="Invalid data"),
    "no audio": silent(recoded("mute.mp4", "-an", *COPY), "no_audio"),
    "no video": Case(recoded("song.m4a", "-vn", *COPY), "no_video", None),
    "hollow video": Case(partial(odd_files.hollow, kind="video"), "no_video no_frame", None),
    "hollow audio": silent(partial(odd_files.hollow, kind="audio"), "no_audio no_sound"),
    "short audio": Case(odd_files.one_shorter(3, 1.2), "", "111", "110"),
    "short video": Case(odd_files.one_shorter(1.2, 3), "padded", "110", "111"),
    "cover of a video": Case(partial(odd_files.with_cover, has_video=True)),
    "cover of a song": Case(partial(odd_files.with_cover, has_video=False), "no_video", None),
    "two sizes": silent(odd_files.two_sizes, "size_changed no_audio", "11"),
    "two sample rates": Case(odd_files.two_sounds, "audio_rate_changed no_video", None, "11"),
    "hdr": silent(pictured("64x48", *HDR), "hdr high_bit_depth no_audio", "1"),
    "ten bits": silent(
        pictured("64x48", "-pix_fmt", "yuv420p10le"), "high_bit_depth no_audio", "1"
    ),
    "portrait": silent(pictured("48x64"), "portrait no_audio", "1"),
    "non-square": silent(pictured("64x48", "-vf", "setsar=4/3"), "non_square_pixels no_audio", "1"),
    "48x32": silent(pictured("48x32"), "low_resolution no_audio", "1"),
    "one frame": silent(pictured("64x48", seconds=0.04), "padded no_audio", "1"),
    "zero-length sound": lost(odd_files.empty_wave, lost="no frame and no sound"),
    "zero-length video": lost(odd_files.empty_video, lost="no frame and no sound"),
}


@pytest.fixture(scope="module")
def encoders():
    return tiny_encoders(fps=4)


@pytest.fixture(scope="module")
def batch(tmp_path_factory, encoders):
    """All cases extracted in one run: the report and the store."""
    root = tmp_path_factory.mktemp("cases")
    videos = []
    for number, (name, case) in enumerate(CASES.items()):
        (root / str(number)).mkdir()
        videos.append((name, case.make(root / str(number))))
    store = FeatureStore.create(root / "features", encoders.spec)
    return extract(videos, store, encoders, workers=0), store


def letters(is_valid: np.ndarray) -> str:
    return "".join(str(int(one)) for one in is_valid)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.lost])
def test_what_was_recovered_is_extracted_and_what_was_repaired_is_a_flag(batch, name):
    _, store = batch
    case, features = CASES[name], store.read(name)
    assert sorted(features.flags) == sorted(case.flags.split())
    assert (features.visual is None) == (case.visual is None)
    assert (features.audio is None) == (case.audio is None)
    n_segments = len(case.visual or case.audio or "")
    assert letters(features.visual_valid) == (case.visual or "0" * n_segments)
    assert letters(features.audio_valid) == (case.audio or "0" * n_segments)
    if features.visual is not None:
        assert features.visual.shape == (n_segments, 7, 7, 6)
        assert features.visual.std() > 0.05
        assert features.frame_index.shape == (n_segments, 4)
    if features.audio is not None:
        assert features.audio.shape == (n_segments, 128)
        heard = features.audio[features.audio_valid]
        assert (heard[:, :64].max(axis=1) > -4).all()  # louder than silence, which is -4.6


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.lost])
def test_what_is_lost_is_a_failure_with_its_reason(batch, name):
    report, store = batch
    (failure,) = [failure for failure in store.failures() if failure.video_id == name]
    assert CASES[name].lost in failure.reason
    assert failure.source in failure.reason
    assert failure in report.failures
    assert name not in store


def test_the_batch_goes_on(batch):
    report, store = batch
    n_lost = sum(bool(case.lost) for case in CASES.values())
    assert len(report.failures) == n_lost
    assert report.n_done == len(CASES) - n_lost == len(store.video_ids())


def test_every_flag_there_is_has_a_case_and_a_meaning():
    of_a_model = {"senses_unknown"}  # no file has it
    assert {f for case in CASES.values() for f in case.flags.split()} == set(FLAGS) - of_a_model
