"""The XML files of products, read without what they have no use for."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from cloudfree.errors import InputError


def parse_xml(text: bytes, name: str) -> Element:
    """The root of an XML text.

    Raises
    ------
    InputError
        It is no XML, or declares a document type: entities can make a small file fill the memory.
    """
    parser = ElementTree.XMLParser(target=_WithoutDoctype())
    try:
        parser.feed(text)
        root: Element = parser.close()
    except (ElementTree.ParseError, _DoctypeError) as error:
        raise InputError(
            f"{name} cannot be read ({error})",
            wanted="the XML of the product as it was delivered",
            hint="download the product again",
        ) from error
    return root


class _DoctypeError(ValueError):
    """A document type where none belongs."""


class _WithoutDoctype(ElementTree.TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse the declaration."""
        del name, pubid, system
        raise _DoctypeError("a document type declaration")
