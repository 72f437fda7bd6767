"""Tiny downloads of NLM Open-i: reports as XML, packed or not, and their images."""

import io
import re
import tarfile

from PIL import Image

from tests.core.data.factories import draw_film

FINDINGS, IMPRESSION = "The heart is XXXX XXXX. No effusion.", "Normal chest x-XXXX."


def report_xml(number, images=("IM-0001-1001", "IM-0001-2001"), findings=FINDINGS, impression=IMPRESSION):
    figures = "".join(
        f'<parentImage id="CXR{number}_{image}"><caption>PA and Lateral</caption></parentImage>' for image in images
    )
    texts = {"COMPARISON": "None.", "INDICATION": "Cough.", "FINDINGS": findings, "IMPRESSION": impression}
    abstract = "".join(f'<AbstractText Label="{label}">{text}</AbstractText>' for label, text in texts.items())
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<eCitation><uId id="CXR{number}"/><MedlineCitation><Article>'
        f"<Abstract>{abstract}</Abstract></Article></MedlineCitation>{figures}</eCitation>"
    ).encode()


def write_download(root, members=None, *, packed=True, images_at="NLMCXR_png"):
    """Three reports of two images each, or the given XML files, with all the images that these name."""
    members = {f"{number}.xml": report_xml(number) for number in (1, 2, 30)} if members is None else members
    root.mkdir(parents=True, exist_ok=True)
    if packed:
        pack(root / "NLMCXR_reports.tgz", {f"ecgen-radiology/{name}": content for name, content in members.items()})
    else:
        (root / "ecgen-radiology").mkdir()
        for name, content in members.items():
            (root / "ecgen-radiology" / name).write_bytes(content)
    (root / images_at).mkdir(exist_ok=True)
    for content in members.values():
        for name in re.findall(rb'parentImage id="([\w-]+)"', content):
            Image.fromarray(draw_film(1)).save(root / images_at / f"{name.decode()}.png")
    return root


def pack(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def told(download):
    """Problems as they are shown."""
    return [str(problem) for problem in download.problems]


def flow_of(download):
    """Dropped and kept by step."""
    return {step.what: (step.dropped, step.kept) for step in download.flow}
