"""``python -m claimbridge`` is the command."""

from claimbridge.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
