"""Time of a batch of training views, beside torchvision's own transforms of the same protocol.

Run it on an idle machine: `python benchmarks/augmentation.py --threads 2`.
"""

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import v2

from lovt_core.config.data import ImageAugmentationConfig
from lovt_core.data.prepared import Bytes
from lovt_core.training.augmentation import plain_views, random_views

REPEATS = 20


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=16, help="images in a batch")
    parser.add_argument("--size", type=int, default=224, help="pixels a side of a view")
    parser.add_argument("--source", type=int, default=256, help="pixels of the short side of the prepared images")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of torch")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    return parser.parse_args()


def make_images(count: int, short_side: int) -> list[Bytes]:
    """Portrait and landscape images of noise; only their sizes matter here."""
    generator = np.random.default_rng(0)
    shapes = [(short_side, short_side * 5 // 4), (short_side * 5 // 4, short_side)]
    return [generator.integers(0, 256, shapes[row % 2], dtype=np.uint8) for row in range(count)]


def build_torchvision(config: ImageAugmentationConfig, size: int) -> v2.Compose:
    """The protocol's transforms of one image, on Pillow images as published or on tensors."""
    assert config.blur_sigma is not None
    return v2.Compose(
        [
            v2.RandomResizedCrop(size, config.crop_area, config.crop_aspect, antialias=True),
            v2.RandomHorizontalFlip(config.flip),
            v2.RandomAffine(config.rotation_degrees, (config.translation, config.translation), config.scale),
            v2.ColorJitter(config.brightness, config.contrast),
            v2.GaussianBlur(23, config.blur_sigma),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
        ]
    )


def measure(name: str, num_images: int, work: Callable[[], object], device: torch.device) -> None:
    """Print the wall time of a batch: the median, and the fastest, which other work on the machine disturbs least."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    median, fastest = float(np.median(times)), min(times)
    print(
        f"{name:30s} median {1000 * median:7.1f} ms a batch {num_images / median:6.0f} images/s   "
        f"fastest {1000 * fastest:7.1f} ms {num_images / fastest:6.0f} images/s"
    )


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    device, size, count = torch.device(arguments.device), arguments.size, arguments.batch
    images, config = make_images(count, arguments.source), ImageAugmentationConfig()
    seeds: Sequence[Sequence[int]] = [(0, row) for row in range(count)]
    published = build_torchvision(config, size)
    pictures = [Image.fromarray(image) for image in images]
    tensors = [torch.from_numpy(image)[None] for image in images]
    print(f"batch {count}, {arguments.source} px (short side) to {size} px, {arguments.threads} threads, {device}")
    measure("own, random views", count, lambda: random_views(images, config, size, seeds, device), device)
    measure("own, plain views", count, lambda: plain_views(images, size, device), device)
    on_cpu = torch.device("cpu")
    measure("torchvision v2, Pillow images", count, lambda: [published(picture) for picture in pictures], on_cpu)
    measure("torchvision v2, tensors", count, lambda: [published(tensor) for tensor in tensors], on_cpu)


if __name__ == "__main__":
    main()
