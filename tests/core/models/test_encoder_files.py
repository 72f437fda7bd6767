"""Encoders from files of every known layout, broken ones, and files that would do harm."""

import argparse
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from lovt_core.config.encoders import ImageEncoderConfig
from lovt_core.errors import ConfigError
from lovt_core.models.encoder_files.opening import open_encoder_file
from lovt_core.models.encoder_files.tensors import read_tensors
from lovt_core.models.encoder_files.unpickling import load_inertly
from lovt_core.models.image_encoder import build_image_encoder

BACKBONE = "resnet18"


@pytest.fixture(scope="module")
def resnet():
    """State of a whole torchvision-like ResNet with its classifier."""
    torch.manual_seed(0)
    return timm.create_model(BACKBONE).state_dict()


@pytest.fixture(scope="module")
def features(resnet):
    """What an encoder with these weights sees in some images."""
    torch.manual_seed(1)
    images = torch.randn(2, 1, 64, 64)
    encoder = build_image_encoder(ImageEncoderConfig(backbone=BACKBONE, weights="random"))
    encoder.trunk.load_state_dict({name: resnet[name] for name in encoder.trunk.state_dict()})
    with torch.no_grad():
        return images, encoder.eval().forward_features(images)


def check(path, features, backbone=BACKBONE):
    """The file gives an encoder that sees the same."""
    images, wanted = features
    encoder = open_encoder_file(path, backbone).eval()
    with torch.no_grad():
        for stride, maps in encoder.forward_features(images).items():
            torch.testing.assert_close(maps, wanted[stride], rtol=0, atol=0)
    return encoder


def prefixed(prefix, resnet, **others):
    return {f"{prefix}{name}": tensor for name, tensor in resnet.items()} | others


def numbered(prefix, resnet):
    """As `nn.Sequential(*list(resnet.children())[:-3])` names them."""
    children = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3")
    return {
        f"{prefix}{children.index(name.partition('.')[0])}.{name.partition('.')[2]}": tensor
        for name, tensor in resnet.items()
        if name.partition(".")[0] in children
    }


def head(*names):
    return {name: torch.randn(3, 3) for name in names}


LAYOUTS = {
    "torchvision": lambda resnet: resnet,
    "without classifier": lambda resnet: {k: v for k, v in resnet.items() if not k.startswith("fc.")},
    "several GPUs": lambda resnet: {"state_dict": prefixed("module.", resnet)},
    "lovt": lambda resnet: {
        "state_dict": prefixed(
            "model_a.encoder.feature_extractor.backbone_layers.",
            resnet,
            **head("model_b.encoder.x.weight", "model_a.encoder.global_aggregator.w", "model_a.local_projection.w"),
        ),
        "epoch": 3,
        "hyper_parameters": {"config": {"d_z": 512}},
    },
    "gloria": lambda resnet: {
        "state_dict": prefixed(
            "gloria.img_encoder.model.",
            resnet,
            **head("gloria.img_encoder.global_embedder.weight", "gloria.text_encoder.model.w"),
        )
    },
    "mgca": lambda resnet: {
        "state_dict": prefixed(
            "img_encoder_q.model.", resnet, **head("img_encoder_q.global_embed.w", "prototype_layer.weight")
        )
    },
    "medklip": lambda resnet: {
        "model": numbered("module.res_features.", resnet) | head("module.res_l1.weight", "module.bert_model.w"),
        "optimizer": {},
    },
    "biovil": lambda resnet: prefixed("encoder.encoder.", resnet, **head("projector.model.0.weight")),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_its_encoder(name, resnet, features, tmp_path):
    path = tmp_path / "weights.ckpt"
    torch.save(LAYOUTS[name](resnet), path)
    encoder = check(path, features)
    assert max(encoder.strides) == (16 if name == "medklip" else 32)


@pytest.mark.parametrize("name", ["lovt", "gloria", "torchvision"])
def test_files_of_older_torch_are_read_too(name, resnet, features, tmp_path):
    path = tmp_path / "weights.pt"
    torch.save(LAYOUTS[name](resnet), path, _use_new_zipfile_serialization=False)
    check(path, features)


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])
def test_foreign_objects_are_passed_over(is_zip, resnet, features, tmp_path):
    path = tmp_path / "weights.ckpt"
    content = {
        "hyper_parameters": argparse.Namespace(lr=1e-4, path=Path("x")),
        "callbacks": {argparse.ArgumentParser: {"best": torch.tensor(1.0)}},
        **LAYOUTS["gloria"](resnet),
    }
    torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)
    check(path, features)


def test_own_files_of_any_depth(tmp_path, features):
    torch.manual_seed(2)
    encoder = build_image_encoder(ImageEncoderConfig(backbone="test_resnet", weights="random", stride=16))
    save_file(
        {f"image_encoder.{k}": v.contiguous() for k, v in encoder.state_dict().items()}, tmp_path / "a.safetensors"
    )
    opened = open_encoder_file(tmp_path / "a.safetensors", "test_resnet")
    assert opened.fingerprint() == encoder.fingerprint()
    assert opened.strides == (2, 4, 8, 16)


@pytest.mark.parametrize("backbone", ["test_vit", "test_convnext", "test_efficientnet"])
def test_whole_models_of_timm(backbone, tmp_path):
    """Their trunks go by other names than the models."""
    torch.manual_seed(3)
    model = timm.create_model(backbone, num_classes=5)
    torch.save(model.state_dict(), tmp_path / "model.pth")
    images = torch.randn(1, 3, 160, 160)
    encoder = open_encoder_file(tmp_path / "model.pth", backbone).eval()
    with torch.no_grad():
        wanted = model.eval().forward_intermediates(images, intermediates_only=True)[-1]
        seen = encoder.trunk(images)[-1]
    torch.testing.assert_close(seen, wanted, rtol=1e-4, atol=1e-5)


