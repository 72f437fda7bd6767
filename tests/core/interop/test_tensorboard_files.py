"""TensorBoard event files: those of PyTorch, of TensorBoard's own writer and ours are read, ours by TensorBoard too."""

import math
import struct
import sys

import pytest

from lovt_core.errors import DataError, InputError
from lovt_core.interop.tensorboard_files import (
    encode_events,
    is_event_file,
    name_event_file,
    publish_event_file,
    read_event_files,
)
from lovt_core.runs.records import Curve

tensorboard = pytest.importorskip("tensorboard")

LOSS = Curve("train/loss", (1, 2, 40), (0.0, 0.0, 0.0), (1e9, 1e9 + 0.25, 1e9 + 9), (0.5, math.nan, -math.inf))
SCORE = Curve("val/dice", (40,), (0.0,), (1e9 + 10,), (1 / 3,))


def read(folder):
    return read_event_files(sorted(folder.iterdir()), "x", folder)


def points_of(run, metric):
    return [(point.step, point.value) for point in run.points if point.metric == metric]


def test_what_is_written_is_read_back_in_32_bits(tmp_path):
    path = tmp_path / "logs" / "run" / name_event_file(1e9)
    publish_event_file(path, [SCORE, LOSS])
    assert is_event_file(path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    run = read(path.parent)
    axes = (LOSS.steps, LOSS.times, LOSS.values)
    assert repr([tuple(point[:4]) for point in run.points]) == repr(
        [
            *((step, "train/loss", value, time) for step, time, value in zip(*axes, strict=True)),
            (40, "val/dice", struct.unpack("f", struct.pack("f", 1 / 3))[0], 1e9 + 10),
        ]
    )  # fmt: skip


def test_tensorboard_itself_reads_what_is_written(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    publish_event_file(tmp_path / name_event_file(1e9), [SCORE, LOSS])
    accumulator = EventAccumulator(str(tmp_path))
    accumulator.Reload()
    assert accumulator.Tags()["scalars"] == ["train/loss", "val/dice"]
    found = accumulator.Scalars("train/loss")
    assert [(event.wall_time, event.step) for event in found] == list(zip(LOSS.times, LOSS.steps, strict=True))
    assert [repr(event.value) for event in found] == ["0.5", "nan", "-inf"]


def test_files_of_pytorch(tmp_path):
    import torch
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        for step in range(10):
            writer.add_scalar("loss", 10 - step, step)
            writer.add_scalar("epoch", step // 4, step)
        writer.add_histogram("weights", torch.arange(4.0), 3)
        writer.add_hparams({"rate": 0.5, "name": "x"}, {"score": 1.0}, run_name=".")
    with SummaryWriter(str(tmp_path), purge_step=4, filename_suffix=".9") as writer:
        writer.add_scalar("loss", 100, 4)
    run = read(tmp_path)
    assert points_of(run, "loss") == [(0, 10), (1, 9), (2, 8), (3, 7), (4, 100)]
    assert [point.epoch for point in run.points if point.metric == "loss"] == [0, 0, 0, 0, None]
    assert run.metrics == ("loss", "score")
    assert run.config == {"rate": 0.5, "name": "x"}
    assert run.notes == ("left out, as only scalars are imported: histo (1)",)


def test_tensors_of_tensorflow_2_are_scalars_where_they_are_shown_as_such(tmp_path):
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.summary.writer.record_writer import RecordWriter
    from tensorboard.util.tensor_util import make_tensor_proto

    def metadata(plugin):
        return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin))

    values = [
        Summary.Value(tag="loss", tensor=make_tensor_proto(0.25), metadata=metadata("scalars")),
        Summary.Value(tag="loss", tensor=make_tensor_proto(0.125)),
        Summary.Value(tag="note", tensor=make_tensor_proto(b"words"), metadata=metadata("text")),
        Summary.Value(tag="bytes", tensor=make_tensor_proto(b"words")),
        Summary.Value(tag="pair", tensor=make_tensor_proto([1.0, 2.0])),
    ]
    with (tmp_path / "events.out.tfevents.1").open("wb") as file:
        writer = RecordWriter(file)
        for step, value in enumerate(values):
            writer.write(Event(step=step, wall_time=1e9, summary=Summary(value=[value])).SerializeToString())
        writer.write(Event(step=-5, wall_time=1e9, summary=Summary(value=values[:1])).SerializeToString())
    run = read(tmp_path)
    assert [tuple(point[:3]) for point in run.points] == [(0, "loss", 0.25), (1, "loss", 0.125)]
    assert run.notes == ("left out, as only scalars are imported: negative steps (1), tensor (2), text (1)",)


def test_a_file_cut_anywhere_gives_what_is_whole(tmp_path):
    content = encode_events([LOSS, SCORE])
    path = tmp_path / "events.out.tfevents.1"
    seen = set()
    for length in range(len(content) + 1):
        path.write_bytes(content[:length])
        try:
            run = read_event_files([path], "x", tmp_path)
        except DataError as error:
            assert "hold no scalars" in str(error)  # noqa: PT017
            continue
        seen.add((len(run.points), bool(run.notes)))
    assert seen == {(1, True), (1, False), (2, True), (2, False), (3, True), (3, False), (4, False)}


def test_every_damaged_byte_is_noticed(tmp_path):
    content = encode_events([SCORE])
    path = tmp_path / "events.out.tfevents.1"
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x40]) + content[place + 1 :])
        with pytest.raises(DataError, match="damaged"):
            read_event_files([path], "x", tmp_path)


def test_another_file_under_that_name_is_refused(tmp_path):
    path = tmp_path / "events.out.tfevents.1"
    path.write_text("these are no events, whatever the name of the file says")
    with pytest.raises(DataError, match="is no TensorBoard event file"):
        read_event_files([path], "x", tmp_path)


@pytest.mark.parametrize(
    "work", [lambda path: read_event_files([path], "x", path), lambda path: encode_events([SCORE])]
)
def test_without_the_package_one_sentence_says_what_to_install(tmp_path, monkeypatch, work):
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(encode_events([SCORE]))
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(InputError, match=r"pip install 'lovt-tui\[interop\]'"):
        work(path)
