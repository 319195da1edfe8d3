"""Which rows a data set has, where its videos are, and how they are split; needs no torch."""

from avloc.datasets.ave import load_ave
from avloc.datasets.boxes import BOXES, Box, SegmentBoxes, find_boxes, read_boxes
from avloc.datasets.dataset import SPLITS, Dataset, Row
from avloc.datasets.label_counts import count_labels
from avloc.datasets.load import load_dataset, load_videos
from avloc.datasets.manifest import load_manifest
from avloc.datasets.senses import SENSES, LabelSenses, SegmentSenses, find_senses, read_senses
from avloc.datasets.synthetic import SynthesisConfig, synthesize

__all__ = [
    "BOXES",
    "SENSES",
    "SPLITS",
    "Box",
    "Dataset",
    "LabelSenses",
    "Row",
    "SegmentBoxes",
    "SegmentSenses",
    "SynthesisConfig",
    "count_labels",
    "find_boxes",
    "find_senses",
    "load_ave",
    "load_dataset",
    "load_manifest",
    "load_videos",
    "read_boxes",
    "read_senses",
    "synthesize",
]
