"""Which images of MIMIC-CXR-JPG are on disk: `files/p10/p10000032/s50414267/<dicom id>.jpg`.

The whole set has 570 GB, so a download may hold some patients only. A patient without any study folder is no error; a
gap among the studies of a patient is one.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lovt_core.data.prepared_meta import Problem
from lovt_core.data.sources.download import printable
from lovt_core.data.sources.mimic_tables import Study

IMAGES = "files"


@dataclass
class Images:
    """Frontal images of a download."""

    present: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """DICOM ids of the images on disk, by study."""
    num_elsewhere: int = 0
    """Images of patients that are not in this part of the download."""
    num_missing: int = 0
    """Images that should be in this part."""
    problems: list[Problem] = field(default_factory=list)


def find_images(root: Path, studies: Mapping[str, Study], table: str) -> Images:
    """Compare the folder `files` with the studies of `table`; images are listed, not opened."""
    images = Images()
    patients: set[str] = set()
    for patient, folder in _iterate_study_folders(root):
        patients.add(patient)
        study = studies.get(folder.name)
        if study is None or study.folder != patient:
            where = printable(f"{IMAGES}/{patient}/{folder.name}")
            images.problems.append(Problem(where=where, what=f"no such study of this patient in {table}"))
        else:
            _compare(images, study, folder, table)
    for id_, study in studies.items():
        if id_ not in images.present and study.frontal:
            _count_absent(images, id_, study, patients)
    return images


def _iterate_study_folders(root: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The patient's folder below `files`, for example `p10/p10000032`, and that of the study, in the order of names."""
    for group in _list_folders(root / IMAGES):
        for patient in _list_folders(group.path):
            for study in _list_folders(patient.path):
                yield f"{group.name}/{patient.name}", study


def _list_folders(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        folders = [entry for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
    return sorted(folders, key=lambda entry: entry.name)


def _compare(images: Images, study: Study, folder: os.DirEntry[str], table: str) -> None:
    """Sort out what is there, what is missing and what does not belong here, in the folder of one study."""
    with os.scandir(folder.path) as entries:
        names = {entry.name[:-4] for entry in entries if entry.name.endswith(".jpg") and entry.name[0] != "."}
    place = f"{IMAGES}/{study.folder}/{folder.name}"
    present = study.frontal if names.issuperset(study.frontal) else tuple(d for d in study.frontal if d in names)
    images.present[folder.name] = present
    images.num_missing += len(study.frontal) - len(present)
    for dicom in study.frontal:
        if dicom not in names:
            images.problems.append(
                Problem(where=f"{place}/{dicom}.jpg", what=f"the image is missing; {table} names it")
            )
    for dicom in sorted(names.difference(study.frontal, study.others)):
        where = printable(f"{place}/{dicom}.jpg")
        images.problems.append(Problem(where=where, what=f"no row of {table} names this image"))


def _count_absent(images: Images, id_: str, study: Study, patients: set[str]) -> None:
    if study.folder not in patients:
        images.num_elsewhere += len(study.frontal)
        return
    images.num_missing += len(study.frontal)
    what = "the folder of this study is missing, while others of the patient are there"
    images.problems.append(Problem(where=f"{IMAGES}/{study.folder}/{id_}", what=what))
