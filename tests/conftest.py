"""Fixtures that every test may use: where the reference vectors and the real data lie."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _folder(variable: str, default: str) -> Path:
    folder = Path(os.environ.get(variable, ROOT / ".." / "shared" / default)).resolve()
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: set {variable} to the folder")
    return folder


@pytest.fixture(scope="session")
def vectors_folder() -> Path:
    """Folder of the reference vectors; skips where it is absent."""
    return _folder("LOVT_VECTORS", "reference/vectors")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of the real X-rays and labels; skips where it is absent."""
    return _folder("LOVT_DATA", "data")
