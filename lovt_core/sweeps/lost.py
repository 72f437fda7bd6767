"""Whether a sweep's study is lost: its storage holds less than what the sweep has written down of its trials.

A coordinator writes into the study first and into `trials.jsonl` afterwards, so a study is never behind by itself.
Optuna is loaded only for storages that are no SQLite file.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from lovt_core.errors import InputError
from lovt_core.sweeps.folder import SweepFolder
from lovt_core.sweeps.storage_urls import SQLITE, find_file, hide_password
from lovt_core.sweeps.trials import Trial

BUSY_SECONDS = 10.0
_COUNT = "SELECT COUNT(*) FROM trials JOIN studies USING (study_id) WHERE study_name = ?"


def check_study(folder: SweepFolder) -> None:
    """Raise InputError where the study of a sweep is lost; a storage that does not answer may still hold it."""
    known = folder.trials()
    if not known:
        return
    origin = folder.origin()
    stored = _count_stored(str(origin["storage"]), str(origin["study"]))
    if stored is not None and stored < count_known(known):
        raise InputError(tell_loss(folder, known, stored))


def count_known(trials: Iterable[Trial]) -> int:
    """Trials that a study has at least: they are numbered from 0."""
    return max((trial.number + 1 for trial in trials), default=0)


def tell_loss(folder: SweepFolder, known: Iterable[Trial], stored: int) -> str:
    """What is lost, and what brings it back."""
    wanted, where = count_known(known), hide_password(folder.origin()["storage"])
    holds = f"holds {stored} of its {wanted} trials" if stored < wanted else "holds another one of that name"
    return (
        f"the study of the sweep {folder.name} is lost: {where} {holds}; "
        f"put it together again with: lovt sweep rebuild {folder.name}"
    )


def _count_stored(url: str, study: str) -> int | None:
    """How many trials of a study a storage holds; None where it does not answer."""
    file = find_file(url)
    if file is not None and not file.exists():
        return 0
    if file is not None and url.startswith(SQLITE):
        return _count_in_file(file, study)
    from lovt_core.sweeps.storage import StorageUnreachableError, count_trials

    try:
        return count_trials(url, study)
    except StorageUnreachableError:
        return None


def _count_in_file(file: Path, study: str) -> int | None:
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=BUSY_SECONDS)) as database:
            return int(database.execute(_COUNT, (study,)).fetchone()[0])
    except sqlite3.OperationalError as error:
        return 0 if "no such table" in str(error) else None
    except sqlite3.DatabaseError as error:
        raise InputError(f"the storage {file} is damaged ({error}): move it away, then lovt sweep rebuild") from error
