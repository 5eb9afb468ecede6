"""What `progress=True` shows."""

import sys
import time


class Display:
    """One line on standard error that says how far the trainings are; it works in a terminal and in a notebook."""

    # Seconds between two lines: what is drawn more often is not seen.
    PAUSE = 0.1

    def __init__(self):
        self._last = -self.PAUSE
        self._width = 0

    def __call__(self, event):
        now = time.monotonic()
        done = event["done"]
        if now - self._last < self.PAUSE and done < 1:
            return
        self._last = now
        if "trial" in event:
            line = f"{event['what']}, tuning: training {event['trial']} of {event['trials']}, {done:.0%}"
        else:
            line = f"{event['what']}, seed {event['seed']}: {done:.0%}, step {event['step']}, risk {event['risk']:.5g}"
        end = "\n" if done >= 1 else ""
        sys.stderr.write(f"\r{line:<{self._width}}{end}")
        sys.stderr.flush()
        self._width = 0 if end else len(line)
