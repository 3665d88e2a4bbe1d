"""The command ``claimbridge``; ``main`` is its entry point."""

from __future__ import annotations

from claimbridge.cli.app import main

__all__ = ["main"]
