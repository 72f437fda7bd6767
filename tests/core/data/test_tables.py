import gzip

import pytest

from lovt_core.data.tables import canonical, read_table, stream_table
from lovt_core.errors import DataError


def read(tmp_path, content, required=("name", "clinical notes"), encoding="utf-8"):
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return read_table(path, required)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_quoted_line_breaks_and_byte_order_marks(tmp_path, line_break, encoding):
    lines = ("name,clinical notes", 'a,"two', "", 'lines, a comma and a ""quote"""', "b,Übelkeit")
    table = read(tmp_path, line_break.join(lines) + line_break, encoding=encoding)
    assert table.columns == ("name", "clinical notes")
    assert table.rows[0]["clinical notes"].split() == ["two", "lines,", "a", "comma", "and", "a", '"quote"']
    assert [(row.number, row["name"]) for row in table.rows] == [(2, "a"), (3, "b")]
    assert table.rows[1]["clinical notes"] == "Übelkeit"


def test_columns_are_found_whatever_their_spelling(tmp_path):
    table = read(tmp_path, " Name ,Clinical_Notes,\nx, y ,\n")
    assert dict(table.rows[0].values) == {"name": "x", "clinical notes": "y", "": ""}
    assert canonical(" EncodedPixels") == "encodedpixels"


def test_blank_rows_are_no_records_but_count(tmp_path):
    rows = read(tmp_path, "name,clinical notes\n\n , \nx,y\n").rows
    assert [(row.number, row["name"]) for row in rows] == [(4, "x")]


def test_surplus_empty_fields_do_no_harm(tmp_path):
    assert read(tmp_path, "name,clinical notes\nx,y,,\n").rows[0]["name"] == "x"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the table is empty; it needs the columns name, clinical notes"),
        ("\n\n", "the table is empty"),
        ("\ufeff", "the table is empty"),
        ("name,clinical notes\n", "the table has a header but no rows"),
        ("name,age\nx,3\n", "row 1: no column clinical notes; found: name, age"),
        ("name;clinical notes\nx;y\n", "is it separated by semicolons? commas are needed"),
        ("name,clinical notes,Clinical_Notes\nx,y,z\n", "row 1: column clinical notes occurs twice"),
        ("name,clinical notes\nx,y\nz\n", "row 3: 1 fields instead of 2"),
        ("name,clinical notes\nx,y,z\n", "row 2: 3 fields instead of 2"),
        ('name,clinical notes\nx,y\nz,"never closed\n', "row 3: damaged table (unexpected end of data)"),
        (b"name,clinical notes\nx,caf\xe9\n", "not UTF-8 text"),
        ("name,clinical notes\nx,y\n".encode("utf-16"), "not UTF-8 text"),
        ("name,clinical notes\nx," + 200_000 * "y" + "\n", "row 2: damaged table (field larger than field limit"),
    ],
)
def test_damaged_tables_are_named_with_the_row(tmp_path, content, message):
    with pytest.raises(DataError) as caught:
        read(tmp_path, content)
    assert str(caught.value).startswith(str(tmp_path / "table.csv"))
    assert message in str(caught.value)


def test_missing_table_and_folder_in_its_place(tmp_path):
    with pytest.raises(DataError, match="the table is missing"):
        read_table(tmp_path / "absent.csv", ())
    with pytest.raises(DataError, match="cannot be read"):
        read_table(tmp_path, ())


def test_commas_behind_a_header_name_no_column(tmp_path):
    table = read(tmp_path, "name,clinical notes,,,\nx,y\nu,v,,,\n")
    assert [(row["name"], row["clinical notes"]) for row in table.rows] == [("x", "y"), ("u", "v")]


def test_gzipped_tables(tmp_path):
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"name,note\na,b\nc,d\n"))
    assert [row["note"] for row in read_table(path, ("name",)).rows] == ["b", "d"]
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(DataError, match=r"table.csv.gz: after row \d: damaged archive"):
        read_table(path, ("name",))
    path.write_bytes(b"no archive")
    with pytest.raises(DataError, match=r"table.csv.gz: after row 0: damaged archive"):
        read_table(path, ("name",))


def test_a_table_is_streamed(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("name\n" + "x\n" * 5 + "a,b\n")
    rows = stream_table(path, ("name",))
    assert [next(rows).number for _ in range(5)] == [2, 3, 4, 5, 6]
    with pytest.raises(DataError, match="row 7: 2 fields instead of 1"):
        next(rows)


def test_the_line_that_is_no_text_is_named_however_far_down_it_is(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"name\n" + b"x\n" * 20_000 + b"caf\xe9\n" + b"x\n" * 20_000)
    with pytest.raises(DataError, match=r"table.csv: line 20002: not UTF-8 text"):
        read_table(path, ("name",))
