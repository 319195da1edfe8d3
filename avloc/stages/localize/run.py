"""What ``localize`` does with each video, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from avloc.artifacts import claim
from avloc.errors import AvlocError
from avloc.progress import Progress
from avloc.stages.localize.answers import ANSWER, Answer, Answerer
from avloc.stages.localize.inputs import Input
from avloc.stages.localize.outputs import Products
from avloc.timeline import Timeline

if TYPE_CHECKING:
    from avloc.stages.localize.report_writer import Reporting

_PATIENCE = 0.5  # seconds between two looks at videos that other runs are at
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
        reporting: gathers them for a page; None without one.
        is_written: whether answers are files; else nothing but the report is written.
    """

    def __init__(
        self,
        answerer: Answerer,
        products: Products,
        reporting: Reporting | None,
        *,
        is_written: bool,
    ) -> None:
        self._answerer, self._products = answerer, products
        self._reporting, self._is_written = reporting, is_written

    def __call__(
        self,
        inputs: Sequence[Input],
        progress: Progress,
        each: Callable[[Localization], None] | None,
    ) -> list[Localization]:
        """Localize each video; one that fails carries its error, and the others go on.

        A video that another run is at comes last: by then its answer may be there.
        """
        answers: dict[int, Localization] = {}
        while len(answers) < len(inputs):
            n_before = len(answers)
            for n in sorted(set(range(len(inputs))) - set(answers)):
                share = _Share(progress, len(answers), len(inputs), inputs[n].video.name)
                with self._claim(inputs[n]) as is_mine:
                    if not is_mine:
                        continue
                    answers[n] = self._tried(inputs[n], share)
                if each is not None:
                    each(answers[n])
            if len(answers) == n_before:
                progress(n_before, len(inputs), "waiting for another run")
                time.sleep(_PATIENCE)
        progress(len(inputs), len(inputs), "done")
        return [answers[n] for n in range(len(inputs))]

    def _claim(self, one: Input) -> AbstractContextManager[bool]:
        if not self._is_written or one.error is not None:
            return nullcontext(True)
        self._answerer.prepare(one)  # what cannot be loaded leaves nothing behind
        return claim(one.result(ANSWER))

    def _tried(self, one: Input, share: _Share) -> Localization:
        written: list[Path] = []
        try:
            return self._localized(one, share, written)
        except AvlocError as error:
            if error is self._answerer.failure:
                raise
            if self._reporting is not None:
                self._reporting.fail(one.video, error)
            return Localization(one.video, written=tuple(written), error=error)

    def _localized(self, one: Input, share: _Share, written: list[Path]) -> Localization:
        """Answer a video and make what is to be made; ``written`` grows as files come."""
        kept: list[Path] = []
        until = _FEATURES if self._products.heatmap and self._is_written else 1.0
        if self._is_written and one.error is None:
            self._products.check_video(one)
        answers = self._answerer(
            one,
            is_written=self._is_written,
            progress=share.of("features", "segments", 0.0, until),
        )
        for answer in answers:
            if answer.path is not None:
                (kept if answer.is_kept else written).append(answer.path)
        if self._is_written:
            heatmap = share.of("heat map", "s", until, 1.0)
            for product in self._products.of(one, answers, heatmap):
                if not product.is_there:
                    product.make()
                (kept if product.is_there else written).append(product.path)
        return self._reported(one, answers, written, kept)

    def _reported(
        self, one: Input, answers: Sequence[Answer], written: Sequence[Path], kept: Sequence[Path]
    ) -> Localization:
        own, *others = (answer.timeline for answer in answers)
        truth = self._products.truth
        notes = (self._answerer.note(own), "" if truth is None else truth.note(one))
        note = "; ".join(filter(None, notes))
        if self._reporting is not None:
            self._reporting.add(one, answers[0], [*kept, *written], note)
        return Localization(one.video, own, tuple(others), tuple(written), tuple(kept), note)


@dataclass(frozen=True)
class _Share:
    """One video's part of the progress of all."""

    progress: Progress
    n_done: int
    n_all: int
    name: str

    def of(self, what: str, unit: str, begin: float, end: float) -> Progress:
        """Return what turns the progress of one piece of work into that of the run."""

        def report(done: float, total: int, _: str) -> None:
            share = begin + (end - begin) * done / max(total, 1)
            at = f"{self.name}: {what} {done:.0f}/{total} {unit}"
            self.progress(self.n_done + share, self.n_all, at)

        return report
