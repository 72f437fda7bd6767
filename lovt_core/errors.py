"""Everything this program raises on purpose.

    LovtError                 exit code 1: the machine's fault, or nobody's
    ├── InputError            exit code 2: what the user gave is wrong
    │   ├── ConfigError       ... in an experiment file (file, line, key)
    │   └── DataError         ... in a download or in prepared data (file, row)
    ├── MissingWeightsError   exit code 2: a pre-trained model is not on this machine, with what to do
    ├── RecordError           a run directory is damaged or cannot be written
    │   └── NoCheckpointError ... and of its checkpoints none is whole
    └── TrainingError         a training cannot go on (a loss that is not finite, out of memory)

Each message is one sentence, or a list of them: what is wrong, where, and what would be right.
"""


class LovtError(Exception):
    """Base of all deliberate errors; `exit_code` is what the command line returns."""

    exit_code = 1


class InputError(LovtError):
    """The user's input is wrong."""

    exit_code = 2


class ConfigError(InputError):
    """An experiment file is wrong."""


class DataError(InputError):
    """A download, a data file or prepared data is wrong."""


class MissingWeightsError(LovtError):
    """Pre-trained weights are not on this machine and cannot be downloaded."""

    exit_code = 2


class RecordError(LovtError):
    """A run directory is damaged or cannot be written."""


class NoCheckpointError(RecordError):
    """A training was to go on from a checkpoint, and all there are are damaged."""


class TrainingError(LovtError):
    """A training cannot go on."""
