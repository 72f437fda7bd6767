"""The COVID Rural layout: `jpgs/<patient>_<date>-XR.jpg` and `pngs_masks/<same stem>.png` (PROTOCOL A.2).

The patient is the part of the name before the first underscore. An image without a mask is an error, not an image
without lesions: those have a mask of zeros.
"""

from pathlib import Path

from lovt_core.data.annotations.shapes import Annotation, MaskFile
from lovt_core.data.data_set import DataSet
from lovt_core.data.prepared_meta import Problem
from lovt_core.data.sources.download import Download, Flow, Item, Labels, find_repeated_ids, printable, require_layout
from lovt_core.errors import DataError

DATA_SET = DataSet(
    name="covid-rural",
    title="COVID Rural (COVID-19-AR with lesion masks)",
    kind="localized",
    summary="221 X-rays of rural COVID-19 patients with lesion masks: tasks 10 to 12 of the protocol.",
    licence="images CC BY 4.0 (TCIA COVID-19-AR), masks see their repository",
    citation="Desai, Baghal, Wongsurawat et al.: Chest imaging representing a COVID-19 positive rural U.S. "
    "population. Scientific Data 7, 414 (2020); Tang, Sun, Li: masks in "
    "GeneralBlockchain/covid-19-chest-xray-segmentations-dataset",
    url="https://github.com/GeneralBlockchain/covid-19-chest-xray-segmentations-dataset",
    approximate_size="221 images, about 0.5 GB",
    documented_layout=(
        "jpgs/           COVID-19-AR-<patient>_<date>-XR.jpg, colour",
        "pngs_masks/     <same stem>.png, values 0 and 1, the size of the image",
    ),
    default_size=224,
    split_fractions=(0.6, 0.2, 0.2),
    classes=("lesion",),
    grey="channel-mean",
    equalised=True,
    jpeg_round_trip=True,
)

IMAGES, MASKS = "jpgs", "pngs_masks"
_IMAGE_SUFFIXES = (".jpg", ".jpeg")


def scan(root: Path) -> Download:
    """Pair images with masks; raises DataError for a wrong or empty folder."""
    require_layout(root, (IMAGES, MASKS), DATA_SET)
    images = _list_files(root / IMAGES, _IMAGE_SUFFIXES)
    masks = {path.stem: path for path in _list_files(root / MASKS, (".png",))}
    if not images:
        raise DataError(f"{root / IMAGES}: no .jpg file there")
    problems = [problem for path in images if (problem := _find_problem(path, masks)) is not None]
    flow = Flow(len(images))
    flow.drop(0, f"images in {IMAGES}")
    flow.drop(len(problems), "without mask or patient")
    items = [_build_item(path, masks) for path in images if _find_problem(path, masks) is None]
    items_once, repeated = find_repeated_ids(items)
    flow.drop(len(repeated), "of the same name")
    stems = {path.stem for path in images}
    lonely = [
        Problem(where=f"{MASKS}/{printable(path.name)}", what=f"no image of that name in {IMAGES}")
        for stem, path in masks.items()
        if stem not in stems
    ]
    return Download(root, items_once, (), tuple(flow.steps), (*problems, *repeated, *lonely))


def read_labels(root: Path) -> Labels:
    """Masks and their patients: this download has no table."""
    require_layout(root, (MASKS,), DATA_SET)
    stems = [path.stem for path in _list_files(root / MASKS, (".png",))]
    counts = (("masks", len(stems)), ("patients", len({stem.partition("_")[0] for stem in stems})))
    return Labels(counts, tuple(stems), ())


def _list_files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if path.suffix.lower() in suffixes and not path.name.startswith(".")
    )


def _find_problem(path: Path, masks: dict[str, Path]) -> Problem | None:
    where = f"{IMAGES}/{printable(path.name)}"
    if printable(path.name) != path.name:
        return Problem(where=where, what="the name is not UTF-8 text: rename the file and its mask")
    if "_" not in path.stem.lstrip("_"):
        return Problem(where=where, what="the name does not tell the patient: <patient>_<date>-XR.jpg is expected")
    if path.stem not in masks:
        return Problem(where=where, what=f"no mask {MASKS}/{path.stem}.png")
    return None


def _build_item(path: Path, masks: dict[str, Path]) -> Item:
    mask = f"{MASKS}/{masks[path.stem].name}"
    return Item(
        id=path.stem,
        patient=path.stem.partition("_")[0],
        images=(f"{IMAGES}/{path.name}",),
        annotations=(Annotation(MaskFile(mask), where=mask),),
    )
