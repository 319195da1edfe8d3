"""The options of training, with defaults, ranges and help."""

from __future__ import annotations

from dataclasses import dataclass

from avloc.options import check_options, option


@dataclass(frozen=True)
class TrainingConfig:
    """Training options. The paper gives none; the defaults are this project's choice."""

    epochs: int = option(100, help="maximum passes over the training rows", minimum=1)
    batch_size: int = option(64, help="windows per step", minimum=1)
    learning_rate: float = option(1e-3, help="Adam's initial rate", minimum=1e-8)
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
        "proportion",
        help="the weak label: each class's share of the time (the paper's, which contains the "
        "event's length), or which event occurs",
        choices=("proportion", "presence"),
    )
    pooling: str = option(
        "auto",
        help="how the logits of a video are pooled under weak supervision; auto: mean for "
        "proportion, max for presence",
        choices=("auto", "mean", "max", "topk"),
    )
    top_k: int = option(3, help="number of segments that pooling=topk averages", minimum=1)
    select: str = option(
        "val",
        help="the split that chooses the epoch; most published numbers use test, and every "
        "table reports it",
        choices=("val", "test"),
    )
    precision: str = option(
        "auto",
        help="of the arithmetic; auto: bf16 (mixed) on CUDA, fp32 elsewhere",
        choices=("auto", "fp32", "bf16"),
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

    @property
    def pooling_used(self) -> str:
        """How logits are pooled, after ``auto``."""
        if self.pooling != "auto":
            return self.pooling
        return "mean" if self.weak_labels == "proportion" else "max"
