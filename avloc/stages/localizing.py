"""What ``localize`` does with each video, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.errors import AvlocError, OutputError
from avloc.progress import Progress
from avloc.stages.answers import Answer, Answerer
from avloc.stages.inputs import Input
from avloc.stages.products import Products
from avloc.stages.reporting import Reporting
from avloc.timeline import Timeline

_FEATURES = 0.6  # their share of a video's time where a heat map is rendered too


@dataclass(frozen=True)
class Localization:
    """One video's answer.

    Attributes:
        video: the file.
        timeline: its events and scores; None if it failed.
        others: what further models say of it.
        written: the files made, in order.
        kept: files that were there already, made of the same model, rules and video.
        note: what a reader should know of the answer.
        error: why it failed; None if it did not.
    """

    video: Path
    timeline: Timeline | None = None
    others: tuple[Timeline, ...] = ()
    written: tuple[Path, ...] = ()
    kept: tuple[Path, ...] = ()
    note: str = ""
    error: AvlocError | None = None


class Run:
    """A run over videos.

    Args:
        answerer: what answers them.
        products: what is made of the answers.
        reporting: tells of them; None if nobody does.
        is_kept: whether answers are files; else nothing but the report is written.
    """

    def __init__(
        self, answerer: Answerer, products: Products, reporting: Reporting | None, is_kept: bool
    ) -> None:
        self._answerer, self._products = answerer, products
        self._reporting, self._is_kept = reporting, is_kept

    def __call__(
        self,
        inputs: Sequence[Input],
        progress: Progress,
        each: Callable[[Localization], None] | None,
    ) -> list[Localization]:
        """Localize each video; one that fails carries its error, and the others go on."""
        answers = []
        for n, one in enumerate(inputs):
            answers.append(self._tried(one, _Share(progress, n, len(inputs), one.video.name)))
            if each is not None:
                each(answers[-1])
        progress(len(inputs), len(inputs), "done")
        return answers

    def _tried(self, one: Input, share: _Share) -> Localization:
        written: list[Path] = []
        try:
            return self._localized(one, share, written)
        except AvlocError as error:
            if isinstance(error, OutputError):
                error.hint += " --out DIR names another folder."
            if self._reporting is not None:
                self._reporting.fail(one.video, error)
            return Localization(one.video, written=tuple(written), error=error)

    def _localized(self, one: Input, share: _Share, written: list[Path]) -> Localization:
        """Answer a video and make what is to be made; ``written`` grows as files come."""
        kept: list[Path] = []
        until = _FEATURES if self._products.heatmap and self._is_kept else 1.0
        answers = self._answerer(
            one, is_kept=self._is_kept, progress=share.of("features", 0.0, until)
        )
        for answer in answers:
            if answer.path is not None:
                (kept if answer.is_kept else written).append(answer.path)
        if self._is_kept:
            for product in self._products.of(one, answers, share.of("heat map", until, 1.0)):
                if not product.is_there:
                    product.make()
                (kept if product.is_there else written).append(product.path)
        return self._told(one, answers, written, kept)

    def _told(
        self, one: Input, answers: Sequence[Answer], written: Sequence[Path], kept: Sequence[Path]
    ) -> Localization:
        own, *others = (answer.timeline for answer in answers)
        note = self._answerer.note(own)
        if self._reporting is not None:
            self._reporting.add(one, answers[0], [*kept, *written], note)
        return Localization(one.video, own, tuple(others), tuple(written), tuple(kept), note)


@dataclass(frozen=True)
class _Share:
    """One video's part of the progress of all."""

    progress: Progress
    n: int
    n_all: int
    name: str

    def of(self, what: str, begin: float, end: float) -> Progress:
        """Return what turns the progress of one piece of work into that of the run."""

        def report(done: float, total: int, _: str) -> None:
            share = begin + (end - begin) * done / max(total, 1)
            self.progress(self.n + share, self.n_all, f"{self.name}: {what} {done:.0f}/{total} s")

        return report
