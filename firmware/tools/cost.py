"""Count what a DECISION costs the reader, in instructions of this machine, with valgrind's callgrind.

Usage: python3 cost.py build/cost. Prints one line; ends with 1 where a DECISION costs more than BAR.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

DECISIONS = 200  # as in cost.c
BAR = 20_000


def main() -> int:
    """Run the program under callgrind and divide."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", "--toggle-collect=measured"]
        command += [f"--callgrind-out-file={Path(folder) / 'out'}", sys.argv[1]]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if found is None:
        print(run.stderr, file=sys.stderr)
        return 1
    each = int(found[1]) / DECISIONS
    print(f"{each:,.0f} host instructions for a DECISION (at most {BAR:,})")
    return 0 if each <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
