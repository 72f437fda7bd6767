"""The filter grammar."""

import pytest

from lovt_core.errors import InputError
from lovt_tui.listing.filtering import find_unknown, parse_filter
from tests.tui.factories import NOW, make_row

ROWS = (
    make_row("tau03", "running", tags=("tau", "new"), created=NOW - 60),
    make_row("convirt", "failed", created=NOW - 3 * 86_400, experiment={"training": {"batch_size": 128}, "split": "a"}),
    make_row("eval-tau03", kind="evaluate", best={}, experiment={"tasks": ["covid-linear", "rsna-linear-1"]}),
)
LABELLED = (
    make_row("one", "failed", cause="gpu-memory", group="g7", remark="Looks good, but slow"),
    make_row("two", "failed", cause="disk", remark="broken"),
    make_row("three"),
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "tau03 convirt eval-tau03"),
        ("TAU", "tau03 eval-tau03"),
        ("eval tau", "eval-tau03"),
        ("0001", "tau03 convirt eval-tau03"),
        ("state:run", "tau03"),
        ("state:failed tau", ""),
        ("state:running,finished", "tau03 eval-tau03"),
        ("-state:run,fin", "convirt"),
        ("task:covid*,rsna*", "eval-tau03"),
        ("-state:running", "convirt eval-tau03"),
        ("-tau", "convirt"),
        ("kind:eval", "eval-tau03"),
        ("task:rsna-*", "eval-tau03"),
        ("task:linear", ""),
        ("task:*linear", "eval-tau03"),
        ("tag:tau", "tau03"),
        ("method:lovt", "tau03"),
        ("age<2h", "tau03"),
        ("age>=2d", "convirt"),
        ("best.val/loss<3.5", "tau03 convirt"),
        ("best.val/loss>3.5", ""),
        ("-best.val/loss<3.5", "eval-tau03"),
        ("cfg.training.batch_size>=64", "convirt"),
        ("cfg.training.batch_size=32", "tau03"),
        ("cfg.split=a", "convirt"),
        ("cfg.absent.key=1", ""),
    ],
)
def test_what_matches(text, names):
    assert [row.name for row in parse_filter(text).apply(ROWS, NOW)] == names.split()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("note:broken", "two"),
        ("note:good", "one"),
        ("-note:broken", "one three"),
        ("note:b*n", "two"),
        ("name:t", "two three"),
        ("name:*o", "one two"),
        ("group:g7", "one"),
        ("-group:*", "two three"),
        ("cause:gpu", "one"),
        ("cause:gpu-memory -note:broken", "one"),
        ("kind:imported", ""),
    ],
)
def test_what_matches_labels(text, names):
    assert [row.name for row in parse_filter(text).apply(LABELLED, NOW)] == names.split()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stat:failed", "unknown field 'stat:', did you mean state:?"),
        ("colour:red", "unknown field 'colour:', known: state:"),
        ("state:", "'state:' needs a value, such as state:queued"),
        ("method:", "'method:' needs a value"),
        ("state:runing", "no state is 'runing', did you mean running?"),
        ("state:failed,fnished", "no state is 'fnished', did you mean finished?"),
        ("state:failed,", "'state:' has nothing on one side of a comma"),
        ("kind:x", "no kind is 'x', one of pretrain, evaluate, selftest, imported"),
        ("cause:dsk", "no cause is 'dsk', did you mean disk?"),
        ("note:", "'note:' needs a value"),
        ("age<soon", "'soon' is no age"),
        ("age<", "'age<' needs a value"),
        ("size<3", "'size' cannot be compared"),
        ("best.val/loss<low", "'low' is no number"),
        ("-state:nowhere", "no state is 'nowhere'"),
    ],
)
def test_what_means_nothing(text, message):
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        parse_filter(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cfg.training.batch_size>=x", "'x' is no number"),
        ("best.val/loss>=NaN", "'nan' is no number"),
        ("<", "has nothing in front to compare"),
        ("-", "has nothing behind it"),
    ],
)
def test_parts_that_can_never_fit_are_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse_filter(text)


def test_keys_that_no_run_has_are_named():
    rows = (make_row("one"),)
    assert find_unknown(parse_filter("cfg.training.batch_size>3 best.val/loss<9"), rows) == ""
    assert find_unknown(parse_filter("cfg.training.batch_sise>3"), rows) == "cfg.training.batch_sise"
    assert find_unknown(parse_filter("-best.val/lossx<3"), rows) == "best.val/lossx"
