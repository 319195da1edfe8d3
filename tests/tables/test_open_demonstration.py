"""The part of the demo without training: what it finds, with and without the audio tagger."""

import shutil

import numpy as np
import pytest

from avloc.media.probe import probe
from avloc.tables.open_clip import LABELS, write_open_clip
from avloc.tables.open_demonstration import run_open_demo


def test_the_clip_has_its_length_and_is_the_same_each_time(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        write_open_clip(tmp_path / name)
    info = probe(tmp_path / "a.mp4")
    assert float(info.duration) == pytest.approx(12, abs=0.1)
    assert info.has_video
    assert info.has_audio
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


@pytest.mark.slow
def test_with_both_encoders_it_finds_what_is_in_the_clip(tmp_path, monkeypatch, tagger_weights):
    cache = tmp_path / "cache" / "weights"
    cache.mkdir(parents=True)
    shutil.copy(tagger_weights / "mn04_as_mAP_432.pt", cache)
    monkeypatch.setenv("AVLOC_CACHE", str(cache.parent))
    demo = run_open_demo(tmp_path / "demo")
    found = {row[1]: row for row in demo.table.rows}
    assert found.keys() == set(LABELS) - {"dog barking"}
    assert found["flower"][3] == found["temple"][3] == "seen"  # no sound has these names
    assert found["siren"][3] == "heard"
    start, end = (float(word) for word in found["siren"][0].split()[0:3:2])
    np.testing.assert_allclose([start, end], [7, 11], atol=1)
    assert demo.report.exists()
    assert all(path.exists() for path in demo.heatmaps)


@pytest.mark.slow
def test_without_the_tagger_the_picture_answers_and_the_notes_say_what_is_missing(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("AVLOC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("avloc.features.download.N_ATTEMPTS", 1)
    monkeypatch.setattr("pooch.HTTPDownloader.__call__", _unreachable)
    demo = run_open_demo(tmp_path / "demo")
    assert {row[3] for row in demo.table.rows} == {"seen"}
    note = " ".join(demo.notes)
    for part in ("mn04_as_mAP_432.pt", "https://", "899a8c62", str(tmp_path / "cache")):
        assert part in note


def _unreachable(*_args, **_kwargs):
    raise ConnectionError("the machine is offline")
