"""Words: the classes that pretrained classifiers know, and which of them a label means."""

from avloc.vocabulary.class_names import audioset_names, imagenet_names
from avloc.vocabulary.class_weights import ClassWeight, LabelMapping
from avloc.vocabulary.label_mapping import Corrections, map_labels

__all__ = [
    "ClassWeight",
    "Corrections",
    "LabelMapping",
    "audioset_names",
    "imagenet_names",
    "map_labels",
]
