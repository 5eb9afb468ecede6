"""Deep hedging: networks that learn to hedge options under transaction costs, measured beside classical hedges.

A strategy is a file or a dict with the same keys; a result is a `Run`, the folder that the command line leaves too. `docs/python.md` of the
project is the tutorial, `deephedge keys` on the command line lists the keys of a strategy.
"""

from deephedge._native import (
    Error,
    Figure,
    InputError,
    Policy,
    ResultWarning,
    Run,
    Session,
    Table,
    __version__,
    backtest,
    calibrate,
    compare,
    price,
    resume,
    simulate,
    train,
    train_on_paths,
)

__all__ = [
    "Error",
    "Figure",
    "InputError",
    "Policy",
    "ResultWarning",
    "Run",
    "Session",
    "Table",
    "__version__",
    "backtest",
    "calibrate",
    "compare",
    "price",
    "resume",
    "simulate",
    "train",
    "train_on_paths",
]
