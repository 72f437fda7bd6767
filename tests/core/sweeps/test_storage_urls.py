"""Addresses of storages: no password is shown, and a file is found from every folder."""

import json
import stat
import sys
from pathlib import Path

import pytest

from lovt_core.errors import InputError
from lovt_core.sweeps.folder import SweepFolder
from lovt_core.sweeps.requests import start_sweep
from lovt_core.sweeps.storage import first_line, open_storage
from lovt_core.sweeps.storage_urls import find_file, hide_password, is_same_storage, make_absolute
from tests.core.sweeps.conftest import make_sweep

SECRET = "s3cr:t@1"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"postgresql+psycopg://me:{SECRET}@host:5432/db", "postgresql+psycopg://me:***@host:5432/db"),
        ("mysql://me:x@h/d?charset=utf8", "mysql://me:***@h/d?charset=utf8"),
        (
            "postgresql://h/d?user=me&password=x&sslmode=require",
            "postgresql://h/d?user=me&password=***&sslmode=require",
        ),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("sqlite:////home/a:b@c/x.db", "sqlite:////home/a:b@c/x.db"),
        ("journal:/tmp/x", "journal:/tmp/x"),
        ("nothing at 12:30, x@y", "nothing at 12:30, x@y"),
    ],
)
def test_passwords_are_hidden(url, shown):
    assert hide_password(url) == shown
    assert hide_password(f"storage '{url}' cannot be used, 'a@b'") == f"storage '{shown}' cannot be used, 'a@b'"
    assert is_same_storage(url, shown)


def test_the_same_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_same_storage("postgresql://me:x@h/d", "postgresql://me@h/d")
    assert not is_same_storage("postgresql://me:x@h/d", "postgresql://me:x@h/e")
    assert make_absolute("sqlite:///a.db") == f"sqlite:///{tmp_path}/a.db"
    assert make_absolute("journal:a") == f"journal:{tmp_path}/a"
    for url in ("sqlite://", "sqlite:///:memory:", "sqlite:////a.db", "journal:/a", "postgresql://h/d"):
        assert make_absolute(url) == url
    assert find_file("sqlite:////a/b.db") == Path("/a/b.db")
    assert find_file("postgresql://h/d") is None


@pytest.mark.parametrize("url", [f"postgresql+psycopg://me:{SECRET}@127.0.0.1:9/x", f"redis://me:{SECRET}@x"])
def test_no_message_shows_a_password(url):
    with pytest.raises(InputError) as error:
        open_storage(url)
    assert SECRET not in str(error.value)
    assert "me:***@" in str(error.value)
    assert SECRET not in first_line(ValueError(f"cannot parse {url}"))


def test_what_is_written_down_is_for_the_owner_alone(place, monkeypatch):
    url = f"postgresql+psycopg://me:{SECRET}@h/d"
    monkeypatch.setattr("lovt_core.sweeps.storage.open_storage", lambda given: given)
    monkeypatch.setattr("lovt_core.sweeps.storage.close_storage", lambda storage: None)
    monkeypatch.setattr("lovt_core.sweeps.requests.ensure_coordinator", lambda folder: None)
    monkeypatch.setattr(sys, "argv", ["lovt", "sweep", "run", "x.yaml", "--storage", url])
    folder = start_sweep(place, make_sweep(), storage=url)
    origin = folder.path / "origin.json"
    assert stat.S_IMODE(origin.stat().st_mode) == 0o600
    assert json.loads(origin.read_text())["command"][-1] == "postgresql+psycopg://me:***@h/d"
    assert SweepFolder(place, "small").origin()["storage"] == url
