"""Downloads in the original layouts: complete, marked, reproducible, published whole or not at all."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lovt_core.data.synthetic import generate
from lovt_core.data.synthetic.generate import LAYOUTS, Synthesis, synthesize
from lovt_core.data.synthetic.layouts import covid_chestxray
from lovt_core.data.synthetic.layouts.layout import Layout
from lovt_core.errors import InputError, LovtError
from lovt_core.values import Progress


def make(folder: Path, layout: str, count: int = 12, seed: int = 0, workers: int = 1) -> Path:
    """A small download."""
    return synthesize(
        folder / f"{layout}-{count}-{seed}-{workers}", Synthesis(layout, count, 48, seed, workers), _ignore
    )


def _ignore(_: Progress) -> None:
    return None


def load(path: Path) -> tuple[str, np.ndarray]:
    """Mode and pixels of an image."""
    with Image.open(path) as image:
        return image.mode, np.asarray(image)


def content_of(folder: Path) -> dict[str, bytes]:
    """Every file by its relative name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_bytes_do_not_depend_on_the_number_of_workers(tmp_path: Path, layout: str) -> None:
    alone, together = make(tmp_path, layout, 130), make(tmp_path, layout, 130, workers=2)
    assert content_of(alone) == content_of(together)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_another_seed_shares_no_image_and_more_films_begin_alike(tmp_path: Path, layout: str) -> None:
    few, more, other = make(tmp_path, layout), make(tmp_path, layout, 20), make(tmp_path, layout, seed=1)
    images = {name: content for name, content in content_of(few).items() if name.endswith((".jpg", ".png", ".dcm"))}
    assert len(images) >= 12 - 2  # a few reports of some layouts have no image
    assert images.items() <= content_of(more).items()
    films = {content for name, content in images.items() if "mask" not in name}  # empty masks are all alike
    assert not films & set(content_of(other).values())


def test_layouts_of_one_seed_share_no_image(tmp_path: Path) -> None:
    grey = [load(path)[1] for path in (make(tmp_path, "covid-chestxray") / "images").iterdir()]
    colour = [load(path)[1][..., 0] for path in (make(tmp_path, "covid-rural") / "jpgs").iterdir()]
    closest = max(np.corrcoef(a.ravel(), b.ravel())[0, 1] for a in grey for b in colour)
    assert closest < 0.99


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_marker_tells_how_to_make_it_again(tmp_path: Path, layout: str) -> None:
    marker = json.loads((make(tmp_path, layout, seed=5) / "SYNTHETIC.json").read_text())
    assert marker == {
        "layout": layout,
        "seed": 5,
        "count": 12,
        "size": 48,
        "version": generate.GENERATOR_VERSION,
    }


def test_covid_chestxray_layout(tmp_path: Path) -> None:
    folder = make(tmp_path, "covid-chestxray", 60)
    with (folder / "metadata.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == covid_chestxray.COLUMNS
    assert {row["filename"] for row in rows} == {path.name for path in (folder / "images").iterdir()}
    assert {row["modality"] for row in rows} == {"X-ray"}
    assert {row["view"] for row in rows} <= {"PA", "AP", "AP Supine"}
    assert 30 < len({row["Patientid"] for row in rows}) < 60
    by_patient = {(row["Patientid"], row["sex"], row["age"]) for row in rows}
    assert len(by_patient) == len({row["Patientid"] for row in rows})
    assert all(row["clinical notes"].endswith(".") for row in rows)
    mode, pixels = load(folder / "images" / rows[0]["filename"])
    assert (mode, pixels.shape) == ("L", (48, 48))


def test_the_header_is_that_of_the_real_table(data_folder: Path) -> None:
    real = (data_folder / "covid_chestxray" / "metadata.csv").read_text(encoding="utf-8").splitlines()[0]
    assert real == ",".join(covid_chestxray.COLUMNS)


def test_covid_rural_layout(tmp_path: Path) -> None:
    folder = make(tmp_path, "covid-rural", 60)
    stems = {path.stem for path in (folder / "jpgs").iterdir()}
    assert len(stems) == 60
    assert stems == {path.stem for path in (folder / "pngs_masks").iterdir()}
    assert all(stem.startswith("COVID-19-AR-") and stem.endswith("-XR") for stem in stems)
    assert 30 < len({stem.partition("_")[0] for stem in stems}) < 60
    covered = []
    for stem in stems:
        (image_mode, image), (mask_mode, mask) = (
            load(folder / name) for name in (f"jpgs/{stem}.jpg", f"pngs_masks/{stem}.png")
        )
        assert (image_mode, mask_mode, mask.shape) == ("RGB", "L", image.shape[:2])
        assert set(np.unique(mask)) <= {0, 1}
        covered.append(float(mask.mean()))
    assert 0.005 < np.mean(covered) < 0.15


def test_progress_counts_to_the_end(tmp_path: Path) -> None:
    seen: list[Progress] = []
    synthesize(tmp_path / "out", Synthesis("covid-rural", 20, 48, workers=1), seen.append)
    assert [(value.done, value.total) for value in seen][-1] == (20, 20)
    assert [value.done for value in seen] == sorted(value.done for value in seen)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Synthesis("covid-rurall", 3, 48), "covid-rural"),
        (Synthesis("covid-rural", 0, 48), "at least one film"),
        (Synthesis("covid-rural", 3, 16), "at least 32 pixels"),
        (Synthesis("covid-rural", 3, 48, seed=-1), "0 or more"),
        (Synthesis("covid-rural", 3, 48, workers=0), "at least 1"),
    ],
)
def test_bad_requests_are_refused_in_one_sentence(tmp_path: Path, request_: Synthesis, said: str) -> None:
    with pytest.raises(InputError, match=said):
        synthesize(tmp_path / "out", request_, _ignore)
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="exists already"):
        synthesize(tmp_path / "out", Synthesis("covid-rural", 3, 48), _ignore)
    assert content_of(tmp_path / "out") == {"mine.txt": b"keep"}


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(generate.LAYOUTS, "covid-chestxray", Layout(covid_chestxray.write_film, fail))
    with pytest.raises(LovtError, match="No space left"):
        synthesize(tmp_path / "out", Synthesis("covid-chestxray", 3, 48, workers=1), _ignore)
    assert not list(tmp_path.iterdir())
