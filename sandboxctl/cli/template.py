"""``--format``: the part of Go's text/template that people use with docker and podman.

Fields (``.ID``, ``.Config.Env``, ``.``), texts, numbers, pipelines, ``if``/``else``/``range``/``end``, and the functions json,
join, split, lower, upper, title, len, index, println, eq, ne, and, or, not. Missing keys are errors, as in Go.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from sandboxctl.errors import OptionError

_ACTION: Final = re.compile(r"\{\{(- )?(.*?)( -)?\}\}", re.DOTALL)
_TOKEN: Final = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*"|`[^`]*`)|(-?\d+)|(\.[A-Za-z0-9_.]*)|([A-Za-z]+)|([|()]))')
_ESCAPES: Final = {"\\t": "\t", "\\n": "\n", "\\\\": "\\"}
Value = Any


class Template:
    """A parsed ``--format`` text. Raises OptionError for one that is none."""

    def __init__(self, text: str) -> None:
        self.is_table = text == "table" or text.startswith(("table ", "table\\t", "table\t"))
        body = text[5:].lstrip() if self.is_table else text
        body = re.sub(r"\\[tn\\]", lambda found: _ESCAPES[found.group()], body)
        self._pieces = list(_pieces(body))
        self._nodes, rest = _parse(self._pieces, 0)
        if rest != len(self._pieces):
            raise OptionError("--format: an {{end}} or {{else}} without {{if}} or {{range}}")

    def render(self, row: Value) -> str:
        """The text for one row. Raises OptionError for a field that there is not."""
        return "".join(node(row) for node in self._nodes)

    def header(self) -> str:
        """The heading of a table: the fields' names in capitals."""
        return "".join(_heading(piece[1]) if piece[0] else piece[1] for piece in self._pieces)


def _heading(action: str) -> str:
    found = re.search(r"\.([A-Za-z0-9_.]+)", action)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", found.group(1).rpartition(".")[2]).upper() if found else ""


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """(whether it is an action, text) in order."""
    at = 0
    is_trimmed = False
    for found in _ACTION.finditer(text):
        plain = text[at : found.start()]
        if is_trimmed:
            plain = plain.lstrip()
        yield False, plain.rstrip() if found.group(1) else plain
        yield True, found.group(2).strip()
        is_trimmed, at = bool(found.group(3)), found.end()
    rest = text[at:]
    if "{{" in rest:
        raise OptionError("--format: {{ without }}")
    yield False, rest.lstrip() if is_trimmed else rest


Node = Callable[[Value], str]


def _parse(pieces: "Sequence[tuple[bool, str]]", at: int) -> "tuple[list[Node], int]":
    """The nodes up to the end, or to an ``end`` or ``else`` at the returned place."""
    nodes: list[Node] = []
    while at < len(pieces):
        is_action, text = pieces[at]
        word = text.split(None, 1)[0] if is_action and text else ""
        if word in {"end", "else"}:
            return nodes, at
        at += 1
        if not is_action:
            nodes.append(_constant(text))
        elif word in {"if", "range"}:
            node, at = _block(word, text[len(word) :], pieces, at)
            nodes.append(node)
        elif not text.startswith("/*"):
            nodes.append(_output(_expression(text)))
    return nodes, at


def _block(word: str, condition: str, pieces: "Sequence[tuple[bool, str]]", at: int) -> "tuple[Node, int]":
    value = _expression(condition)
    body, at = _parse(pieces, at)
    other: list[Node] = []
    if at < len(pieces) and pieces[at][1] == "else":
        other, at = _parse(pieces, at + 1)
    if at >= len(pieces):
        raise OptionError(f"--format: {{{{{word}}}}} without {{{{end}}}}")

    def run(row: Value) -> str:
        found = value(row)
        if not found:
            return "".join(node(row) for node in other)
        if word == "if":
            return "".join(node(row) for node in body)
        items = list(found.values()) if isinstance(found, Mapping) else found
        return "".join(node(item) for item in items for node in body)

    return run, at + 1


def _constant(text: str) -> Node:
    return lambda row: text


def _output(value: Callable[[Value], Value]) -> Node:
    return lambda row: shown(value(row))


