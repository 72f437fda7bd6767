"""The report files of NLM Open-i: their text, damaged and hostile ones, and all of the real ones."""

import re
import tarfile
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image

from lovt_core.data.sources.openi import read_labels, scan
from lovt_core.data.sources.openi_reports import read_reports
from lovt_core.errors import DataError
from tests.core.data.factories import draw_film
from tests.core.data.sources.openi_factory import flow_of, pack, report_xml, told, write_download

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    b'<eCitation><uId id="CXR2"/><AbstractText Label="FINDINGS">&b;</AbstractText></eCitation>'
)


def test_what_is_left_of_markup_goes(tmp_path):
    findings = "[&amp;lt;The heart is normal.&amp;gt;] Concerning for&lt;BR&gt;edema. [&lt;Clear lungs&gt;]."
    download = scan(write_download(tmp_path, {"1.xml": report_xml(1, findings=findings, impression="")}))
    assert download.items[0].sentences == ("The heart is normal.", "Concerning for edema.", "Clear lungs .")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (report_xml(2)[:-20], "damaged XML (unclosed token"),
        (b"", "damaged XML"),
        (b"\x00\x01binary", "damaged XML"),
        (report_xml(2).replace(b"Cough", b"Fi\xe8vre"), "damaged XML (not well-formed"),
        (report_xml(2).replace(b"utf-8", b"klingon"), "damaged XML"),
        (report_xml(2).replace(b"Cough", b"&nbsp;"), "damaged XML (undefined entity"),
        (report_xml(2).replace(b'uId id="CXR2', b'uId id="film2'), "no <uId id> such as CXR1"),
        (b"<eCitation/>", "no <uId id> such as CXR1"),
        (report_xml(1), "the id CXR1 stands in NLMCXR_reports.tgz: ecgen-radiology/1.xml too"),
        (BOMB, "it declares a document type"),
        (BOMB.decode().replace('"1.0"', '"1.0" encoding="utf-16"').encode("utf-16"), "it declares a document type"),
        (b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>', "it declares a document type"),
    ],
)
def test_damaged_reports_are_named(tmp_path, content, said):
    members = {"1.xml": report_xml(1), "2.xml": content}
    write_download(tmp_path, members)
    for image in ("CXR2_IM-0001-1001.png", "CXR2_IM-0001-2001.png"):
        Image.fromarray(draw_film(1)).save(tmp_path / "NLMCXR_png" / image)  # not told of once more
    download = scan(tmp_path)
    assert len(download.problems) == 1
    assert told(download)[0].startswith(f"NLMCXR_reports.tgz: ecgen-radiology/2.xml: {said}")
    assert [item.id for item in download.items] == ["CXR1"]
    assert flow_of(download)["report unreadable or repeated"] == (1, 1)


def test_problems_do_not_quote_reports(tmp_path):
    secret = report_xml(2, findings="Told to secret & friends")
    assert "secret" not in str(told(scan(write_download(tmp_path, {"1.xml": report_xml(1), "2.xml": secret}))))


@pytest.mark.parametrize("name", ["../3.xml", "/etc/3.xml", "ecgen-radiology/../../3.xml"])
def test_archives_that_lead_out_are_refused(tmp_path, name):
    write_download(tmp_path)
    pack(tmp_path / "NLMCXR_reports.tgz", {"ecgen-radiology/1.xml": report_xml(1), name: report_xml(3)})
    with pytest.raises(DataError, match=r"NLMCXR_reports.tgz: the member .*3\.xml' leads out"):
        scan(tmp_path)
    with pytest.raises(DataError, match="leads out"):
        read_labels(tmp_path)


