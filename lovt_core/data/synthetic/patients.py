"""Who the films belong to: one to three films a patient, decided by the seed alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lovt_core.data.synthetic.scene import Case, build_case

_FILMS_PER_PATIENT = (0.72, 0.20, 0.08)
"""Probabilities of 1, 2 and 3 films."""
_PLAN, _PATIENTS, _FILMS, _RECORDS = range(4)
"""Separate streams of random numbers."""


@dataclass(frozen=True)
class Film:
    """One film to be made."""

    index: int
    """Counts all films from 0."""
    patient: int
    """Counts patients from 0."""
    follow_up: int
    """0 for the patient's first film."""
    seed: int
    stream: int
    """Told apart by layout, so that two layouts of one seed share no film."""
    size: int

    def build(self) -> Case:
        """Draw it."""
        patient_seed = (self.seed, self.stream, _PATIENTS, self.patient)
        return build_case(patient_seed, (self.seed, self.stream, _FILMS, self.index), self.size)

    def personal(self) -> np.random.Generator:
        """Random numbers for what the patient's records say (sex, age, dates), the same on every film."""
        return np.random.default_rng((self.seed, self.stream, _RECORDS, self.patient))


def plan_films(count: int, seed: int, stream: int, size: int) -> Iterator[Film]:
    """The first `count` films; a longer plan of the same seed begins with the same films."""
    rng = np.random.default_rng((seed, stream, _PLAN))
    patient = index = 0
    while index < count:
        films = 1 + int(rng.choice(len(_FILMS_PER_PATIENT), p=_FILMS_PER_PATIENT))
        for follow_up in range(min(films, count - index)):
            yield Film(index, patient, follow_up, seed, stream, size)
            index += 1
        patient += 1
