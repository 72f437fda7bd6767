"""`python -m lovt_tui.datasets.labels_job NAME FOLDER`: what the tables of a download say, as one JSON document."""

import json
import sys
from pathlib import Path

from lovt_core.data.catalog import find_data_set, read_labels
from lovt_core.data.split_lists import compare_ids, load_published
from lovt_core.errors import LovtError
from lovt_tui.datasets.texts import agreement_text


def main(name: str, source: Path) -> int:
    """Exit code 2, with the reason on stderr, where the download cannot be read."""
    try:
        labels = read_labels(find_data_set(name), source)
        lists = load_published(name)
        agreement = agreement_text(None if lists is None else compare_ids(lists, labels.ids))
    except LovtError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    problems = list(map(str, labels.problems))
    json.dump({"counts": labels.counts, "agreement": agreement, "problems": problems}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