def shown(value: Value) -> str:
    """A value as Go prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "<nil>"
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{key}:{shown(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list | tuple):
        return f"[{' '.join(shown(item) for item in value)}]"
    return str(value)


def _expression(text: str) -> Callable[[Value], Value]:
    tokens: list[tuple[str, str]] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise OptionError(f"--format: cannot understand {text[at:]!r}")
        kinds = ("text", "number", "field", "word", "sign")
        tokens.append(next((kind, part) for kind, part in zip(kinds, found.groups(), strict=True) if part is not None))
        at = found.end()
    value, rest = _pipeline(tokens, 0)
    if rest != len(tokens):
        raise OptionError(f"--format: cannot understand {text!r}")
    return value


def _pipeline(tokens: "list[tuple[str, str]]", at: int) -> "tuple[Callable[[Value], Value], int]":
    value, at = _command(tokens, at, None)
    while at < len(tokens) and tokens[at] == ("sign", "|"):
        value, at = _command(tokens, at + 1, value)
    return value, at


def _command(
    tokens: "list[tuple[str, str]]", at: int, piped: "Callable[[Value], Value] | None"
) -> "tuple[Callable[[Value], Value], int]":
    """A function with its arguments, or a single operand; what a pipeline brings is the last argument."""
    name = tokens[at][1] if at < len(tokens) and tokens[at][0] == "word" else ""
    if name and name not in _FUNCTIONS and name not in {"true", "false"}:
        raise OptionError(f"--format: no function {name!r}; there are: {', '.join(_FUNCTIONS)}")
    is_call = name in _FUNCTIONS
    at += is_call
    arguments = []
    while at < len(tokens) and tokens[at] not in {("sign", "|"), ("sign", ")")}:
        operand, at = _operand(tokens, at)
        arguments.append(operand)
    if piped is not None:
        arguments.append(piped)
    if is_call:
        function = _FUNCTIONS[name]

        def call(row: Value) -> Value:
            try:
                return function(*[argument(row) for argument in arguments])
            except (TypeError, IndexError, KeyError, ValueError) as error:
                raise OptionError(f"--format: {name}: {error}") from None

        return call, at
    if len(arguments) != 1:
        raise OptionError("--format: an empty {{}}, or a value where a function should be")
    return arguments[0], at


def _operand(tokens: "list[tuple[str, str]]", at: int) -> "tuple[Callable[[Value], Value], int]":
    kind, text = tokens[at]
    if (kind, text) == ("sign", "("):
        value, at = _pipeline(tokens, at + 1)
        if at >= len(tokens) or tokens[at] != ("sign", ")"):
            raise OptionError("--format: ( without )")
        return value, at + 1
    if kind == "field":
        return _field(text), at + 1
    if kind == "number":
        return _literal(int(text)), at + 1
    if kind == "text":
        return _literal(text[1:-1] if text[0] == "`" else json.loads(text)), at + 1
    if text in {"true", "false"}:
        return _literal(text == "true"), at + 1
    raise OptionError(f"--format: cannot understand {text!r}")


def _literal(value: Value) -> Callable[[Value], Value]:
    return lambda row: value


def _field(text: str) -> Callable[[Value], Value]:
    names = [name for name in text.split(".") if name]

    def get(row: Value) -> Value:
        for name in names:
            if not isinstance(row, Mapping) or name not in row:
                known = f"; there are: {', '.join(sorted(row))}" if isinstance(row, Mapping) else ""
                raise OptionError(f"--format: no field .{name}{known}")
            row = row[name]
        return row

    return get


_FUNCTIONS: Final[dict[str, Callable[..., Value]]] = {
    "json": lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
    "join": lambda items, between: between.join(map(shown, items)),
    "split": lambda text, between: text.split(between),
    "lower": lambda text: text.lower(),
    "upper": lambda text: text.upper(),
    "title": lambda text: text.title(),
    "len": len,
    "index": lambda value, *keys: _index(value, keys),
    "println": lambda *values: " ".join(map(shown, values)) + "\n",
    "eq": lambda value, *others: value in others,
    "ne": lambda one, other: one != other,
    "and": lambda *values: next((value for value in values if not value), values[-1]),
    "or": lambda *values: next((value for value in values if value), values[-1]),
    "not": lambda value: not value,
}


def _index(value: Value, keys: Sequence[Value]) -> Value:
    for key in keys:
        value = value.get(key, "") if isinstance(value, Mapping) else value[key]
    return value
