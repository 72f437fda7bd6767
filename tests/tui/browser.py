"""A page in headless Chromium, driven through its debugging protocol (Chrome DevTools Protocol)."""

import asyncio
import base64
import io
import itertools
import json
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession, ClientWebSocketResponse
from PIL import Image

CHROMIUM = shutil.which("chromium")
SOME_COLOURS = 20
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--window-size=1100,640")


def num_colours(picture: bytes) -> int:
    """Of a PNG."""
    return len(Image.open(io.BytesIO(picture)).convert("RGB").getcolors(1 << 20) or ())


class Page:
    """One tab."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def call(self, method: str, **parameters: object) -> dict:
        """Call the browser; raises RuntimeError with what it says is wrong."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while (answer := await self._socket.receive_json()).get("id") != number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    async def evaluate(self, expression: str) -> object:
        """Value of a JavaScript expression."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    async def press(self, key: str) -> None:
        """Type a character."""
        await self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def picture(self) -> bytes:
        """A PNG of the page."""
        return base64.b64decode((await self.call("Page.captureScreenshot"))["data"])

    async def wait_until(self, expression: str, seconds: float = 30.0) -> None:
        """Wait for a JavaScript expression to become true."""
        async with asyncio.timeout(seconds):
            while not await self.evaluate(expression):
                await asyncio.sleep(0.1)

    async def painted(self, seconds: float = 30.0) -> bytes:
        """The page as soon as there is text on it, which has shades at its edges."""
        async with asyncio.timeout(seconds):
            while num_colours(picture := await self.picture()) < SOME_COLOURS:
                await asyncio.sleep(0.1)
        return picture

    async def changed(self, before: bytes, seconds: float = 30.0) -> bytes:
        """The page as soon as it looks different, and then the same for half a second."""
        async with asyncio.timeout(seconds):
            while (now := await self.picture()) == before:
                await asyncio.sleep(0.1)
            while (later := await self.picture()) != now:
                now = later
                await asyncio.sleep(0.5)
        return now


@asynccontextmanager
async def open_page(url: str, home: Path) -> AsyncIterator[Page]:
    """A browser of its own with one page at `url`."""
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, *FLAGS, f"--user-data-dir={home}", url, stdout=DEVNULL, stderr=PIPE
    )
    try:
        async with asyncio.timeout(60):
            while b"DevTools listening on" not in (line := await process.stderr.readline()):
                assert line, "the browser did not start"
        port = line.split(b":")[2].split(b"/")[0].decode()
        async with ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                tabs = json.loads(await answer.text())
            address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
            async with session.ws_connect(address, max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        process.terminate()
        await process.wait()
