"""The published statistics, as packaged."""

from pathlib import Path

import lovt_core.results.published_statistics as published


def test_every_statistic_is_there_under_its_name():
    statistics = published.load_published_statistics()
    assert len(statistics) == 123
    assert statistics["emb/zg_a/ch_std"]["LoVT (100 %)"] == 0.0432369485497474
    assert set(statistics["emb/zg_a/ch_std"]) == set(published.LABELS.values())
    assert "no local losses" not in statistics["emb/zl_a;zl_b2a/sample_rmse"]
    assert set(published.WITHOUT_ABLATIONS) < set(published.LABELS.values())


def test_file_is_that_of_the_reference(vectors_folder):
    reference = (vectors_folder.parent / "published_embedding_statistics.csv").read_text().splitlines()
    packaged = (Path(published.__file__).parent / "published_statistics.csv").read_text().splitlines()
    assert [line for line in packaged if not line.startswith("#")] == reference
