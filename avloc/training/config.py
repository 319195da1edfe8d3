"""The options of training, with defaults, ranges and help."""

from __future__ import annotations

from dataclasses import dataclass

from avloc.errors import UsageError
from avloc.options import check_options, option


@dataclass(frozen=True)
class TrainingConfig:
    """Training options. The paper gives none; the defaults are this project's choice."""

    epochs: int = option(100, help="maximum passes over the training rows", minimum=1)
    batch_size: int = option(
        0,
        help="windows per step; 0: 64, or fewer where windows have different lengths and an epoch "
        "would have less than 50 steps",
        minimum=0,
    )
    learning_rate: float = option(1e-3, help="Adam's initial rate", minimum=1e-8)
    tau_rate_factor: float = option(
        1.0,
        help="tau, the factor on the similarity in the spatial attention, learns at this multiple "
        "of the rate",
        minimum=0.0,
    )
    milestones: tuple[int, ...] = option(
        (10, 20, 30), help="epochs after which the rate is halved", minimum=1
    )
    gradient_clip: float = option(
        0.5, help="maximum norm of the gradient; 0 for no limit", minimum=0.0
    )
    patience: int = option(
        30, help="epochs without a better validation before training stops; 0: never", minimum=0
    )
    seed: int = option(0, help="random seed of weights, shuffling and dropout", minimum=0)
    labels: str = option(
        "auto",
        help="whether a segment has one label at most (exclusive) or may have several "
        "(independent); auto: what the data set says",
        choices=("auto", "exclusive", "independent"),
    )
    supervision: str = option(
        "full",
        help="the labels used in training: the class of every segment, or of the video only",
        choices=("full", "weak"),
    )
    weak_labels: str = option(
        "auto",
        help="the weak label: each label's share of the time (the paper's, which contains the "
        "event's length), or which labels occur; auto: proportion where the times of all events "
        "are known and the model has no pooling of its own, else presence",
        choices=("auto", "proportion", "presence"),
    )
    pooling: str = option(
        "auto",
        help="what a weak label is compared with: each label's likeliest segments, as many as "
        "its proportion says (count), or the logits pooled over the video; auto: count for "
        "proportion, topk for presence",
        choices=("auto", "count", "mean", "max", "topk"),
    )
    top_k: int = option(4, help="number of segments that pooling=topk averages", minimum=1)
    isolate: str = option(
        "auto",
        help="pooling=count also scores each segment by itself, without the rest of its video, so "
        "that a network that mixes segments finds the event and not its neighbours; auto: on for "
        "pooling=count",
        choices=("auto", "on", "off"),
    )
    self_training: str = option(
        "auto",
        help="pooling=count trains a second time: the trained model's likeliest segments, as many "
        "as the proportion says, become labels of segments (pseudo-labels), and the same network "
        "is trained anew on these; each of the two rounds has all epochs; auto: on for "
        "pooling=count",
        choices=("auto", "on", "off"),
    )
    splice: str = option(
        "auto",
        help="weak supervision also trains on videos of which a span is replaced by another "
        "video's: no label may occur in the other's segments; auto: on for presence, unless the "
        "model has a pooling of its own",
        choices=("auto", "on", "off"),
    )
    splice_weight: float = option(1.0, help="factor on the loss of spliced videos", minimum=0.0)
    select: str = option(
        "val",
        help="the split that chooses the epoch; most published numbers use test, and every "
        "table reports it",
        choices=("val", "test"),
    )
    select_by: str = option(
        "auto",
        help="what chooses the epoch: the accuracy of segments; the share of answers that "
        "contradict the weak labels; or the loss of the training's labels; auto: segments under "
        "full supervision and labels under weak, which knows nothing of segments",
        choices=("auto", "segments", "labels", "loss"),
    )
    precision: str = option(
        "auto",
        help="of the arithmetic; auto: bf16 (mixed) on CUDA, fp32 elsewhere",
        choices=("auto", "fp32", "bf16"),
    )
    workers: int = option(
        -1,
        help="processes that read features ahead; 0: the training itself; -1: 0 on a CPU, and "
        "up to 4 for a GPU that does not hold all features",
        minimum=-1,
    )
    modality_dropout: float = option(
        0.2,
        help="share of the training windows without their picture or without their sound, so "
        "that the model also works with only one of them",
        minimum=0.0,
        maximum=1.0,
    )
    standardize: bool = option(
        True, help="scale each feature channel by the training set's mean and deviation"
    )
    window: int = option(
        60, help="maximum segments of a window if the data set has no grid", minimum=1
    )
    hold_out: float = option(
        0.1,
        help="share of the training videos used for validation if there is no val split",
        minimum=0.01,
        maximum=0.9,
    )
    hold_out_seed: int = option(
        0,
        help="random seed of that choice, independent of the training's seed",
        minimum=0,
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.select_by == "labels" and not self.is_weak:
            raise UsageError(
                "select_by=labels compares answers with weak labels, and supervision is full",
                "Set select_by=segments, or supervision=weak.",
            )

    @property
    def is_weak(self) -> bool:
        """Whether the labels of whole videos are used only."""
        return self.supervision == "weak"

    @property
    def selected_by(self) -> str:
        """``segments``, ``labels`` or ``loss``, after ``auto``."""
        if self.select_by != "auto":
            return self.select_by
        return "labels" if self.is_weak else "segments"

    @property
    def selected_by_in_words(self) -> str:
        """What chooses the epoch, for tables."""
        if self.selected_by == "segments":
            return "segment accuracy"
        kind = "weak" if self.is_weak else "full"
        return f"the {kind} loss" if self.selected_by == "loss" else "agreement with weak labels"
