"""Which tests start threads or processes, by themselves or through what they call: read from the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.sources import modules, shown

STARTERS = {
    "threading.Thread": "threads",
    "threading.Timer": "threads",
    "concurrent.futures.ThreadPoolExecutor": "threads",
    "erpsync.runtime.daemon.Daemon": "threads",
    "erpsync.runtime.jobs.Jobs": "threads",
    "erpsync.runtime.wakes.PostgresWatcher": "threads",
    "concurrent.futures.ProcessPoolExecutor": "processes",
    "multiprocessing.Process": "processes",
    "subprocess.Popen": "processes",
    "subprocess.run": "processes",
    "subprocess.check_call": "processes",
    "subprocess.check_output": "processes",
}
# Tools of the tests: nothing of the product runs in them.
TOOLS = {"tests.support.postgres.serve", "tests.support.sources.committed_files"}
BEGINNINGS = {"__init__", "__post_init__", "__enter__"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module:
    """A file of the tests: what it defines, and what its names stand for."""

    def __init__(self, path: Path, tree: ast.Module) -> None:
        self.path = path
        self.tree = tree
        self.name = shown(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        functions = [node for node in tree.body if isinstance(node, Function)]
        self.fixtures = {node.name: node for node in functions if _is_fixture(node)}
        self.functions = {node.name: node for node in functions if not _is_fixture(node)}
        self.classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self.imports: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self.imports |= {alias.asname or alias.name: alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                self.imports |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}

    def meant(self, node: ast.AST) -> str:
        """Return the full name behind `thing` or `module.thing`, empty for what is neither imported nor defined."""
        if isinstance(node, ast.Name):
            own = f"{self.name}.{node.id}" if node.id in self.functions or node.id in self.classes else ""
            return self.imports.get(node.id, own)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return f"{self.imports.get(node.value.id, '')}.{node.attr}"
        return ""


class Starters:
    """Answers of what starts what. A fixture of a whole module or run is not a test's own doing."""

    def __init__(self) -> None:
        self._modules = {module.name: module for module in map(Module, *zip(*modules("tests"), strict=True))}
        self._known: dict[tuple[str, int], set[str]] = {}

    def tests(self) -> Iterator[tuple[Module, ast.FunctionDef, set[str]]]:
        """Yield every test function with what it starts: "threads", "processes", both or nothing."""
        for module in self._modules.values():
            if module.path.name.startswith("test_"):
                for name, node in module.functions.items():
                    if name.startswith("test"):
                        yield module, node, self._started_in(module, node)

    def _started_in(self, module: Module, node: Function) -> set[str]:
        key = (module.name, node.lineno)
        if key not in self._known:
            self._known[key] = set()  # ends recursion
            self._known[key] = set().union(*(self._by_name(module, part) for part in ast.walk(node)))
        return self._known[key]

    def _by_name(self, module: Module, node: ast.AST) -> set[str]:
        if isinstance(node, ast.arg):
            return self._by_fixture(module, node.arg)
        found = self._by_full_name(module.meant(node))
        return found | self._by_method(module, node.attr) if isinstance(node, ast.Attribute) else found

    def _by_full_name(self, name: str) -> set[str]:
        if name in STARTERS:
            return {STARTERS[name]}
        home, _, last = name.rpartition(".")
        module = self._modules.get(home)
        if module is None or name in TOOLS:
            return set()
        if last in module.classes:
            return set().union(*(self._started_in(module, node) for node in _methods(module.classes[last], BEGINNINGS)))
        return self._started_in(module, module.functions[last]) if last in module.functions else set()

    def _by_method(self, module: Module, name: str) -> set[str]:
        """Look at the methods of that name in the classes that this module can have objects of."""
        homes = {module.name, *(full.rpartition(".")[0] for full in module.imports.values())}
        near = [self._modules[home] for home in homes if home in self._modules]
        return set().union(
            *(self._started_in(m, node) for m in near for c in m.classes.values() for node in _methods(c, {name}))
        )

    def _by_fixture(self, module: Module, name: str) -> set[str]:
        node = module.fixtures.get(name)
        return set() if node is None or _is_shared(node) else self._started_in(module, node)


def _methods(node: ast.ClassDef, names: set[str]) -> Iterator[Function]:
    return (part for part in node.body if isinstance(part, Function) and part.name in names)


def _is_fixture(node: Function) -> bool:
    return any("fixture" in ast.unparse(decorator) for decorator in node.decorator_list)


def _is_shared(node: Function) -> bool:
    return any("scope=" in ast.unparse(decorator) for decorator in node.decorator_list)
