"""A STAC API, asked by pystac-client.

Source: STAC API 1.0.0, item search.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cloudfree.commands.options import Bounds
from cloudfree.commands.search.candidates import Candidate, candidate
from cloudfree.core.period import Period
from cloudfree.errors import ErrorCode, InputError

if TYPE_CHECKING:
    from pystac_client import Client

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
            items: list[dict[str, Any]] = list(found.items_as_dicts())
        known = (candidate(item, bbox, self.address) for item in items)
        return [one for one in known if one]


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
        return Client.open(api, timeout=_TIMEOUT_S)


@contextmanager
def _answering(api: str) -> Iterator[None]:
    """Errors of the network, of the API and of its answers in one line."""
    from pystac import STACError, STACTypeError
    from pystac_client.exceptions import APIError

    try:
        yield
    except APIError as error:
        raise _no_answer(api, error) from error
    except (NotImplementedError, STACError, STACTypeError, ValueError, KeyError) as error:
        if isinstance(error.__cause__, (APIError, OSError)):
            raise _no_answer(api, error.__cause__) from error
        raise InputError(
            f"{api} is no STAC API ({_one_line(error)})",
            wanted="the first page of a STAC API with item search",
            hint="check --api",
            code=ErrorCode.BAD_OPTION,
        ) from error
    except OSError as error:  # those of requests are, too
        raise _no_answer(api, error) from error


def _no_answer(api: str, error: Exception) -> InputError:
    return InputError(
        f"no answer from {api} ({_one_line(error)})",
        wanted="a STAC API that can be reached",
        hint="check --api and the network, or try again later",
        code=ErrorCode.UNREACHABLE,
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
