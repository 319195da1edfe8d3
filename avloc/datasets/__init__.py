"""Which rows a data set has, where its videos lie, and how they are split.

Four kinds of data set are read by one call, :func:`load_dataset`: AVE's own layout
(:mod:`~avloc.datasets.ave`), the user's own CSV or JSONL
(:mod:`~avloc.datasets.manifest`), plain videos without annotations
(:mod:`~avloc.datasets.unlabelled`), and what :func:`synthesize` makes.
Features and labels as tensors are in :mod:`avloc.datasets.batches`, which needs torch.
"""

from avloc.datasets.ave import load_ave
from avloc.datasets.boxes import BOXES, Box, SegmentBoxes, find_boxes, read_boxes
from avloc.datasets.dataset import SPLITS, Coverage, Dataset, Row
from avloc.datasets.label_counts import LabelCounts, count_labels
from avloc.datasets.load import load_dataset
from avloc.datasets.manifest import load_manifest
from avloc.datasets.synthetic import SynthesisConfig, synthesize
from avloc.datasets.unlabelled import load_videos

__all__ = [
    "BOXES",
    "SPLITS",
    "Box",
    "Coverage",
    "Dataset",
    "LabelCounts",
    "Row",
    "SegmentBoxes",
    "SynthesisConfig",
    "count_labels",
    "find_boxes",
    "load_ave",
    "load_dataset",
    "load_manifest",
    "load_videos",
    "read_boxes",
    "synthesize",
]
