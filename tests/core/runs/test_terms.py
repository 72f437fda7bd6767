"""Terms in control records, labels, causes, settings: what is written is what is read."""

import pytest

from lovt_core.config.settings import RetryConfig, Settings, load_settings
from lovt_core.errors import ConfigError, DataError, LovtError, NoCheckpointError, TrainingError
from lovt_core.runs.causes import describe_code, explain_exit, find_cause
from lovt_core.runs.control import Labels, read_labels, record
from lovt_core.runs.queue_file import QueueOrder, replay
from lovt_core.runs.terms import Retry, Terms, read_terms

FULL = Terms(3, 0, 12.5, "GPU-a,GPU-b", ("x", "y"), Retry(2, ("cuda", "lost")), "g1", {"training.max_epochs": 60})


def test_terms_survive_the_way_through_control():
    import json

    details = json.loads(json.dumps(FULL.to_json()))
    assert read_terms([record("queued", 1, **details)]) == FULL
    assert Terms().to_json() == {}
    assert read_terms([record("queued", 1)]) == Terms()


def test_later_terms_change_only_what_they_name():
    later = record("queued", 2, after=["z"], settings={"training.batch_size": 4})
    terms = read_terms([record("queued", 1, **FULL.to_json()), later])
    assert terms.after == ("z",)
    assert terms.settings == {"training.max_epochs": 60, "training.batch_size": 4}
    assert terms.retry == FULL.retry


def test_garbled_terms_count_as_not_said():
    assert read_terms([record("queued", 1, gpus="two", retry=[], settings=3, after=5)]) == Terms()


def test_labels():
    records = [
        record("queued", 1, priority=2),
        record("name", 1, name="tau03"),
        record("tags", 1, tags=["a", "b"]),
        record("note", 1, note="first"),
        record("note", 1, note="second"),
    ]
    assert read_labels(records) == Labels("tau03", ("a", "b"), "second", 2)
    assert read_labels([*records, record("priority", 1, priority=-1), record("tags", 1, tags=[])]).tags == ()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([{"run": "a"}, {"run": "b"}, {"run": "a"}], ["b", "a"]),
        ([{"run": "a"}, {"run": "b"}, {"run": "b", "move": "first"}], ["b", "a"]),
        ([{"run": "a"}, {"run": "b"}, {"run": "a", "move": "last"}], ["b", "a"]),
        ([{"run": "a"}, {"run": "b"}, {"run": "c"}, {"run": "c", "move": "before", "other": "b"}], ["a", "c", "b"]),
        ([{"run": "a"}, {"run": "c"}, {"run": "c", "move": "before", "other": "gone"}], ["a", "c"]),
        ([{"run": "a"}, {"odd": 1}, {"run": 7}], ["a"]),
    ],
)
def test_the_order_of_the_queue(lines, expected):
    assert list(replay(lines).runs) == expected


def test_pause_and_priority():
    order = replay([{"run": "a"}, {"paused": True}, {"run": "b"}])
    assert order == QueueOrder(("a", "b"), paused=True)
    assert not replay([{"paused": True}, {"paused": False}]).paused
    assert order.sort(["b", "z", "a"], {"b": 1}) == ["b", "a", "z"]


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OutOfMemoryError("CUDA out of memory"), "gpu-memory"),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), "cuda"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), "memory"),
        (MemoryError(), "memory"),
        (OSError(28, "No space left on device"), "disk"),
        (TrainingError("the loss is nan"), "diverged"),
        (ConfigError("wrong"), "input"),
        (DataError("wrong"), "input"),
        (NoCheckpointError("none"), "checkpoints"),
        (LovtError("odd"), "error"),
        (ValueError("odd"), "error"),
    ],
)
def test_causes_of_exceptions(error, cause):
    assert find_cause(error) == cause


def test_the_cause_is_found_behind_the_message_that_explains_it():
    error = TrainingError("out of GPU memory at step 3")
    error.__cause__ = OutOfMemoryError("CUDA out of memory")
    assert find_cause(error) == "gpu-memory"


@pytest.mark.parametrize(
    ("code", "oom", "cause", "words"),
    [
        (-9, False, "killed", "signal SIGKILL"),
        (-9, True, "oom-killer", "out-of-memory killer"),
        (-15, True, "killed", "signal SIGTERM"),
        (-11, False, "killed", "signal SIGSEGV"),
        (3, False, "exit", "code 3"),
        (None, True, "lost", "unknown"),
    ],
)
def test_causes_of_exits(code, oom, cause, words):
    found = explain_exit(describe_code(code, oom_killed=oom))
    assert found.cause == cause
    assert words in found.sentence


def test_settings(tmp_path):
    assert load_settings(tmp_path / "settings.yaml") == Settings()
    path = tmp_path / "settings.yaml"
    path.write_text("gpus: ['1', GPU-ab]\nretry:\n  times: 2\n  causes: [lost]\nnotify: [mail, '{id}']\n")
    found = load_settings(tmp_path / "settings.yaml")
    assert found.gpus == ("1", "GPU-ab")
    assert found.retry == RetryConfig(times=2, causes=("lost",))
    for empty in ("", "# later\n\n"):
        path.write_text(empty)
        assert load_settings(path) == Settings()
    path.write_text("- 1\n")
    with pytest.raises(ConfigError, match=r"settings\.yaml is no settings file: it must be a mapping"):
        load_settings(path)
    path.write_text("notify: [sh, -c, 'echo {nope}']\n")
    with pytest.raises(ConfigError, match=r"settings.yaml:1: notify: knows no '\{nope\}': one of \{id\}, \{name\}"):
        load_settings(path)
    path.write_text("cpu_slot: 2\nretry:\n  time: 3\nruns_per_gpu: 0\n")
    with pytest.raises(ConfigError) as error:
        load_settings(tmp_path / "settings.yaml")
    lines = sorted(str(error.value).splitlines())
    assert "settings.yaml:1: cpu_slot: unknown key; known ones: gpus, runs_per_gpu, cpu_slots" in lines[0]
    assert "settings.yaml:2: retry.time: unknown key; known ones: times, causes" in lines[1]
    assert "settings.yaml:4: runs_per_gpu: must be at least 1, not 0" in lines[2]
