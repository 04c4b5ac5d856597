"""sandboxctl: runs untrusted Linux programs under a user-space kernel.

    from sandboxctl import Sandbox

    with Sandbox() as sandbox:
        result = sandbox.run(["echo", "hello"])

The names below are loaded at first use, because the command line must start fast.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandboxctl.api import Process, Result, Sandbox
    from sandboxctl.errors import OptionError, SandboxDied, SandboxError

__all__ = ["OptionError", "Process", "Result", "Sandbox", "SandboxDied", "SandboxError"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name in {"Process", "Result", "Sandbox"}:
        from sandboxctl import api

        return getattr(api, name)
    if name in {"OptionError", "SandboxDied", "SandboxError"}:
        from sandboxctl import errors

        return getattr(errors, name)
    raise AttributeError(f"module 'sandboxctl' has no attribute {name!r}")
