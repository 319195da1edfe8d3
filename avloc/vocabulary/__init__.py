"""Words: the classes that pretrained classifiers know, and which of them a label means."""

from avloc.vocabulary.class_names import audioset_names, imagenet_names
from avloc.vocabulary.class_weights import ClassWeight, LabelMapping
from avloc.vocabulary.corrections import Correction, Corrections, read_corrections
from avloc.vocabulary.label_mapping import map_labels
from avloc.vocabulary.sounding_things import SOUNDING_THINGS

__all__ = [
    "SOUNDING_THINGS",
    "ClassWeight",
    "Correction",
    "Corrections",
    "LabelMapping",
    "audioset_names",
    "imagenet_names",
    "map_labels",
    "read_corrections",
]
