"""A STAC API on this machine: items to search, files in ranges, and a log of all requests.

The files are a bucket, too: objects can be put and deleted.

Source: STAC API 1.0.0, core and item search, with its GET and POST forms and paging by `next`.
"""

from __future__ import annotations

import json
import multiprocessing
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

# What the texts of items have for the address of the server, which is not known before.
ADDRESS = "{address}"
_PAGE = 2
_CONFORMS = [
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/item-search",
]


@dataclass(frozen=True)
class StacServer:
    """Where the API and the files are, and which requests came."""

    address: str
    _log: Path

    @property
    def requests(self) -> list[tuple[str, str, int]]:
        """Method, path and status of each request so far."""
        lines = self._log.read_text().splitlines()
        return [(method, path, int(status)) for method, path, status in map(str.split, lines)]

    def statuses(self, path: str) -> list[int]:
        """The statuses of the requests for what begins so."""
        return [status for _, asked, status in self.requests if asked.startswith(path)]


@contextmanager
def stac_server(folder: Path, items: Iterable[Mapping[str, Any]] = ()) -> Iterator[StacServer]:
    """Serve the files of a folder at /files, and items, until the block ends.

    From another process, as GDAL may hold the interpreter's lock while it waits for an answer.
    """
    log = folder / ".requests"
    log.touch()
    spawned = multiprocessing.get_context("spawn")
    here, there = spawned.Pipe()
    text = json.dumps(list(items))
    process = spawned.Process(target=_serve, args=(folder, text, log, there), daemon=True)
    process.start()
    try:
        yield StacServer(f"http://127.0.0.1:{here.recv()}", log)
    finally:
        process.terminate()
        process.join()


def _serve(folder: Path, text: str, log: Path, ready: Connection) -> None:
    class Handler(_Handler):
        root, requests = folder, log

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.address = f"http://127.0.0.1:{server.server_port}"
    Handler.items = json.loads(text.replace(ADDRESS, Handler.address))
    ready.send(server.server_port)
    server.serve_forever()


class _Handler(BaseHTTPRequestHandler):
    root: Path
    requests: Path
    address: str
    items: list[dict[str, Any]]

    def do_HEAD(self) -> None:
        self._file(sends=False)

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(place.query).items()}
        if place.path.startswith("/files/"):
            self._file()
        elif place.path == "/":
            self._json(landing_page(self.address))
        elif place.path == "/search":
            self._json(self._found(_of_query(asked), "GET"))
        elif found := re.fullmatch(r"/collections/[^/]+/items/([^/]+)", place.path):
            self._json(next((one for one in self.items if one["id"] == found[1]), None))
        else:
            self._json(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._json(self._found(json.loads(body), "POST"))

    def do_PUT(self) -> None:
        """Keep an object whole, as a bucket does; a body in chunks, too."""
        path = self._place()
        body = self._body()
        if not path.parent.is_dir():
            self._answer(403, b"")
            return
        path.write_bytes(body)
        self._answer(200, b"")

    def do_DELETE(self) -> None:
        self._place().unlink(missing_ok=True)
        self._answer(204, b"")

    def _place(self) -> Path:
        return self.root / urlsplit(self.path).path.removeprefix("/files/")

    def _body(self) -> bytes:
        if "Content-Length" in self.headers:
            return self.rfile.read(int(self.headers["Content-Length"]))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _found(self, asked: Mapping[str, Any], method: str) -> dict[str, Any]:
        found = [one for one in self.items if _fits(one, asked)]
        start = int(asked.get("token", 0))
        link: dict[str, Any] = {"rel": "next", "method": method, "type": "application/geo+json"}
        following = {**asked, "token": start + _PAGE}
        if method == "POST":
            link |= {"href": f"{self.address}/search", "body": following}
        else:
            query = "&".join(f"{name}={_text(value)}" for name, value in following.items())
            link |= {"href": f"{self.address}/search?{query}"}
        return {
            "type": "FeatureCollection",
            "features": found[start : start + _PAGE],
            "links": [link] if len(found) > start + _PAGE else [],
        }

    def _file(self, sends: bool = True) -> None:
        """A file, or the range of it that is asked for (RFC 9110, 14.2)."""
        path = self._place()
        if not path.is_file():
            self._answer(404, b"")
            return
        content = path.read_bytes()
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if asked is None:
            self._answer(200, content, sends=sends)
            return
        first, last = int(asked[1]), min(int(asked[2]), len(content) - 1)
        self._answer(206, content[first : last + 1], f"bytes {first}-{last}/{len(content)}", sends)

    def _json(self, value: Any) -> None:
        self._answer(404 if value is None else 200, json.dumps(value).encode())

    def _answer(self, status: int, body: bytes, part: str = "", sends: bool = True) -> None:
        with self.requests.open("a") as log:
            log.write(f"{self.command} {self.path} {status}\n")
        self.send_response(status)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body)))
        if part:
            self.send_header("Content-Range", part)
        self.end_headers()
        if sends:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


def landing_page(address: str) -> dict[str, Any]:
    """The first page of an API at an address."""
    search = {"rel": "search", "type": "application/geo+json", "href": f"{address}/search"}
    return {
        "type": "Catalog", "stac_version": "1.0.0", "id": "local", "description": "for tests",
        "conformsTo": _CONFORMS,
        "links": [
            {"rel": "self", "href": f"{address}/"},
            {"rel": "root", "href": f"{address}/"},
            {**search, "method": "GET"},
            {**search, "method": "POST"},
        ],
    }  # fmt: skip


def _of_query(asked: Mapping[str, str]) -> dict[str, Any]:
    lists: dict[str, Any] = {
        name: asked[name].split(",") for name in ("collections", "ids") if name in asked
    }
    if "bbox" in asked:
        lists["bbox"] = [float(edge) for edge in asked["bbox"].split(",")]
    return {**asked, **lists}


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _fits(item: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Whether an item is of the collections, the place and the time that are asked for."""
    if item["collection"] not in asked.get("collections", [item["collection"]]):
        return False
    west, south, east, north = item["bbox"]
    box = asked.get("bbox", item["bbox"])
    start, _, end = asked.get("datetime", "../..").partition("/")
    moment = item["properties"]["datetime"]
    return bool(
        west < box[2] and east > box[0] and south < box[3] and north > box[1]
        and (start == ".." or start <= moment) and (end == ".." or moment <= end)
    )  # fmt: skip
