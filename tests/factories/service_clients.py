"""Stand-ins for the clients of data services, which write down what a snippet asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """A function of a service by its last name, and what it was given."""

    name: str
    given: tuple[Any, ...]
    named: dict[str, Any]


@dataclass
class Client:
    """Whatever is asked of it, it answers with itself and what was asked so far.

    `log` has the calls of all answers in order, `history` those that led to this one.
    """

    log: list[Call] = field(default_factory=list)
    history: tuple[Call, ...] = ()
    asked: str = ""

    def __getattr__(self, name: str) -> Client:
        if name.startswith("__"):
            raise AttributeError(name)
        return Client(self.log, self.history, name)

    def __call__(self, *given: Any, **named: Any) -> Client:
        call = Call(self.asked, given, named)
        self.log.append(call)
        return Client(self.log, (*self.history, call), self.asked)

    def __iter__(self) -> Iterator[Client]:
        return iter([self])

    def __next__(self) -> Client:
        return self

    def calls(self, name: str) -> list[Call]:
        """What a function was given each time, in what led to this answer."""
        return [call for call in self.history if call.name == name]


@dataclass
class Response:
    """What a server answers: an object of JSON, or bytes."""

    values: dict[str, Any] = field(default_factory=dict)
    content: bytes = b""

    def json(self) -> dict[str, Any]:
        return self.values

    def raise_for_status(self) -> None:
        """Nothing: it is well."""

    def iter_content(self, size: int) -> Iterator[bytes]:
        return (self.content[at : at + size] for at in range(0, len(self.content), size))


@dataclass
class Requests:
    """The library requests before a server: a catalogue of products, and tokens for anybody.

    `product` gives the name and the zip of a product type, `image` the GeoTIFF of a request.
    """

    product: Callable[[str], tuple[str, bytes]]
    image: Callable[[dict[str, Any]], bytes]

    def get(self, url: str, params: dict[str, str] | None = None, **_: Any) -> Response:
        if params is None:
            (kind,) = re.findall(r"\((\w+)\)/\$value$", url)
            return Response(content=self.product(kind)[1])
        (kind,) = re.findall(r"StringAttribute/Value eq '(\w+)'", params["$filter"])
        return Response({"value": [{"Id": kind, "Name": f"{self.product(kind)[0]}.SAFE"}]})

    def post(self, _: str, json: dict[str, Any] | None = None, **__: Any) -> Response:
        return Response(content=self.image(json)) if json else Response({"access_token": "one"})
