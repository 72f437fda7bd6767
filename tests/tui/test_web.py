"""The dashboard in a browser: who gets in, and a real page in headless Chromium."""

import asyncio
import subprocess
import sys
from asyncio.subprocess import PIPE

import pytest

pytest.importorskip("textual_serve")
from aiohttp import ClientSession, CookieJar, WSServerHandshakeError, web

from lovt_core.errors import InputError
from lovt_tui.main import main
from lovt_tui.web import Address, DashboardServer, check_address, dashboard_arguments
from tests.tui.browser import CHROMIUM, SOME_COLOURS, num_colours, open_page

HELLO = (sys.executable, "-c", "print('__GANGLION__')")


@pytest.fixture
async def site():
    """A running server whose dashboard ends at once, and its address."""
    server = DashboardServer(HELLO, Address(port=0), token="secret")
    runner = web.AppRunner(await server._make_app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def get(url, **options):
    async with ClientSession() as session, session.get(url, **options) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize("path", ["/", "/?token=wrong", "/ws", "/socket/wrong", "/static/js/textual.js", "/download/x"])
async def test_without_the_token_nothing_is_given(site, path):
    status, text = await get(site + path)
    assert status == 403
    assert "secret" not in text


async def test_the_page_names_the_socket_by_the_address_it_was_asked_under(site):
    status, text = await get(f"{site}/?token=secret", headers={"Host": "localhost:9999"})
    assert status == 200
    assert 'data-session-websocket-url="ws://localhost:9999/socket/secret"' in text
    assert "https://" not in text


async def test_a_cookie_opens_what_belongs_to_the_page(site):
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        async with session.get(f"{site}/?token=secret") as answer:
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert "HttpOnly" in answer.headers["Set-Cookie"]
        async with session.get(f"{site}/static/js/textual.js") as answer:
            assert answer.status == 200


async def test_another_page_cannot_open_the_socket(site):
    async with ClientSession() as session:
        with pytest.raises(WSServerHandshakeError):
            await session.ws_connect(f"{site}/socket/secret", headers={"Origin": "http://evil.example"})
        async with session.ws_connect(f"{site}/socket/secret", headers={"Origin": site}) as socket:
            await socket.close()


def test_addresses():
    assert check_address(Address("127.0.0.1"), knows=False) == ""
    assert check_address(Address("::1"), knows=False) == ""
    assert check_address(Address("localhost"), knows=False) == ""
    with pytest.raises(InputError, match="--i-know"):
        check_address(Address("0.0.0.0"), knows=False)
    assert "unencrypted" in check_address(Address("0.0.0.0"), knows=True)


def test_other_hosts_are_refused_by_the_command(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--workspace", str(tmp_path / "w"), "--web", "--host", "0.0.0.0"])
    assert "--i-know" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["80000", "-1", "abc"])
def test_a_port_that_is_none(tmp_path, capsys, port):
    with pytest.raises(SystemExit, match="2"):
        main(["--workspace", str(tmp_path / "w"), "--web", f"--port={port}"])
    assert f"'{port}' is no port: a whole number from 0 to 65535" in capsys.readouterr().err


async def test_a_port_that_is_taken(tmp_path, site):
    port = site.rpartition(":")[2]
    command = [sys.executable, "-m", "lovt_tui.main", "-w", str(tmp_path / "w"), "--web", "--port", port]
    answer = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 2
    assert "give another --port" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.fixture
async def served(tmp_path):
    """The URL of a dashboard on an empty workspace."""
    command = [*dashboard_arguments(tmp_path / "w", ()), "--web", "--port", "0"]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    yield (await process.stdout.readline()).decode().strip()
    process.terminate()
    await process.wait()


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
async def test_a_page_loads_and_keys_work(served, tmp_path):
    async with open_page(served, tmp_path / "browser") as page:
        await page.wait_until("document.body.classList.contains('-first-byte')")
        runs = await page.painted()
        await page.press("4")
        compare = await page.changed(runs)
        await page.press("1")
        again = await page.changed(compare)
        await page.press("q")
        await page.wait_until("document.body.classList.contains('-closed')")
    (tmp_path / "runs.png").write_bytes(runs)
    (tmp_path / "compare.png").write_bytes(compare)
    assert min(map(num_colours, (runs, compare, again))) > SOME_COLOURS