@pytest.mark.parametrize(
    "damage", [lambda content: content[: len(content) // 2], lambda content: b"no archive", bytes.upper]
)
def test_a_damaged_archive(tmp_path, damage):
    path = write_download(tmp_path) / "NLMCXR_reports.tgz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=r"NLMCXR_reports.tgz: damaged archive"):
        scan(tmp_path)


def test_an_archive_of_something_else(tmp_path):
    write_download(tmp_path)
    pack(tmp_path / "NLMCXR_reports.tgz", {"readme.txt": b"x"})
    with pytest.raises(DataError, match=r"no \.xml file there"):
        scan(tmp_path)


def test_links_out_of_the_folder_of_reports_are_left_alone(tmp_path):
    write_download(tmp_path / "d", packed=False)
    (tmp_path / "4.xml").write_bytes(report_xml(4))
    (tmp_path / "d" / "ecgen-radiology" / "4.xml").symlink_to(tmp_path / "4.xml")
    assert [item.id for item in scan(tmp_path / "d").items] == ["CXR1", "CXR2", "CXR30"]


def test_the_real_reports(data_folder):
    """All 3,955, against counts made straight from the archive."""
    labels = read_labels(data_folder / "nlmcxr")
    sections, images = read_straight(data_folder / "nlmcxr" / "NLMCXR_reports.tgz")
    counts = dict(labels.counts)
    findings = {report for report, label in sections if label == "FINDINGS"}
    impressions = {report for report, label in sections if label == "IMPRESSION"}
    marks = {report: 0 for report, _ in sections}
    for (report, label), text in sections.items():
        marks[report] += len(re.findall("XXXX", text)) if label in ("FINDINGS", "IMPRESSION") else 0
    assert labels.problems == ()
    assert (counts["reports"], counts["images"], len(set(labels.ids))) == (3955, 7470, 3955)
    assert set(labels.ids) == set(images)
    assert counts["images"] == sum(map(len, images.values())) == len(set().union(*images.values()))
    assert counts["reports without images"] == sum(not each for each in images.values()) == 104
    assert counts["reports with findings"] == len(findings) == 3425
    assert counts["reports with impression"] == len(impressions) == 3921
    assert counts["reports with either"] == len(findings | impressions) == 3927
    assert counts["marks XXXX"] == sum(marks.values()) == 3734
    assert counts["reports with marks XXXX"] == sum(count > 0 for count in marks.values()) == 1855
    assert counts["sentences"] == 22846


def read_straight(path):
    """Text by (report, label) where there is any, and images by report, by regular expressions alone."""
    sections, images = {}, {}
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile():
                text = archive.extractfile(member).read().decode()
                report = f"CXR{Path(member.name).stem}"
                images[report] = re.findall(r'<parentImage id="([^"]+)"', text)
                for label, content in re.findall(r'<AbstractText Label="(\w+)">(.*?)</AbstractText>', text, re.DOTALL):
                    if content.strip():
                        sections[report, label] = content
    return sections, images


def test_marks_in_the_real_reports(data_folder):
    """A run is one mark, sentences of marks alone are gone."""
    reports, _ = read_reports(data_folder / "nlmcxr", "NLMCXR_reports.tgz")
    sentences = [sentence for report in reports for sentence in report.split()]
    assert sum("XXXX" in sentence for sentence in sentences) == 2899
    assert not [sentence for sentence in sentences if re.search(r"XXXX[ ,/-]+XXXX", sentence)]
    assert not [sentence for sentence in sentences if not re.search(r"\w", sentence.replace("XXXX", ""))]
    assert not [sentence for sentence in sentences if re.search(r"[<>]BR|&\w+;|\[<", sentence)]


def test_the_layout_of_the_tests_is_that_of_the_real_files(data_folder):
    """Same path to each element that is read."""
    with tarfile.open(data_folder / "nlmcxr" / "NLMCXR_reports.tgz") as archive:
        real = ET.fromstring(archive.extractfile("ecgen-radiology/1.xml").read())
    ours = ET.fromstring(report_xml(1))
    for path in ("uId", "MedlineCitation/Article/Abstract/AbstractText", "parentImage", "parentImage/caption"):
        assert (real.find(path) is not None, ours.find(path) is not None) == (True, True)
