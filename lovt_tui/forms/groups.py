"""Under which heading a key stands. A key that no line here is about comes under `more`: none is hidden."""

from lovt_tui.forms.paths import Path, begins_with

GROUPS: tuple[tuple[str, tuple[Path, ...]], ...] = (
    ("experiment", (("experiment",), ("sweep", "kind"), ("sweep", "name"), ("sweep", "experiment"))),
    ("search space", (("sweep", "space"), ("sweep", "set"))),
    ("judged by", (("sweep", "objective"), ("sweep", "evaluation"))),
    ("sampler and pruner", (("sweep", "sampler"), ("sweep", "pruner"), ("sweep", "start_with"), ("sweep", "seed"))),
    ("how long", (("sweep", "trials"), ("sweep", "hours"), ("sweep", "jobs"), ("sweep", "repeats"))),
    ("encoder", (("experiment", "encoder"),)),
    ("evaluation", (("experiment", "tasks"), ("experiment", "settings"))),
    ("data", (("experiment", "data"), ("experiment", "augmentation"), ("experiment", "split"))),
    ("method and encoders", (("experiment", "method"),)),
    ("objective", (("experiment", "method", "objective"),)),
    ("optimiser and training", (("experiment", "training"), ("experiment", "selftest"))),
    (
        "hardware",
        (
            *(("experiment", "training", "device"), ("experiment", "training", "precision")),
            *(("experiment", "device"), ("experiment", "precision"), ("experiment", "cache")),
        ),
    ),
    ("more", (("sweep",), ("base",))),
    ("how it is queued", (("launch",),)),
)
"""Heading -> the keys and sections below it, in the order of the form; the longest one that fits a key decides."""
TITLES = tuple(title for title, _ in GROUPS)
FIRST_KEYS = ("kind", "name", "seed")
"""Of an experiment, under its own heading; any other key of its top level is `more`."""


def find_group(path: Path) -> str:
    """Heading of a key; those of a sweep's base stand where they stand in an experiment."""
    if path[0] == "base":
        path = ("experiment", *path[1:])
    fitting = [(len(each), title) for title, places in GROUPS for each in places if begins_with(path, each)]
    length, title = max(fitting, key=lambda found: found[0], default=(0, "more"))
    if length == 1 and path[0] == "experiment" and path[1:2] and path[1] not in FIRST_KEYS:
        return "more"
    return title
