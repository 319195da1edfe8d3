"""Training: a store and a data set go in, a model file comes out."""

from avloc.training.config import TrainingConfig
from avloc.training.fit import train
from avloc.training.loop import TrainingState, begin, record, train_epoch, validate
from avloc.training.losses import Loss, loss_of
from avloc.training.review import Review, review
from avloc.training.splits import TrainingData, load_splits
from avloc.training.statistics import ChannelStatistics, channel_statistics, fit_scaling
from avloc.training.team import is_leader

__all__ = [
    "ChannelStatistics",
    "Loss",
    "Review",
    "TrainingConfig",
    "TrainingData",
    "TrainingState",
    "begin",
    "channel_statistics",
    "fit_scaling",
    "is_leader",
    "load_splits",
    "loss_of",
    "record",
    "review",
    "train",
    "train_epoch",
    "validate",
]
