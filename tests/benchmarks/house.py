"""The structure of ``src/claimbridge`` and the English around it, as figures.

    python -m tests.benchmarks.house [--root DIR] [--lists] [--sentences]

It reads the text of a checkout and imports nothing of it, so that ``--root`` may name an older one.
``--lists`` adds the names behind the figures, ``--sentences`` the sentences that are too long.
Modules that ``claimbridge contract types`` wrote do not count. What the figures mean:

lines of code     Without blank lines, comments and docstrings.
side by side      In one folder, without its ``__init__`` and the folders within.
import circle     Modules that import each other, by whatever import statements they have: within a
                  function and for types as well. A room is what stands directly in the package.
back up           From a folder into one that holds it, and imports it, directly or not.
participle        The first word of a function's name ends in "ed", or is one of ``IRREGULAR``.
private name      ``_x``, used in a file that does not define it, and defined in another one.
public docstring  Of modules, and of public classes, functions and methods.
word              In README.md, docs/*.md, docstrings, comments and other texts of the package.
sentence          In README.md, docs/*.md and docstrings, outside code, tables and headings. What
                  stands in backticks is one word; one word alone is no sentence.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import statistics
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from inspect import cleandoc
from pathlib import Path
from typing import NamedTuple

PACKAGE = "claimbridge"
LONGEST = 35
"""Words of a sentence."""
WORDS = ("mend", "told", "what is")
IRREGULAR = re.compile(
    "begun|bound|broken|brought|built|caught|chosen|done|drawn|found|given|gone|heard|held|hidden"
    "|kept|known|laid|left|lent|lost|made|meant|met|paid|said|seen|sent|shown|sold|spent|taken"
    "|thrown|told|understood|written"
)
NO_PARTICIPLE = re.compile("bed|exceed|feed|need|proceed|red|seed|shed|speed|succeed")
OF_TUPLES = frozenset({"_asdict", "_fields", "_make", "_replace"})
"""What every NamedTuple has, and is not private."""

Graph = Mapping[str, set[str]]
Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


# --- what is read -----------------------------------------------------------------------------


class Module:
    """One file of the package."""

    def __init__(self, path: Path, source: Path) -> None:
        self.path = path.relative_to(source)
        self.text = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)

    @property
    def name(self) -> str:
        """Its dotted name."""
        return ".".join(self.path.with_suffix("").parts).removesuffix(".__init__")

    @property
    def folder(self) -> str:
        """The folder that it stands in."""
        return str(self.path.parent)

    @property
    def is_face(self) -> bool:
        """Whether it is a folder's ``__init__``."""
        return self.path.stem == "__init__"

    @property
    def room(self) -> str:
        """The folder or module directly in the package that it belongs to."""
        return self.path.parts[1].removesuffix(".py")

    @property
    def is_generated(self) -> bool:
        """Whether the command wrote it."""
        return "contract types" in (ast.get_docstring(self.tree) or "")

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All of its syntax tree."""
        return list(ast.walk(self.tree))

    @property
    def functions(self) -> list[Function]:
        """Its functions and methods, those within others too."""
        return [node for node in self.nodes if isinstance(node, Function)]

    @property
    def public_classes(self) -> list[str]:
        """The names of its classes without a leading underscore."""
        classes = (node.name for node in self.nodes if isinstance(node, ast.ClassDef))
        return [name for name in classes if is_public(name)]


def is_public(name: str) -> bool:
    """Whether a name has no leading underscore."""
    return not name.startswith("_")


def modules_of(root: Path) -> list[Module]:
    """Return the modules of a checkout that people wrote."""
    source = root / "src"
    paths = sorted((source / PACKAGE).rglob("*.py"))
    return [one for one in (Module(path, source) for path in paths) if not one.is_generated]


# --- size -------------------------------------------------------------------------------------


def code_lines(module: Module) -> int:
    """Return how many lines hold code."""
    blank = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type not in blank and token.type != tokenize.ENDMARKER:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in docstrings(module):
        lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def docstrings(module: Module) -> list[ast.Constant]:
    """Return the docstrings of a module, those below an attribute included."""
    statements = (node.value for node in module.nodes if isinstance(node, ast.Expr))
    return [
        value
        for value in statements
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    ]


def function_lengths(modules: Iterable[Module]) -> list[int]:
    """Return the lengths of all functions in lines, the shortest first."""
    functions = (function for module in modules for function in module.functions)
    return sorted((one.end_lineno or one.lineno) - one.lineno + 1 for one in functions)


def percentile(values: list[int], share: float) -> int:
    """Return the value that ``share`` of the sorted values do not exceed."""
    return values[min(len(values) - 1, int(len(values) * share))]


# --- imports ----------------------------------------------------------------------------------


def imports_of(module: Module, known: set[str]) -> set[str]:
    """Return the names of the modules that one imports, for types or otherwise."""
    names: set[str] = set()
    for node in module.nodes:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                below = f"{node.module}.{alias.name}"
                names.add(below if below in known else node.module)
    return (names & known) - {module.name}


def import_graph(modules: list[Module]) -> dict[str, set[str]]:
    """Return which module imports which."""
    known = {module.name for module in modules}
    return {module.name: imports_of(module, known) for module in modules}


def grouped(graph: Graph, group_of: Mapping[str, str]) -> dict[str, set[str]]:
    """Return which group of modules imports which other."""
    groups: dict[str, set[str]] = {name: set() for name in group_of.values()}
    for name, imported in graph.items():
        groups[group_of[name]] |= {group_of[other] for other in imported} - {group_of[name]}
    return groups


def back_up(graph: Graph, folder_of: Mapping[str, str]) -> list[str]:
    """Return the imports from a folder into one that holds it and leads back to it."""
    reach = grouped(graph, folder_of)
    return [
        f"{name} → {other}"
        for name, imported in graph.items()
        for other in sorted(imported)
        if folder_of[name].startswith(f"{folder_of[other]}/")
        and folder_of[name] in reachable(reach, folder_of[other])
    ]


def circles(graph: Graph) -> list[list[str]]:
    """Return the strongly connected components of more than one member, the largest first."""
    reach = {name: reachable(graph, name) for name in graph}
    together = {
        name: frozenset({name} | {other for other in reach[name] if name in reach[other]})
        for name in graph
    }
    found = {members for members in together.values() if len(members) > 1}
    return sorted((sorted(members) for members in found), key=lambda one: (-len(one), one))


def reachable(graph: Graph, start: str) -> set[str]:
    """Return all that is imported from ``start``, directly or not."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph[waiting.pop()] - seen
        seen |= new
        waiting += new
    return seen


