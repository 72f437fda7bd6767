"""A worker that shares an endless self-test among two: `python -m tests.core.distributed.watched FOLDER`."""

import sys
from pathlib import Path

from lovt_core.distributed.shared_training import train_on_several
from tests.core.distributed.places import build_selftest, make_place

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for value in train_on_several(build_selftest(seconds_per_step=0.2, epochs=1000), make_place(folder), 2):
        sys.stdout.write(f"{value}\n")
        sys.stdout.flush()
