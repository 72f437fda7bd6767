"""How processes with torch answer those without."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lovt_core.answers import answer_all, ask_module, read_answers
from lovt_core.errors import InputError, LovtError, MissingWeightsError


def answer_then(error: Exception) -> Iterator[dict[str, Any]]:
    yield {"event": "result", "data": "Über"}
    raise error


def test_answers_arrive_as_they_were_given(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert answer_all([{"event": "progress", "done": 1}, {"event": "result", "data": ["ä"]}]) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert list(read_answers(lines)) == [{"event": "progress", "done": 1}, {"event": "result", "data": ["ä"]}]


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (InputError("no run 'x'"), InputError, "no run 'x'"),
        (MissingWeightsError("no weights"), InputError, "no weights"),
        (LovtError("disk full"), LovtError, "disk full"),
        (KeyError("x"), LovtError, "KeyError: 'x'"),
    ],
)
def test_a_failure_comes_last_with_its_own_message(
    error: Exception, kind: type[LovtError], message: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert answer_all(answer_then(error)) == 1
    answers = read_answers(capfdbinary.readouterr().out.decode().splitlines())
    assert next(answers)["data"] == "Über"
    with pytest.raises(LovtError) as raised:
        next(answers)
    assert type(raised.value) is kind
    assert str(raised.value) == message


def test_a_number_that_json_lacks_is_a_failure(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert answer_all([{"event": "result", "data": float("nan")}]) == 1
    (line,) = capfdbinary.readouterr().out.decode().splitlines()
    assert json.loads(line)["error"].startswith("ValueError")


def test_a_module_that_ends_without_a_word_is_named() -> None:
    with pytest.raises(LovtError, match=r"no_such_module ended with code 1: .*No module named"):
        ask_module("lovt_core.no_such_module", [])
