"""A STAC API on this machine that answers with the files of a folder, whatever they hold."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.factories.stac_server import ADDRESS


@contextmanager
def answering(folder: Path) -> Iterator[str]:
    """The address of a server, until the block ends.

    `/` is landing.json; a search gives radar.json where it is for Sentinel-1, later.json for the
    second page, and else scenes.json.
    """

    class Handler(_Handler):
        root = folder

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Handler.address
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    root: Path
    address: str

    def do_GET(self) -> None:
        self._answer(self.path)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(self.path + body.decode())

    def _answer(self, asked: str) -> None:
        if asked == "/":
            name = "landing.json"
        elif "sentinel-1" in asked:
            name = "radar.json"
        else:
            name = "later.json" if "token" in asked else "scenes.json"
        content = (self.root / name).read_bytes().replace(ADDRESS.encode(), self.address.encode())
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""
