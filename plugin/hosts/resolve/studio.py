"""Studio's road: Resolve's own Python module, loaded from where Resolve keeps it."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import HostError, HostGoneError
from .calls import ENUMS, METHODS, VALUE, Enum, result_of
from .folders import Machine

# Loading Resolve's library can take the whole interpreter down with it, so another one tries first.
_PROBE = """
import json, sys
facts = {"python": sys.version.split()[0], "module": False, "product": "", "version": ""}
try:
    import DaVinciResolveScript as script
    facts["module"] = True
    print(json.dumps(facts), flush=True)
    resolve = script.scriptapp("Resolve")
    if resolve is not None:
        facts["product"] = str(resolve.GetProductName())
        facts["version"] = str(resolve.GetVersionString())
except Exception as error:
    facts["error"] = f"{type(error).__name__}: {error}"
print(json.dumps(facts), flush=True)
"""
_PATIENCE = 30.0


@dataclass(frozen=True)
class Probe:
    """What loading Resolve's module in a process of its own came to.

    `crashed` says that the process died of it; `product` is empty where no running Resolve let us in.
    """

    python: str
    module: bool = False
    product: str = ""
    version: str = ""
    error: str = ""
    crashed: bool = False

    @property
    def works(self) -> bool:
        """Whether Resolve answered."""
        return bool(self.product)


def probe(machine: Machine, seconds: float = _PATIENCE) -> Probe:
    """Load the module and ask Resolve for its name, in a process that may crash or hang without harm."""
    python = sys.version.split()[0]
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE],
            env={**os.environ, **machine.script_environment()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Probe(python, error=f"no answer in {seconds:.0f} s")
    except OSError as error:
        return Probe(python, error=str(error))
    facts = _last_facts(done.stdout)
    return Probe(
        str(facts.get("python", python)),
        bool(facts.get("module")),
        str(facts.get("product", "")),
        str(facts.get("version", "")),
        str(facts.get("error", "")),
        crashed=done.returncode != 0,
    )


def _last_facts(text: str) -> dict[str, Any]:
    for line in reversed(text.splitlines()):
        try:
            facts = json.loads(line)
        except ValueError:
            continue
        if isinstance(facts, dict):
            return facts
    return {}


def connect(machine: Machine) -> Any:
    """Resolve's root object; raises HostError. To be called after a probe that worked."""
    os.environ.update(machine.script_environment())
    modules = str(machine.script_api / "Modules")
    if modules not in sys.path:
        sys.path.append(modules)
    try:
        root = importlib.import_module("DaVinciResolveScript").scriptapp("Resolve")
    except ImportError as error:
        raise HostError(f"Resolve's Python module cannot be loaded: {error}.") from error
    if root is None:
        raise HostError("Resolve does not let programs in: start it, and set External scripting to Local.")
    return Live(root, "Resolve", root)


class Live:
    """An object of Resolve's own Python module, its calls held to the same table as everywhere."""

    def __init__(self, thing: Any, kind: str, root: Any) -> None:
        self._thing, self._kind, self._root = thing, kind, root

    def __dir__(self) -> list[str]:
        return sorted(METHODS[self._kind])

    def __getattr__(self, name: str) -> Any:
        if self._kind == "Resolve" and name in ENUMS:
            return Enum(name)
        if name not in METHODS[self._kind]:
            raise AttributeError(f"{self._kind} has no {name}")
        return self._method(name)

    def _method(self, name: str) -> Callable[..., Any]:
        made = result_of(self._kind, name)

        def call(*args: Any) -> Any:
            # Resolve's objects say yes to every name; what they do not have, or no longer, is None.
            method = getattr(self._thing, name)
            if method is None:
                raise HostGoneError(f"Resolve does not answer to {name}: it was closed, or is too old.")
            try:
                return self._incoming(method(*(self._outgoing(a) for a in args)), made)
            except Exception as error:
                if isinstance(error, HostError):
                    raise
                raise HostGoneError(f"Resolve failed at {name}: {error}.") from error

        return call

    def _incoming(self, value: Any, made: str) -> Any:
        if made == VALUE or value is None:
            return value
        if made.endswith("*"):
            return [self._incoming(v, made[:-1]) for v in value] if isinstance(value, list | tuple) else None
        return Live(value, made, self._root) if value else None

    def _outgoing(self, value: Any) -> Any:
        if isinstance(value, Live):
            return value._thing
        if isinstance(value, Enum):
            return getattr(self._root, value.name)
        if isinstance(value, list | tuple):
            return [self._outgoing(v) for v in value]
        if isinstance(value, dict):
            return {k: self._outgoing(v) for k, v in value.items()}
        return value
