"""Downloads full of files that did not come from here, prepared from end to end."""

import numpy as np
import pytest
from PIL import Image

from lovt_core.data.checksums import verify
from tests.core.data.factories import draw_film, note_row, prepare_quietly, rural_stem, write_chestxray, write_rural

FILM = draw_film(0, 90, 60)


def rotated_exif():
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def with_alpha(film):
    return Image.merge("RGBA", [*[Image.fromarray(film)] * 3, Image.fromarray(np.full_like(film, 255))])


WILD = {
    "16-bit.png": (lambda: Image.fromarray((FILM.astype(np.uint16) << 4) + 7), {}, (48, 32)),
    "rgba.png": (lambda: with_alpha(FILM), {}, (48, 32)),
    "cmyk.jpg": (lambda: Image.fromarray(FILM).convert("CMYK"), {"quality": 95}, (48, 32)),
    "rotated.jpg": (lambda: Image.fromarray(FILM), {"quality": 95, "exif": rotated_exif()}, (32, 48)),
    "palette.png": (lambda: Image.fromarray(FILM).convert("RGB").quantize(256), {}, (48, 32)),
    "bilevel.png": (lambda: Image.fromarray(FILM).convert("1"), {}, (48, 32)),
    "float.tif": (lambda: Image.fromarray(FILM.astype(np.float32) / 1000), {}, (48, 32)),
    "animated.gif": (
        lambda: Image.fromarray(FILM),
        {"save_all": True, "append_images": [Image.fromarray(FILM)]},
        (48, 32),
    ),
    "one pixel wide.png": (lambda: Image.fromarray(FILM[:, :1]), {}, (90, 1)),
    "one pixel high.jpg": (lambda: Image.fromarray(FILM[:1]), {}, (1, 60)),
    "Ünï code.bmp": (lambda: Image.fromarray(FILM), {}, (48, 32)),
    "no-ending": (lambda: Image.fromarray(FILM), {"format": "PNG"}, (48, 32)),
}


def test_every_image_in_the_wild_is_prepared(tmp_path, root):
    source = write_chestxray(tmp_path / "download", [])
    for name, (draw, options, _) in WILD.items():
        draw().save(source / "images" / name, **options)
    write_chestxray(source, [note_row(number, filename=name) for number, name in enumerate(WILD)])
    data = prepare_quietly("covid-chestxray", source, root)
    shapes = {sample.id: data.image(sample.images[0]).shape for sample in data.samples}
    assert shapes == {name: shape for name, (_, _, shape) in WILD.items()}
    images = {sample.id: data.image(sample.images[0]).astype(int) for sample in data.samples}
    for name in ("rgba.png", "cmyk.jpg", "palette.png", "Ünï code.bmp", "no-ending"):
        assert np.abs(images[name] - images["no-ending"]).max() <= 6, name
    assert np.abs(np.rot90(images["rotated.jpg"], 1) - images["no-ending"]).max() <= 6
    assert verify(data.path) == ()


@pytest.mark.parametrize(
    ("draw", "size"),
    [
        (lambda: Image.fromarray(FILM), (60, 90)),
        (lambda: Image.fromarray(FILM).convert("CMYK"), (60, 90)),
        (lambda: Image.fromarray(FILM[:, :1]), (1, 90)),
        (lambda: Image.new("L", (50, 50)), (50, 50)),
    ],
    ids=["grey", "cmyk", "one pixel wide", "black"],
)
def test_masked_images_in_the_wild(tmp_path, root, draw, size):
    source = write_rural(tmp_path / "download", 3)
    draw().save(source / "jpgs" / f"{rural_stem(1)}.jpg")
    Image.new("L", size, 255).convert("1").save(source / "pngs_masks" / f"{rural_stem(1)}.png")
    data = prepare_quietly("covid-rural", source, root)
    width, height = size
    assert data.mask(1).mean() == pytest.approx(width * height / max(size) ** 2, abs=0.04)
    assert data.image(1).shape == (32, 32)
    assert np.isfinite(data.statistics).all()
