"""Tiny data sets on disk, in the layouts of the real ones, and a workplace that reads them."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from lovt_core.config.evaluation import EncoderSource, EvaluateExperiment, EvaluationSettings
from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.evaluate import evaluate
from lovt_core.values import Result, Workplace

SIZE = 64
BACKBONE = "test_resnet"


def draw_film(generator):
    """A grey image with a bright spot, and the spot's mask."""
    rows, columns = np.mgrid[:96, :96]
    row, column, radius = generator.uniform(25, 70), generator.uniform(25, 70), generator.uniform(10, 20)
    spot = (rows - row) ** 2 + (columns - column) ** 2 < radius**2
    shading = 60 * np.sin(rows / generator.uniform(8, 30) + generator.uniform(0, 6)) * np.cos(columns / 17)
    image = 90 + shading + 70 * spot + generator.normal(0, 12, spot.shape)
    return np.clip(image, 0, 255).astype(np.uint8), spot


def write_covid_rural(folder: Path, num_patients: int = 20, seed: int = 0) -> Path:
    """A download of two images a patient with masks."""
    generator = np.random.default_rng(seed)
    for name in ("jpgs", "pngs_masks"):
        (folder / name).mkdir(parents=True)
    for patient in range(num_patients):
        for date in ("01-01-2012", "02-02-2012"):
            stem = f"COVID-19-AR-{patient:08d}_{date}-XR"
            image, spot = draw_film(generator)
            Image.fromarray(image).convert("RGB").save(folder / "jpgs" / f"{stem}.jpg", quality=95)
            Image.fromarray(spot.astype(np.uint8)).save(folder / "pngs_masks" / f"{stem}.png")
    return folder


def write_covid_chestxray(folder: Path, films: list[Path]) -> Path:
    """A download of image-note pairs that holds these films."""
    (folder / "images").mkdir(parents=True)
    with (folder / "metadata.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["patientid", "filename", "view", "modality", "clinical notes", "license"])
        for number, film in enumerate(films):
            Image.open(film).convert("L").save(folder / "images" / f"{film.stem}.png")
            table.writerow([number, f"{film.stem}.png", "PA", "X-ray", "Patchy consolidation on the left.", "CC0"])
    return folder


def prepare_tiny(name: str, source: Path, root: Path, size: int = SIZE):
    """The download, prepared."""
    return prepare(name, source, root, PrepareOptions(size=size, workers=1), lambda progress: None)


def make_place(prepared_root: Path, scratch: Path, **changes) -> Workplace:
    """A workplace on the CPU that is never asked to stop and knows no run."""

    def no_run(run: str, which: str) -> Path:
        raise AssertionError(f"asked for the {which} checkpoint of {run}")

    place = Workplace(
        prepared_root=prepared_root,
        checkpoints=scratch / "checkpoints",
        artifacts=scratch / "artifacts",
        attempt=1,
        device="cpu",
        stop_requested=lambda: None,
        find_checkpoint=no_run,
    )
    return replace(place, **changes)


def make_experiment(source: str = "random-fitted", **changes) -> EvaluateExperiment:
    """An evaluation that takes a second or two."""
    settings = {"image_size": SIZE, "stride": 16, "replicates": 3, "max_epochs": 6, "learning_rates": (3e-2, 1e-2)}
    settings |= changes.pop("settings", {})
    encoder = {"source": source, "backbone": BACKBONE} | changes.pop("encoder", {})
    return EvaluateExperiment(
        **{
            "name": "tiny",
            "encoder": EncoderSource(**encoder),
            "tasks": ("covid-linear",),
            "settings": EvaluationSettings(**settings),
        }
        | changes
    )


def run_results(experiment: EvaluateExperiment, place: Workplace) -> list[dict]:
    """The results of an evaluation, in order."""
    return [dict(value.data) for value in evaluate(experiment, place) if isinstance(value, Result)]
