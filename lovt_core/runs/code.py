"""The code of a run: a fingerprint that tells whether it has changed, and a copy where the run asks for one."""

import hashlib
import shutil
from functools import cache
from pathlib import Path

import lovt_core
from lovt_core.errors import RecordError

PACKAGE = Path(lovt_core.__file__).resolve().parent


@cache
def fingerprint_code() -> str:
    """SHA-256 over the names and contents of all Python files of the package as they are on the disk."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PACKAGE)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def copy_code(folder: Path) -> None:
    """Copy the package into `folder`, from where a worker can import it; raises RecordError when the disk refuses."""
    try:
        shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    except (OSError, shutil.Error) as error:
        raise RecordError(f"cannot copy the code to {folder}: {error}") from error
