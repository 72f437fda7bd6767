"""What a report would call the classes that are marked in the prepared data sets."""

from collections.abc import Mapping
from typing import Final

USUAL_PHRASES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "rsna": {"pneumonia": ("pneumonia", "opacity")},
    "covid-rural": {"lesion": ("opacity", "consolidation")},
    "siim": {"pneumothorax": ("pneumothorax",)},
    "object-cxr": {"foreign object": ("foreign object",)},
    "nih-cxr": {
        "Atelectasis": ("atelectasis",),
        "Cardiomegaly": ("cardiomegaly", "the heart is enlarged"),
        "Effusion": ("pleural effusion",),
        "Infiltrate": ("infiltrate", "opacity"),
        "Mass": ("mass",),
        "Nodule": ("nodule",),
        "Pneumonia": ("pneumonia",),
        "Pneumothorax": ("pneumothorax",),
    },
}
"""Data set -> class -> phrases."""


def usual_phrases(data: str, classes: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Pairs of class and phrase; a class that the table lacks is called by its name in small letters."""
    known = USUAL_PHRASES.get(data, {})
    return tuple((name, phrase) for name in classes for phrase in known.get(name, (name.lower(),)))
