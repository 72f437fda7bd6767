"""For which keys the machine has values to offer; `suggestions.py` looks them up."""

from typing import Literal

from lovt_tui.forms.paths import Path

Offer = Literal[
    "paired data", "encoders", "image weights", "report weights", "tasks", "splits", "devices", "pre-trainings",
    "evaluations", "metrics", "runs at work",
]  # fmt: skip


def find_offer(path: Path) -> Offer | None:
    """What is offered for a key; None where anything may be typed."""
    part, *keys = path
    match ("experiment" if part == "base" else part, *keys):
        case ("experiment", "data", "name"):
            return "paired data"
        case ("experiment", "encoder", "source"):
            return "encoders"
        case ("experiment", "method", "image_encoder", "weights"):
            return "image weights"
        case ("experiment", "method", "report_encoder", "model"):
            return "report weights"
        case ("experiment", "tasks") | ("sweep", "objective", _, "tasks"):
            return "tasks"
        case ("experiment", "split") | ("experiment", "data", "split"):
            return "splits"
        case ("experiment", *_, "device"):
            return "devices"
        case ("sweep", "experiment"):
            return "pre-trainings"
        case ("sweep", "evaluation", "experiment"):
            return "evaluations"
        case ("sweep", "objective" | "pruner", *_, "metric"):
            return "metrics"
        case ("launch", "after"):
            return "runs at work"
    return None
