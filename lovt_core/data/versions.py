"""Which versions of a data set are prepared, and which is current.

`<root>/<name>/<size>-<first 8 of the fingerprint>/` holds one version. `current.json` beside them names the current
version of each size; it is replaced whole, so a reader sees the old version or the new one.
"""

import json
from pathlib import Path

from lovt_core.data.catalog import find_data_set
from lovt_core.data.prepared_meta import META_FILE, load_meta
from lovt_core.errors import DataError
from lovt_core.files import write_text_atomic

CURRENT_FILE = "current.json"


def version_folder(root: Path, name: str, size: int, fingerprint: str) -> Path:
    """Where the version with that content lies."""
    return root / name / f"{size}-{fingerprint[:8]}"


def find_versions(root: Path, name: str) -> list[Path]:
    """All whole versions of the data set, sorted by name."""
    folder = root / name
    if not folder.is_dir():
        return []
    return sorted(meta.parent for meta in folder.glob(f"*/{META_FILE}") if not meta.parent.name.startswith("."))


def load_current(root: Path, name: str) -> dict[int, str]:
    """Folder name of the current version per size; empty where nothing is prepared."""
    path = root / name / CURRENT_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {int(size): str(folder) for size, folder in content.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"cannot read {path} ({error}): prepare {name} again") from error


def make_current(root: Path, name: str, size: int, folder: str) -> None:
    """Let `folder` be the current version of that size."""
    current = _load_or_recover(root, name) | {size: folder}
    text = json.dumps({str(key): current[key] for key in sorted(current)}, indent=1) + "\n"
    write_text_atomic(root / name / CURRENT_FILE, text)


def _load_or_recover(root: Path, name: str) -> dict[int, str]:
    """The current versions; where `current.json` is damaged, the newest version of each size."""
    try:
        return load_current(root, name)
    except DataError:
        by_age = sorted(find_versions(root, name), key=lambda folder: (folder / META_FILE).stat().st_mtime_ns)
        sizes = ((folder.name.partition("-")[0], folder.name) for folder in by_age)
        return {int(size): folder for size, folder in sizes if size.isdigit()}


def find_current(root: Path, name: str, size: int | None) -> Path:
    """Folder of the current version at `size`; without a size at the default one, else at the only one there is.

    Raises DataError that names the command which prepares it.
    """
    default = find_data_set(name).default_size
    current = load_current(root, name)
    if size is None:
        size = default if default in current or len(current) != 1 else next(iter(current))
    if size in current:
        return root / name / current[size]
    option = "" if size == default else f" --size {size}"
    command = f"run: lovt data prepare {name} --source DIR{option}"
    if not current:
        raise DataError(f"data set {name} is not prepared in {root}; {command}")
    sizes = ", ".join(str(known) for known in sorted(current))
    raise DataError(f"data set {name} is prepared at size {sizes} in {root}, not at {size}; {command}")


def find_fingerprint(root: Path, name: str, fingerprint: str) -> Path:
    """Folder of the version whose fingerprint begins so; raises DataError where there is none, or several."""
    versions = find_versions(root, name)
    matches = [folder for folder in versions if _load_fingerprint(folder).startswith(fingerprint)]
    if len(matches) != 1:
        problem = (
            f"{len(matches)} prepared versions of {name} have" if matches else f"no prepared version of {name} has"
        )
        known = ", ".join(folder.name for folder in versions) or "none"
        raise DataError(f"{problem} a fingerprint beginning with '{fingerprint}' in {root}; versions there: {known}")
    return matches[0]


def _load_fingerprint(folder: Path) -> str:
    """Fingerprint of a version; empty where its meta is damaged, so that it matches no fingerprint."""
    try:
        return load_meta(folder).fingerprint
    except DataError:
        return ""