def broken(resnet, name, change):
    return {**resnet, name: change(resnet[name].clone())}


BROKEN = {
    "missing": (lambda r: {k: v for k, v in r.items() if not k.startswith("layer1.1")}, "'layer1.1.conv1.weight' and"),
    "shape": (lambda r: broken(r, "bn1.weight", lambda t: t[:3]), "'bn1.weight' has the shape 3 instead of 64"),
    "channels": (lambda r: broken(r, "conv1.weight", lambda t: t[:, :1]), "reads images of 1 channels, not 3"),
    "nan": (lambda r: broken(r, "bn1.bias", lambda t: t.fill_(float("nan"))), "'bn1.bias' holds values that are not"),
    "another": (lambda r: {"a.weight": torch.zeros(1)}, "is not of a resnet18: tensor 'conv1.weight' and"),
    "nothing": (lambda r: {"epoch": 3}, "holds no tensors under names"),
    "list": (lambda r: [torch.zeros(1)], "holds no tensors under names"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_files_that_do_not_fit_are_refused_in_one_sentence(name, resnet, tmp_path):
    change, message = BROKEN[name]
    torch.save(change(resnet), tmp_path / "weights.pth")
    with pytest.raises(ConfigError) as raised:
        open_encoder_file(tmp_path / "weights.pth", BACKBONE)
    assert message in str(raised.value)
    assert str(tmp_path / "weights.pth") in str(raised.value)


def test_the_wrong_backbone_is_told(resnet, tmp_path):
    torch.save(resnet, tmp_path / "weights.pth")
    with pytest.raises(ConfigError, match=r"is not of a resnet50: .*--backbone|instead of"):
        open_encoder_file(tmp_path / "weights.pth", "resnet50")


@pytest.mark.parametrize("content", [b"", b"no weights at all", b"PK\x03\x04 broken", b"\x80\x02junk."])
@pytest.mark.parametrize("suffix", [".pth", ".ckpt", ".safetensors"])
def test_what_is_no_checkpoint_is_said(content, suffix, tmp_path):
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"no checkpoint|not a safetensors|no file with weights"):
        read_tensors(path)


def test_a_text_is_told_which_formats_are_read(tmp_path):
    path = tmp_path / "notes.pth"
    path.write_text("hello, these are my notes on weights\n")
    with pytest.raises(ConfigError) as raised:
        read_tensors(path)
    formats = "safetensors files and what torch.save writes (.pt, .pth, .ckpt, .bin)"
    assert str(raised.value) == f"{path} is no file with weights: read are {formats}"


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])
def test_truncated_files_are_said(is_zip, resnet, tmp_path):
    whole = tmp_path / "whole.pth"
    torch.save({**resnet, "x": argparse.Namespace()}, whole, _use_new_zipfile_serialization=is_zip)
    path = tmp_path / "cut.pth"
    path.write_bytes(whole.read_bytes()[:-100_000])
    with pytest.raises(ConfigError, match=r"cut.pth is damaged"):
        read_tensors(path)


class Harmful:
    """Runs a command when an ordinary unpickler builds it."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def pack_zip(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/version", "3\n")


def pack_legacy(path, content):
    parts = [0x1950A86A20F9469CFC6C, 1001, {}]
    path.write_bytes(b"".join(pickle.dumps(part, 2) for part in parts) + content + pickle.dumps([], 2))


@pytest.mark.parametrize("pack", [pack_zip, pack_legacy])
@pytest.mark.parametrize("kind", ["os.system", "builtins.eval", "nested", "set state"])
def test_nothing_in_a_file_is_run(pack, kind, tmp_path):
    marker = tmp_path / "marker"
    evil = {
        "os.system": pickle.dumps({"state_dict": {"a": Harmful(marker)}}, 2),
        "builtins.eval": b"\x80\x02cbuiltins\neval\nX" + pack_text(f"open('{marker}','w')") + b"\x85R.",
        "nested": pickle.dumps(OrderedDict(a=[Harmful(marker), {"b": Harmful(marker)}]), 2),
        "set state": b"\x80\x02cbuiltins\n__import__\nX"
        + pack_text("os")
        + b"\x85R}X"
        + pack_text("system")
        + b"K\x01sb.",
    }[kind]
    pack(tmp_path / "evil.ckpt", evil)
    load_inertly(tmp_path / "evil.ckpt")
    assert not marker.exists()
    with pytest.raises(ConfigError):
        open_encoder_file(tmp_path / "evil.ckpt", BACKBONE)
    assert not marker.exists()
    assert os.system is not None


def test_a_file_sets_no_attributes_of_containers(tmp_path):
    """An ordinary unpickler would let it shadow the methods of an OrderedDict."""
    content = b"\x80\x02ccollections\nOrderedDict\n)R}X" + pack_text("items") + b"K\x01sb."
    pack_zip(tmp_path / "evil.ckpt", content)
    assert list(load_inertly(tmp_path / "evil.ckpt").items()) == []


def pack_text(text):
    return struct.pack("<I", len(text)) + text.encode()


def test_the_marker_would_have_been_made(tmp_path):
    """The files above are harmful to an ordinary unpickler."""
    marker = tmp_path / "marker"
    pickle.loads(pickle.dumps(Harmful(marker), 2))
    assert marker.exists()