# --- names ------------------------------------------------------------------------------------


def repeated(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names that stand at two places or more, with these."""
    places: dict[str, list[str]] = defaultdict(list)
    for name, place in pairs:
        places[name].append(place)
    return {name: found for name, found in sorted(places.items()) if len(found) > 1}


def is_participle(name: str) -> bool:
    """Whether a function's name begins with a participle, by the rule above."""
    first = name.strip("_").partition("_")[0]
    regular = first.endswith("ed") and not NO_PARTICIPLE.fullmatch(first)
    return regular or IRREGULAR.fullmatch(first) is not None


def private_names(module: Module) -> tuple[set[str], dict[str, int]]:
    """Return the private names that a file defines, and the others that it uses, with the line."""
    defined: set[str] = set()
    used: dict[str, int] = {}
    for node in module.nodes:
        if isinstance(node, Function | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            defined.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            defined.add(node.attr)
        elif isinstance(node, ast.Attribute):
            used.setdefault(node.attr, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            used.update((alias.name, node.lineno) for alias in node.names)
    return defined, {name: line for name, line in used.items() if is_private(name, defined)}


def is_private(name: str, defined: set[str]) -> bool:
    """Whether a name is private, and not defined here."""
    return name.startswith("_") and not name.endswith("__") and name not in defined


def crossing_names(modules: Iterable[Module]) -> list[str]:
    """Return the private names that are used in another file than the one that defines them."""
    by_module = {module: private_names(module) for module in modules}
    anywhere = set[str]().union(*(defined for defined, _ in by_module.values()))
    return [
        f"{module.path}:{line} {name}"
        for module, (_, used) in by_module.items()
        for name, line in used.items()
        if name in anywhere - OF_TUPLES
    ]


def literal_lookups(modules: Iterable[Module], function: str) -> list[str]:
    """Return where ``getattr`` or its like is called with a literal name."""
    return [
        f"{module.path}:{node.lineno} {ast.unparse(node.args[1])}"
        for module in modules
        for node in module.nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == function
        and len(node.args) > 1
        and isinstance(node.args[1], ast.Constant)
    ]


# --- English ----------------------------------------------------------------------------------

TABLE = re.compile(r"\s*(\||={3,} +=)")
ITEM = re.compile(r"\s*([-*]|\d+\.) ")
NO_PROSE = re.compile(r"\s*([-=]{3,}$|#|<!--|\(\w+\)=)")
CODE = re.compile(r"(`+).+?\1")
LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")
END_OF_SENTENCE = re.compile(
    r"""(?<=[.!?])[)"”*]*\ +(?=[\["“(*`]*(?:[A-Z0-9`]|claimbridge)) | (?<=[。！？])""", re.VERBOSE
)


class Sentence(NamedTuple):
    """One sentence, and where its paragraph begins."""

    place: str
    words: int
    text: str


def public_parts(module: Module) -> Iterator[tuple[str, Documented]]:
    """Yield what is to have a docstring, with its name."""
    yield module.name, module.tree
    waiting: list[tuple[str, Documented]] = [(module.name, module.tree)]
    while waiting:
        outer, part = waiting.pop()
        for node in part.body:
            if isinstance(node, Function | ast.ClassDef) and is_public(node.name):
                yield f"{outer}.{node.name}", node
                if isinstance(node, ast.ClassDef):
                    waiting.append((f"{outer}.{node.name}", node))


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Yield the paragraphs of Markdown or of a docstring, each with its line, without code."""
    for number, block in blocks(text):
        if block[0].startswith("    ") or any(TABLE.match(line) for line in block):
            continue
        begun, indent = number, indent_of(block[0])
        lines: list[str] = []
        for at, line in enumerate(block, number):
            item = ITEM.match(line)
            if lines and (item or abs(indent_of(line) - indent) >= 4):
                yield begun, " ".join(lines)
                begun, lines = at, []
            lines.append(line[item.end() :] if item else line.strip())
            indent = indent_of(line)
        yield begun, " ".join(lines)


def blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the runs of lines that are not blank, outside fences, each with its first line."""
    fenced = False
    block: list[str] = []
    for number, line in enumerate([*text.splitlines(), ""]):
        fence = line.lstrip().startswith(("```", ":::"))
        if fence or fenced or not line.strip() or NO_PROSE.match(line):
            if block:
                yield number - len(block), block
            block = []
        else:
            block.append(line)
        fenced ^= fence


def indent_of(line: str) -> int:
    """Return how far a line is indented."""
    return len(line) - len(line.lstrip())


def sentences_of(place: str, first: int, text: str) -> Iterator[Sentence]:
    """Yield the sentences of a text that begins at a line of a file."""
    for line, paragraph in paragraphs(text):
        for sentence in END_OF_SENTENCE.split(paragraph):
            plain = LINK.sub(r"\1", CODE.sub("code", sentence))
            words = sum(any(map(str.isalnum, word)) for word in plain.split())
            if words > 1:
                yield Sentence(f"{place}:{first + line}", words, sentence)


def documents_of(root: Path) -> list[Path]:
    """Return the pages for readers."""
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def sentences_in_documents(root: Path) -> list[Sentence]:
    """Return all sentences of the pages."""
    return [
        sentence
        for path in documents_of(root)
        for sentence in sentences_of(str(path.relative_to(root)), 1, path.read_text("utf-8"))
    ]


def sentences_in_docstrings(modules: Iterable[Module]) -> list[Sentence]:
    """Return all sentences of the docstrings."""
    return [
        sentence
        for module in modules
        for text in docstrings(module)
        for sentence in sentences_of(str(module.path), text.lineno, cleandoc(str(text.value)))
    ]


def prose_of(module: Module) -> str:
    """Return the words of a module that are no code: docstrings, other texts, and comments."""
    tokens = tokenize.generate_tokens(io.StringIO(module.text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    values = (node.value for node in module.nodes if isinstance(node, ast.Constant))
    return "\n".join([*comments, *(value for value in values if isinstance(value, str))])


def word_counts(root: Path, modules: Iterable[Module]) -> dict[str, int]:
    """Return how often each of ``WORDS`` stands in the pages and in the package's prose."""
    texts = [path.read_text("utf-8") for path in documents_of(root)]
    prose = "\n".join([*texts, *map(prose_of, modules)])
    return {word: len(re.findall(rf"\b{word}\b", prose, re.IGNORECASE)) for word in WORDS}


# --- what is shown ----------------------------------------------------------------------------


class Figure(NamedTuple):
    """One line of the table; ``names`` is what was counted, where that has names."""

    title: str
    value: str
    names: tuple[str, ...] = ()


def counted(title: str, names: Iterable[str]) -> Figure:
    """Return the figure of how many names there are."""
    found = tuple(names)
    return Figure(title, str(len(found)), found)


def with_places(found: Mapping[str, list[str]]) -> list[str]:
    """Return names with their places as lines."""
    return [f"{name}: {', '.join(places)}" for name, places in found.items()]


def of_size(modules: list[Module]) -> Iterator[Figure]:
    """Yield how large the package, its folders and its functions are."""
    lines = sum(len(module.text.splitlines()) for module in modules)
    yield Figure("lines", f"{lines:,}")
    yield Figure("lines of code", f"{sum(map(code_lines, modules)):,}")
    yield Figure("files", str(len(modules)))
    folders = Counter(one.folder for one in modules if not one.is_face).most_common()
    names = tuple(f"{folder}: {count}" for folder, count in folders)
    yield Figure("files side by side at most", str(folders[0][1]), names)
    lengths = function_lengths(modules)
    yield Figure("functions", f"{len(lengths):,}")
    yield Figure("their lines, median", f"{statistics.median(lengths):.0f}")
    yield Figure("their lines, p90", str(percentile(lengths, 0.9)))
    yield Figure("their lines, p99", str(percentile(lengths, 0.99)))


def of_imports(modules: list[Module]) -> Iterator[Figure]:
    """Yield what goes round in circles."""
    graph = import_graph(modules)
    groups = {
        "modules": {module.name: module.name for module in modules},
        "folders": {one.name: one.room if one.folder == PACKAGE else one.folder for one in modules},
        "rooms": {module.name: module.room for module in modules},
    }
    for title, group_of in groups.items():
        found = circles(grouped(graph, group_of))
        yield counted(f"import circles of {title}", (", ".join(circle) for circle in found))
    yield counted("imports back up", back_up(graph, groups["folders"]))


def twice_used_classes(modules: Iterable[Module]) -> dict[str, list[str]]:
    """Return the public class names that stand in two modules or more, with these."""
    return repeated((name, str(one.path)) for one in modules for name in one.public_classes)


def of_names(modules: list[Module]) -> Iterator[Figure]:
    """Yield what is called alike, or not well."""
    classes = twice_used_classes(modules)
    yield counted("public class names used twice or more", with_places(classes))
    files = repeated((one.path.name, one.folder) for one in modules if not one.is_face)
    yield counted("file names used twice or more", with_places(files))
    functions = ((module, function) for module in modules for function in module.functions)
    participles = (f"{m.path}:{f.lineno} {f.name}" for m, f in functions if is_participle(f.name))
    yield counted("functions named by a participle", participles)
    yield counted("private names used in another file", crossing_names(modules))
    for function in ("getattr", "hasattr"):
        yield counted(f"{function} of a literal name", literal_lookups(modules, function))


def of_english(root: Path, modules: list[Module]) -> Iterator[Figure]:
    """Yield what is documented, and how."""
    parts = [part for module in modules for part in public_parts(module)]
    bare = [name for name, node in parts if not ast.get_docstring(node)]
    yield Figure("public docstrings", f"{1 - len(bare) / len(parts):.1%}", tuple(bare))
    texts = {
        "the pages": sentences_in_documents(root),
        "docstrings": sentences_in_docstrings(modules),
    }
    for title, sentences in texts.items():
        too_long = sum(sentence.words > LONGEST for sentence in sentences)
        share = too_long / len(sentences)
        yield Figure(f"sentences of {title}", f"{len(sentences):,}")
        yield Figure(f"  of more than {LONGEST} words", f"{too_long} ({share:.1%})")
    for word, count in word_counts(root, modules).items():
        yield Figure(f'"{word}"', str(count))


ALWAYS_LISTED = ("import circles", "public class names")


def show(figures: list[Figure], *, lists: bool) -> None:
    """Print the table, then the names behind some of the figures, or all."""
    for figure in figures:
        print(f"{figure.title:40}{figure.value:>14}")
    for figure in figures:
        if figure.names and (lists or figure.title.startswith(ALWAYS_LISTED)):
            print(f"\n{figure.title}: {figure.value}")
            print(*(f"  {name}" for name in figure.names), sep="\n")


def show_long_sentences(root: Path, modules: list[Module]) -> None:
    """Print the sentences that are too long, the longest first, with their places."""
    sentences = sentences_in_documents(root) + sentences_in_docstrings(modules)
    print(f"\nsentences of more than {LONGEST} words")
    for sentence in sorted(sentences, key=lambda one: -one.words):
        if sentence.words > LONGEST:
            print(f"  {sentence.place} ({sentence.words}) {sentence.text}")


def main() -> None:
    """Read a checkout and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], metavar="DIR")
    parser.add_argument("--lists", action="store_true", help="the names behind every figure")
    parser.add_argument("--sentences", action="store_true", help="those that are too long")
    given = parser.parse_args()
    modules = modules_of(given.root)
    figures = [
        *of_size(modules),
        *of_imports(modules),
        *of_names(modules),
        *of_english(given.root, modules),
    ]
    show(figures, lists=given.lists)
    if given.sentences:
        show_long_sentences(given.root, modules)


if __name__ == "__main__":
    main()
