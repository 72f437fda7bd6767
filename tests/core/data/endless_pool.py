"""A pool whose processes never finish by themselves; prints the id of the first one that works."""

import os
import sys
import time

from lovt_core.data.pool import map_in_order


def work(number: int) -> int:
    if number > 0:
        time.sleep(600)
    return os.getpid()


if __name__ == "__main__":
    for process in map_in_order(work, range(40), 2):
        sys.stdout.write(f"{process}\n")
        sys.stdout.flush()
