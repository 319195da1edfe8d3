"""How fast avloc and video_features extract ResNet-152 features, in interleaved rounds::

    python tools/compare_video_features.py --checkout DIR

``DIR`` is a checkout of https://github.com/v-iashin/video_features, which this script does not
fetch. Its requirements must be importable (omegaconf, tqdm, opencv-python; put them on PYTHONPATH
if they are elsewhere), and ``ffmpeg`` must be a program on PATH: video_features encodes every clip
again to change its frame rate. ``--native`` makes clips of 16 frames a second and asks for no
change, so that it need not.

Both sides load the same made-up weights and read the same made clips. Each round of a side is a
process of its own that imports, loads, warms up on a clip of one second, and then measures its
clips: decoding, network, writing. Both sides have the same number of threads, which wait without
spinning.

What each makes of a clip of 10 s, at 16 frames a second:

- video_features: 160 vectors of 2048 numbers (the mean over the picture), in float64. The shorter
  side of a frame is resized to 256 and the middle 224 x 224 are taken. No sound.
- avloc: 10 maps of 7 x 7 x 2048 numbers (the mean over a segment's frames), in float16. The frame
  is resized to 224 x 224. Sound: ``--audio logmel``, which has no network.

Ratios are time of video_features by time of avloc, round by round: the median, and the lowest and
the highest of the rounds; once of seconds, once of CPU seconds (of the process and its children),
which other programs on the machine disturb less.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np

NETWORK, WEIGHTS, FPS = "resnet152", "resnet152-394f9c45.pth", 16
THEIRS = "video_features"
SIDES = {  # options of `load_encoders`
    THEIRS: {},
    "avloc, fp32": {"precision": "fp32"},
    "avloc, fp32, eager": {"precision": "fp32", "runtime": "eager"},
    "avloc, bf16": {"precision": "bf16"},
}
Extract = Callable[[list[Path]], int]  # of clips; returns the frames encoded
_MODULES = ("video_features.models.resnet.extract_resnet", "models.resnet.extract_resnet")


def make_inputs(folder: Path, n_clips: int, width: int, height: int, rate: int) -> list[Path]:
    """Write the clips and the weights; what is there already is kept."""
    from random_weights import draw

    from avloc.features.visual_networks import torchvision_record
    from avloc.stages.bench_clips import make_clips

    checkpoints = folder / "torch" / "hub" / "checkpoints"  # where torchvision looks
    checkpoints.mkdir(parents=True, exist_ok=True)
    if not (checkpoints / WEIGHTS).exists():
        draw(torchvision_record(NETWORK), checkpoints)
    clips = []
    for seconds, n in ((1, 1), (10, n_clips)):
        place = folder / f"clips-{width}x{height}-{rate}-{seconds}s"
        clips += make_clips(place, n, width, height, seconds=seconds, rate=rate)
    (_, short), *others = clips
    warm_up = short.with_name("short.mp4")  # a name of its own: neither side extracts one twice
    shutil.copyfile(short, warm_up)
    return [warm_up, *(path for _, path in others)]


def measure_theirs(folder: Path, asked: Any) -> Extract:
    """Return what extracts clips with the checkout's own class."""
    from omegaconf import OmegaConf

    sys.path.insert(0, str(asked.checkout))
    settings = {
        "feature_type": "resnet",
        "model_name": NETWORK,
        "batch_size": asked.batch_size,
        "extraction_fps": None if asked.native else FPS,
        "extraction_total": None,
        "device": "cpu",
        "on_extraction": "save_numpy",
        "output_path": str(folder / "output"),
        "tmp_path": str(folder / "tmp"),
        "keep_tmp_files": False,
        "show_pred": False,
    }
    module = importlib.import_module(str(_their_module(asked.checkout)))
    extractor = module.ExtractResNet(OmegaConf.create(settings))

    def extract(paths: list[Path]) -> int:
        for path in paths:
            extractor._extract(str(path))
        made = [folder / "output" / f"{path.stem}_resnet.npy" for path in paths]
        return sum(len(np.load(path)) for path in made)

    return extract


def _their_module(checkout: Path) -> str | None:
    """Return the module of their class: older checkouts are no package."""
    files = {name: (checkout / name.replace(".", "/")).with_suffix(".py") for name in _MODULES}
    return next((name for name, path in files.items() if path.exists()), None)


def measure_ours(folder: Path, options: dict[str, str]) -> Extract:
    """Return what extracts clips with avloc."""
    from avloc.artifacts import FeatureStore, sha256_of
    from avloc.features import WeightsPolicy, extract, load_encoders
    from avloc.features.weights import WeightsFile

    path = Path(os.environ["TORCH_HOME"], "hub", "checkpoints", WEIGHTS)
    # The hash of made-up weights is not the one that avloc would insist on.
    with patch("avloc.features.sources.fetch", lambda *_: WeightsFile(path, sha256_of(path))):
        encoders = load_encoders(
            NETWORK, "logmel", device="cpu", weights=WeightsPolicy(offline=True), **options
        )
    store = FeatureStore.create(folder / "store", encoders.spec)

    def run(paths: list[Path]) -> int:
        report = extract([(path.stem, path) for path in paths], store, encoders)
        if report.failures:
            sys.exit(f"error: {report.failures[0].reason}")
        return sum(len(np.unique(store.read(path.stem).frame_index)) for path in paths)

    return run


