"""What can go wrong on our side, with the exit status that goes with it. Every message is one line that names the remedy."""

EXIT_OURS = 125
EXIT_NOT_EXECUTABLE = 126
EXIT_NOT_FOUND = 127
EXIT_KILLED = 137
MESSAGE_MAX = 1000


class SandboxError(Exception):
    """The sandbox could not be made, or ended by itself. ``exit_code`` is what the command line exits with."""

    def __init__(self, message: str, exit_code: int = EXIT_OURS) -> None:
        super().__init__(one_line(message, MESSAGE_MAX))
        self.exit_code = exit_code


class OptionError(SandboxError):
    """A value that was given makes no sense; nothing has been started."""


class SandboxDied(SandboxError):
    """The sentry or a gofer ended while a command was running."""


def one_line(text: object, limit: int = 400) -> str:
    """Return ``text`` on one line of at most ``limit`` characters, without control characters."""
    line = "".join(c if c.isprintable() else " " for c in str(text)).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"
