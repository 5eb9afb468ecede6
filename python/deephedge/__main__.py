"""The command line: the script `deephedge`, and `python -m deephedge`."""

import signal
import sys

from deephedge._native import run_command


def main() -> int:
    """Does what the arguments of the process say, and returns the exit code."""
    # The program heeds Ctrl-C itself, and ends at a checkpoint; Python's handler would raise once it has.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return run_command(sys.argv[1:], (sys.executable, ["-m", "deephedge"]))


if __name__ == "__main__":
    sys.exit(main())