def run_side(asked: Any) -> None:
    """Measure a side in this process, and print it as JSON."""
    import torch

    torch.set_num_threads(asked.threads)
    clips = [Path(path) for path in json.loads(asked.clip_list)]
    began = time.perf_counter()
    with TemporaryDirectory(dir=asked.folder) as folder:
        run = (
            measure_theirs(Path(folder), asked)
            if asked.side == THEIRS
            else measure_ours(Path(folder), SIDES[asked.side])
        )
        run(clips[:1])  # the first calls take longer
        ready, ready_cpu = time.perf_counter(), _cpu_seconds()
        n_frames = run(clips[1:])
        found = {
            "frames": n_frames,
            "start": ready - began,
            "seconds": time.perf_counter() - ready,
            "CPU seconds": _cpu_seconds() - ready_cpu,
        }
    sys.stdout.write(f"\n{json.dumps(found)}\n")


def _cpu_seconds() -> float:
    """Return what this process and the children that have ended have used."""
    times = os.times()
    return sum(times[:4])


def compare(asked: Any, clips: list[Path], folder: Path) -> dict[str, list[dict[str, float]]]:
    """Run the sides in turns, each in a process of its own."""
    results: dict[str, list[dict[str, float]]] = {side: [] for side in asked.sides}
    environment = os.environ | {
        "TORCH_HOME": str(folder / "torch"),
        "AVLOC_CACHE": str(folder / "cache"),
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": str(asked.threads),
    }
    command = [sys.executable, __file__, *sys.argv[1:], "--folder", str(folder)]
    listed = json.dumps([str(path) for path in clips])
    for k in range(asked.rounds):
        for side in asked.sides:
            done = subprocess.run(
                [*command, "--side", side, "--clip-list", listed],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                sys.exit(f"{side}: {(done.stderr or done.stdout).strip()[-2000:]}")
            results[side].append(json.loads(done.stdout.strip().splitlines()[-1]))
            rate = results[side][-1]["frames"] / results[side][-1]["seconds"]
            sys.stderr.write(f"round {k + 1}, {side}: {rate:.1f} frames/s\n")
    return results


def show(results: dict[str, list[dict[str, float]]]) -> None:
    """Print each side's rate and its ratios to video_features."""
    first = next(iter(results.values()))
    for side, rounds in results.items():
        rate = median(entry["frames"] / entry["seconds"] for entry in rounds)
        parts = [f"{side:<20} {rounds[0]['frames']:6.0f} frames {rate:8.1f} frames/s"]
        for name in ("seconds", "CPU seconds"):
            ratios = [a[name] / b[name] for a, b in zip(first, rounds, strict=True)]
            parts.append(f"{name} {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
        sys.stdout.write("   ".join(parts) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkout", type=Path, required=True, help="of video_features")
    parser.add_argument("--clips", type=int, default=4, help="of 10 s, measured in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--rate", type=int, default=25, help="frames a second of the clips")
    parser.add_argument("--native", action="store_true", help="clips of 16 frames a second")
    parser.add_argument("--batch-size", type=int, default=16, help="of video_features")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--folder", type=Path, help="keeps clips and weights for the next run")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--clip-list", help=argparse.SUPPRESS)
    return parser


def check(asked: Any) -> None:
    """Say what is missing before anything is made."""
    if _their_module(asked.checkout) is None:
        sys.exit(
            f"error: {asked.checkout} is not a checkout of video_features\n"
            "Clone https://github.com/v-iashin/video_features, and give its folder."
        )
    for module in ("omegaconf", "tqdm", "cv2"):
        if importlib.util.find_spec(module) is None:
            sys.exit(f"error: video_features needs {module}, which is not on PYTHONPATH")
    if not asked.native and shutil.which("ffmpeg") is None:
        sys.exit("error: video_features needs the program ffmpeg on PATH, or --native clips")


def main() -> None:
    """Compare what the command line asks for, and print it."""
    asked = _parser().parse_args()
    if asked.side:
        run_side(asked)
        return
    check(asked)
    width, height = map(int, asked.size.split("x"))
    with TemporaryDirectory(prefix="avloc-compare-") as temporary:
        folder = (asked.folder or Path(temporary)).resolve()
        clips = make_inputs(folder, asked.clips, width, height, FPS if asked.native else asked.rate)
        show(compare(asked, clips, folder))
    sys.stdout.write(f"{platform.processor() or platform.machine()}, {asked.threads} threads\n")


if __name__ == "__main__":
    main()
