"""Run by tests in processes of its own: train on a store, slowly if asked, and print each epoch.

python trained_process.py ROOT OUT [SECONDS_AN_EPOCH] [--resume]
"""

import sys
import time
from pathlib import Path

from made_up import world_at

from avloc.artifacts import read_model, write_model
from avloc.training import TrainingConfig, is_leader
from avloc.training.fit import fit

CONFIG = TrainingConfig(epochs=8, batch_size=5, learning_rate=3e-3, milestones=(2, 5))
OPTIONS = {"width": 16}


def main(root: Path, out: Path, seconds: float, *, resume: bool, dropout: float = 0.1) -> None:
    """Train; keep each unfinished epoch beside OUT."""
    world, unfinished = world_at(root), out.with_suffix(".unfinished.h5")

    def keep(file):
        write_model(unfinished, file)
        sys.stdout.write(f"{len(file.history['epoch'])}\n")
        sys.stdout.flush()
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
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    main(
        Path(arguments[0]),
        Path(arguments[1]),
        float(arguments[2]),
        resume="--resume" in sys.argv,
        dropout=0.0 if "--no-dropout" in sys.argv else 0.1,
    )
