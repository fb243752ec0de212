"""One file per command: wiring of the layers below, no arithmetic."""
