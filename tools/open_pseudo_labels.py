"""What labels of the open model are worth: clips of real photographs and recordings, truth known::

    python tools/open_pseudo_labels.py DIR --pictures PHOTOS --sounds RECORDINGS --weights WEIGHTS

composes clips in DIR (kept if they are there), and compares on the test split: the open model
alone, and calibrated on a few corrected clips; CMAN trained on what `avloc label` wrote, on the few
corrected clips only, and on the truth of all clips; and answers that need no model. Prints a
Markdown table, or puts it into a file (``--into``).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from marked_pages import put_between

import avloc
from avloc.artifacts import write_text
from avloc.datasets import Dataset, load_dataset
from avloc.datasets.manifest_text import ScoredRow, manifest_text
from avloc.evaluation.event_evaluation import MODEL
from avloc.stages.open_model import AUDIO, FPS, VISUAL
from avloc.tables.table import Table, percent

MARKS = ("<!-- pseudo-labels -->", "<!-- /pseudo-labels -->")
COMPOSED = {"events": 2, "set": {"heard_only": 0.25, "seen_only": 0.25, "overlap": 0.7}}
"""As in the demo: one or two events in a clip, heard, seen or both."""
ENCODERS: dict[str, Any] = {"visual": VISUAL, "audio": AUDIO, "fps": FPS}
TRAINING: dict[str, Any] = {
    **{"batch_size": 16, "patience": 12, "modality_dropout": 0.2},
    **{"similarity": "projection", "temperature": 5, "width": 128},
}
"""As in the demo."""


@dataclass
class Results:
    """F1 of segments and mean average precision on test, by row and seed."""

    rows: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, title: str, events: Any, answer: str = MODEL) -> None:
        """Add an answer's numbers; of a baseline once."""
        precision = events.precision.get(answer)
        numbers = (events.labels[answer].micro, precision.at(0.5) if precision else float("nan"))
        self.rows.setdefault(title, []).append(numbers)

    def table(self, caption: str) -> Table:
        """Return a row for each answer: the mean over seeds, and their deviation."""
        rows = [
            [title, *(_spread(of) for of in zip(*numbers, strict=True)), str(len(numbers))]
            for title, numbers in self.rows.items()
        ]
        header = ("answer", "F1 of segments", "mean average precision at tIoU 0.5", "seeds")
        return Table("Pseudo-labels on composed clips", header, rows, caption)


@dataclass(frozen=True)
class Bench:
    """The composed clips and their workspace."""

    dataset: Dataset
    artifacts: Path
    options: dict[str, Any]  # weights, offline

    @property
    def training_clips(self) -> list[Path]:
        """The clips of train and val."""
        ids = dict.fromkeys(row.video_id for row in self.dataset.rows if row.split != "test")
        return [self.dataset.videos[video_id] for video_id in ids]

    def events(self, model: str) -> Any:
        """Measure a model on test."""
        return avloc.evaluate(
            model=model, artifacts=self.artifacts, dataset=self.dataset.root
        ).evaluation.events

    def propose(self, model: str) -> Path:
        """Return a manifest of what a model finds in the clips of train and val."""
        out = self.artifacts.parent / f"labels-of-{model}.csv"
        shares = {"val_share": 0.2, "test_share": 0.0}
        avloc.label(
            self.training_clips,
            model=model,
            out=out,
            artifacts=self.artifacts,
            **shares,
            **self.options,
        )
        return out

    def corrected(self, n: int) -> Path:
        """Return a manifest with the truth of the first n clips of val; no split."""
        of_val = [row.video_id for row in self.dataset.rows if row.split == "val"]
        chosen = list(dict.fromkeys(of_val))[:n]
        path = self.artifacts.parent / "corrected.csv"
        rows = [
            ScoredRow(type(row)(**{**vars(row), "split": ""}))
            for row in self.dataset.rows
            if row.video_id in chosen
        ]
        videos = {video_id: self.dataset.videos[video_id] for video_id in chosen}
        write_text(path, manifest_text(rows, videos, path))
        return path

    def train(self, dataset: Path, name: str, seed: int, epochs: int) -> str:
        """Train CMAN on labels, and return the model's name."""
        settings = {**TRAINING, "labels": "independent"}
        avloc.train(
            dataset=dataset,
            name=f"{name}-{seed}",
            seed=seed,
            epochs=epochs,
            set=settings,
            artifacts=self.artifacts,
        )
        return f"{name}-{seed}"


def compose(folder: Path, asked: argparse.Namespace) -> Bench:
    """Make the clips and their features; what is there is kept."""
    options = {"weights": asked.weights, "offline": asked.offline}
    avloc.synth(
        folder / "data",
        train=asked.train,
        val=asked.val,
        test=asked.test,
        seed=asked.data_seed,
        pictures=asked.pictures,
        sounds=asked.sounds,
        **COMPOSED,
    )
    artifacts = folder / "artifacts"
    avloc.extract(folder / "data", artifacts=artifacts, **ENCODERS, **options)
    return Bench(load_dataset(folder / "data"), artifacts, options)


def measure(bench: Bench, seeds: Sequence[int], n_few: int, epochs: int) -> Results:
    """Return the numbers of every row."""
    results, truth = Results(), Path(bench.dataset.root)
    avloc.open_model(labels=bench.dataset.labels.names, artifacts=bench.artifacts, **bench.options)
    events = bench.events("open")
    results.add("open model alone", events)
    few = bench.corrected(n_few)
    avloc.calibrate(
        few, model="open", name="open-calibrated", artifacts=bench.artifacts, **bench.options
    )
    results.add(f"open model, calibrated on {n_few} clips", bench.events("open-calibrated"))
    labels = {
        "CMAN on labels of the open model": (bench.propose("open"), "of-open"),
        f"CMAN on the truth of {n_few} clips": (few, "of-few"),
        "CMAN on the truth of all clips": (truth, "of-truth"),
    }
    for title, (dataset, name) in labels.items():
        for seed in seeds:
            results.add(title, bench.events(bench.train(dataset, name, seed, epochs)))
    for answer in events.labels:
        if answer != MODEL:
            results.add(answer, events, answer)
    return results


def _spread(values: Sequence[float]) -> str:
    mean = percent(fmean(values))
    return f"{mean} +- {100 * stdev(values):.1f}" if len(values) > 1 else mean


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where clips, features and models go")
    for name, words in (("pictures", "photographs"), ("sounds", "recordings")):
        parser.add_argument(f"--{name}", type=Path, required=True, help=f"{words} by class")
    parser.add_argument("--weights", type=Path, help="a folder with weight files")
    parser.add_argument("--offline", action="store_true", help="never use the network")
    numbers = {"train": 120, "val": 30, "test": 90, "data-seed": 2020, "seeds": 3, "few": 8}
    for name, default in (numbers | {"epochs": 30}).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--into", type=Path, help="put the table between the marks of this file")
    asked = parser.parse_args()
    bench = compose(asked.folder, asked)
    results = measure(bench, range(asked.seeds), asked.few, asked.epochs)
    n_unlabelled = len(bench.training_clips)
    text = results.table(
        f"{n_unlabelled} clips to learn from, {asked.test} test clips, one or two events each, "
        f"heard, seen or both; classes {', '.join(bench.dataset.labels.names)}. F1 over all "
        "labels and segments. The open model was given the classes' names; it saw no label."
    ).markdown()
    if asked.into is None:
        sys.stdout.write(text)
    else:
        put_between(asked.into, text, MARKS)


if __name__ == "__main__":
    main()
