"""Training: a store and a data set go in, a model file comes out."""

from avloc.training.config import TrainingConfig
from avloc.training.loop import TrainingState, begin, record, train_epoch, validate
from avloc.training.losses import LOSSES, segment_cross_entropy
from avloc.training.splits import TrainingData, load_splits
from avloc.training.statistics import fit_scaling
from avloc.training.train import train

__all__ = [
    "LOSSES",
    "TrainingConfig",
    "TrainingData",
    "TrainingState",
    "begin",
    "fit_scaling",
    "load_splits",
    "record",
    "segment_cross_entropy",
    "train",
    "train_epoch",
    "validate",
]
