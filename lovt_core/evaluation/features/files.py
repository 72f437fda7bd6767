"""Features of frozen encoders in files, for what does not fit into memory: found again by later evaluations.

Shapes: N samples, B batch, D feature channels, h x w feature grid.
"""

from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Final

from torch import Tensor

from lovt_core.errors import RecordError
from lovt_core.evaluation.features.entry import EntryMeta, EntryWriter, check_entry, map_features, to_features
from lovt_core.evaluation.features.folder import Begun, FeatureFolder, Found, Refused
from lovt_core.evaluation.features.source import FeatureSource, FeatureStore, split_evenly
from lovt_core.evaluation.training.order import Positions
from lovt_core.values import Alarm, Progress

NAME_DIGITS: Final = 32
"""Of the key, in the name of an entry; `meta.json` has the whole key."""
_CONSEQUENCE: Final = "they are computed anew in every epoch"


class FeatureFiles:
    """A folder of entries, each with the features of one encoder for one data set."""

    def __init__(self, folder: Path, budget_bytes: int) -> None:
        """Nothing is written yet."""
        self._folder = FeatureFolder(folder, budget_bytes)

    def open(
        self, key: str, source: FeatureSource, samples: Sequence[int], num_bytes: int
    ) -> Generator[Progress | Alarm, None, FeatureStore | None]:
        """The features with this key (hex digits), built now where they are not there; a store that has all rows.

        None, after an alarm that says why, where they are more than the budget, where entries in use leave no room,
        where another process is building the same ones, and where the disk is full or refuses; nothing is left of the
        attempt then. A damaged entry is removed and built again. The entry is in use, and so kept, as long as the store
        exists. Raises InputError where the features are not finite.
        """
        try:
            return (yield from self._open(key, source, samples, num_bytes))
        except OSError as error:
            yield Alarm(f"features cannot be kept in {self._folder.path} ({error.strerror or error}): {_CONSEQUENCE}")
            return None

    def _open(
        self, key: str, source: FeatureSource, samples: Sequence[int], num_bytes: int
    ) -> Generator[Progress | Alarm, None, FeatureStore | None]:
        claim = self._folder.claim(key[:NAME_DIGITS], num_bytes)
        if isinstance(claim, Found):
            meta = yield from self._check(claim, key, len(samples))
            if meta is not None:
                return FileStore(claim, meta, source.working.device)
            claim = self._folder.claim(key[:NAME_DIGITS], num_bytes)
        match claim:
            case Begun():
                return (yield from self._build(claim, key, source, samples))
            case Refused(reason):
                yield Alarm(f"{reason}: {_CONSEQUENCE}")
            case Found():
                claim.lock.release()
                yield Alarm(
                    f"another evaluation uses {claim.path}: features are left there as they are, and {_CONSEQUENCE}"
                )
        return None

    def _check(self, found: Found, key: str, num_rows: int) -> Generator[Progress | Alarm, None, EntryMeta | None]:
        """None: the entry was damaged and is given up."""
        try:
            return (yield from check_entry(found.path, key, num_rows))
        except RecordError as error:
            self._folder.discard(found)
            yield Alarm(f"{error}: these features are computed again")
            return None

    def _build(
        self, begun: Begun, key: str, source: FeatureSource, samples: Sequence[int]
    ) -> Generator[Progress, None, FeatureStore]:
        done = 0
        try:
            with EntryWriter(begun.temporary) as writer:
                for part in split_evenly(samples):
                    writer.add(source.encode(part))
                    done += len(part)
                    yield Progress(done, len(samples), "image", f"encoding into {self._folder.path}")
                meta = writer.finish(key)
            found = self._folder.publish(begun)
        except BaseException:
            self._folder.abandon(begun)
            raise
        return FileStore(found, meta, source.working.device)


class FileStore:
    """Features of all rows in memory-mapped files that never change; holds the lock of their entry."""

    def __init__(self, found: Found, meta: EntryMeta, device: str) -> None:
        """`meta` has been checked against the files. Raises OSError where they cannot be mapped."""
        self._found = found
        self._device = device
        self._files = {file: map_features(found.path / file.name, file, meta.num_rows) for file in meta.files}

    def find_missing(self, rows: Sequence[int]) -> list[int]:
        """None is ever missing."""
        return []

    def put(self, rows: Sequence[int], features: Mapping[int, Tensor]) -> None:
        """Never called, because none is missing; raises TypeError."""
        raise TypeError("features in files never change")

    def take(self, rows: Positions) -> dict[int, Tensor]:
        """Features, stride -> (B, D, h, w) on the device that trains, channels last in memory."""
        return {file.stride: to_features(bits[rows], file, self._device) for file, bits in self._files.items()}
