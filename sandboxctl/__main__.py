"""``python -m sandboxctl``: the command line."""

from sandboxctl.cli.main import main

main()
