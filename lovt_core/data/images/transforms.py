"""Image geometry of the protocol: the evaluation frame, and the smaller copy kept for pre-training.

Boxes are left, top, width, height in pixels. Evaluation (reference vectors, section 19): pad with 0 to a square, then
Pillow's bilinear resize; masks by Pillow's nearest neighbour.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class EvaluationFrame:
    """The square that an image of `height` x `width` is brought to."""

    height: int
    width: int
    size: int
    """Pixels a side."""
    pad: bool = True
    """False: stretch instead of padding."""

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the square."""
        return self.size, self.size

    @property
    def padding(self) -> tuple[int, int]:
        """(left and right, top and bottom); an odd difference leaves the result one pixel short of square."""
        if not self.pad:
            return 0, 0
        side = max(self.height, self.width)
        return (side - self.width) // 2, (side - self.height) // 2

    @property
    def padded(self) -> tuple[int, int]:
        """(width, height) after padding."""
        horizontal, vertical = self.padding
        return self.width + 2 * horizontal, self.height + 2 * vertical

    def apply_to_image(self, image: Bytes) -> Bytes:
        """(height, width) to (size, size)."""
        return self._resize(image, Image.Resampling.BILINEAR)

    def apply_to_mask(self, mask: Bytes) -> Bytes:
        """(any height, any width) of 0 and 1 to (size, size): first to the image's size, then as the image."""
        if mask.shape != (self.height, self.width):
            mask = _resize(mask, self.width, self.height, Image.Resampling.NEAREST)
        return self._resize(mask, Image.Resampling.NEAREST)

    def apply_to_boxes(self, boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """(boxes, 4) in pixels of the image to pixels of the frame, not clipped."""
        horizontal, vertical = self.padding
        width, height = self.padded
        scale = np.array([self.size / width, self.size / height] * 2)
        shifted = boxes + np.array([horizontal, vertical, 0, 0])
        framed: npt.NDArray[np.float32] = (shifted * scale).astype(np.float32)
        return framed

    def _resize(self, image: Bytes, resampling: Image.Resampling) -> Bytes:
        horizontal, vertical = self.padding
        padded = np.pad(image, ((vertical, vertical), (horizontal, horizontal)))
        return _resize(padded, self.size, self.size, resampling)


@dataclass(frozen=True)
class ShortSideFrame:
    """The smaller copy of an image of `height` x `width` that random crops are cut from; never enlarged."""

    height: int
    width: int
    short_side: int
    """Longest short side, in pixels."""

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the copy."""
        scale = min(1.0, self.short_side / min(self.height, self.width))
        return round(self.height * scale), round(self.width * scale)

    def apply_to_image(self, image: Bytes) -> Bytes:
        """(height, width) to `shape`, bilinear."""
        return self._resize(image, Image.Resampling.BILINEAR)

    def apply_to_mask(self, mask: Bytes) -> Bytes:
        """(height, width) of 0 and 1 to `shape`, nearest."""
        return self._resize(mask, Image.Resampling.NEAREST)

    def apply_to_boxes(self, boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """(boxes, 4) in pixels of the image to pixels of the copy, not clipped."""
        height, width = self.shape
        framed: npt.NDArray[np.float32] = (boxes * ([width / self.width, height / self.height] * 2)).astype(np.float32)
        return framed

    def _resize(self, image: Bytes, resampling: Image.Resampling) -> Bytes:
        height, width = self.shape
        return image if image.shape == self.shape else _resize(image, width, height, resampling)


Frame = EvaluationFrame | ShortSideFrame


def _resize(image: Bytes, width: int, height: int, resampling: Image.Resampling) -> Bytes:
    return np.asarray(Image.fromarray(image).resize((width, height), resampling))
