import numpy as np
import pytest
from PIL import Image

from lovt_core.data.inventory import list_versions
from lovt_core.data.prepared import open_prepared
from lovt_core.data.shared_films import count_shared_films
from lovt_core.errors import DataError
from tests.core.data.factories import draw_film, prepare_quietly, rural_stem, write_chestxray, write_rural


@pytest.fixture
def sharing(tmp_path, root):
    """Pairs of which three are also masked images (as JPEG of another size), at two sizes."""
    pairs = write_chestxray(tmp_path / "pairs", 8)
    masked = write_rural(tmp_path / "masked", 5)
    for number in range(3):
        film = Image.fromarray(draw_film(number)).resize((144, 120), Image.Resampling.BOX)
        film.convert("RGB").save(masked / "jpgs" / f"{rural_stem(number)}.jpg", quality=85)
        Image.fromarray(np.zeros((120, 144), dtype=np.uint8)).save(masked / "pngs_masks" / f"{rural_stem(number)}.png")
    prepare_quietly("covid-rural", masked, root)
    prepare_quietly("covid-rural", masked, root, size=48)
    return prepare_quietly("covid-chestxray", pairs, root)


def test_shared_films_are_counted_in_both_directions(sharing, root):
    (films,) = count_shared_films(sharing, root)
    assert (films.other, films.images, films.of, films.others, films.of_others) == ("covid-rural", 3, 8, 3, 5)
    (back,) = count_shared_films(open_prepared(root, "covid-rural", 48), root)
    assert (back.other, back.images, back.of, back.others, back.of_others) == ("covid-chestxray", 3, 5, 3, 8)


def test_a_set_alone_shares_nothing(paired, root):
    assert count_shared_films(paired, root) == ()


def test_damaged_other_set_is_named(sharing, root):
    (open_prepared(root, "covid-rural", 32).path / "hashes.npy").unlink()
    with pytest.raises(DataError, match=r"hashes\.npy"):
        count_shared_films(sharing, root)


def test_versions_tell_which_is_current_and_which_is_damaged(sharing, root):
    versions = list_versions(root, "covid-rural")
    assert [(version.meta.size, version.is_current, version.problem) for version in versions] == [
        (32, True, ""),
        (48, True, ""),
    ]
    (versions[0].folder / "meta.json").write_text("{}")
    damaged, whole = list_versions(root, "covid-rural")
    assert damaged.meta is None
    assert "meta.json is damaged" in damaged.problem
    assert whole.meta is not None
    (root / "covid-rural" / "current.json").write_text("[")
    assert all("current.json" in version.problem for version in list_versions(root, "covid-rural")[1:])
    assert list_versions(root / "nowhere", "covid-rural") == ()
