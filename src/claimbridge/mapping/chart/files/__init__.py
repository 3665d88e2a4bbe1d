"""A chart read from files: TOML, CSV, workbooks, packages."""
