"""Memory does not grow with the length of clips or with their number."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from media_clips import run_ffmpeg

from avloc.artifacts import FeatureStore

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

FEW, MANY = 10, 50
HERE = Path(__file__).parent
SETTINGS = {
    "PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE.parents[1]}",
    "OPENBLAS_NUM_THREADS": "1",  # as the command has it
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Clips of 10, 120 and 600 seconds: small pictures, and sound of 48 kHz."""
    folder = tmp_path_factory.mktemp("clips")
    pictures = ("-f", "lavfi", "-i", "testsrc=size=48x32:rate=1")
    sound = ("-f", "lavfi", "-i", "sine=r=48000", "-c:a", "pcm_u8")
    run_ffmpeg(*pictures, *sound, "-c:v", "libx264", "-t", 60, folder / "minute.mkv")
    lengths = {"short": 10, "two": 120, "ten": 600}
    for name, seconds in lengths.items():
        looped = ("-stream_loop", 9, "-i", folder / "minute.mkv", "-c", "copy", "-t", seconds)
        run_ffmpeg(*looped, folder / f"{name}.mkv")
    return {name: str(folder / f"{name}.mkv") for name in lengths}


@pytest.fixture(scope="module")
def measured(clips, tmp_path_factory):
    """Peaks in MB after each lot, by the number of decoding processes; and the stores."""
    lots = [[clips["short"]] * FEW, [clips["short"]] * MANY, [clips["two"]], [clips["ten"]]]
    started = {}
    for workers in (0, 1):  # both at once
        folder = tmp_path_factory.mktemp(f"stores-{workers}")
        program = [sys.executable, HERE / "extraction_memory.py", json.dumps(lots), folder]
        started[workers] = (
            folder,
            subprocess.Popen(
                [*map(str, program), str(workers)],
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, **SETTINGS},
            ),
        )
    peaks = {}
    for workers, (folder, program) in started.items():
        said, _ = program.communicate()
        assert program.returncode == 0
        peaks[workers] = folder, [json.loads(line) for line in said.splitlines()]
    return peaks


@pytest.mark.parametrize("workers", [0, 1])
def test_peak_is_flat_in_the_number_of_clips(measured, workers):
    few, many, *_ = measured[workers][1]
    assert many[0] - few[0] < 50  # the 40 more have 80 MB of maps, 64 MB of last batches, ...
    assert many[1] - few[1] < 30  # ... and 60 MB of pictures


@pytest.mark.parametrize("workers", [0, 1])
def test_peak_is_flat_in_the_length_of_a_clip(measured, workers):
    _, _, two, ten = measured[workers][1]
    assert ten[0] - two[0] < 60  # the eight minutes more have 96 MB of maps
    assert ten[1] - two[1] < 40  # and 92 MB of sound, 46 as 16 bits a sample
    assert sum(ten) < 2000


@pytest.mark.parametrize("workers", [0, 1])
def test_ten_minutes_have_all_their_segments(measured, workers):
    store = FeatureStore.open(measured[workers][0] / "3")
    features = store.read("0")
    assert features.visual.shape == (600, 7, 7, 2048)
    assert features.audio.shape == (600, 128)
    assert features.visual_valid.all()
    assert features.audio_valid.all()
    assert features.frame_index[:, 0].tolist() == list(range(600))
