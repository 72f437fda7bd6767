"""`MANIFEST.json`, the first member of an archive of runs: what lies in it, file by file.

An archive is a tar file, compressed with gzip or not. After the manifest come the files of each run as `<id>/<path>`.
"""

import re
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lovt_core.errors import InputError
from lovt_core.runs.directory import ID

MANIFEST: Final = "MANIFEST.json"
FORMAT: Final = 1
MAX_BYTES: Final = 64 * 2**20
"""Of a manifest; ten thousand files take two million."""
SAFE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class ArchivedFile(BaseModel):
    """One file of a run."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    path: str
    """Relative to the run directory, with `/`."""
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        parts = PurePosixPath(path).parts
        is_plain = path == "/".join(parts) and not path.startswith("/") and "\\" not in path and path.isprintable()
        if not parts or not is_plain or ".." in parts:
            raise ValueError(f"{path!r} is no plain path inside a run directory")
        return path


class ArchivedRun(BaseModel):
    """One run directory."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    files: tuple[ArchivedFile, ...]

    @field_validator("id")
    @classmethod
    def _is_id(cls, run_id: str) -> str:
        if not ID.fullmatch(run_id) or not SAFE_ID.fullmatch(run_id):
            raise ValueError(f"{run_id!r} is no id of a run")
        return run_id

    @property
    def num_bytes(self) -> int:
        """Of all files."""
        return sum(file.size for file in self.files)


class Manifest(BaseModel):
    """Content of an archive."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1]
    version: str
    """Of the program that wrote it."""
    runs: Annotated[tuple[ArchivedRun, ...], Field(min_length=1)]

    @property
    def num_bytes(self) -> int:
        """Of all files of all runs."""
        return sum(run.num_bytes for run in self.runs)

    def find_members(self) -> dict[str, ArchivedFile]:
        """Member name -> file; raises ValueError where a name comes twice, or is a folder of another one."""
        members: dict[str, ArchivedFile] = {}
        folders: set[str] = set()
        for run in self.runs:
            for file in run.files:
                name = f"{run.id}/{file.path}"
                if name in members:
                    raise ValueError(f"{name!r} is listed twice")
                members[name] = file
                folders.update(str(parent) for parent in PurePosixPath(name).parents)
        if both := folders & members.keys():
            raise ValueError(f"{min(both)!r} is listed as a file and as a folder")
        return members


def parse_manifest(content: bytes, archive: str) -> Manifest:
    """The manifest; raises InputError, in which `archive` names the file, where it is damaged or of another format."""
    try:
        manifest = Manifest.model_validate_json(content)
        manifest.find_members()
    except ValidationError as error:
        problem = error.errors()[0]
        if problem["loc"] == ("format",):
            raise InputError(
                f"{archive} is an archive of format {problem['input']!r}, this version reads {FORMAT}: update lovt"
            ) from error
        where = ".".join(str(part) for part in problem["loc"])
        text = problem["msg"].removeprefix("Value error, ")
        raise InputError(f"{archive}: its manifest is damaged: {f'{where}: ' if where else ''}{text}") from error
    except ValueError as error:
        raise InputError(f"{archive}: its manifest is damaged: {error}") from error
    return manifest
