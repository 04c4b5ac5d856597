"""The entry point ``sandboxctl``: starts a sentry ahead if one will be needed, then lets click read the options.

The sentry's own imports take as long as ours; on another core they cost nothing. Errors of ours are one line and exit 125.
"""

import contextlib
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from sandboxctl.launcher import SentryProcess

_VALUE_OPTIONS = {"--platform", "--profile"}
EXIT_OURS = 125


def main() -> "NoReturn":
    """Run the command line and exit with its status."""
    args = sys.argv[1:] or ["--help"]
    ahead = _start_ahead(args)
    status = EXIT_OURS
    try:
        status = _run(args, ahead)
    finally:
        if ahead is not None:
            ahead.kill()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            status = status or 1
    os._exit(status)  # nothing is left to clean up, and tearing the interpreter down takes longer than some programs


def _run(args: list[str], ahead: "SentryProcess | None") -> int:
    import click

    from sandboxctl.cli.commands import Context, cli
    from sandboxctl.errors import SandboxError

    try:
        result = cli.main(args, prog_name="sandboxctl", standalone_mode=False, obj=Context(ahead))
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        hint = f" (see: {error.ctx.command_path} --help)" if isinstance(error, click.UsageError) and error.ctx is not None else ""
        return complain(f"{error.format_message()}{hint}", EXIT_OURS)
    except (click.exceptions.Abort, KeyboardInterrupt):
        return 130
    except SandboxError as error:
        return complain(str(error), error.exit_code)
    except BrokenPipeError:
        return 141
    return result if isinstance(result, int) else 0


def complain(message: str, status: int) -> int:
    """Write our one line to standard error and return ``status``."""
    with contextlib.suppress(OSError, AttributeError):  # if nobody listens, the exit status still tells
        sys.stderr.write(f"sandboxctl: {' '.join(message.split())}\n")
    return status


def _start_ahead(args: list[str]) -> "SentryProcess | None":
    """Start a sentry if the command is ``run`` or ``do``; None when only help is wanted, or if it cannot start."""
    words = iter(args)
    for word in words:
        if word in _VALUE_OPTIONS:
            next(words, None)
        elif not word.startswith("-"):
            break
        elif word == "--help":
            return None
    else:
        return None
    if word not in {"run", "do"} or next(words, "--help") == "--help":
        return None
    from sandboxctl.launcher import start_sentry

    try:
        return start_sentry()
    except OSError:
        return None


if __name__ == "__main__":
    main()
