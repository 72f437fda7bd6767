"""From the drawn body to a film: the patient's position before the detector, and the exposure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lovt_core.data.synthetic.geometry import MARGIN, Canvas, Field


@dataclass(frozen=True)
class Position:
    """Rotation, scale and shift of the body on the film."""

    rotation: float
    """Radians."""
    scale: float
    shift: tuple[float, float]
    """Fractions of the film's side."""

    def to_film(self, canvas: Canvas, field: Field) -> Field:
        """Resample a canvas field (H, W) to the film (size, size), bilinear."""
        cosine, sine = np.cos(self.rotation) / self.scale, np.sin(self.rotation) / self.scale
        middle = canvas.size / 2
        centre_x = (0.5 + MARGIN - self.shift[0]) * canvas.size
        centre_y = (0.5 + MARGIN - self.shift[1]) * canvas.size
        inverse = (
            cosine, sine, centre_x - (cosine + sine) * middle,
            -sine, cosine, centre_y - (cosine - sine) * middle,
        )  # fmt: skip
        image = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
        film = image.transform((canvas.size, canvas.size), Image.Transform.AFFINE, inverse, Image.Resampling.BILINEAR)
        return np.asarray(film, dtype=np.float32)


def draw_position(rng: np.random.Generator) -> Position:
    """Rotation of sd 2.5 degrees, scale 0.92 to 1.07, shift of sd 0.02."""
    rotation = float(np.clip(rng.normal(0, np.radians(2.5)), -0.1, 0.1))
    shift = np.clip(rng.normal(0, 0.02, 2), -0.045, 0.045)
    return Position(rotation, float(rng.uniform(0.92, 1.07)), (float(shift[0]), float(shift[1])))


def expose(film: Field, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Gamma, contrast, uneven beam, sometimes blur, noise; 8 bit (size, size)."""
    size = film.shape[0]
    if rng.random() < 0.3:
        film = ndimage.gaussian_filter(film, rng.uniform(0.3, 0.7) * size / 96)
    beam = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    film = film + np.float32(rng.normal(0, 0.04)) * beam[None, :] + np.float32(rng.normal(0, 0.04)) * beam[:, None]
    film = np.clip(film, 0.001, 1) ** np.float32(np.exp(rng.normal(0, 0.18)))
    contrast = np.float32(rng.uniform(0.8, 1.15))
    film = (film - np.float32(0.5)) * contrast + np.float32(0.5 + rng.normal(0, 0.02))
    noise = rng.standard_normal(film.shape, dtype=np.float32) * np.float32(rng.uniform(0.012, 0.035))
    exposed: NDArray[np.uint8] = np.clip((film + noise) * 255, 0, 255).astype(np.uint8)
    return exposed
