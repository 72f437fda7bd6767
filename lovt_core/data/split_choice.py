"""Which split a data set is used with unless an experiment says otherwise: chosen when it is prepared.

Beside the versions of a data set, `split.json` holds the choice, and `lists/<8 of hash>/` copies of a user's own lists,
so that results name a split that cannot change or get lost with the folder it came from.
"""

import hashlib
import json
from pathlib import Path

from lovt_core.data.split_lists import LIST_FILES, SplitLists, load_lists
from lovt_core.errors import DataError
from lovt_core.files import publish_folder, write_text_atomic

CHOICE_FILE = "split.json"
LISTS_FOLDER = "lists"


def load_choice(folder: Path) -> str | None:
    """The split chosen for the data set whose versions lie in `folder`; None where none was."""
    path = folder / CHOICE_FILE
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["split"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"cannot read {path} ({error}): prepare the data set again with --splits") from error


def choose_split(folder: Path, spec: str) -> None:
    """Let `spec` be the split from now on; `auto` forgets an earlier choice."""
    if spec == "auto":
        (folder / CHOICE_FILE).unlink(missing_ok=True)
        return
    write_text_atomic(folder / CHOICE_FILE, json.dumps({"split": spec}) + "\n")


def keep_lists(folder: Path, source: Path) -> str:
    """Copy the lists of the folder `source`; returns the spec `lists:HASH`. Raises DataError for bad lists."""
    lists = load_lists(source)
    digest = _compute_hash(lists)
    target = folder / LISTS_FOLDER / digest
    if not target.exists():
        with publish_folder(target) as published:
            for name, ids in zip(LIST_FILES, lists.parts, strict=True):
                (published / name).write_text("\n".join(("ID", *(f'"{id_}"' for id_ in ids), "")), encoding="utf-8")
    return f"lists:{digest}"


def find_lists(folder: Path, digest: str) -> SplitLists:
    """The lists kept under that hash; raises DataError where there are none, or they were changed."""
    path = folder / LISTS_FOLDER / digest
    if not path.is_dir():
        raise DataError(f"no split lists {digest} in {path.parent}: prepare the data set with --splits DIR first")
    lists = load_lists(path)
    if _compute_hash(lists) != digest:
        raise DataError(f"{path}: the lists were changed since they were kept: prepare the data with --splits again")
    return lists


def _compute_hash(lists: SplitLists) -> str:
    return hashlib.sha256(json.dumps(lists.parts).encode()).hexdigest()[:8]
