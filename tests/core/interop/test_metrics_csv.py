"""CSV of metrics: what is written is read back, other programs' columns are understood, errors name file and line."""

import math

import pytest

from lovt_core.errors import DataError
from lovt_core.interop.metrics_csv import read_metrics_csv, write_long, write_wide
from lovt_core.interop.points import Point
from lovt_core.runs.records import Curve

LOSS = Curve("train/loss", (1, 2, 4), (0.1, 0.2, 0.4), (1e9 + 0.125, 1e9 + 1, 1e9 + 2), (1 / 3, math.nan, math.inf))
STEP = Curve("step", (2,), (0.2,), (1e9 + 1,), (-math.inf,))


def write(folder, text, name="metrics.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("form", [write_long, write_wide])
def test_what_is_written_is_read_back(tmp_path, form):
    first, second = read_metrics_csv(write(tmp_path, form({"a": [LOSS, STEP], "b": [LOSS]})))
    assert (first.name, second.name) == ("a", "b")
    assert first.metrics == ("step", "train/loss")
    points = [point for point in first.points if point.metric == "train/loss"]
    assert [(point.step, point.epoch, point.time) for point in points] == list(
        zip(LOSS.steps, LOSS.epochs, LOSS.times, strict=True)
    )
    assert [repr(point.value) for point in points] == [repr(value) for value in LOSS.values]
    assert Point(2, "step", -math.inf, 1e9 + 1, 0.2) in first.points
    assert first.fingerprint != second.fingerprint


def test_wide_form_has_one_line_a_step_and_marks_names_that_mean_something_else():
    assert write_wide({"a": [LOSS, STEP]}).splitlines() == [
        "run,step,epoch,time,metric:step,train/loss",
        "a,1,0.1,1000000000.125,,0.3333333333333333",
        "a,2,0.2,1000000001.0,-inf,nan",
        "a,4,0.4,1000000002.0,,inf",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wall time,Step,Value\n1600000000.5,3,0.25\n", Point(3, "Value", 0.25, 1600000000.5)),
        ("epoch;step;val_loss;lr\n0;9;0,;\n".replace("0,", "0.5"), Point(9, "val_loss", 0.5, None, 0.0)),
        ("\ufeffepoch\tloss\n\n2\t1e-3\n", Point(2, "loss", 1e-3, None, 2.0)),
        ("tag,value,step,time\nx,NaN,100.0,2020-09-13T12:26:40+00:00\n", Point(100, "x", math.nan, 1.6e9)),
    ],
    ids=["tensorboard", "lightning", "epochs", "long"],
)
def test_columns_of_other_programs(tmp_path, text, expected):
    (run,) = read_metrics_csv(write(tmp_path, text))
    assert repr(run.points) == repr((expected,))
    assert run.name == tmp_path.name  # metrics.csv alone would say nothing


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("loss,lr\n1,2\n", ":1: there is no column step (nor epoch); found: loss, lr"),
        ("step,time\n1,2\n", ":1: no column is a metric"),
        ("step,_step,loss\n", ":1: two columns mean step: step, _step"),
        ("step,loss,loss\n", ":1: the column loss occurs twice"),
        ("step,loss\n", "no line has a value"),
        ("step,loss\n1,0.5\n2\n", ":3: 1 fields instead of 2"),
        ("step,loss\n1,0.5\n2,abc\n", ":3: loss is 'abc', which is no number"),
        ("step,loss\n1.5,0.5\n", ":2: step is '1.5', which is no whole number from 0"),
        ("step,loss\n-1,0.5\n", ":2: step is '-1'"),
        ("step,loss\n,0.5\n", ":2: step is ''"),
        ("step,loss\nnan,0.5\n", ":2: step is 'nan'"),
        ("step,time,loss\n1,12.5e20,0.5\n", ":2: time is '12.5e20', which is neither"),
        ("step,time,loss\n1,noon,0.5\n", ":2: time is 'noon', which is neither"),
        ("step,metric,value\n1,,0.5\n", ":2: the column metric is empty"),
        ('step,loss\n1,"0.5\n', "damaged table"),
    ],
)
def test_errors_name_file_and_line(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(DataError) as caught:
        read_metrics_csv(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


def test_hyperparameters_that_lightning_writes_beside_are_the_configuration(tmp_path):
    text = "step,loss\n1,0.5\n"
    hparams = write(tmp_path, "rate: 0.5\nmodel: {depth: 50}\n", "hparams.yaml")
    (run,) = read_metrics_csv(write(tmp_path, text))
    assert run.config == {"rate": 0.5, "model": {"depth": 50}}
    (other,) = read_metrics_csv(write(tmp_path, text, "other.csv"))
    assert other.config == {}
    hparams.write_text("rate: [0.5\n")
    (run,) = read_metrics_csv(write(tmp_path, text))
    assert run.config == {}


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"step,loss\n1,\xff\n")
    with pytest.raises(DataError, match="not a text file in UTF-8"):
        read_metrics_csv(path)
