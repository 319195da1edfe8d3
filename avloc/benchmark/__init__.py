"""How fast extraction and training are here, split into their parts: what `avloc bench` runs."""

from avloc.benchmark.bench import Benchmark, bench
from avloc.benchmark.clips import ClipShape, make_clips
from avloc.benchmark.extraction import ExtractionSpeed, measure_extraction
from avloc.benchmark.machine import machine
from avloc.benchmark.runtimes import RuntimeSpeed, compare_runtimes
from avloc.benchmark.training import TrainingSpeed, measure_training
from avloc.benchmark.weights import are_made_up, encoders_at_hand

__all__ = [
    "Benchmark",
    "ClipShape",
    "ExtractionSpeed",
    "RuntimeSpeed",
    "TrainingSpeed",
    "are_made_up",
    "bench",
    "compare_runtimes",
    "encoders_at_hand",
    "machine",
    "make_clips",
    "measure_extraction",
    "measure_training",
]
