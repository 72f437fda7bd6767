"""Preparing data from the dashboard: the order, the tables of the download, the process in the background."""

import json
import os
import signal
import time

import pytest

from lovt_core.errors import DataError, InputError
from lovt_tui.actions.data import prepare_data, read_download, stop_preparing
from lovt_tui.datasets.describing import (
    describe_end,
    describe_progress,
    describe_set,
    format_set_state,
)
from lovt_tui.datasets.ordering import FIELDS, read_order
from lovt_tui.datasets.preparing import Order, Preparation, check_order, preparation_files, read_preparation
from tests.core.data.factories import write_rural
from tests.tui.datasets.data_rows import row_of, text_of


def wait_until(workspace, fits, name="covid-rural"):
    """The preparation of a data set as soon as it fits."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = read_preparation(preparation_files(workspace, name), time.time())
        if found is not None and fits(found):
            return found
        time.sleep(0.02)
    pytest.fail(f"the preparation stays {found}")


def test_orders_are_checked_before_anything_starts(workspace, tmp_path):
    good = Order("covid-rural", str(tmp_path))
    assert check_order(good).source == str(tmp_path)
    for order, problem in (
        (Order("nothing", str(tmp_path)), "unknown data set"),
        (Order("rsna", ""), "is no folder"),
        (Order("rsna", str(tmp_path / "absent")), "is no folder"),
        (Order("rsna", str(tmp_path), size=3), "size 3 cannot be prepared"),
        (Order("rsna", str(tmp_path), workers=0), "0 workers cannot work"),
        (Order("rsna", str(tmp_path), splits="halves"), "no folder with split lists and no split"),
    ):
        with pytest.raises((InputError, DataError), match=problem):
            check_order(order)


def test_the_form_makes_an_order_and_back():
    texts = {"source": "~/x", "size": "96", "splits": "published", "skip_bad": "Leave out", "workers": "2"}
    order = read_order("rsna", texts)
    assert order == Order("rsna", "~/x", 96, "published", True, 2)
    assert [field.first(order) for field in FIELDS] == ["~/x", "96", "published", "leave out", "2"]
    assert [field.first(None) for field in FIELDS] == [""] * 5
    for wrong, problem in (({"size": "²"}, "size: '²' is no whole number"), ({"skip_bad": "no"}, "neither 'refuse'")):
        with pytest.raises(InputError, match=problem):
            read_order("rsna", texts | wrong)


def test_the_tables_of_a_download(tmp_path):
    report = read_download("covid-rural", write_rural(tmp_path / "rural"), lambda process: None)
    assert "6 masks, 3 patients" in report.summary
    assert "0 of the 221 ids of the published split lists are here" in report.summary
    with pytest.raises(DataError, match=r"no stage_2_train_labels\.csv there"):
        read_download("rsna", tmp_path / "rural", lambda process: None)


def test_preparing_in_the_background(workspace, tmp_path):
    source = write_rural(tmp_path / "rural")
    said = prepare_data(workspace, Order("covid-rural", str(source), size=32, workers=1))
    assert said == "covid-rural is being prepared; this goes on when the dashboard is left"
    found = wait_until(workspace, lambda found: not found.is_working)
    assert (found.state, found.done, found.total, found.message) == ("prepared", 6, 6, "covid-rural prepared")
    row = row_of(workspace)
    assert row.readable[0].meta.size == 32
    assert not row.is_preparing
    assert "last prepare" not in text_of(describe_set(row, None, 80))


def test_what_is_refused_is_kept_to_be_read(workspace, tmp_path):
    source = write_rural(tmp_path / "rural")
    for name in sorted((source / "jpgs").iterdir())[:2]:
        name.write_bytes(b"no image")
    prepare_data(workspace, Order("covid-rural", str(source), size=32, workers=1))
    found = wait_until(workspace, lambda found: not found.is_working)
    assert found.state == "refused"
    text = text_of(describe_set(row_of(workspace), None, 100))
    assert "last prepare refused: covid-rural: 2 files or rows of the download cannot be used:" in text
    assert "leave them out with --skip-bad" in text


@pytest.mark.parametrize(
    ("state", "message", "said"),
    [
        ("prepared", "rsna prepared", "rsna prepared"),
        ("prepared", "rsna was prepared from these files already, and is whole", None),
        ("refused", "rsna: 2 files cannot be used\n  a.dcm", "rsna refused: 2 files cannot be used"),
        ("refused", "rsna is no folder", "rsna refused: rsna is no folder"),
        ("stopped", "what is decoded is kept", "rsna stopped: what is decoded is kept"),
        ("lost", "", "rsna lost"),
    ],
)
def test_the_end_is_told_in_a_line_that_repeats_nothing(state, message, said):
    ended = Preparation(Order("rsna", "/downloads"), state, started=0.0, message=message)
    assert describe_end(ended) == (said or message)


def test_stopping_keeps_what_is_decoded(workspace, tmp_path):
    source = write_rural(tmp_path / "rural", count=500)
    order = Order("covid-rural", str(source), size=512, workers=1)
    prepare_data(workspace, order)
    working = wait_until(workspace, lambda found: found.state == "decoding")
    with pytest.raises(InputError, match="is being prepared already"):
        prepare_data(workspace, order)
    row = row_of(workspace)
    assert row.is_preparing
    assert format_set_state(row).text.startswith("● preparing")
    assert "of 500 samples" in text_of([describe_progress(working)])
    assert stop_preparing(workspace, "covid-rural").startswith("covid-rural: stopping; what is decoded is kept")
    found = wait_until(workspace, lambda found: not found.is_working)
    assert found.state == "stopped"
    assert list((workspace.prepared_root / "covid-rural").glob(".building-512-*/journal.jsonl"))
    assert "stopped: what is decoded is kept" in text_of(describe_set(row_of(workspace), None, 100))
    with pytest.raises(InputError, match="is not being prepared here"):
        stop_preparing(workspace, "covid-rural")


def test_a_killed_preparation_is_lost_and_says_so(workspace, tmp_path):
    source = write_rural(tmp_path / "rural", count=500)
    prepare_data(workspace, Order("covid-rural", str(source), size=512, workers=1))
    working = wait_until(workspace, lambda found: found.state == "decoding")
    os.kill(working.process, signal.SIGKILL)
    found = wait_until(workspace, lambda found: not found.is_working)
    assert found.state == "lost"
    assert "the process ended without a last word" in found.message


def test_damaged_and_newer_records_do_not_hurt(workspace):
    files = preparation_files(workspace, "rsna")
    files.record.parent.mkdir()
    for damaged in ("", "[]", '{"order": 3}', "\x00"):
        files.record.write_text(damaged)
        assert read_preparation(files, 0.0) is None
    newer = {"order": {"name": "rsna", "source": "/x", "colour": "red"}, "state": "starting", "started": 5.0, "more": 1}
    files.record.write_text(json.dumps(newer))
    assert read_preparation(files, 10.0) == Preparation(Order("rsna", "/x"), "starting", 5.0)
    files.log.write_text("Traceback\nModuleNotFoundError: no module\n")
    lost = read_preparation(files, 100.0)
    assert lost.state == "lost"
    assert "ModuleNotFoundError: no module" in lost.message
