"""Trains in processes that a test may kill, or in teams of processes; torch is loaded once.

Started as a program it reads requests, a line of JSON each, and forks a process for each rank.
It answers in lines of JSON: the processes, each epoch that is kept, and how all of them ended.
`Trainings` is the other end.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
import traceback
from pathlib import Path

import torch
import torch._dynamo  # which every optimizer loads when it is made
from fork_server import ForkServer, say
from made_up import world_at

from avloc.artifacts import read_model, write_model
from avloc.training import TrainingConfig, is_leader
from avloc.training.fit import fit

CONFIG = TrainingConfig(epochs=8, batch_size=5, learning_rate=3e-3, milestones=(2, 5))
OPTIONS = {"width": 16}


class Trainings(ForkServer):
    """A server, and the one training that it has under way."""

    program = __file__

    def begin(self, root: Path, out: Path, *, team: int = 1, **how: object) -> list[int]:
        """Begin a training (see `train`) in ``team`` processes; returns their ids."""
        return self.ask(str(root), str(out), team, how)["begun"]

    def wait_for_an_epoch(self) -> None:
        """Wait until the training has kept an epoch."""
        assert self.hear()["epoch"] > 0

    def end(self) -> list[int]:
        """Wait for its end; returns the exit statuses of its processes."""
        while "ended" not in (said := self.hear()):
            pass
        return said["ended"]

    def run(self, root: Path, out: Path, *, team: int = 1, **how: object) -> None:
        """Train to the end."""
        self.begin(root, out, team=team, **how)
        assert self.end() == [0] * team


def serve() -> None:
    torch.set_num_threads(1)  # a fork has only the thread that forked
    for line in sys.stdin:
        root, out, team, how = json.loads(line)
        # as torchrun has it
        shared = {"WORLD_SIZE": f"{team}", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
        processes = []
        for rank in range(team):
            ranks = {"RANK": f"{rank}", "LOCAL_RANK": f"{rank}"} | shared if team > 1 else {}
            process = os.fork()
            if process == 0:
                os.environ.update(ranks)
                run(Path(root), Path(out), how)
            processes.append(process)
        say(begun=processes)
        say(ended=[os.waitpid(process, 0)[1] for process in processes])


def free_port() -> str:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return str(server.getsockname()[1])


def run(root: Path, out: Path, how: dict) -> None:
    """Train, and never return."""
    try:
        train(root, out, **how)
        status = 0
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stderr.flush()
    os._exit(status)


def train(
    root: Path, out: Path, *, seconds: float = 0.0, resume: bool = False, dropout: float = 0.1
) -> None:
    """Train, ``seconds`` longer an epoch than it takes; keep each unfinished epoch beside OUT."""
    world, unfinished = world_at(root), out.with_suffix(".unfinished.h5")

    def keep(file):
        write_model(unfinished, file)
        say(epoch=len(file.history["epoch"]))
        time.sleep(seconds)

    model = fit(
        world.store,
        world.dataset,
        options=OPTIONS | {"dropout": dropout},
        config=CONFIG,
        device="cpu",
        unfinished=read_model(unfinished) if resume else None,
        keep=keep,
    )
    if is_leader():
        write_model(out, model)


if __name__ == "__main__":
    serve()
