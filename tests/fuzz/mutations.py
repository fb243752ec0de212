"""What a damaged download, another program or a wrong hand makes of a file, drawn from a seed.

A mutator takes the bytes of a file and returns other ones. Those of a format keep its outer form,
such as brackets and checksums, so that its reader goes on to what lies inside.
"""

from __future__ import annotations

import copy
import io
import json
import re
import struct
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from random import Random
from typing import Any
from xml.etree import ElementTree

import tomli_w

Mutator = Callable[[bytes, Random], bytes]

# What stands where a number is expected.
NUMBERS = (
    "0", "-1", "1", "-0.0", "nan", "inf", "-inf", "1e308", "-1e308", "1e-308", "1e12", "65535",
    "2147483648", "99999999999999999999", "0x10", "1,5", "1_000", "1.5", "", " ", "ten", "\u0661",
    "2021-02-30T00:00:00", "9999-12-31T23:59:59Z", "0001-01-01", "NaT",
)  # fmt: skip
# And what stands where a text is.
TEXTS = ("", " ", "\t", "..", "/", "a\nb", "é", "x" * 5000, "\ud7ff", "%s{0}", "<b>", "-o", "None")
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308, 1e-308, float("nan"),
    float("inf"), "", "text", "1", [], [None], [[]], {}, {"a": 1}, ["B02"], [1, 2, 3],
)  # fmt: skip
_WORDS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def flipped(content: bytes, draw: Random) -> bytes:
    """Some bits are wrong."""
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 8))):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def overwritten(content: bytes, draw: Random) -> bytes:
    """A number of 1, 2, 4 or 8 bytes is another one."""
    size = draw.choice((1, 2, 4, 8))
    start = draw.randrange(max(len(content) - size, 1))
    word = (draw.choice(_WORDS) & (256**size - 1)).to_bytes(size, draw.choice(("little", "big")))
    return content[:start] + word + content[start + size :]


def truncated(content: bytes, draw: Random) -> bytes:
    """The end is missing."""
    return content[: draw.randrange(len(content))]


def swapped(content: bytes, draw: Random) -> bytes:
    """Two chunks have changed places."""
    a, b, c = sorted(draw.randrange(len(content)) for _ in range(3))
    return content[:a] + content[b:c] + content[a:b] + content[c:]


def removed(content: bytes, draw: Random) -> bytes:
    """A chunk is missing."""
    start = draw.randrange(len(content))
    return content[:start] + content[start + draw.choice((1, 4, 100)) :]


def inserted(content: bytes, draw: Random) -> bytes:
    """Something stands in between."""
    start = draw.randrange(len(content))
    chunk = draw.choice((b"\0", b"\0" * 100, b"\xff", b"\r\n", draw.randbytes(16), content[:64]))
    return content[:start] + chunk + content[start:]


BYTES: tuple[Mutator, ...] = (flipped, overwritten, truncated, swapped, removed, inserted)


def of_bytes(content: bytes, draw: Random) -> bytes:
    """Any change of bytes."""
    return draw.choice(BYTES)(content, draw) if content else b"\0"


def of_head(size: int) -> Mutator:
    """Any change among the first bytes, where formats have their headers."""

    def mutated(content: bytes, draw: Random) -> bytes:
        return of_bytes(content[:size], draw) + content[size:]

    return mutated


def one_of(*mutators: Mutator) -> Mutator:
    """One of several kinds of change."""
    return lambda content, draw: draw.choice(mutators)(content, draw)


_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\w.+:-]*")


def of_numbers(content: bytes, draw: Random) -> bytes:
    """One number of a text is another one, or none."""
    text = content.decode("utf-8", "replace")
    found = list(_NUMBER.finditer(text))
    if not found:
        return of_lines(content, draw)
    one = draw.choice(found)
    return (text[: one.start()] + draw.choice(NUMBERS) + text[one.end() :]).encode()


def of_lines(content: bytes, draw: Random) -> bytes:
    """Lines of a text are missing, repeated, swapped or have NUL bytes."""
    lines = content.splitlines(keepends=True)
    place = draw.randrange(len(lines))
    kind = draw.randrange(5)
    if kind == 0:
        del lines[place]
    elif kind == 1:
        lines.insert(place, lines[place] * draw.choice((1, 50)))
    elif kind == 2:
        other = draw.randrange(len(lines))
        lines[place], lines[other] = lines[other], lines[place]
    elif kind == 3:
        lines[place] = draw.choice((b"\0", b"\x1a", b'"', b",", b"\xff\xfe")) + lines[place]
    else:
        lines[place] = of_bytes(lines[place], draw)
    return b"".join(lines)


def of_text(content: bytes, draw: Random) -> bytes:
    """Any change of a text that is not bound to its structure."""
    return draw.choice((of_numbers, of_numbers, of_lines, of_bytes))(content, draw)


