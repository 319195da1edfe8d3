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

FEW, MANY = 10, 80
HERE = Path(__file__).parent
SETTINGS = {
    "PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE.parents[1]}",
    "OPENBLAS_NUM_THREADS": "1",  # as the command has it
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Clips of 10, 180 and 900 seconds: small pictures, and sound of 48 kHz."""
    folder = tmp_path_factory.mktemp("clips")
    pictures = ("-f", "lavfi", "-i", "testsrc=size=48x32:rate=1")
    sound = ("-f", "lavfi", "-i", "sine=r=48000", "-c:a", "pcm_u8")
    run_ffmpeg(*pictures, *sound, "-c:v", "libx264", "-t", 60, folder / "minute.mkv")
    lengths = {"short": 10, "minutes": 180, "quarter": 900}
    for name, seconds in lengths.items():
        looped = ("-stream_loop", 14, "-i", folder / "minute.mkv", "-c", "copy", "-t", seconds)
        run_ffmpeg(*looped, folder / f"{name}.mkv")
    return {name: str(folder / f"{name}.mkv") for name in lengths}


@pytest.fixture(scope="module")
def measured(clips, tmp_path_factory):
    """Peaks in MB after each lot, by the number of decoding processes; and the stores."""
    lots = [[clips["short"]] * FEW, [clips["short"]] * MANY, [clips["minutes"]], [clips["quarter"]]]
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
    assert many[0] - few[0] < 50  # the 70 more have 69 MB of maps, 56 MB of last batches, ...
    assert many[1] - few[1] < 30  # ... and 105 MB of pictures


@pytest.mark.parametrize("workers", [0, 1])
def test_peak_is_flat_in_the_length_of_a_clip(measured, workers):
    _, _, minutes, quarter = measured[workers][1]
    assert quarter[0] - minutes[0] < 60  # the 12 minutes more have 71 MB of maps
    assert quarter[1] - minutes[1] < 40  # and 138 MB of sound, 69 as 16 bits a sample
    assert sum(quarter) < 2000


@pytest.mark.parametrize("workers", [0, 1])
def test_a_quarter_of_an_hour_has_all_its_segments(measured, workers):
    store = FeatureStore.open(measured[workers][0] / "3")
    features = store.read("0")
    assert features.visual.shape == (900, 7, 7, 1024)
    assert features.audio.shape == (900, 128)
    assert features.visual_valid.all()
    assert features.audio_valid.all()
    assert features.frame_index[:, 0].tolist() == list(range(900))
