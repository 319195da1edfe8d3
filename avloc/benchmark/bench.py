"""What ``avloc bench`` measures: extraction, the ways to run a network, or an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from avloc.benchmark.clips import ClipShape, make_clips
from avloc.benchmark.extraction import ExtractionSpeed, measure_extraction
from avloc.benchmark.machine import machine
from avloc.benchmark.runtimes import RuntimeSpeed, compare_runtimes
from avloc.benchmark.training import TrainingSpeed, measure_training
from avloc.benchmark.weights import are_made_up, encoders_at_hand
from avloc.devices import choose_device
from avloc.progress import Progress
from avloc.training import TrainingConfig

Speed = ExtractionSpeed | TrainingSpeed | tuple[RuntimeSpeed, ...]


@dataclass(frozen=True)
class Benchmark:
    """What was measured, and where.

    Attributes:
        facts: the machine, and what ran on it, name by name.
        speed: of extraction, of an epoch, or of each way to run a network.
    """

    facts: dict[str, str]
    speed: Speed


def bench(
    paths: Sequence[Path | str] = (),
    *,
    visual: str = "resnet152",
    audio: str = "vggish",
    clips: int = 8,
    size: str = "640x360",
    rounds: int = 2,
    workers: int | None = None,
    batch_size: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    runtime: str = "auto",
    runtimes: bool = False,
    training: int | None = None,
    scratch: Path | str | None = None,
    progress: Progress | None = None,
) -> Benchmark:
    """Measure how fast this machine is, and what decides; nothing is downloaded.

    Args:
        paths: videos of like length; clips are made if there are none.
        visual: the visual encoder.
        audio: the audio encoder.
        clips: how many clips to make.
        size: of the clips made, ``WxH``.
        rounds: how often to measure.
        workers: decoding processes; chosen if None.
        batch_size: frames a batch; chosen if None.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        precision: ``auto``, ``fp32``, ``fp16``.
        runtime: ``auto``, ``eager``, ``compile``, ``onnx``.
        runtimes: compare the ways to run the visual encoder instead.
        training: measure an epoch of CMAN on so many rows instead.
        scratch: a folder for clips and stores, kept and used again; a temporary one if None.
        progress: called with (done, total, what).

    Raises:
        UnknownNameError: no such encoder, device or runtime. UsageError: the size is none.
        MediaError: a video cannot be decoded. OutputError: the folder cannot be written.
    """
    if training is not None:
        place = choose_device(device)
        epoch = measure_training(training, place, TrainingConfig())
        return Benchmark({"machine": machine(place)}, epoch)
    shape = ClipShape.parse(size)
    with _folder(scratch) as folder, TemporaryDirectory(dir=folder) as stores:
        if runtimes:
            place = choose_device(device)
            ways = compare_runtimes(visual, place, folder, precision=precision)
            return Benchmark({"machine": machine(place), "visual": visual}, tuple(ways))
        encoders = encoders_at_hand(
            visual, audio, folder, device=device, precision=precision, runtime=runtime
        )
        videos = [(Path(path).stem, Path(path)) for path in paths]
        speed = measure_extraction(
            videos or make_clips(folder / "clips", clips, shape),
            encoders,
            Path(stores),
            workers=workers,
            batch_size=batch_size,
            rounds=rounds,
            progress=progress,
        )
    facts = {
        "machine": machine(encoders.device),
        "encoders": f"{visual} and {audio}, {encoders.spec.precision}",
        "weights": "made up" if are_made_up(encoders) else "their own",
    }
    return Benchmark(facts, speed)


@contextmanager
def _folder(scratch: Path | str | None) -> Iterator[Path]:
    with TemporaryDirectory(prefix="avloc-bench-") as temporary:
        folder = Path(scratch or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
