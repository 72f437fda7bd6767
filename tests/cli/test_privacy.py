"""Credentialed data stays where it was prepared: a whole pre-training leaves no image and no sentence anywhere else."""

import sqlite3
import stat
import zipfile

import numpy as np

from lovt_core.data.prepared import open_prepared

OVERRIDES = (
    "data.name=mimic-cxr",
    "data.split=download",
    "data.image_size=64",
    "training.max_steps=2",
    "training.max_epochs=1",
    "training.batch_size=4",
    "training.device=cpu",
)


def mark_reports(archive):
    """A word that nothing else holds, in every report."""
    with zipfile.ZipFile(archive) as original:
        reports = {name: original.read(name) for name in original.namelist()}
    with zipfile.ZipFile(archive, "w") as marked:
        for name, text in reports.items():
            marked.writestr(name, text.replace(b"lung", b"lungqzx").replace(b"heart", b"heartqzx"))


def train(lovt, source, home):
    """Prepare (synthetic) MIMIC-CXR and train two steps on it."""
    request = ("--out", str(source), "--count", "60", "--size", "64", "--workers", "1")
    assert lovt("data", "synthesize", "mimic-cxr", *request).code == 0
    mark_reports(source / "mimic-cxr" / "mimic-cxr-reports.zip")
    place = ("--workspace", str(home))
    options = ("--size", "64", "--workers", "1")
    assert lovt("data", "prepare", "mimic-cxr", "--source", str(source / "mimic-cxr"), *options, *place).code == 0
    overrides = [part for each in OVERRIDES for part in ("--set", each)]
    answer = lovt("pretrain", "experiments/tiny/lovt.yaml", *overrides, *place)
    assert answer.code == 0, answer.err
    return open_prepared(home / "data", "mimic-cxr", 64)


def test_no_sentence_and_no_image_leaves_the_prepared_folder(lovt, tmp_path):
    home = tmp_path / "home"
    data = train(lovt, tmp_path / "download", home)
    sentences = {each.encode() for sample in data.samples for each in sample.sentences if "qzx " in each}
    assert len(sentences) > 10
    rows = {data.image(row)[20].tobytes() for row in range(data.num_images)}
    for path in home.rglob("*"):
        if path.is_file() and home / "data" not in path.parents:
            content = path.read_bytes()
            assert not [each for each in sentences if each in content], path
            assert not [each for each in rows if each in content], path
    for index in home.glob("*.db"):
        with sqlite3.connect(index) as database:
            assert not [line for line in database.iterdump() for each in sentences if each.decode() in line]

    assert np.any(data.image(0))
    for path in (data.path.parent, data.path, *data.path.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
