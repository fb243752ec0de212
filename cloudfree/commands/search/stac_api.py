"""A STAC API, asked by pystac-client.

Source: STAC API 1.0.0, item search.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from cloudfree.commands.options import Bounds
from cloudfree.commands.search.candidates import Candidate, candidate
from cloudfree.core.period import Period
from cloudfree.errors import ErrorCode, InputError, parser_errors

if TYPE_CHECKING:
    from pystac_client import Client

logger = logging.getLogger("cloudfree")

_NETWORK = ("http://", "https://")
_TIMEOUT_S = 60
# Items that an answer is asked to have, and that are taken at most.
_PER_PAGE, _MOST = 100, 2000


class StacApi:
    """The items of a STAC API.

    Raises
    ------
    InputError
        pystac-client is not installed, or there is no STAC API with item search at that address.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._client = _client(address)

    def items(self, collection: str, bbox: Bounds, period: Period) -> list[Candidate]:
        """The dated items of a collection in an area and a time.

        Raises
        ------
        InputError
            The API refuses, or does not answer.
        """
        with _answering(self.address):
            found = self._client.search(
                collections=[collection],
                bbox=list(bbox),
                datetime=period.to_text(),
                limit=_PER_PAGE,
                max_items=_MOST,
            )
            items: list[Any] = list(found.items_as_dicts())
        return [one for one in self._candidates(items, bbox) if period.is_near(one.acquired)]

    def _candidates(self, items: Sequence[Any], bbox: Bounds) -> list[Candidate]:
        """Those that have a date; what is no item is left out with a warning."""
        found, left_out = [], []
        for item in items:
            try:
                one = candidate(item, bbox, self.address)
            except InputError as error:
                left_out.append(error.found)
                continue
            if one:
                found.append(one)
        if left_out:
            logger.warning("%d of %d items of %s are left out, such as one that is %s",
                           len(left_out), len(items), self.address, left_out[0])  # fmt: skip
        return found


def _client(api: str) -> Client:
    try:
        from pystac_client import Client
    except ImportError as error:
        raise InputError(
            f"--api {api}, but pystac-client is not installed",
            wanted="it, which asks STAC APIs",
            hint="pip install 'cloudfree[stac]'",
            code=ErrorCode.MISSING_LIBRARY,
        ) from error
    with _answering(api):
        client = Client.open(api, timeout=_TIMEOUT_S)
        _check_search(client)
        return client


def _check_search(client: Client) -> None:
    """Refuse an address of the search that pystac-client would read as a file of this computer.

    Raises
    ------
    ValueError
        It does not lead to a network.
    """
    link = client.get_search_link()
    if link is not None and not str(link.absolute_href).startswith(_NETWORK):
        raise ValueError(f"its search lies at {link.absolute_href}")


@contextmanager
def _answering(api: str) -> Iterator[None]:
    """Errors of the network, of the API and of its answers in one line; warnings are dropped."""
    with warnings.catch_warnings(), parser_errors(partial(_error_of, api)):
        warnings.simplefilter("ignore")
        yield


def _error_of(api: str, error: Exception) -> InputError:
    """The error for whatever was raised: no answer, or one that is none of a STAC API."""
    from pystac_client.exceptions import APIError

    unreachable = (APIError, OSError)  # errors of requests are of the latter
    cause = error if isinstance(error, unreachable) else error.__cause__
    if isinstance(cause, unreachable):
        return _no_answer(api, cause)
    return InputError(
        f"{api} is no STAC API ({_one_line(error)})",
        wanted="the first page of a STAC API with item search",
        hint="check --api",
        code=ErrorCode.BAD_OPTION,
    )


def _no_answer(api: str, error: Exception) -> InputError:
    return InputError(
        f"no answer from {api} ({_one_line(error)})",
        wanted="a STAC API that can be reached",
        hint="check --api and the network, or try again later",
        code=ErrorCode.UNREACHABLE,
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
