"""Figures of curves: what is drawn, gaps, thinning, and that matplotlib and pdflatex take it."""

import math
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lovt_core.errors import InputError
from lovt_core.results.figures import FigureCurve, build_figure, draw, thin_curve, to_pgfplots
from lovt_core.runs.records import Curve

NAN = math.nan
POINT = re.compile(r"\(([^,()]+),([^()]+)\)")


def curve(*values: float, seconds: float = 1.0) -> Curve:
    steps = tuple(range(1, len(values) + 1))
    epochs = tuple(step / 10 for step in steps)
    return Curve("val/loss", steps, epochs, tuple(1e9 + seconds * step for step in steps), values)


def noisy(num_points: int) -> Curve:
    random = np.random.default_rng(0)
    return curve(*(3 * np.exp(-np.arange(num_points) / num_points) + random.normal(0, 0.05, num_points)))


def has_pgfplots() -> bool:
    if shutil.which("pdflatex") is None or shutil.which("kpsewhich") is None:
        return False
    return subprocess.run(["kpsewhich", "pgfplots.sty"], capture_output=True, check=False).returncode == 0


class TestBuild:
    @pytest.mark.parametrize(
        ("x_axis", "seconds", "label", "places"),
        [
            ("step", 1, "step", (1, 2, 3)),
            ("epoch", 1, "epoch", (0.1, 0.2, 0.3)),
            ("time", 1, "time (seconds)", (0, 1, 2)),
            ("time", 90, "time (minutes)", (0, 1.5, 3)),
            ("time", 3600, "time (hours)", (0, 1, 2)),
            ("time", 86400, "time (days)", (0, 1, 2)),
        ],
    )
    def test_axes(self, x_axis, seconds, label, places):
        figure = build_figure({"a": curve(3, 2, 1, seconds=seconds)}, x_axis)
        assert (figure.x_label, figure.y_label) == (label, "val/loss")
        assert figure.curves[0].x == pytest.approx(places)

    def test_what_cannot_be_drawn_is_a_gap(self):
        values = (1.0, math.inf, NAN, -1.0, 0.0, 2.0)
        linear, log = (build_figure({"a": curve(*values)}, is_log=is_log).curves[0].y for is_log in (False, True))
        assert [y if math.isfinite(y) else None for y in linear] == [1.0, None, None, -1.0, 0.0, 2.0]
        assert [y if math.isfinite(y) else None for y in log] == [1.0, None, None, None, None, 2.0]

    def test_a_run_with_nothing_to_draw(self):
        with pytest.raises(InputError, match="run b has no finite value"):
            build_figure({"a": curve(1.0), "b": curve(NAN, math.inf)})
        with pytest.raises(InputError, match="run a has no positive value"):
            build_figure({"a": curve(-1.0)}, is_log=True)


class TestThinning:
    @given(st.lists(st.floats(-1e6, 1e6) | st.just(NAN), min_size=1, max_size=300), st.integers(8, 60))
    def test_ends_extremes_and_order_stay_and_the_size_is_bounded(self, values, max_points):
        whole = FigureCurve("a", tuple(map(float, range(len(values)))), tuple(values))
        thinned = thin_curve(whole, max_points)
        assert len(thinned.x) <= max(max_points * 5 // 4, 5)
        assert list(thinned.x) == sorted(set(thinned.x))
        assert all(str(values[int(x)]) == str(y) for x, y in zip(thinned.x, thinned.y, strict=True))
        finite = [value for value in values if not math.isnan(value)]
        if finite:
            drawn = [y for y in thinned.y if not math.isnan(y)]
            assert (min(drawn), max(drawn), drawn[0], drawn[-1]) == (min(finite), max(finite), finite[0], finite[-1])
        assert any(map(math.isnan, values)) == any(map(math.isnan, thinned.y))

    def test_short_curves_stay_as_they_are(self):
        short = FigureCurve("a", (1.0, 2.0), (NAN, 1.0))
        assert thin_curve(short) is short


class TestPgfplots:
    def test_points_labels_and_gaps(self):
        text = to_pgfplots(build_figure({"lovt_1 100%": curve(1.5, NAN, 2.5)}, "epoch"))
        assert POINT.findall(text.partition("coordinates")[2]) == [("0.1", "1.5"), ("0.2", "nan"), ("0.3", "2.5")]
        assert r"\addlegendentry{lovt\_1 100\%}" in text
        assert "unbounded coords=jump" in text
        assert "ymode=log" not in text
        assert text.isascii()

    def test_long_curves_are_thinned(self):
        text = to_pgfplots(build_figure({"a": noisy(20_000)}))
        assert 200 <= len(POINT.findall(text.partition("coordinates")[2])) <= 500

    def test_round_ticks_within_two_powers_of_ten(self):
        near, far = (to_pgfplots(build_figure({"a": curve(1.0, high)}, is_log=True)) for high in (4.0, 4000.0))
        assert "ytick={" in near
        assert "ytick={" not in far
        assert "ymode=log" in far

    @pytest.mark.parametrize("is_log", [False, True])
    def test_compiles(self, tmp_path, is_log):
        if not has_pgfplots():
            pytest.skip("pdflatex with pgfplots is not installed (Debian: texlive-pictures)")
        curves = {f"run_{number} & [x]": noisy(2000) for number in range(9)} | {"gap": curve(1.0, NAN, 2.0, -1.0, 3.0)}
        text = to_pgfplots(build_figure(curves, "time", is_log))
        head = r"\documentclass{article}\usepackage{pgfplots}\pgfplotsset{compat=1.18}\begin{document}"
        (tmp_path / "figure.tex").write_text(f"{head}\n{text}\\end{{document}}", encoding="ascii")
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "figure.tex"],
            cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:]


class TestMatplotlib:
    @pytest.fixture(autouse=True)
    def _needs_matplotlib(self):
        pytest.importorskip("matplotlib", reason="matplotlib is not installed (the extra report)")

    @pytest.mark.parametrize("is_log", [False, True])
    def test_svg_has_a_line_for_each_unbroken_stretch(self, is_log):
        figure = build_figure({"a": curve(*range(1, 60), NAN, *range(2, 60)), "_b $x$": curve(3.0, 2.0)}, is_log=is_log)
        tree = ET.fromstring(draw(figure, "svg"))
        paths = [path.get("d") for path in tree.iter("{http://www.w3.org/2000/svg}path")]
        styles = [path.get("style") or "" for path in tree.iter("{http://www.w3.org/2000/svg}path")]
        (first, *_) = [d for d, style in zip(paths, styles, strict=True) if "#0072b2" in style]
        assert first.count("M") == 2

    def test_same_bytes_each_time_and_no_date(self):
        figure = build_figure({"a": noisy(500)})
        assert draw(figure, "svg") == draw(figure, "svg")
        assert b"dc:date" not in draw(figure, "svg")
        assert draw(figure, "pdf") == draw(figure, "pdf")

    def test_pdf(self):
        content = draw(build_figure({"a": noisy(50)}), "pdf")
        assert content.startswith(b"%PDF-")
        assert b"CreationDate" not in content


def test_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    figure = build_figure({"a": curve(1.0, 2.0)})
    with pytest.raises(
        InputError, match=re.escape("a PDF figure needs matplotlib, which is not installed: pip install")
    ):
        draw(figure, "pdf")
    assert to_pgfplots(figure)
