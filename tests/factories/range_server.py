"""A server of one file on this machine, which counts what is read of it."""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Served:
    """Where GDAL finds the file, and how many of its bytes were sent."""

    path: Path
    _sent: Any

    @property
    def count(self) -> int:
        """Bytes so far."""
        return int(self._sent.value)


@contextmanager
def counted_bytes(file: Path) -> Iterator[Served]:
    """Serve a file in ranges (RFC 9110, 14.2) until the block ends.

    From another process, as GDAL may hold the interpreter's lock while it waits for an answer.
    """
    spawned = multiprocessing.get_context("spawn")
    sent, (here, there) = spawned.Value("q", 0), spawned.Pipe()
    process = spawned.Process(target=_serve, args=(file, sent, there), daemon=True)
    process.start()
    try:
        yield Served(Path(f"/vsicurl/http://127.0.0.1:{here.recv()}/{file.name}"), sent)
    finally:
        process.terminate()
        process.join()


def _serve(file: Path, sent: Any, ready: Connection) -> None:
    content = file.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(200 if self.path == f"/{file.name}" else 404, content, sends=False)

        def do_GET(self) -> None:
            if self.path != f"/{file.name}":  # side files such as .ovr
                self._answer(404, b"")
                return
            asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            if asked is None:
                self._answer(200, content)
                return
            first, last = int(asked[1]), min(int(asked[2]), len(content) - 1)
            self._answer(206, content[first : last + 1], f"bytes {first}-{last}/{len(content)}")

        def _answer(self, status: int, body: bytes, part: str = "", sends: bool = True) -> None:
            self.send_response(status)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(body)))
            if part:
                self.send_header("Content-Range", part)
            self.end_headers()
            if sends:
                with sent.get_lock():
                    sent.value += len(body)
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ready.send(server.server_port)
    server.serve_forever()
