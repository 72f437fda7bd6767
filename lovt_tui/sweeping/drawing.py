"""The views of a sweep as lines of cells for a pane. Slow for many trials: called in threads of their own."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Literal, assert_never

from lovt_core.errors import InputError
from lovt_tui.formatting import Cell, clean
from lovt_tui.sweeping.study import Study

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.text import Text

    from lovt_core.sweeps.importance import Method
    from lovt_core.sweeps.views import Parallel

View = Literal["trials", "history", "importance", "slice", "contour", "parallel", "curves", "pareto"]
VIEWS: tuple[View, ...] = ("trials", "history", "importance", "slice", "contour", "parallel", "curves", "pareto")
METHODS: "dict[Method, str]" = {
    "ped-anova": "PED-ANOVA: what distinguishes the best tenth of the trials",
    "fanova": "fANOVA: share of the variance over the whole space",
}
TONES = {"dim": "dim", "bold": "strong", "cyan": "accent", "bold green": "good", "yellow": "warning", "red": "error"}
"""Styles of the plots -> tones."""
FRAME_LINES = 2
"""Lines of a plot beyond its height: title and legend."""
MIN_BAND = 8
DRAW_ERRORS = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, ImportError)
"""What parameters and distributions that make no sense lead to."""
Lines = tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class ViewChoice:
    """Which view of which parameters and objective, by their numbers; larger numbers begin again at the front."""

    view: View = "history"
    objective: int = 0
    first: int = 0
    second: int = 1

    def fitting(self, study: Study) -> "ViewChoice":
        """With numbers that the study has; a contour has two different parameters."""
        count = len(study.parameters)
        first, second = self.first % count, self.second % count
        if self.view == "contour" and second == first:
            second = (first + 1) % count
        return replace(self, objective=self.objective % len(study.objectives), first=first, second=second)


def list_views(study: Study | None) -> tuple[View, ...]:
    """A front needs several objectives, a contour two parameters."""
    if study is None:
        return ("trials",)
    return tuple(
        view
        for view in VIEWS
        if (view != "pareto" or len(study.objectives) > 1) and (view != "contour" or len(study.parameters) > 1)
    )


def describe_choice(study: Study, choice: ViewChoice) -> str:
    """What the keys have chosen: parameters and objective, where there are several."""
    fitted, count, parts = choice.fitting(study), len(study.parameters), []
    if choice.view == "slice":
        parts.append(f"←→ parameter {fitted.first + 1} of {count}")
    elif choice.view == "contour":
        parts.append(f"←→ across: {fitted.first + 1}, < > up: {fitted.second + 1} of {count}")
    if len(study.objectives) > 1 and choice.view not in ("pareto", "curves"):
        parts.append(f"o: objective {fitted.objective + 1} of {len(study.objectives)}")
    return " · ".join(parts)


def draw_view(study: Study, choice: ViewChoice, width: int, height: int) -> Lines:
    """Lines of at most `width` cells where that is 30 at least; as high as `height` where the view can be."""
    fitted = choice.fitting(study)
    try:
        if fitted.view == "importance":
            return _draw_importances(study, fitted.objective, width)
        return _draw_plot(study, fitted, width, height)
    except InputError as error:
        return wrap(str(error), width)
    except DRAW_ERRORS as error:
        return wrap(f"this view cannot be drawn from the trials as they are: {error or type(error).__name__}", width)


def wrap(text: str, width: int, tone: str = "warning") -> Lines:
    """A sentence in lines."""
    return tuple((Cell(line, tone),) for line in textwrap.wrap(clean(text), max(20, width)))


def _draw_plot(study: Study, choice: ViewChoice, width: int, height: int) -> Lines:
    draw = _prepare(study, choice, width)
    if choice.view == "parallel":
        return split_text(draw(height))
    text = draw(height - FRAME_LINES)
    too_many = text.plain.count("\n") + 1 - height
    return split_text(draw(height - FRAME_LINES - too_many) if too_many > 0 else text)


def _prepare(study: Study, choice: ViewChoice, width: int) -> "Callable[[int], Text]":
    """What draws the view at a height: its numbers are computed once."""
    from lovt_core.sweeps import views
    from lovt_tui.sweeping import plots as plots

    trials, config, objective = study.trials, study.config, choice.objective
    names = study.parameters[choice.first], study.parameters[choice.second]
    match choice.view:
        case "history" | "trials" | "importance":
            history = views.compute_history(trials, config, objective)
            return lambda height: plots.draw_history(history, width, height)
        case "slice":
            (cut,) = views.compute_slices(trials, config, objective, names[:1])
            return lambda height: plots.draw_slice(cut, width, height)
        case "contour":
            contour = views.compute_contour(trials, config, names, objective)
            return lambda height: plots.draw_contour(contour, width, height)
        case "parallel":
            parallel = views.compute_parallel(trials, config, objective)
            return lambda height: plots.draw_parallel(parallel, width, _fit_bands(parallel, width, height))
        case "curves":
            told = views.compute_intermediate(trials, config)
            if not told.curves:
                raise InputError(plots.explain_no_curves(config))
            return lambda height: plots.draw_intermediate(told, width, height)
        case "pareto":
            fronts = views.compute_fronts(trials, config)
            return lambda height: _join(
                [plots.draw_front(front, width, max(MIN_BAND, height // len(fronts) - 1)) for front in fronts]
            )
    assert_never(choice.view)


def _fit_bands(parallel: "Parallel", width: int, height: int) -> int:
    """Height of each band with which all of them fill `height`, measured without any trial."""
    from lovt_tui.sweeping.plots import draw_parallel

    bare = replace(parallel, lines=(), pruned=(), failed=())
    first, second = (draw_parallel(bare, width, size).plain.count("\n") for size in (MIN_BAND, MIN_BAND + 1))
    return MIN_BAND + max(0, (height - first) // (second - first))


def _join(texts: "list[Text]") -> "Text":
    from rich.text import Text

    return Text("\n").join(texts)


def _draw_importances(study: Study, objective: int, width: int) -> Lines:
    """By both methods, each with what it says or why it says nothing."""
    from lovt_core.sweeps.importance import FEW_TRIALS, compute_importance
    from lovt_tui.sweeping.plots import draw_importance

    name = f" for {clean(study.objectives[objective])}" if len(study.objectives) > 1 else ""
    lines: list[tuple[Cell, ...]] = []
    remarks: dict[str, None] = {}
    for method, title in METHODS.items():
        try:
            found = compute_importance(study.trials, study.config, objective, method)
        except InputError as error:
            remarks[str(error)] = None
            continue
        lines += [*wrap(title + name, width, "strong"), *split_text(draw_importance(found, width)), (Cell(""),)]
    num_finished = sum(trial.state == "finished" for trial in study.trials)
    if lines and num_finished < FEW_TRIALS:
        remarks[f"From {num_finished} finished trials importance is a hint at best."] = None
    return (*lines, *(line for remark in remarks for line in wrap(remark, width)))


def split_text(text: "Text") -> Lines:
    """Lines of cells from a plot, whose styles become tones."""
    return tuple(tuple(_split_line(line)) for line in text.split("\n"))


def _split_line(line: "Text") -> Iterable[Cell]:
    """Where styles lie on one another the later one counts."""
    tones = [""] * len(line.plain)
    for span in line.spans:
        tones[span.start : span.end] = [TONES.get(str(span.style), "")] * (span.end - span.start)
    place = 0
    for tone, group in groupby(tones):
        length = len(list(group))
        yield Cell(line.plain[place : place + length], tone)
        place += length
