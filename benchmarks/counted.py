"""`python -m fairlead`, and on SIGUSR1 writes what it holds in memory to the file $COUNTED.

One JSON object: `blocks`, the allocator's live blocks, and `types`, how many objects that the
garbage collector tracks are of each type (those that were there at the start are not counted).
"""

import gc
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

from fairlead.commands import cli


def write(_signal: int, _frame: object) -> None:
    gc.collect()
    types = Counter(
        f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects()
    )
    counted = Path(os.environ["COUNTED"])
    part = counted.with_suffix(".part")
    part.write_text(json.dumps({"blocks": sys.getallocatedblocks(), "types": types}))
    part.rename(counted)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, write)
    cli()
