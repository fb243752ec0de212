"""The command line: parses, calls one pipeline, prints. The only place that knows click."""

from cloudfree.cli.group import main

__all__ = ["main"]