def of_xml(content: bytes, draw: Random) -> bytes:
    """Elements are missing, empty, repeated, nested or have another text."""
    root = ElementTree.fromstring(content)
    for _ in range(draw.choice((1, 1, 2))):
        _change_element(root, draw)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _change_element(root: ElementTree.Element, draw: Random) -> None:
    pairs = [(parent, child) for parent in root.iter() for child in parent]
    if not pairs:
        return
    # Names are drawn before elements: of a thousand tie points each is as good as another.
    tag = draw.choice(sorted({child.tag for _, child in pairs}))
    parent, child = draw.choice([pair for pair in pairs if pair[1].tag == tag])
    kind = draw.randrange(8)
    if kind == 0:
        parent.remove(child)
    elif kind == 1:
        for other in [one for one in parent if one.tag == child.tag]:
            parent.remove(other)
    elif kind == 2:
        parent.append(copy.deepcopy(child))
    elif kind == 3:
        child.append(copy.deepcopy(child))
    elif kind == 4:
        child.text = draw.choice(TEXTS).replace("\ud7ff", "")
    elif kind == 5:
        words = (child.text or "").split() or [""]
        words[draw.randrange(len(words))] = draw.choice(NUMBERS)
        child.text = " ".join(words)
    elif kind == 6:
        words = (child.text or "").split()
        child.text = " ".join(words[: draw.randrange(len(words) + 1)])
    else:
        child.text = draw.choice(NUMBERS)


def of_json(content: bytes, draw: Random) -> bytes:
    """Entries are missing, of another type, nested or repeated."""
    return json.dumps(of_entries(json.loads(content), draw)).encode()


def of_toml(content: bytes, draw: Random) -> bytes:
    """The same of TOML; what it cannot express is drawn again."""
    entries = tomllib.loads(content.decode())
    while True:
        try:
            return tomli_w.dumps(of_entries(copy.deepcopy(entries), draw)).encode()
        except (TypeError, AttributeError, UnicodeEncodeError):
            continue


def of_json_lines(content: bytes, draw: Random) -> bytes:
    """The same of one line of many."""
    lines = content.splitlines()
    place = draw.randrange(len(lines))
    lines[place] = of_json(lines[place], draw)
    return b"\n".join(lines)


# What stands where the name of a file or an address is.
NAMES = (
    "../keep.txt", "../s2.tif", "/etc/hostname", "/dev/zero", "..", ".", "", "keep.tif", "keep.txt",
    "a/b", "a\0b", "x" * 300, "file:///etc/hostname", "file:///dev/zero", "http://127.0.0.1:1/a",
    "/vsicurl/http://127.0.0.1:1/a.tif", "/vsizip//etc/hostname", "s2.tif", "\x1b[2J", "a\nb", "#a",
)  # fmt: skip
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def of_names(content: bytes, draw: Random) -> bytes:
    """A text of JSON, such as a key, is the name of something else."""
    text = content.decode("utf-8", "replace")
    one = draw.choice(list(_QUOTED.finditer(text)))
    return (text[: one.start()] + json.dumps(draw.choice(NAMES)) + text[one.end() :]).encode()


def of_entries(content: Any, draw: Random) -> Any:
    """Change one or two places of nested lists and mappings."""
    whole = {"": content}
    for _ in range(draw.choice((1, 1, 2))):
        places = list(_places(whole))
        if places:  # else all of it is gone
            _change_entry(*draw.choice(places), draw)
    return whole.get("")


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    keys = range(len(content)) if isinstance(content, list) else list(content)
    for key in keys:
        yield content, key
        if isinstance(content[key], list | dict):
            yield from _places(content[key])


def _change_entry(holder: Any, key: Any, draw: Random) -> None:
    value, kind = holder[key], draw.randrange(8)
    if kind == 0:
        del holder[key]
    elif kind in (1, 2):
        holder[key] = copy.deepcopy(draw.choice(VALUES))
    elif kind == 3:
        holder[key] = [value] if draw.random() < 0.5 else {"a": value}
    elif kind == 4:
        holder[key] = draw.choice((*NUMBERS, *TEXTS))
    elif kind == 5 and isinstance(value, list):
        holder[key] = value * draw.choice((0, 2, 50))
    elif kind == 5 and isinstance(holder, dict):
        holder[draw.choice(TEXTS)] = value
    elif kind == 6 and isinstance(value, str | int | float):
        holder[key] = -value if isinstance(value, int | float) else f"{value}{draw.choice(TEXTS)}"
    else:
        holder[key] = str(value)


