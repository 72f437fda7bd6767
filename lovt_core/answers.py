"""How a process that may import torch answers one that may not: JSON lines on its stdout.

Each line is an object whose `event` tells its kind. One of kind `failed` has `error` and `exit_code` and is the last.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lovt_core.errors import InputError, LovtError


def answer_all(answers: Iterable[Mapping[str, Any]]) -> int:
    """Write answers as they come, and what goes wrong as the last one; the exit code."""
    try:
        for answer in answers:
            _write(answer)
    except Exception as error:  # whatever it is, whoever asked has to hear of it
        message = str(error) if isinstance(error, LovtError) else f"{type(error).__name__}: {error}"
        _write({"event": "failed", "error": message, "exit_code": getattr(error, "exit_code", LovtError.exit_code)})
        return 1
    return 0


def _write(answer: Mapping[str, Any]) -> None:
    line = json.dumps(answer, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    sys.stdout.buffer.write(line.encode() + b"\n")
    sys.stdout.buffer.flush()


def read_answers(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The answers; raises InputError or LovtError with the message of one that says what failed."""
    for line in lines:
        answer = json.loads(line)
        if answer.get("event") == "failed":
            raise (InputError if answer.get("exit_code") == InputError.exit_code else LovtError)(answer["error"])
        yield answer


def ask_module(module: str, arguments: Iterable[str]) -> list[Any]:
    """`data` of each answer of `python -m MODULE ARGUMENTS`.

    Raises InputError or LovtError with the module's own message, LovtError where it ends without one.
    """
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    found = [answer["data"] for answer in read_answers(done.stdout.splitlines())]
    if done.returncode != 0:
        raise LovtError(describe_end(module, done.returncode, done.stderr))
    return found


def describe_end(what: str, code: int, complaints: str) -> str:
    """The sentence about a process that ended without an answer."""
    last = complaints.strip().splitlines()[-1:]
    return f"{what} ended with code {code}: {' '.join(last)}"
