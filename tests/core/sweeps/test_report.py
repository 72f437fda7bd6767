"""The HTML report: self-contained, escaped, with every plot, trial and cause."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from lovt_core.config.sweep_file import dump_sweep
from lovt_core.runs.lines import append_line
from lovt_core.runs.workspace import Workspace
from lovt_core.sweeps.folder import SweepFolder, append_request
from lovt_core.sweeps.pictures import draw_parallel
from lovt_core.sweeps.report import group_failures, to_html, write_report
from lovt_core.sweeps.shapes import CHARACTER
from lovt_core.sweeps.views import compute_parallel
from tests.core.results.comparison_factories import HOSTILE
from tests.core.results.test_html import read
from tests.core.sweeps.factories import make_config, make_pair, make_sweep, make_trial


@pytest.fixture(scope="module")
def page_text() -> str:
    config, trials = make_sweep()
    return to_html(trials, config, "running")


def headings(text: str) -> list[str]:
    return [found for tag, found in read(text).texts if tag == "h2"]


def test_asks_for_nothing_and_runs_nothing(page_text):
    page = read(page_text)
    names = {name for name, _ in page.elements}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "use"}
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "style", "xlink:href")]
        assert attributes.get("href", "#").startswith("#")
    assert "url(" not in page_text
    assert "@import" not in page_text
    assert "http" not in page_text.replace("http-equiv", "")
    assert page_text.startswith("<!DOCTYPE html>")
    assert "prefers-color-scheme: dark" in page_text


def test_links_lead_to_trials(page_text):
    page = read(page_text)
    targets = {attributes.get("id") for _, attributes in page.elements}
    links = {attributes["href"].removeprefix("#") for attributes in page.attributes("a")}
    assert {"trial-4", "trial-7"} <= links <= targets


def test_tables_alone_scroll_sideways(page_text):
    opened = re.findall(r'<div class="scroll">\n<(\w+)', page_text)
    assert set(opened) == {"table"}
    assert len(opened) == page_text.count("<table>")


def test_all_sections_in_order(page_text):
    assert headings(page_text) == [
        *("Space", "Best", "History", "Importance", "Parameters", "Parallel coordinates", "Pairs of parameters"),
        *("Intermediate values", "Causes of failures", "Trials"),
    ]


def test_facts_trials_runs_and_causes(page_text):
    _, trials = make_sweep()
    texts = [text for _, text in read(page_text).texts]
    assert "val/loss, lower is better" in texts
    assert "23 finished, 3 pruned, 3 failed, 1 running" in texts
    assert "shares of 4: global, image, report" in texts
    assert "From 23 finished trials importance is a hint at best." in texts
    assert {run.id for trial in trials for run in trial.runs} <= set(texts)
    assert group_failures(trials) == (("CUDA out of memory", (7, 17, 27)),)


def test_pictures_are_sound_and_nothing_lies_outside(page_text):
    pictures = re.findall(r"<svg viewBox=.*?</svg>", page_text, flags=re.DOTALL)
    assert len(pictures) == 4 + 1 + 2 + 7 + 1 + 6 + 1
    for text in pictures:
        root = ET.fromstring(text)
        width, height = map(float, root.attrib["viewBox"].split()[2:])
        for circle in root.iter("circle"):
            assert 0 <= float(circle.attrib["cx"]) <= width
            assert 0 <= float(circle.attrib["cy"]) <= height
        for line in root.iter("polyline"):
            for point in line.attrib["points"].split():
                x, y = map(float, point.split(","))
                assert 0 <= x <= width
                assert 0 <= y <= height
        for label in root.iter("text"):
            length = len(label.text) * CHARACTER
            left = (
                float(label.attrib["x"])
                - {"start": 0, "middle": length / 2, "end": length}[label.attrib["text-anchor"]]
            )
            assert 0 <= left <= left + length <= width, label.text


@pytest.mark.parametrize("num_parameters", [1, 2, 3, 5, 8])
def test_names_of_parallel_axes_stay_inside_and_apart(num_parameters):
    names = [f"training.a_long_section.with_a_long_name_{number}" for number in range(num_parameters)]
    config = make_config(space={name: {"type": "float", "low": 0, "high": 1} for name in names})
    trials = [make_trial(0, config, dict.fromkeys(names, 0.5))]
    picture = draw_parallel(compute_parallel(trials, config))
    labels = [label for label in picture.labels if not label.is_faint]
    assert len(labels) == num_parameters + 1
    end = 0.0
    for label in labels:
        length = len(label.text) * CHARACTER
        left = label.x - {"start": 0.0, "middle": length / 2, "end": length}[label.anchor]
        assert left >= end, label
        end = left + length
    assert end <= picture.width


def test_each_finished_trial_is_a_point_of_the_history(page_text):
    history = page_text.split("<h2>History</h2>")[1].split("</section>")[0]
    assert history.count("<circle") == 23
    assert history.count('<path class="pruned"') == history.count('<path class="failed"') == 3
    assert history.count('<circle class="best"') == 1


@pytest.mark.parametrize("text", [text for text in HOSTILE if text])
def test_texts_are_escaped(text):
    config = make_config(
        experiment=text,
        space={text: {"type": "categorical", "choices": [text, "b"]}, "x": {"type": "float", "low": 0, "high": 1}},
        objective={"metric": text, "direction": "minimize"},
    )
    trials = [
        make_trial(number, config, {text: [text, "b"][number % 2], "x": number / 10}, values=(number / 10,))
        for number in range(6)
    ]
    trials.append(make_trial(6, config, {}, state="failed", cause=text, origin=text))
    page = read(to_html(trials, config, "stopped"))
    assert {name for name, _ in page.elements} & {"script", "x", "b", "img"} == set()
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert all(found.replace("\n", "").isprintable() for _, found in page.texts)


def test_several_objectives_have_their_front():
    config, trials = make_pair([(0.1, 0.2), (0.2, 0.5), (0.3, 0.4), (0.5, 0.9)])
    text = to_html(trials, config, "finished")
    assert "Pareto front" in headings(text)
    assert "History of val/score" in headings(text)
    assert text.count('<tr id="trial-1" class="best">') == 1
    assert text.count('<tr id="trial-2">') == 1


def test_a_sweep_without_trials():
    text = to_html((), make_config(), "running")
    assert "No trial has finished." in text
    assert "None yet." in text
    read(text)


def test_waiting_is_told_apart_from_work():
    config, trials = make_sweep(2)
    began = trials[0].started + 30
    trials = [replace(trials[0], began=began, ended=began + 12), make_trial(1, config, {}, state="running", ended=None)]
    texts = [text for _, text in read(to_html(trials, config, "running")).texts]
    assert texts[texts.index("work of all trials") + 1] == "0:00:12"
    assert texts[texts.index("time in the queue") + 1] == "0:00:30"
    assert "1 finished, 1 queued" in texts
    assert "1 finished, 1 stopped" in to_html(trials, config, "stopped")


def test_the_base_stands_beside_the_best():
    config, trials = make_sweep()
    base = make_trial(0, config, trials[0].params, values=trials[0].values, origin="base")
    assert "(base)" in to_html((base, *trials[1:]), config, "finished")


def test_write_report(tmp_path):
    config, trials = make_sweep(6)
    folder = SweepFolder(Workspace(tmp_path), "tiny")
    folder.path.mkdir(parents=True)
    (folder.path / "sweep.yaml").write_text(dump_sweep(config))
    for trial in trials:
        line = {"trial": trial.number, "state": trial.state, "params": dict(trial.params), "values": trial.values}
        append_line(folder.trials_file, {**line, "distributions": dict(trial.distributions)})
    append_request(folder, "stop")
    write_report(folder, tmp_path / "report.html")
    assert "stopped; 6 trials of 50" in (tmp_path / "report.html").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "sweeps"}
