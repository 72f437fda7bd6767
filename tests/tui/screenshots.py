"""Pictures of every screen for the documentation: `python -m tests.tui.screenshots docs/images` (make screenshots)."""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from lovt_core.files import write_text_atomic
from tests.tui.lab import SCREENS, make_lab, open_screen

SIZE = (120, 40)


async def draw(name: str, folder: Path) -> str:
    """The SVG of a screen of the laboratory."""
    async with make_lab(folder / "lovt-workspace").run_test(size=SIZE) as pilot:
        await open_screen(pilot, name)
        return pilot.app.export_screenshot(title="lovt-tui")


def main(target: Path) -> None:
    """Draw them all."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    for name in SCREENS:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            os.environ["HOME"] = folder
            write_text_atomic(target / f"{name}.svg", asyncio.run(draw(name, Path(folder))))
            sys.stdout.write(f"{target / name}.svg\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
