"""Sphinx: ``pip install -e '.[docs]' && sphinx-build -W docs docs/_build``."""

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "claimbridge"
copyright = "the claimbridge authors"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "claimbridge"
exclude_patterns = ["_build"]
# The pages are read in the repository too, where their links into it lead somewhere: a test
# follows each. A console block shows what a command prints, whatever language that is in.
suppress_warnings = ["myst.xref_missing", "misc.highlighting_failure"]


def setup(app: Sphinx) -> None:
    """Show diagrams as they are written; the repository's own pages draw them."""
    app.add_lexer("mermaid", TextLexer)
