"""What filling gaps would queue and what not, in lines to read before one agrees."""

from typing import TYPE_CHECKING

from lovt_tui.actions.compare import FillOffer
from lovt_tui.comparing.filling import describe_unprepared
from lovt_tui.comparing.legend import wrap_text
from lovt_tui.formatting import Cell, clean, plural
from lovt_tui.widgets.line_view import Line

if TYPE_CHECKING:
    from lovt_core.config.evaluation import EvaluateExperiment
    from lovt_core.results.gaps import EncoderGaps


def describe_total(offer: FillOffer) -> str:
    """What is asked: how many evaluations with how many tasks."""
    evaluations = offer.plan.evaluations
    num_tasks = sum(len(evaluation.tasks) for evaluation in evaluations)
    return f"Queue {plural(len(evaluations), 'evaluation')} with {plural(num_tasks, 'task')}?"


def offer_lines(offer: FillOffer) -> tuple[Line, ...]:
    """Each evaluation with its tasks, then what is left out and why, in hand already, or not prepared."""
    lines: list[Line] = []
    for each in offer.found:
        if each.label not in offer.plan.left_out and (evaluation := each.evaluation) is not None:
            lines += _evaluation_lines(each, evaluation)
    remarks = [f"left out: {label}: {reason}" for label, reason in offer.plan.left_out.items()]
    for each in offer.found:
        if tasks := [f"{gap.task.id} ({gap.state})" for gap in each.gaps if gap.state in ("queued", "running")]:
            remarks.append(f"in hand already: {each.label}: {', '.join(tasks)}")
    remarks += describe_unprepared(offer.found)
    if lines and remarks:
        lines.append(())
    lines += [line for remark in remarks for line in wrap_text(remark)]
    return tuple(lines) or ((Cell("No gaps: every encoder with a score has one on each of these tasks."),),)


def _evaluation_lines(gaps: "EncoderGaps", evaluation: "EvaluateExperiment") -> list[Line]:
    states = {gap.task.id: gap.state for gap in gaps.gaps}
    quick = ", quick protocol" if evaluation.settings.protocol == "quick" else ""
    about = f"  run {evaluation.name}, split {evaluation.split}{quick}"
    return [
        (Cell(clean(gaps.label), "strong"), Cell(clean(about), "dim")),
        *(
            (Cell(f"  {task}"), Cell("  failed before" if states.get(task) == "failed" else "", "warning"))
            for task in evaluation.tasks
        ),
    ]
