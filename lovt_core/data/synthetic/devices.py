"""Things that lie on or in a patient without being a finding: monitoring leads with electrodes, a tube."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from lovt_core.data.synthetic.geometry import Canvas, Field

_SUPERSAMPLING = 2


@dataclass(frozen=True)
class Devices:
    """What is drawn and mentioned in the report."""

    num_leads: int
    has_tube: bool


def plan_devices(rng: np.random.Generator) -> Devices:
    """Leads on half of the films, a tube on one in five."""
    return Devices(int(rng.integers(1, 4)) if rng.random() < 0.5 else 0, bool(rng.random() < 0.2))


def draw_devices(canvas: Canvas, devices: Devices, rng: np.random.Generator) -> Field | None:
    """Brightness to add, (H, W); None where there is nothing to draw."""
    if not devices.num_leads and not devices.has_tube:
        return None
    extent = canvas.extent * _SUPERSAMPLING
    image = Image.new("L", (extent, extent))
    draw = ImageDraw.Draw(image)
    for _ in range(devices.num_leads):
        _draw_lead(draw, canvas, rng)
    if devices.has_tube:
        _draw_tube(draw, canvas, rng)
    return np.asarray(image.reduce(_SUPERSAMPLING), dtype=np.float32) * np.float32(1 / 255)


def _draw_curve(draw: ImageDraw.ImageDraw, canvas: Canvas, points: np.ndarray, look: tuple[float, int]) -> None:
    """A smooth curve through quadratic control points (3, 2); `look` = (width in body units, brightness)."""
    t = np.linspace(0, 1, 9)[:, None]
    curve = (1 - t) ** 2 * points[0] + 2 * t * (1 - t) * points[1] + t**2 * points[2]
    pixels = canvas.to_pixels(curve) * _SUPERSAMPLING
    width = max(1, round(look[0] * canvas.size * _SUPERSAMPLING))
    draw.line([tuple(point) for point in pixels], fill=look[1], width=width)


def _draw_lead(draw: ImageDraw.ImageDraw, canvas: Canvas, rng: np.random.Generator) -> None:
    electrode = np.array([rng.uniform(0.15, 0.85), rng.uniform(0.2, 0.75)])
    bend = electrode + rng.normal(0, 0.15, 2)
    edge = np.array([rng.choice((-0.05, 1.05)), rng.uniform(0.1, 1.0)])
    _draw_curve(draw, canvas, np.stack([electrode, bend, edge]), (0.006, 35))
    radius = 0.013 * canvas.size * _SUPERSAMPLING
    x, y = canvas.to_pixels(electrode) * _SUPERSAMPLING
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=60)


def _draw_tube(draw: ImageDraw.ImageDraw, canvas: Canvas, rng: np.random.Generator) -> None:
    top = np.array([0.5 + rng.normal(0, 0.01), -0.08])
    tip = np.array([0.5 + rng.normal(0, 0.012), rng.uniform(0.24, 0.72)])
    bend = (top + tip) / 2 + np.array([rng.normal(0, 0.02), 0])
    _draw_curve(draw, canvas, np.stack([top, bend, tip]), (0.010, 40))
