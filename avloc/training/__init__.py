"""Training: a store and a data set go in, a model file comes out (`avloc.training.fit`)."""

from avloc.training.config import TrainingConfig
from avloc.training.loop import begin, train_epoch
from avloc.training.losses import loss_of
from avloc.training.splits import TrainingData, load_splits
from avloc.training.team import is_leader

__all__ = [
    "TrainingConfig",
    "TrainingData",
    "begin",
    "is_leader",
    "load_splits",
    "loss_of",
    "train_epoch",
]
