"""Layout of the Indiana University collection of NLM Open-i: `NLMCXR_reports.tgz`, `NLMCXR_png/`, the table of views.

Every film is a report of its own. Most have a lateral view beside the frontal one; some reports lack findings, some
both sections, and some have no images. Words are replaced by `XXXX` here and there, as de-identification did.
"""

import csv
import gzip
import io
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lovt_core.data.synthetic.layouts.layout import Row
from lovt_core.data.synthetic.patients import Film

_FIRST_NUMBER = 5001
"""Above the original ones (1 to 3999): no synthetic report has the id of a real one."""
_WITHOUT_FINDINGS, _WITHOUT_IMAGES, _WITHOUT_TEXT, _SINGLE_VIEW = (8, 3), (16, 5), (32, 26), (6, 1)
"""(n, k): every n-th film, beginning with the k-th."""
_MARKED_WORDS = frozenset({"chest", "prior", "lung", "spine", "evidence", "radiograph", "upper", "size", "lead"})
_MARK_SHARE = 0.3
"""Part of these words that becomes a mark."""
_CALL = "Findings were discussed with Dr. XXXX XXXX at XXXX p.m. XXXX, XXXX."
_CAPTION = "Xray Chest PA and Lateral"

_REPORT = """<?xml version="1.0" encoding="utf-8"?>
<eCitation>
   <meta type="rr"/>
   <uId id="CXR{number}"/>
   <pmcId id="{number}"/>
   <docSource>CXR</docSource>
   <IUXRId id="{number}"/>
   <licenseType>synthetic</licenseType>
   <articleDate>2013-08-01</articleDate>
   <articleType>XR</articleType>
   <publisher>synthetic</publisher>
   <title>Synthetic chest X-ray collection</title>
   <MedlineCitation Owner="synthetic" Status="synthetic">
      <Article PubModel="Electronic">
         <ArticleTitle>Synthetic chest X-ray collection</ArticleTitle>
         <Abstract>
{sections}
         </Abstract>
         <Language>eng</Language>
      </Article>
   </MedlineCitation>
{images}
</eCitation>"""
_IMAGE = """   <parentImage id={identifier}>
      <figureId>F{figure}</figureId>
      <caption>{caption}</caption>
      <panel type="single">
         <url>/hadoop/storage/radiology/extract/{name}.jpg</url>
         <imgModality>7</imgModality>
      </panel>
   </parentImage>"""


def write_film(root: Path, film: Film) -> Row:
    """Write the images of one report below `root`; returns the report and the views."""
    (root / "NLMCXR_png").mkdir(exist_ok=True)
    case = replace(film, patient=film.index, follow_up=0).build()
    rng = np.random.default_rng((film.seed, film.stream, film.index, 2))
    number = _FIRST_NUMBER + film.index
    images = _draw_views(film.index, case.image)
    views = {_name_image(number, figure, film.index): view for figure, view in enumerate(images, start=1)}
    for name, (_, pixels) in views.items():
        Image.fromarray(pixels).save(root / "NLMCXR_png" / f"{name}.png")
    findings, impression = _write_sections(film.index, [_mark(sentence, rng) for sentence in case.report])
    if case.findings and rng.random() < 0.2:
        impression = f"{impression} {_CALL}".strip() if impression else impression
    sections = {
        "COMPARISON": "None.",
        "INDICATION": "XXXX-year-old with cough",
        "FINDINGS": findings,
        "IMPRESSION": impression,
    }
    projections = {name: projection for name, (projection, _) in views.items()}
    return {"number": number, "xml": _write_xml(number, sections, list(views)), "projections": projections}


def finish(root: Path, rows: Sequence[Row]) -> None:
    """Write the archive of the reports and `indiana_projections.csv`."""
    (root / "NLMCXR_png").mkdir(exist_ok=True)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        folder = tarfile.TarInfo("ecgen-radiology")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
        for row in sorted(rows, key=lambda row: str(row["number"])):
            content = row["xml"].encode()
            member = tarfile.TarInfo(f"ecgen-radiology/{row['number']}.xml")  # dated 1970, of no owner
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    (root / "NLMCXR_reports.tgz").write_bytes(gzip.compress(archive.getvalue(), mtime=0))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("uid", "filename", "projection"))
    for row in rows:
        for name, projection in row["projections"].items():
            writer.writerow((row["number"], f"{_name_on_kaggle(name, row['number'])}.dcm.png", projection))
    (root / "indiana_projections.csv").write_text(text.getvalue(), encoding="utf-8")


def _is_every(index: int, every: tuple[int, int]) -> bool:
    return index % every[0] == every[1]


def _draw_views(index: int, image: NDArray[np.uint8]) -> list[tuple[str, NDArray[np.uint8]]]:
    """A frontal and mostly a lateral image; the latter comes first on every fourth film."""
    if _is_every(index, _WITHOUT_IMAGES):
        return []
    if _is_every(index, _SINGLE_VIEW):
        return [("Frontal", image)]
    views = [("Frontal", image), ("Lateral", _squeeze(image))]
    return views[::-1] if index % 4 == 2 else views


def _squeeze(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Stands in for a lateral view: the halves of the frontal one on top of each other, (size, 2 size / 3)."""
    size = len(image)
    halves = np.maximum(image[:, : size // 2], image[:, -(size // 2) :][:, ::-1])
    return np.asarray(Image.fromarray(halves).resize((2 * size // 3, size), Image.Resampling.BILINEAR))


def _name_image(number: int, figure: int, index: int) -> str:
    """As in the original; the first report repeats its number."""
    repeated = f"{number}_" if index == 0 else ""
    return f"CXR{number}_{repeated}IM-{number - 3000:04d}-{figure}001"


def _name_on_kaggle(name: str, number: int) -> str:
    start = f"CXR{number}_{number}_"
    return name.removeprefix(f"CXR{number}_") if name.startswith(start) else name.removeprefix("CXR")


def _mark(sentence: str, rng: np.random.Generator) -> str:
    """The sentence with some of its words replaced by marks, and what stands around the words left alone."""
    words = sentence.split(" ")
    marked = rng.random(len(words)) < _MARK_SHARE
    return " ".join(
        word.replace(word.rstrip("."), "XXXX") if mark and word.rstrip(".").lower() in _MARKED_WORDS else word
        for word, mark in zip(words, marked, strict=True)
    )


def _write_sections(index: int, sentences: Sequence[str]) -> tuple[str, str]:
    """Findings and impression; the latter is a numbered list where it has several sentences."""
    if _is_every(index, _WITHOUT_TEXT):
        return "", ""
    if _is_every(index, _WITHOUT_FINDINGS) or len(sentences) == 1:
        return "", " ".join(sentences)
    last = sentences[-1:] if len(sentences) < 5 else sentences[-2:]
    impression = last[0] if len(last) == 1 else " ".join(f"{place}. {text}" for place, text in enumerate(last, start=1))
    return " ".join(sentences[: -len(last)]), impression


def _write_xml(number: int, sections: dict[str, str], images: Sequence[str]) -> str:
    texts = [f"            <AbstractText Label={quoteattr(label)}{_close(text)}" for label, text in sections.items()]
    figures = [
        _IMAGE.format(identifier=quoteattr(name), figure=figure, caption=_CAPTION, name=name)
        for figure, name in enumerate(images, start=1)
    ]
    return _REPORT.format(number=number, sections="\n".join(texts), images="\n".join(figures))


def _close(text: str) -> str:
    return f">{escape(text)}</AbstractText>" if text else "/>"
