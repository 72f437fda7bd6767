"""Whether a run that ended badly goes on by itself."""

from lovt_core.config.settings import Settings
from lovt_core.runs.control import ControlRecord, read_control, record
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.state import RunState
from lovt_core.runs.terms import Retry, read_terms


def default_retry(settings: Settings) -> Retry:
    """The policy of runs that were queued without one."""
    return Retry(settings.retry.times, tuple(settings.retry.causes))


def plan_retry(run: RunDirectory, state: RunState, default: Retry) -> ControlRecord | None:
    """The `queued` record of the next attempt, or None when the policy leaves it at that."""
    if state.state not in ("failed", "lost"):
        return None
    control = read_control(run.control)
    policy = read_terms(control).retry or default
    used = _count_retries(control)
    if state.cause not in policy.causes or used >= policy.times:
        return None
    reason = (
        f"retry {used + 1} of {policy.times} after: {state.detail.splitlines()[0] if state.detail else state.cause}"
    )
    return record("queued", state.attempt + 1, reason=reason, retried=used + 1)


def _count_retries(control: tuple[ControlRecord, ...]) -> int:
    """Retries since somebody last asked for the run; an interruption in between does not make it a new start."""
    used = 0
    for item in control:
        if item.operation == "queued" and item.details.get("reason") != "interrupted":
            retried = item.details.get("retried", 0)
            used = retried if isinstance(retried, int) else 0
    return used
