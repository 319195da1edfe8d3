"""Videos shared with other runs: each is done by the run that claims it first."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack

from avloc.decoding.clip_decoding import DecodingTask

_WAIT_SECONDS = 0.5


class Sharing:
    """A context that holds the claims on the videos under way.

    Videos that another run has claimed are passed over; `rounds` comes back to them, and does
    what that run did not finish. ``claim`` is `FeatureStore.claim`; ``is_done`` takes a video's id.
    """

    def __init__(
        self,
        tasks: Iterable[DecodingTask],
        claim: Callable[[str], AbstractContextManager[bool]],
        is_done: Callable[[str], bool],
    ) -> None:
        self._left = deque(tasks)
        self._claim = claim
        self._is_done = is_done
        self._claims: dict[str, ExitStack] = {}
        self.done_elsewhere: list[str] = []

    def __enter__(self) -> Sharing:
        return self

    def __exit__(self, *_: object) -> None:
        for video_id in list(self._claims):
            self.release(video_id)

    def rounds(self) -> Iterator[Iterator[DecodingTask]]:
        """Yield rounds of tasks until all are done; waits for other runs between two rounds.

        A round must be finished, claims released, before the next: else two runs could deadlock.
        """
        yield self._unclaimed()
        while self._left:
            time.sleep(_WAIT_SECONDS)
            yield self._unclaimed()

    def _unclaimed(self) -> Iterator[DecodingTask]:
        for _ in range(len(self._left)):
            task = self._left.popleft()
            with ExitStack() as stack:
                if not stack.enter_context(self._claim(task.video_id)):
                    self._left.append(task)
                elif self._is_done(task.video_id):
                    self.done_elsewhere.append(task.video_id)
                else:
                    self._claims[task.video_id] = stack.pop_all()
                    yield task

    @property
    def left(self) -> list[str]:
        """The ids of videos that other runs had claimed."""
        return [task.video_id for task in self._left]

    def release(self, video_id: str) -> None:
        """End the claim on a video that is done or has failed; any thread may call it."""
        self._claims.pop(video_id, ExitStack()).close()
