"""The command line as a person meets it: `main` with arguments in, exit code, stdout and stderr out."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lovt_tui.cli.main import main


@dataclass(frozen=True)
class Answer:
    """What a command has said."""

    code: int
    out: str
    err: str


@pytest.fixture
def lovt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run `lovt` with these arguments in this process, in a fresh folder with a fresh workspace."""
    monkeypatch.chdir(tmp_path)
    for variable in ("LOVT_HOME", "LOVT_PREPARED"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["lovt", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        code = caught.value.code
        said = capsys.readouterr()
        return Answer(code if isinstance(code, int) else 0, said.out, said.err)

    return run
