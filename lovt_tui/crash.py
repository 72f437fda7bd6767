"""When the dashboard itself fails: one sentence for people, the details in a file."""

import time
import traceback

from lovt_tui.preferences import state_folder


def describe_crash(error: BaseException) -> str:
    """Save the details and say where they are."""
    text = "".join(traceback.format_exception(error))
    path = state_folder() / f"dashboard-error-{time.strftime('%Y%m%d-%H%M%S')}.txt"
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as refusal:
        return f"The dashboard failed ({reason}), and the details could not be saved: {refusal}\nRuns go on."
    return f"The dashboard failed ({reason}). Runs go on; start it again. Details: {path}"
