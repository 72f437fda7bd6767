"""One synthetic case: a film, the findings on it with their outlines, and the report that describes it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lovt_core.data.synthetic.anatomy import (
    SIDES,
    breast_shadow,
    build_anatomy,
    heart_field,
    lung_field,
    wall_brightness,
)
from lovt_core.data.synthetic.devices import draw_devices, plan_devices
from lovt_core.data.synthetic.exposure import draw_position, expose
from lovt_core.data.synthetic.findings import Finding, plan_findings
from lovt_core.data.synthetic.geometry import Canvas, Field, smooth_noise
from lovt_core.data.synthetic.reports import write_report
from lovt_core.data.synthetic.shadows import Chest, Shadow, draw_shadow
from lovt_core.data.synthetic.skeleton import bones
from lovt_core.data.synthetic.vessels import vessels

Outline = NDArray[np.bool_]


@dataclass(frozen=True)
class Case:
    """What a download of any layout is written from."""

    image: NDArray[np.uint8]
    """(size, size)."""
    findings: tuple[Finding, ...]
    outlines: tuple[Outline, ...]
    """(size, size) each, in the order of `findings`."""
    report: tuple[str, ...]
    """Sentences."""

    def lesion_mask(self) -> Outline:
        """Union of the outlines of all findings of the lung fields, (size, size)."""
        mask = np.zeros(self.image.shape, dtype=np.bool_)
        for finding, outline in zip(self.findings, self.outlines, strict=True):
            if finding.in_lung:
                mask |= outline
        return mask


def build_case(patient_seed: tuple[int, ...], film_seed: tuple[int, ...], size: int) -> Case:
    """Draw a case. Films with one `patient_seed` share a body; `film_seed` decides everything else."""
    anatomy = build_anatomy(np.random.default_rng(patient_seed))
    rng = np.random.default_rng(film_seed)
    findings, devices = plan_findings(anatomy, rng), plan_devices(rng)
    report = write_report(findings, devices, rng)
    canvas, position = Canvas(size), draw_position(rng)
    chest = Chest(canvas, anatomy, {side: lung_field(canvas, anatomy.lungs[side], side) for side in SIDES})
    shadows = [draw_shadow(chest, finding, rng) for finding in findings]
    body = _draw_body(chest, findings, shadows, rng)
    overlay = draw_devices(canvas, devices, rng)
    if overlay is not None:
        body = body + overlay
    outlines = tuple(position.to_film(canvas, shadow.outline.astype(np.float32)) > 0.5 for shadow in shadows)
    return Case(expose(position.to_film(canvas, body), rng), findings, outlines, report)


def _draw_body(chest: Chest, findings: tuple[Finding, ...], shadows: list[Shadow], rng: np.random.Generator) -> Field:
    """Brightness of the body with its findings, (H, W) on the canvas."""
    canvas, anatomy = chest.canvas, chest.anatomy
    heart = heart_field(canvas, anatomy, _heart_enlargement(findings))
    lungs = chest.lungs["right"] + chest.lungs["left"]
    air = lungs * (1 - np.float32(0.9) * heart)
    tree = vessels(canvas, rng)
    depth = np.float32(anatomy.lung_depth) * (1 + np.float32(0.05) * smooth_noise(canvas, rng, 36))
    body = wall_brightness(canvas, anatomy) + np.float32(0.035) * heart - depth * air
    body = body + bones(canvas, anatomy)
    if anatomy.breast:
        body = body + breast_shadow(canvas, anatomy)
    for finding, shadow in zip(findings, shadows, strict=True):
        body = body + (shadow.brightness * (1 - np.float32(0.9) * heart) if finding.in_lung else shadow.brightness)
        if shadow.hides_vessels:
            tree = np.where(shadow.outline, np.float32(0), tree)
    whole: Field = body + np.float32(0.30) * tree * air
    return whole


def _heart_enlargement(findings: tuple[Finding, ...]) -> float:
    return next((finding.size for finding in findings if finding.kind == "cardiomegaly"), 1.0)
