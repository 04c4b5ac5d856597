"""One-line faults that could be put into a source file: each is a place in the syntax tree and the text that replaces it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_COMPARISONS = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}
_OPERATORS = {ast.Add: "-", ast.Sub: "+", ast.BitAnd: "|", ast.BitOr: "&", ast.LShift: ">>", ast.RShift: "<<"}
_ERRNOS = {
    "EINVAL": "EPERM",
    "ENOENT": "EACCES",
    "EBADF": "EINVAL",
    "EAGAIN": "EINTR",
    "EFAULT": "EINVAL",
    "EEXIST": "ENOENT",
    "ENOTDIR": "EISDIR",
    "EPERM": "EACCES",
    "EACCES": "EPERM",
    "ESRCH": "ECHILD",
    "ECHILD": "ESRCH",
    "EPIPE": "EBADF",
    "ESPIPE": "EINVAL",
    "ENOTEMPTY": "EEXIST",
    "EISDIR": "ENOTDIR",
    "ELOOP": "ENOENT",
    "EMFILE": "ENFILE",
}
#: What cannot be told apart by behaviour is no fault: texts for people (these functions and calls, the words of our own errors),
#: assertions, annotations, the type in a cast, and what only costs (these parameters).
_SKIPPED_FUNCTIONS = {"__repr__", "__str__", "describe", "dump", "report"}
_SKIPPED_CALLS = {"log", "logging", "warn", "debug", "info"}
_SKIPPED_VALUES = {"assert_never", "TypeVar", "SandboxError", "RuntimeError", "AssertionError", "NotImplementedError"}
_COSTS = {"maxsize", "buffering", "stack_size", "daemon", "indent"}


@dataclass(frozen=True)
class Fault:
    """One fault: replace ``old`` at a place of a line by ``new``."""

    path: str
    line: int
    column: int
    old: str
    new: str
    kind: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.kind}: {self.old!r} -> {self.new!r}"

    def apply(self, text: str) -> str:
        """Return the source with the fault in it."""
        lines = text.split("\n")
        line = lines[self.line - 1]
        assert line[self.column :].startswith(self.old), self
        lines[self.line - 1] = line[: self.column] + self.new + line[self.column + len(self.old) :]
        return "\n".join(lines)


class _Finder(ast.NodeVisitor):
    """Walks one module; only code that runs for a guest is a candidate."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.lines = text.split("\n")
        self.found: list[Fault] = []
        self.depth = 0

    def _add(self, node: ast.AST, old: str, new: str, kind: str, column: int | None = None) -> None:
        line = node.lineno  # type: ignore[attr-defined]
        at = node.col_offset if column is None else column  # type: ignore[attr-defined]
        if self.depth and node.lineno == getattr(node, "end_lineno", line) and self.lines[line - 1][at:].startswith(old):  # type: ignore[attr-defined]
            self.found.append(Fault(self.path, line, at, old, new, kind))

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Descend into bodies only: not into decorators, defaults, annotations or docstrings."""
        if node.name in _SKIPPED_FUNCTIONS:
            return
        self.depth += 1
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        for statement in body:
            self.visit(statement)
        self.depth -= 1

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_Assert(self, node: ast.Assert) -> None:
        """Assertions state our own invariants; a weaker one is no fault."""

    def visit_Call(self, node: ast.Call) -> None:
        """Skip the words of our own errors, and the parameters that only cost."""
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _SKIPPED_VALUES:
            return
        self.visit(node.func)
        for value in node.args[name == "cast" :]:
            self.visit(value)
        for keyword in node.keywords:
            if keyword.arg not in _COSTS:
                self.visit(keyword.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Skip the annotation."""
        if node.value is not None:
            self.visit(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Flip one comparison."""
        if len(node.ops) == 1 and node.left.end_lineno == node.comparators[0].lineno == node.lineno:
            start, end = node.left.end_col_offset or 0, node.comparators[0].col_offset
            text = self.lines[node.lineno - 1][start:end]
            new = _COMPARISONS[type(node.ops[0])]
            if text.strip() and "(" not in text and ")" not in text:
                self._add(node, text, f" {new} ", "comparison", start)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Swap an arithmetic or bit operator."""
        new = _OPERATORS.get(type(node.op))
        if new and node.left.end_lineno == node.right.lineno == node.lineno:
            start, end = node.left.end_col_offset or 0, node.right.col_offset
            text = self.lines[node.lineno - 1][start:end]
            if text.strip() and "(" not in text and ")" not in text:
                self._add(node, text, f" {new} ", "operator", start)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """Swap and, or."""
        first, second = node.values[0], node.values[1]
        if first.end_lineno == second.lineno == node.lineno:
            start, end = first.end_col_offset or 0, second.col_offset
            text = self.lines[node.lineno - 1][start:end]
            if text.strip() in ("and", "or"):
                self._add(node, text, " or " if text.strip() == "and" else " and ", "boolean", start)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        """Drop a not."""
        if isinstance(node.op, ast.Not):
            self._add(node, "not ", "", "not")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Change a number or a truth value."""
        if isinstance(node.value, bool):
            self._add(node, str(node.value), str(not node.value), "constant")
        elif isinstance(node.value, int):
            text = self.lines[node.lineno - 1][node.col_offset : node.end_col_offset]
            self._add(node, text, f"({text} + 1)", "constant")

    def visit_Name(self, node: ast.Name) -> None:
        """Swap an errno."""
        if node.id in _ERRNOS and isinstance(node.ctx, ast.Load):
            self._add(node, node.id, f"__import__('syscalls.abi.errno', fromlist=['x']).{_ERRNOS[node.id]}", "errno")

    def visit_Expr(self, node: ast.Expr) -> None:
        """Drop a statement that is called for its effect."""
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(call, ast.Call):
            root = call.func
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in _SKIPPED_CALLS:
                return
            if node.lineno == node.end_lineno:
                self._add(node, self.lines[node.lineno - 1][node.col_offset : node.end_col_offset], "pass", "dropped line")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Drop an update."""
        if node.lineno == node.end_lineno:
            self._add(node, self.lines[node.lineno - 1][node.col_offset : node.end_col_offset], "pass", "dropped line")
        self.generic_visit(node)


def faults_of(path: Path, root: Path) -> Iterator[Fault]:
    """Yield every fault that can be put into one file."""
    text = path.read_text()
    finder = _Finder(str(path.relative_to(root)), text)
    finder.visit(ast.parse(text))
    seen = set()
    for fault in finder.found:
        key = (fault.line, fault.column, fault.new)
        if key not in seen:
            seen.add(key)
            yield fault
