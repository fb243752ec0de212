"""What a page may load and run: its own style and script, pictures inside it, nothing else."""

from __future__ import annotations

import base64
import hashlib


def content_security_policy(style: str, script: str) -> str:
    """The policy of a page with this style and this script, which are known by their hashes.

    A name or a message that came to be markup in spite of escaping could run or load nothing.
    Source: W3C, Content Security Policy Level 3.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"style-src '{_source(style)}'",
            f"script-src '{_source(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
