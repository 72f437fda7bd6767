"""Looking for what can go, removing it, and making some of it."""

import json
import os
import time

from lovt_core.runs.space.cleaning.clean import find_garbage, remove_garbage
from lovt_core.runs.space.cleaning.garbage import GARBAGE_KINDS, CleaningOptions

OLD = "224-aaaaaaaa"
NEW = "224-bbbbbbbb"


def find(workspace, *kinds, **options):
    return find_garbage(workspace, CleaningOptions(kinds or GARBAGE_KINDS, **options), time.time())


def remove(workspace, *kinds, **options):
    """Find and remove; what was removed, and what had to stay."""
    chosen = CleaningOptions(kinds or GARBAGE_KINDS, **options)
    removed = []
    failures = remove_garbage(workspace, find(workspace, *kinds, **options).garbage, chosen, removed.append)
    return [item.path.name for item in removed], failures


def prepare(root, name="covid-rural", *, current=NEW, versions=(OLD, NEW)):
    for version in versions:
        (root / name / version).mkdir(parents=True)
        (root / name / version / "meta.json").write_text("{}")
        (root / name / version / "images.bin").write_bytes(bytes(100))
    (root / name / "current.json").write_text(json.dumps({"224": current}))
    return root / name


def age(path, days=2.0):
    stamp = time.time() - days * 86_400
    for each in (*path.rglob("*"), path):
        os.utime(each, (stamp, stamp))
