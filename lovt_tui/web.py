"""`lovt-tui --web`: the dashboard in a browser, served by textual-serve to whoever has the token of this start.

Each browser tab gets a dashboard process of its own on the same workspace; closing it ends that process and no run.
"""

import asyncio
import hmac
import secrets
import shlex
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp_jinja2
from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.server import Server

from lovt_core.errors import InputError

DEFAULT_PORT = 8417
FONT_SIZE = 15
PATIENCE_SECONDS = 10.0
TEMPLATES = Path(__file__).parent / "templates"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Address:
    """Where the server listens."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    """0: any free one."""

    @property
    def is_loopback(self) -> bool:
        """Whether nobody outside this machine can reach it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def check_address(address: Address, knows: bool) -> str:
    """A warning for an address that others can reach; raises InputError unless the user says that they know."""
    if address.is_loopback:
        return ""
    if not knows:
        raise InputError(
            f"--host {address.host}: whoever reaches this address and sees the URL commands your runs, unencrypted: "
            "keep 127.0.0.1 and use an ssh tunnel, or add --i-know"
        )
    return f"warning: served unencrypted on {address.host}; whoever sees the URL commands your runs"


class ExecService(AppService):
    """Starts the dashboard without a shell."""

    def __init__(self, arguments: Sequence[str], **options: Any) -> None:
        super().__init__(shlex.join(arguments), **options)
        self._arguments = tuple(arguments)

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        environment = self._build_environment(width=width, height=height)
        process = await asyncio.create_subprocess_exec(
            *self._arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
        )
        self._process = process
        self._stdin = process.stdin
        return process

    async def stop(self) -> None:
        """Ask the dashboard to quit, and see it gone."""
        await super().stop()
        if self._process is not None:
            try:
                await asyncio.wait_for(self._process.wait(), PATIENCE_SECONDS)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()


class DashboardServer(Server):
    """Answers only requests that know the token, and sockets only of its own pages."""

    def __init__(self, arguments: Sequence[str], address: Address, token: str | None = None) -> None:
        super().__init__(shlex.join(arguments), address.host, address.port, title="lovt-tui", templates_path=TEMPLATES)
        self.token = token or secrets.token_urlsafe(24)
        self._arguments = tuple(arguments)

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        app.router.add_get("/socket/{token}", self.handle_websocket)  # the script appends a query of its own
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: the URL is printed once the port is known."""

    @property
    def _cookie(self) -> str:
        """Cookies are shared by all ports of a host, so the name has the port in it."""
        return f"lovt-{self.port}"

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what has no token, and what another page has sent."""
        given = request.query.get("token") or request.match_info.get("token") or request.cookies.get(self._cookie, "")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            return web.Response(status=403, text="Open the URL that lovt-tui --web printed: the token is in it.\n")
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"{request.scheme}://{request.host}":
            return web.Response(status=403, text="Another page may not use this one.\n")
        response = await handler(request)
        if not response.prepared:
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["X-Frame-Options"] = "DENY"
            response.set_cookie(self._cookie, self.token, httponly=True, samesite="Strict")
        return response

    @aiohttp_jinja2.template("dashboard.html")
    async def handle_index(self, request: web.Request) -> dict[str, Any]:
        """The page; its socket's address is that of the request, so that it works through a tunnel on any port."""
        scheme = "wss" if request.scheme == "https" else "ws"
        return {
            "title": self.title,
            "font_size": FONT_SIZE,
            "socket": f"{scheme}://{request.host}/socket/{self.token}",
        }

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A dashboard process for as long as the socket is open."""
        socket = web.WebSocketResponse(heartbeat=15)
        await socket.prepare(request)
        service = ExecService(
            self._arguments,
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=socket.close,
            download_manager=self.download_manager,
        )
        await service.start(_read_size(request, "width", 80), _read_size(request, "height", 24))
        try:
            await self._process_messages(socket, service)
        finally:
            await service.stop()
        return socket


def _read_size(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isdecimal() else default


def dashboard_arguments(workspace: Path, options: Sequence[str]) -> tuple[str, ...]:
    """The command line of one dashboard process."""
    return (sys.executable, "-m", "lovt_tui.main", "--workspace", str(workspace), *options)


async def _serve(server: DashboardServer, on_ready: Callable[[str], object]) -> None:
    runner = web.AppRunner(await server._make_app(), handle_signals=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, server.host, server.port)
        await site.start()
        server.port = runner.addresses[0][1]
        host = f"[{server.host}]" if ":" in server.host else server.host
        on_ready(f"http://{host}:{server.port}/?token={server.token}")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def serve(server: DashboardServer, on_ready: Callable[[str], object]) -> None:
    """Serve until ctrl-c; `on_ready` gets the URL. Raises InputError where the address cannot be used."""
    try:
        asyncio.run(_serve(server, on_ready))
    except OSError as error:
        raise InputError(
            f"cannot listen on {server.host}:{server.port}: {error.strerror}: give another --port, or --port 0"
        ) from error
    except KeyboardInterrupt:
        return