def of_zip(inner: Mutator, suffix: str = "") -> Mutator:
    """A member of an archive, with its checksum, or the archive itself is changed."""

    def mutated(content: bytes, draw: Random) -> bytes:
        kind = draw.randrange(8)
        if kind == 0:
            return of_bytes(content, draw)
        members = _members(content)
        name = draw.choice([one for one in members if one.endswith(suffix)])
        if kind == 1:
            members[draw.choice(("../a", "/a", "a/../b", "x" * 300))] = members.pop(name)
        elif kind == 2:
            del members[name]
        else:
            members[name] = inner(members[name], draw)
        archive = _archive(members, draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
        return encrypted(archive) if kind == 3 else archive

    return mutated


def _members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def _archive(members: dict[str, bytes], compression: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def encrypted(archive: bytes) -> bytes:
    """The archive whose members say that they are encrypted: bit 0 of their flags."""
    changed = bytearray(archive)
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = changed.find(signature)
        while start >= 0:
            changed[start + flags] |= 1
            start = changed.find(signature, start + 4)
    return bytes(changed)


def of_safetensors(content: bytes, draw: Random) -> bytes:
    """The JSON at the start, with its length, or any bytes."""
    size = struct.unpack("<Q", content[:8])[0]
    if draw.random() < 0.3:
        return of_bytes(content, draw)
    head = of_json(content[8 : 8 + size], draw)
    return struct.pack("<Q", len(head)) + head + content[8 + size :]


def of_tiff(content: bytes, draw: Random) -> bytes:
    """An entry of the directory of a TIFF: its tag, type, count or value."""
    order = "<" if content[:2] == b"II" else ">"
    start = struct.unpack_from(f"{order}I", content, 4)[0]
    count = struct.unpack_from(f"{order}H", content, start)[0]
    changed = bytearray(content)
    place = start + 2 + 12 * draw.randrange(count)
    where, form = draw.choice(((0, "H"), (2, "H"), (4, "I"), (8, "I"), (8, "H")))
    word = draw.choice((*_WORDS, 3, 4, 5, 12, 13, 16, 256, 257, 259, 273, 33550, 33922, 34264))
    struct.pack_into(
        f"{order}{form}", changed, place + where, word & (0xFFFF if form == "H" else word)
    )
    return bytes(changed)


def of_tiff_values(content: bytes, draw: Random) -> bytes:
    """A floating number of a TIFF, such as those of its transform, is another one."""
    order = "<" if content[:2] == b"II" else ">"
    start = struct.unpack_from(f"{order}I", content, 4)[0]
    changed = bytearray(content)
    for index in range(struct.unpack_from(f"{order}H", content, start)[0]):
        tag, kind, count, value = struct.unpack_from(
            f"{order}HHII", content, start + 2 + 12 * index
        )
        if tag in (33550, 33922, 34264, 34736) and kind == 12 and draw.random() < 0.7:
            number = float(draw.choice(("0", "-1", "nan", "inf", "1e308", "1e12", "1e-308", "180")))
            struct.pack_into(f"{order}d", changed, value + 8 * draw.randrange(count), number)
    return bytes(changed)


# Source: GDAL documentation, "GTiff": metadata as XML in a tag of its own.
_GDAL_METADATA = 42112


def of_tags(prefix: str) -> Mutator:
    """GDAL's tags whose names begin so are missing, or have other texts, of any length."""

    def mutated(content: bytes, draw: Random) -> bytes:
        order = "<" if content[:2] == b"II" else ">"
        start = struct.unpack_from(f"{order}I", content, 4)[0]
        count = struct.unpack_from(f"{order}H", content, start)[0]
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, _, size, place = struct.unpack_from(f"{order}HHII", content, entry)
            if tag == _GDAL_METADATA:
                text = _changed_tags(content[place : place + size].rstrip(b"\0"), prefix, draw)
                changed = bytearray(content)
                struct.pack_into(f"{order}II", changed, entry + 4, len(text) + 1, len(content))
                return bytes(changed) + text + b"\0"
        raise ValueError("no tags")

    return mutated


def _changed_tags(text: bytes, prefix: str, draw: Random) -> bytes:
    if draw.random() < 0.1:
        return of_xml(text, draw)
    root = ElementTree.fromstring(text)
    for _ in range(draw.choice((1, 1, 2, 5))):
        tags = [one for one in root if one.get("name", "").startswith(prefix)]
        one = draw.choice(tags)
        kind = draw.randrange(6)
        if kind == 0:
            root.remove(one)
        elif kind == 1:
            one.text = of_numbers((one.text or "1").encode(), draw).decode("utf-8", "replace")
        elif kind == 2:
            one.text = (one.text or "") * draw.choice((2, 100))
        elif kind == 3:
            one.text = draw.choice(tags).text
        else:
            one.text = draw.choice((*NUMBERS, *TEXTS, *NAMES))
        one.text = _of_xml_letters(one.text or "")
    return ElementTree.tostring(root)


def _of_xml_letters(text: str) -> str:
    """The letters of a text that XML has."""
    return "".join(letter for letter in text if letter >= " " or letter in "\t\n")
