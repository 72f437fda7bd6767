"""Reference vectors as test cases: `@pytest.mark.vectors("04_attention_pool")` runs a test on each case of the file."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

_FOLDER = Path(os.environ.get("LOVT_VECTORS", Path(__file__).parents[3] / "shared" / "reference" / "vectors"))


@dataclass(frozen=True)
class VectorCase:
    """One case of one file; what the file says, nothing else."""

    name: str
    settings: dict[str, Any]
    """The case's entry in the JSON file."""
    arrays: dict[str, np.ndarray]

    def __contains__(self, key: str) -> bool:
        return key in self.arrays

    def tensor(self, key: str) -> Tensor:
        return torch.from_numpy(self.arrays[key].copy())

    def optional(self, key: str) -> Tensor | None:
        return self.tensor(key) if key in self.arrays else None

    def input(self, key: str) -> Tensor:
        """A leaf that collects its gradient."""
        return self.tensor(key).requires_grad_()

    def parameters(self) -> dict[str, Tensor]:
        """All `param.X` by X."""
        return self._starting_with("param.")

    def after(self) -> dict[str, Tensor]:
        """All `after.X` by X: buffers after one call in training mode."""
        return self._starting_with("after.")

    def parameter_gradients(self) -> dict[str, Tensor]:
        return self._starting_with("grad_param.")

    def largest_gradient(self) -> float:
        return max(float(np.abs(array).max()) for key, array in self.arrays.items() if key.startswith("grad_"))

    def check(self, key: str, got: Tensor, tolerance: float = 1e-5) -> None:
        """The README's error measure of section 0."""
        reference = self.arrays[key]
        compare(f"{self.name}/{key}", got, reference, tolerance)

    def check_vanishing(self, key: str, got: Tensor, largest: float | None = None) -> None:
        """A gradient that is zero mathematically: only its size is compared."""
        limit = 1e-4 * (self.largest_gradient() if largest is None else largest)
        assert float(got.abs().max()) <= limit, f"{self.name}/{key}: should vanish"

    def _starting_with(self, start: str) -> dict[str, Tensor]:
        return {key.removeprefix(start): self.tensor(key) for key in self.arrays if key.startswith(start)}


def compare(label: str, got: Tensor, reference: np.ndarray, tolerance: float) -> None:
    value = got.detach().numpy()
    assert value.shape == reference.shape, f"{label}: shape {value.shape} instead of {reference.shape}"
    if reference.dtype.kind in "biu":
        assert np.array_equal(value, reference), f"{label}: values differ"
        return
    scale = np.abs(reference).max()
    error = np.abs(value.astype(np.float64) - reference).max()
    if scale == 0:
        assert error <= 1e-6, f"{label}: {error} instead of zero"
    else:
        assert error / scale <= tolerance, f"{label}: relative error {error / scale:.2e} above {tolerance}"


def read_cases(file: str) -> list[VectorCase]:
    """All cases of a file that have arrays; those of the JSON alone are read with `read_settings`."""
    settings = read_settings(file)
    arrays: dict[str, dict[str, np.ndarray]] = {}
    with np.load(_FOLDER / f"{file}.npz", allow_pickle=False) as stored:
        for key in stored.files:
            case, _, name = key.partition("/")
            arrays.setdefault(case, {})[name] = stored[key]
    return [VectorCase(name, settings.get(name, {}), content) for name, content in arrays.items()]


def read_settings(file: str) -> dict[str, Any]:
    path = _FOLDER / f"{file}.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return content


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("vectors")
    if mark is None or not mark.args or "case" not in metafunc.fixturenames:
        return
    if not _FOLDER.is_dir():
        absent = pytest.mark.skip(reason=f"{_FOLDER} is not there: set LOVT_VECTORS to the folder")
        metafunc.parametrize("case", [pytest.param(None, marks=absent, id="absent")])
        return
    cases = read_cases(mark.args[0])
    metafunc.parametrize("case", cases, ids=[case.name for case in cases])


@pytest.fixture
def vector_settings(request: pytest.FixtureRequest, vectors_folder: Path) -> dict[str, Any]:
    """The JSON of the file that the test's `vectors` mark names."""
    mark = request.node.get_closest_marker("vectors")
    return read_settings(mark.args[0])
