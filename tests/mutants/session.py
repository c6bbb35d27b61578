"""The tests of one module, collected once; each mutant meets them in a process of its own.

A process that has torch and the tests loaded is forked for every mutant, and there the code of the
changed function is exchanged: that takes milliseconds, where another start would take seconds. It
runs the tests that reach the changed lines, the quickest first, up to the first that fails.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import sys
import time
import traceback
import types
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from mutations import Mutant

SLOWEST = 1.5  # seconds; what takes longer is an experiment, and is left out
BROKEN = 70  # the status of a child that did not come to a verdict
BUDGET = 8.0  # seconds of tests for a mutant; what outlives them counts as a survivor
TOOL = 4  # of sys.monitoring: free for anybody


class Session:
    """A plugin that takes pytest's loop over, and has `work` ask for verdicts in it."""

    def __init__(
        self, folder: Path, files: set[str], slow: set[str], work: Callable[[Session], None]
    ) -> None:
        self.folder, self.work, self.slow = folder, work, slow
        self.files = {str(folder / file): file for file in files}
        self.items: dict[str, pytest.Item] = {}
        self.reached: dict[str, dict[str, set[int]]] = {}  # test → file → lines
        self.seconds: dict[str, float] = {}
        self.functions: dict[str, list[types.FunctionType]] = defaultdict(list)
        self.deadly: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)  # of a function
        self.failed = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Failed("the tests cannot be collected")
        self.items = {i.nodeid: i for i in session.items if i.nodeid not in self.slow}
        import_module("torch._dynamo")  # torch does it late: here once, not in every child
        self._measure()
        for thing in gc.get_objects():
            if type(thing) is types.FunctionType and thing.__code__.co_filename in self.files:
                self.functions[self.files[thing.__code__.co_filename]].append(thing)
        gc.freeze()  # so that no child copies all that memory just to count it
        self.work(self)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = report.nodeid

    def _measure(self) -> None:
        """One run without a mutant: what each test reaches, and how long it takes."""
        out = self.folder / "reached.json"
        if _in_a_child(lambda: self._run_all(out), 600):
            raise RuntimeError("a test fails without any mutant: run pytest first")
        for test, (seconds, reached) in json.loads(out.read_text()).items():
            self.seconds[test] = seconds
            self.reached[test] = {file: set(lines) for file, lines in reached.items()}
            if seconds > SLOWEST:
                self.slow.add(test)

    def _run_all(self, out: Path) -> int:
        monitoring, found = sys.monitoring, defaultdict(set)
        monitoring.use_tool_id(TOOL, "mutants")

        def line(code: types.CodeType, number: int) -> Any:
            if code.co_filename in self.files:
                found[self.files[code.co_filename]].add(number)
            return monitoring.DISABLE

        monitoring.register_callback(TOOL, monitoring.events.LINE, line)
        monitoring.set_events(TOOL, monitoring.events.LINE)
        told = {}
        for name, item in self.items.items():
            found.clear()
            monitoring.restart_events()
            start = sum(os.times()[:4])  # its processes included
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
            seconds = sum(os.times()[:4]) - start
            told[name] = seconds, {file: sorted(lines) for file, lines in found.items()}
            if self.failed:
                print(f"fails without any mutant: {self.failed}", file=sys.__stderr__)
                return 1
        out.write_text(json.dumps(told))
        return 0

    def tests(self, mutant: Mutant) -> list[str]:
        """Those that reach the changed statement, or else its function.

        First come those that have killed other mutants of the function, then the quickest.
        """
        first, last = mutant.lines
        lines = set(range(first, last + 1))
        if mutant.in_signature or not self._reaching(mutant.file, lines):
            lines = _lines_of(mutant)
        deadly, seconds = self.deadly[mutant.file, mutant.function], self.seconds
        ordered = sorted(
            self._reaching(mutant.file, lines),
            key=lambda test: (-deadly[test] // 2, seconds[test]),
        )
        until = accumulate(seconds[test] for test in ordered)
        return [test for test, total in zip(ordered, until, strict=True) if total <= BUDGET]

    def _reaching(self, file: str, lines: set[int]) -> list[str]:
        return [
            test
            for test, reached in self.reached.items()
            if test not in self.slow and lines & reached.get(file, set())
        ]

    def verdict(self, mutant: Mutant) -> str:
        """The test that kills it, "timeout", or "" if it lives."""
        tests = self.tests(mutant)
        if not tests:
            return ""
        note = self.folder / "killer"
        note.unlink(missing_ok=True)

        def live() -> int:
            _exchange(mutant, self.functions[mutant.file])
            for name, following in zip(tests, [*tests[1:], None], strict=True):
                item, after = self.items[name], following and self.items[following]
                item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
                if self.failed:
                    note.write_text(self.failed)
                    return 1
            return 0

        limit = 5 + 5 * sum(self.seconds[test] for test in tests)
        code = _in_a_child(live, limit)
        if code == BROKEN:
            raise RuntimeError(f"{mutant.function}: no verdict on {mutant.becomes}")
        if not code:
            return ""
        if not note.exists():
            return "timeout" if code < 0 else f"exit {code}"
        killer = note.read_text()
        self.deadly[mutant.file, mutant.function][killer] += 1
        return killer


def _in_a_child(work: Callable[[], int], limit: float) -> int:
    """The status of a forked process; negative where a signal ended it, as after `limit` s."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        code = BROKEN
        try:
            os.setpgid(0, 0)
            signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
            resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 5))
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            code = work()
        except BaseException:
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(code)
    end = time.monotonic() + 6 * limit  # the machine may be busy
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -signal.SIGKILL


def _exchange(mutant: Mutant, standing: list[types.FunctionType]) -> None:
    """Give the functions that are already there the code of the mutant's."""
    within = f"{mutant.function}.<locals>."
    new = types.ModuleType(_module_name(mutant.file))
    compiled = compile(mutant.source, "<mutant>", "exec", dont_inherit=True)
    codes: dict[str, list[types.CodeType]] = defaultdict(list)
    for code in _codes(compiled):
        codes[code.co_qualname].append(code)
    changed = 0
    for function in standing:
        name = function.__code__.co_qualname
        if name != mutant.function and not name.startswith(within):
            continue
        fitting = [c for c in codes[name] if c.co_freevars == function.__code__.co_freevars]
        if len(fitting) == 1:
            function.__code__ = fitting[0]
            changed += name == mutant.function
    if not changed:
        raise RuntimeError(f"no function {mutant.function} to exchange")
    if mutant.in_signature:
        exec(compiled, vars(new))
        made = _found(vars(new), mutant.function)
        for function in standing:
            if function.__code__.co_qualname == mutant.function:
                function.__defaults__ = made.__defaults__
                function.__kwdefaults__ = made.__kwdefaults__


def _found(names: dict[str, Any], function: str) -> types.FunctionType:
    for one in gc.get_objects():
        if (
            type(one) is types.FunctionType
            and one.__globals__ is names
            and one.__code__.co_qualname == function
        ):
            return one
    raise RuntimeError(f"no function {function} in the mutant")


def _lines_of(mutant: Mutant) -> set[int]:
    """The lines of the changed function's body, which has as many as before."""
    compiled = compile(mutant.source, "<mutant>", "exec", dont_inherit=True)
    return {
        line
        for code in _codes(compiled)
        if code.co_qualname == mutant.function
        for inner in _codes(code)
        for *_, line in inner.co_lines()
        if line is not None and line != code.co_firstlineno
    }


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _module_name(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
