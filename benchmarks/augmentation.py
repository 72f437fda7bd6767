"""Time of a batch of training views, beside torchvision's own transforms of the same protocol.

Run it on an idle machine: `python benchmarks/augmentation.py --threads 1`. `a core` counts processor time of all
threads in place of wall time.
"""

import argparse
import io
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
ORIGINAL = (3056, 2544)
"""Height and width of a typical X-ray as published; as a JPEG of quality 95 the one made here has 2 MB."""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=32, help="images in a batch")
    parser.add_argument("--size", type=int, default=224, help="pixels a side of a view")
    parser.add_argument("--source", type=int, default=320, help="pixels of the short side of the prepared images")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of torch")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    return parser.parse_args()


def make_images(count: int, short_side: int) -> list[Bytes]:
    """Portrait and landscape images of noise; only their sizes matter here."""
    generator = np.random.default_rng(0)
    long_side = round(short_side * ORIGINAL[0] / ORIGINAL[1])
    shapes = [(short_side, long_side), (long_side, short_side)]
    return [generator.integers(0, 256, shapes[row % 2], dtype=np.uint8) for row in range(count)]


def make_original() -> bytes:
    """A JPEG of soft shapes and a little noise."""
    generator = np.random.default_rng(0)
    height, width = ORIGINAL
    shapes = Image.fromarray(generator.integers(30, 220, (12, 10), dtype=np.uint8)).resize((width, height))
    noisy = np.clip(np.asarray(shapes) + generator.normal(0, 3, ORIGINAL), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noisy).save(stream, "JPEG", quality=95)
    return stream.getvalue()


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


def measure(name: str, num_images: int, work: Callable[[], object], device: torch.device) -> float:
    """Print times of a batch, and give its images per second of processor time.

    The fastest batch counts: other work on the machine disturbs it least.
    """
    times, processor_times = [], []
    for _ in range(REPEATS):
        started, processor_started = time.perf_counter(), time.process_time()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
        processor_times.append(time.process_time() - processor_started)
    median, fastest, a_core = np.median(times) / num_images, min(times) / num_images, min(processor_times) / num_images
    print(
        f"{name:34s} an image: median {1000 * median:6.2f} ms, fastest {1000 * fastest:6.2f} ms ({1 / fastest:4.0f}/s),"
        f" a core {1000 * a_core:6.2f} ms"
    )
    return 1 / a_core


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    device, size, count = torch.device(arguments.device), arguments.size, arguments.batch
    images, config = make_images(count, arguments.source), ImageAugmentationConfig()
    seeds: Sequence[Sequence[int]] = [(0, row) for row in range(count)]
    published = build_torchvision(config, size)
    pictures = [Image.fromarray(image) for image in images]
    tensors = [torch.from_numpy(image)[None] for image in images]
    original = make_original()
    print(f"batch {count}, {arguments.source} px (short side) to {size} px, {arguments.threads} threads, {device}")
    own = measure("own, random views", count, lambda: random_views(images, config, size, seeds, device), device)
    measure("own, plain views", count, lambda: plain_views(images, size, device), device)
    on_cpu = torch.device("cpu")
    measure("torchvision v2, Pillow images", count, lambda: [published(picture) for picture in pictures], on_cpu)
    measure("torchvision v2, tensors", count, lambda: [published(tensor) for tensor in tensors], on_cpu)
    name = f"torchvision v2 from a {len(original) / 2**20:.1f} MB JPEG"
    theirs = measure(name, 1, lambda: published(Image.open(io.BytesIO(original)).convert("L")), on_cpu)
    print(f"own random views: {own / theirs:.0f} times as many a core as torchvision's from original JPEGs")


if __name__ == "__main__":
    main()
