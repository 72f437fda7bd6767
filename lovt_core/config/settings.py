"""`settings.yaml` of a workspace: how this machine's runs are started, for all runs that say nothing else."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, Field, ValidationError, model_validator
from ruamel.yaml.comments import CommentedMap

from lovt_core.config.base import Section
from lovt_core.config.problems import describe, name_key
from lovt_core.config.yaml_text import line_of, plain, read_mapping
from lovt_core.errors import ConfigError

RetriedCause = Literal["gpu-memory", "cuda", "memory", "disk", "error", "killed", "oom-killer", "exit", "lost"]
"""Why an attempt ended, as far as another one may help. Wrong input and a loss that is not finite would come again."""
RETRIED_CAUSES: tuple[RetriedCause, ...] = get_args(RetriedCause)


PLACEHOLDERS = ("id", "name", "state", "cause", "text", "path")
"""What may stand in braces in `notify`."""


def _check_placeholders(command: tuple[str, ...]) -> tuple[str, ...]:
    for found in re.findall(r"\{(\w+)\}", " ".join(command)):
        if found not in PLACEHOLDERS:
            known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            raise ValueError(f"knows no '{{{found}}}': one of {known}")
    return command


class RetryConfig(Section):
    """Whether a run that failed goes on by itself, from its last checkpoint."""

    times: Annotated[int, Field(ge=0, le=100)] = 0
    """Attempts beyond the first; 0: never."""
    causes: tuple[RetriedCause, ...] = ("cuda", "killed", "oom-killer", "lost")
    """Only after these."""


def _is_one_line(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError("must be one line of printable characters")
    return text


Line = Annotated[str, AfterValidator(_is_one_line)]
"""Stands in a line of a batch script, where another line would be another option."""


def _is_value(value: object) -> object:
    if isinstance(value, str):
        return _is_one_line(value)
    if not isinstance(value, bool | int):
        raise ValueError("must be text, a whole number, true or false")
    return value


def _is_free_option(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(f"'{name}' is no long option of sbatch: write it without dashes before, such as mail-type")
    if name in FIXED_OPTIONS:
        raise ValueError(f"'{name}' is what the program itself sets: it cannot be changed")
    return name


FIXED_OPTIONS = frozenset(
    (
        *("array", "chdir", "dependency", "error", "job-name", "kill-on-invalid-dep", "nodes", "no-requeue", "ntasks"),
        *("ntasks-per-node", "open-mode", "output", "requeue", "signal", "time", "wait", "wrap"),
    )
)
"""Options of sbatch on which resuming, states and chains depend, and the time limit, which has its own key."""


class SlurmConfig(Section):
    """What each job asks of Slurm."""

    partition: Line | None = None
    account: Line | None = None
    qos: Line | None = None
    time_minutes: Annotated[int, Field(ge=1)] = 1440
    """Time limit of a job; a run that needs longer goes on in the next one."""
    save_seconds: Annotated[int, Field(ge=10, le=65535)] = 300
    """How long before its time limit a job is told to save (Slurm may do so up to a minute earlier)."""
    gres: Line | None = "gpu"
    """GPUs as Slurm calls them, such as `gpu` or `gpu:a100`, of which a run gets as many as it computes on; empty: none
    is asked for."""
    cpus_per_task: Annotated[int, Field(ge=1)] | None = None
    mem_gb: Annotated[float, Field(gt=0)] | None = None
    sbatch: Mapping[Annotated[str, AfterValidator(_is_free_option)], Annotated[Any, AfterValidator(_is_value)]] = {}
    """Further options of sbatch, by their long names; `true` for those without a value."""
    setup: tuple[Line, ...] = ()
    """Lines of shell that the job begins with, such as `module load cuda`."""

    @model_validator(mode="after")
    def _leaves_time(self) -> Self:
        if self.save_seconds >= self.time_minutes * 60:
            raise ValueError(
                f"save_seconds: must be less than the time limit of {self.time_minutes * 60} seconds (time_minutes)"
            )
        return self


class Settings(Section):
    """Every key has a default: the file need not exist."""

    gpus: tuple[str, ...] | None = None
    """GPUs that runs may use, in the order in which they are taken: indices or UUIDs; not given: all."""
    runs_per_gpu: Annotated[int, Field(ge=1, le=16)] = 1
    """Runs without declared memory that may share a GPU; each then counts as that part of its memory."""
    cpu_slots: Annotated[int, Field(ge=1, le=256)] = 1
    """Runs on the CPU at the same time."""
    share_with_others: bool = False
    """Start on a GPU on which another program computes."""
    retry: RetryConfig = RetryConfig()
    notify: Annotated[tuple[str, ...], AfterValidator(_check_placeholders)] = ()
    """Program and arguments started when a run has ended, without a shell; `{id}`, `{name}`, `{state}`, `{text}` stand
    for the run's, and the whole story comes as JSON on its stdin."""
    keep_free_gb: Annotated[float, Field(ge=0)] = 1.0
    """Disk space that a launch must leave."""
    launcher: Literal["local", "slurm"] = "local"
    """Where runs compute that are queued without --slurm or --local."""
    slurm: SlurmConfig = SlurmConfig()


SECTIONS: dict[object, type[Section]] = {"retry": RetryConfig, "slurm": SlurmConfig}


def load_settings(path: Path) -> Settings:
    """Settings in a file that need not exist; raises ConfigError listing each problem as `file:line: key: message`."""
    if not path.exists():
        return Settings()
    if _is_empty(path):
        return Settings()
    content = read_mapping(path, "settings file")
    try:
        return Settings.model_validate(plain(content))
    except ValidationError as error:
        raise ConfigError("\n".join(_describe(path, content, problem) for problem in error.errors())) from error


def _is_empty(path: Path) -> bool:
    """Whether nothing but comments is in a file; one that cannot be read is for others to complain of."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return all(line.strip() == "" or line.lstrip().startswith("#") for line in lines)


def _describe(path: Path, content: CommentedMap, problem: Mapping[str, Any]) -> str:
    location = tuple(part for part in problem["loc"] if part != "[key]")
    line = line_of(content, location[0]) if location else None
    where = f"{path}:{line}" if line else str(path)
    if problem["type"] == "extra_forbidden":
        model = Settings if len(location) == 1 else SECTIONS[location[0]]
        return f"{where}: {name_key(location)}: unknown key; known ones: {', '.join(model.model_fields)}"
    return f"{where}: {name_key(location)}: {describe(problem, content)}"
