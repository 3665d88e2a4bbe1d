"""``python -m claimbridge.cli`` is the command too."""

from claimbridge.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
