"""Which split a data set is used with unless an experiment says otherwise: chosen when it is prepared.

Beside the versions of a data set, `split.json` holds the choice, and `lists/<8 of hash>/` copies of a user's own lists,
so that results name a split that cannot change or get lost with the folder it came from.
"""

import json
from pathlib import Path

from lovt_core.config.split_names import AUTO, HINT, is_split_name
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


def read_choice(text: str) -> str | SplitLists:
    """What a user asks for: the name of a split, or lists in a folder of that name.

    Raises DataError for what is neither, and for bad lists.
    """
    if is_split_name(text):
        return text
    folder = Path(text).expanduser()
    if not folder.exists():
        raise DataError(f"'{text}' is no folder with split lists and no split: {HINT}")
    return load_lists(folder)


def keep_choice(folder: Path, choice: str | SplitLists) -> None:
    """Let `choice` be the split from now on; lists are copied, `auto` forgets an earlier choice."""
    spec = keep_lists(folder, choice) if isinstance(choice, SplitLists) else choice
    if spec == AUTO:
        (folder / CHOICE_FILE).unlink(missing_ok=True)
    else:
        write_text_atomic(folder / CHOICE_FILE, json.dumps({"split": spec}) + "\n")


def keep_lists(folder: Path, lists: SplitLists) -> str:
    """Copy lists beside the versions of the data set; returns the spec `lists:HASH`."""
    target = folder / LISTS_FOLDER / lists.digest
    if not target.exists():
        with publish_folder(target) as published:
            for name, ids in zip(LIST_FILES, lists.parts, strict=True):
                (published / name).write_text("\n".join(("ID", *(f'"{id_}"' for id_ in ids), "")), encoding="utf-8")
    return f"lists:{lists.digest}"


def find_lists(folder: Path, digest: str) -> SplitLists:
    """The lists kept under that hash; raises DataError where there are none, or they were changed."""
    path = folder / LISTS_FOLDER / digest
    if not path.is_dir():
        raise DataError(f"no split lists {digest} in {path.parent}: prepare the data set with --splits DIR first")
    lists = load_lists(path)
    if lists.digest != digest:
        raise DataError(f"{path}: the lists were changed since they were kept: prepare the data with --splits again")
    return lists
