"""Reading CSV tables of downloads, plain or gzipped: UTF-8, byte-order marks, quoted line breaks, odd headers.

Column names are compared without regard to case, surrounding spaces and the difference between `_` and a space, because
releases of the same table differ in these.
"""

import csv
import gzip
import zlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from lovt_core.errors import DataError


@dataclass(frozen=True)
class Row:
    """One record."""

    number: int
    """As a spreadsheet counts: the header is row 1."""
    values: Mapping[str, str]
    """Canonical column name to text, stripped."""

    def __getitem__(self, column: str) -> str:
        return self.values[column]


@dataclass(frozen=True)
class Table:
    """A whole table."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def canonical(column: str) -> str:
    """The spelling under which a column is looked up: `Clinical_Notes ` is `clinical notes`."""
    return " ".join(column.replace("_", " ").lower().split())


def read_table(path: Path, required: Sequence[str]) -> Table:
    """Read a whole table; see `stream_table`, which suits tables of hundreds of thousands of rows."""
    rows = tuple(stream_table(path, required))
    return Table(tuple(rows[0].values), rows)


def stream_table(path: Path, required: Sequence[str], *, may_be_empty: bool = False) -> Generator[Row, None, None]:
    """The rows of a table (`.csv` or `.csv.gz`) that has the `required` (canonical) columns, one at a time.

    Raises DataError, with file and row: missing or empty file, not UTF-8, columns missing or named twice, a row with
    another number of fields than the header, a quote that is never closed, a damaged archive.
    """
    number = 0
    columns: tuple[str, ...] | None = None
    empty = True
    try:
        with _open(path) as file:
            for number, fields in enumerate(csv.reader(file, strict=True), start=1):
                if not any(field.strip() for field in fields):
                    continue
                if columns is None:
                    columns = _check_header(path, fields, required)
                else:
                    yield Row(number, _zip_row(path, number, columns, fields))
                    empty = False
    except FileNotFoundError as error:
        raise DataError(f"{path}: the table is missing") from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: line {_find_bad_line(path)}: not UTF-8 text ({error.reason}); save the table as UTF-8"
        ) from error
    except csv.Error as error:
        raise DataError(f"{path}: row {number + 1}: damaged table ({error})") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: after row {number}: damaged archive ({error})") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if columns is None:
        raise DataError(f"{path}: the table is empty; it needs the columns {', '.join(required)}")
    if empty and not may_be_empty:
        raise DataError(f"{path}: the table has a header but no rows")


def _find_bad_line(path: Path) -> int:
    """Number of the first line that is not UTF-8 (text is decoded in blocks, so the reader's own place is no guide)."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 0


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _check_header(path: Path, fields: Sequence[str], required: Sequence[str]) -> tuple[str, ...]:
    columns = tuple(canonical(field) for field in fields)
    missing = [column for column in required if column not in columns]
    if missing:
        hint = "; is it separated by semicolons? commas are needed" if ";" in "".join(fields) else ""
        found = ", ".join(column for column in columns if column)
        raise DataError(f"{path}: row 1: no column {', '.join(missing)}; found: {found}{hint}")
    twice = [column for column in required if columns.count(column) > 1]
    if twice:
        raise DataError(f"{path}: row 1: column {twice[0]} occurs twice")
    return columns


def _zip_row(path: Path, number: int, columns: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    while len(fields) > len(columns) and not fields[-1].strip():
        fields = fields[:-1]  # spreadsheets leave commas behind where something was deleted
    while len(columns) > len(fields) and not columns[-1]:
        columns = columns[:-1]  # commas behind a header name no column
    if len(fields) != len(columns):
        raise DataError(f"{path}: row {number}: {len(fields)} fields instead of {len(columns)}")
    return {column: field.strip() for column, field in zip(columns, fields, strict=True)}
