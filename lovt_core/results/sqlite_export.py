"""The comparison as one SQLite file, for people who ask in SQL (Datasette, pandas, DuckDB)."""

import sqlite3

from lovt_core.results.comparison import Comparison
from lovt_core.results.export import list_entries


def to_sqlite(comparison: Comparison) -> bytes:
    """A database with the table `scores` (a row for each entry, as in the CSV) and `replicates` (one for each of them).

    `replicates.score` refers to `scores.id`; values are fractions.
    """
    import sqlite_utils

    connection = sqlite3.connect(":memory:")
    database = sqlite_utils.Database(connection)
    lines = [{"id": number, **line} for number, line in enumerate(list_entries(comparison), start=1)]
    values = [
        {"score": line["id"], "replicate": number, "value": value}
        for line in lines
        for number, value in enumerate(map(float, line.get("values", "").split()), start=1)
    ]
    database["scores"].insert_all(lines, pk="id", alter=True)
    replicates = database["replicates"]
    replicates.create({"score": int, "replicate": int, "value": float}, pk=("score", "replicate"))
    replicates.insert_all(values)
    database["replicates"].add_foreign_key("score", "scores", "id")
    connection.commit()
    content = connection.serialize()
    connection.close()
    return content
