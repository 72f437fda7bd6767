"""The drawn film shows each finding where its outline and its words say."""

import numpy as np
import pytest

from lovt_core.data.synthetic.anatomy import SIDES, ZONES, build_anatomy, lung_field
from lovt_core.data.synthetic.findings import LOOKS, Finding, find_looks, plan_findings
from lovt_core.data.synthetic.geometry import Canvas, Side
from lovt_core.data.synthetic.scene import Case, build_case
from lovt_core.data.synthetic.shadows import Chest, draw_shadow

SIZE = 96


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """Many small cases."""
    return [build_case((0, 1, index), (0, 2, index), SIZE) for index in range(150)]


def centre_of(outline: np.ndarray) -> tuple[float, float]:
    """Mean (x, y) of an outline in fractions of the film."""
    rows, columns = np.nonzero(outline)
    return float(columns.mean()) / outline.shape[1], float(rows.mean()) / outline.shape[0]


def test_same_seeds_give_the_same_case_and_other_seeds_another() -> None:
    first, again, other = (build_case((1, 1), (1, film), SIZE) for film in (2, 2, 3))
    assert np.array_equal(first.image, again.image)
    assert (first.findings, first.report) == (again.findings, again.report)
    assert not np.array_equal(first.image, other.image)


def test_films_of_one_patient_show_one_body() -> None:
    same = [build_anatomy(np.random.default_rng(5)).rib_spacing for _ in range(2)]
    assert same[0] == same[1] != build_anatomy(np.random.default_rng(6)).rib_spacing


def test_images_are_bytes_with_dark_lungs_in_a_bright_body(cases: list[Case]) -> None:
    for case in cases:
        assert case.image.shape == (SIZE, SIZE)
        assert case.image.dtype == np.uint8
        assert len(np.unique(case.image)) > 64
    mean = np.mean([case.image for case in cases], axis=0)
    right_lung, midline, left_lung = mean[48, 24], mean[60, 48], mean[48, 72]
    assert midline > right_lung + 40
    assert midline > left_lung + 40


def test_the_patients_right_lies_on_the_left_of_the_film(cases: list[Case]) -> None:
    compared = 0
    for case in cases:
        for finding, outline in zip(case.findings, case.outlines, strict=True):
            if finding.side is None or not outline.any():
                continue
            x, _ = centre_of(outline)
            assert (x < 0.5) == (finding.side == "right"), f"{finding} centred at x = {x}"
            compared += 1
    assert compared > 150


def test_zones_lie_from_top_to_bottom(cases: list[Case]) -> None:
    heights: dict[str, list[float]] = {zone: [] for zone in ZONES}
    for case in cases:
        for finding, outline in zip(case.findings, case.outlines, strict=True):
            if finding.zone is not None and finding.kind in ("nodule", "mass", "pneumonia", "infiltrate"):
                heights[finding.zone].append(centre_of(outline)[1])
    upper, middle, lower = (np.array(heights[zone]) for zone in ZONES)
    assert upper.max() < lower.min()
    assert upper.mean() < middle.mean() - 0.1 < lower.mean() - 0.2


def test_no_two_findings_share_a_zone_and_counts_follow_the_plan() -> None:
    rng = np.random.default_rng(0)
    counts = np.zeros(4)
    for _ in range(2000):
        findings = plan_findings(build_anatomy(rng), rng)
        counts[len(findings)] += 1
        places = [(finding.side, finding.zone) for finding in findings]
        assert len(set(places)) == len(places)
        assert all(
            looks.size[0] <= finding.size <= looks.size[1]
            for finding in findings
            for looks in LOOKS
            if looks.kind == finding.kind
        )
    assert counts[0] / 2000 == pytest.approx(0.15, abs=0.03)
    assert counts[3] / 2000 > 0.15


def test_sizes_follow_the_severity_that_the_report_names(cases: list[Case]) -> None:
    masses = [
        (finding.severity, int(outline.sum()))
        for case in cases
        for finding, outline in zip(case.findings, case.outlines, strict=True)
        if finding.kind == "mass"
    ]
    severity, area = np.array(masses).T
    assert np.corrcoef(severity, area)[0, 1] > 0.7


@pytest.mark.parametrize("kind", [looks.kind for looks in LOOKS])
def test_every_kind_changes_the_film_inside_its_outline_only(kind: str) -> None:
    anatomy = build_anatomy(np.random.default_rng(3))
    canvas = Canvas(SIZE)
    chest = Chest(canvas, anatomy, {side: lung_field(canvas, anatomy.lungs[side], side) for side in SIDES})
    looks = next(looks for looks in LOOKS if looks.kind == kind)
    y = {"upper": 0.27, "middle": 0.42, "lower": 0.6}[looks.zones[-1]] if looks.zones else 0.5
    side: Side | None = "left" if looks.zones else None
    zone = looks.zones[-1] if looks.zones else None
    finding = Finding(looks.kind, side, zone, (0.7, y), sum(looks.size) / 2, severity=0.5, strength=1.0)
    shadow = draw_shadow(chest, finding, np.random.default_rng(4))
    assert shadow.outline.any()
    assert shadow.brightness.dtype == np.float32
    if kind != "cardiomegaly":  # drawn by the heart itself
        inside = np.abs(shadow.brightness)[shadow.outline].mean()
        outside = np.abs(shadow.brightness)[~shadow.outline].mean()
        assert inside > 0.02
        assert outside < 0.1 * inside


def test_the_lesion_mask_is_the_union_of_lung_findings(cases: list[Case]) -> None:
    seen_heart = False
    for case in cases:
        pairs = list(zip(case.findings, case.outlines, strict=True))
        expected = np.zeros((SIZE, SIZE), dtype=bool)
        for finding, outline in pairs:
            if find_looks(finding.kind).in_lung:
                expected |= outline
        assert np.array_equal(case.lesion_mask(), expected)
        seen_heart |= any(finding.kind == "cardiomegaly" for finding, _ in pairs)
    assert seen_heart


def test_a_larger_film_shows_the_same_scene() -> None:
    small, large = (build_case((7, 1), (7, 2), size) for size in (96, 192))
    assert small.findings == large.findings
    assert small.report == large.report
    shrunk = large.image.reshape(96, 2, 96, 2).mean((1, 3))
    assert np.corrcoef(shrunk.ravel(), small.image.astype(float).ravel())[0, 1] > 0.9
