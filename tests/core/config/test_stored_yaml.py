"""Stored experiments read fast are what was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lovt_core.config.loading import dump_experiment, load_experiment, load_stored_experiment, shipped_experiments
from lovt_core.config.stored_yaml import read_stored
from lovt_core.config.yaml_text import write_mapping
from lovt_core.errors import RecordError

ODD = (
    "no",
    "on",
    "1e-4",
    "0x10",
    "010",
    "null",
    "~",
    "12:30:45",
    "2024-02-30",
    "=",
    "<<",
    "1_000",
    ".5",
    "-",
    "y",
    "",
    "NULL",
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(ODD),
    st.text(st.characters(exclude_categories=("Cs", "Cc"))),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("a", "b_c")), inner, max_size=2),
)


@given(st.dictionaries(st.sampled_from(("one", "two", "three")), VALUES))
def test_what_is_written_comes_back(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("stored") / "experiment.yaml"
    document = {"kind": "selftest", "name": "x", **content}
    path.write_text(write_mapping(document), encoding="utf-8")
    assert read_stored(path) == document


@pytest.mark.parametrize("file", shipped_experiments(), ids=lambda file: file.stem)
def test_shipped_experiments_are_read_the_same(tmp_path, file):
    path = tmp_path / "experiment.yaml"
    path.write_text(dump_experiment(load_experiment(file)))
    assert read_stored(path) == load_stored_experiment(path).model_dump(mode="json", by_alias=True)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"kind: [", "not valid YAML"),
        (b"\xff\xfe", "not valid YAML"),
        (b"- a\n", "no experiment"),
        (b"kind: 3\nname: x\n", "no experiment"),
        (b"", "no experiment"),
        (b"kind: !!python/object/apply:os.system [ls]\nname: x\n", "not valid YAML"),
    ],
)
def test_what_is_no_experiment_is_said(tmp_path, content, reason):
    path = tmp_path / "experiment.yaml"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=reason):
        read_stored(path)
    with pytest.raises(RecordError, match="No such file"):
        read_stored(tmp_path / "nothing.yaml")
