"""The compiled part of the package."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

__version__: str

Strategy = str | PathLike[str] | Mapping[str, Any]
"""A strategy file (TOML), or a dict with the keys of one."""

Array = npt.NDArray[np.float64]

class Progress(TypedDict, total=False):
    """What a `progress` callable is told after a step of a training, or of a search for settings (`trial`, `trials`)."""

    what: str
    seed: int
    done: float
    step: int
    risk: float
    trial: int
    trials: int

class Error(RuntimeError):
    """What was asked for could not be done although the input was valid."""

class InputError(ValueError):
    """The input is at fault: a strategy, a file, an argument. The message has the key, the value and the bound in one line."""

    key: str | None

class ResultWarning(UserWarning):
    """What a result must not be used without knowing."""

class Table:
    """A table of a run. Whatever reads Arrow takes it: `polars.DataFrame(table)`, `pyarrow.table(table)`, `pandas.DataFrame.from_arrow(table)`."""

    @property
    def name(self) -> str:
        """The name of the table."""
    @property
    def columns(self) -> list[str]:
        """The names of the columns, in their order."""
    def __len__(self) -> int: ...
    def __getitem__(self, name: str) -> list[Any]:
        """The values of one column as a list."""
    def to_dict(self) -> dict[str, list[Any]]:
        """The columns by name, each a list of Python values; None where a cell is empty."""
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table as a stream of Arrow record batches in a PyCapsule."""

class Figure:
    """A figure of a run's report. A notebook shows it."""

    @property
    def name(self) -> str:
        """Its name."""
    @property
    def caption(self) -> str:
        """How to read it."""
    @property
    def svg(self) -> str:
        """The drawing, a text in SVG."""
    def _repr_svg_(self) -> str: ...

class Run:
    """A run: the folder that a comparison, a training or a backtest leaves. `Run("latest")` is the newest complete one."""

    def __new__(cls, run: str | PathLike[str] | Run = "latest", *, runs: str | PathLike[str] = "runs") -> Run:
        """Opens a run below the folder `runs`: by its id, a unique beginning of it, or the path of its folder."""
    @property
    def id(self) -> str:
        """The id of the run: the name of its folder."""
    @property
    def path(self) -> Path:
        """The folder of the run."""
    @property
    def is_complete(self) -> bool:
        """Whether the run has its results."""
    @property
    def strategy(self) -> str | None:
        """The strategy as it was run, with every default: the text of a file (TOML)."""
    @property
    def metrics(self) -> dict[str, Any]:
        """All results in one dict: the contents of `metrics.json`."""
    @property
    def tables(self) -> list[str]:
        """The names of the tables that the run has."""
    def table(self, name: str) -> Table:
        """A table of the run: `results` has a row for every strategy and seed, `evaluation` one for each of these and every test path."""
    @property
    def figures(self) -> list[str]:
        """The names of the figures that the run's report has."""
    def figure(self, name: str) -> Figure:
        """A figure of the run's report."""
    def _repr_html_(self) -> str | None: ...

class Policy:
    """A trained policy of a run: what it holds depends on what is known on a date and on its own past."""

    @staticmethod
    def load(
        run: str | PathLike[str] | Run = "latest",
        optimizer: str | None = None,
        *,
        seed: int | None = None,
        window: int | None = None,
        sold: str | datetime.date | None = None,
        runs: str | PathLike[str] = "runs",
    ) -> Policy:
        """Loads the policy that `optimizer` trained with `seed`: `kfac` or else the strategy's first, and the first of its seeds, unless given.

        Of a walk-forward, which has other policies in every window, it is that of the `window` with this number, from 0, or of the one that
        sold on the day `sold`.
        """
    @property
    def run(self) -> Run:
        """The run that has the policy."""
    @property
    def optimizer(self) -> str:
        """The name of the optimizer that trained it."""
    @property
    def seed(self) -> int:
        """The seed that it was trained with."""
    @property
    def window(self) -> int | None:
        """The number of the window of a walk-forward that trained it; `None` of a run that has no windows."""
    @property
    def assets(self) -> list[str]:
        """The names of the assets that it sees."""
    @property
    def instruments(self) -> list[str]:
        """The names of the instruments that it holds."""
    @property
    def dates(self) -> int:
        """The number of hedging dates, the sale among them; the contract expires one period after the last."""
    @property
    def period(self) -> float:
        """The length of a period in years."""
    def hedge(
        self,
        spot: npt.ArrayLike | Mapping[str, npt.ArrayLike],
        variance: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None = None,
        *,
        surface: npt.ArrayLike | None = None,
    ) -> Array:
        """What the policy holds on whole paths.

        `spot` has the shape [paths, dates + 1] (the expiry, which is no hedging date, may be left out), in the strategy's currency and on
        its scale; `variance`, annualised, has the same shape or is one number, and may be left out where the model's never changes. Of
        several assets both are dicts by their names. `surface` has the shape [paths, dates + 1, 5], where the strategy's market has surfaces.
        Positions have the shape [paths, dates], or [paths, dates, instruments] where there are several. Where more than 1 % of dates
        lie outside of what the policy was trained on, a `ResultWarning` says so.
        """
    def session(self, paths: int = 1) -> Session:
        """So many contracts before their sale, which are hedged date by date."""
    def to_onnx(self) -> bytes:
        """The policy's step over a date as an ONNX model: the bytes of its file."""

class Session:
    """Contracts that live, hedged by a policy that is taken through time one date after the other; positions have the bits of `Policy.hedge`."""

    @property
    def paths(self) -> int:
        """The number of contracts."""
    @property
    def next(self) -> int:
        """The number of the next hedging date, 0 before the sale; `Policy.dates` once all are past."""
    def see(
        self,
        spot: npt.ArrayLike | Mapping[str, npt.ArrayLike],
        variance: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None = None,
        *,
        surface: npt.ArrayLike | None = None,
    ) -> Any:
        """Shows the market on the next date, and gives the positions held from then on.

        `spot` has the shape [paths]; of one contract it may be a number, and so is the position. Variances, several assets and surfaces
        are as in `Policy.hedge`. What is refused changes nothing.
        """
    @property
    def positions(self) -> Array:
        """What is held after the last date; nothing before the sale."""
    @property
    def trades(self) -> Array:
        """What was bought on the last date; sold, where it is below 0."""

def compare(
    strategy: Strategy,
    *,
    seeds: int = 1,
    optimizers: Sequence[str] | None = None,
    steps: int | None = None,
    seconds: float | None = None,
    lengths: Sequence[int] | None = None,
    frontier: Sequence[float] = ...,
    tune: int | None = None,
    runs: str | PathLike[str] = "runs",
    progress: bool | Callable[[Progress], object] | None = None,
) -> Run:
    """Trains the strategy's optimizers and compares them with classical hedges on the same test paths and, if it says so, on history."""

def train(
    strategy: Strategy,
    *,
    optimizer: str | None = None,
    steps: int | None = None,
    seconds: float | None = None,
    runs: str | PathLike[str] = "runs",
    progress: bool | Callable[[Progress], object] | None = None,
) -> Run:
    """Trains one policy and measures it on the test paths."""

def train_on_paths(
    spot: npt.ArrayLike,
    payoff: npt.ArrayLike | Callable[[Array], npt.ArrayLike] | None = None,
    *,
    variance: npt.ArrayLike | None = None,
    strategy: Mapping[str, Any] | None = None,
    days: float | None = None,
    days_per_year: float | None = None,
    validation_share: float = 0.1,
    test_share: float = 0.2,
    seeds: int = 1,
    optimizers: Sequence[str] | None = None,
    steps: int | None = None,
    seconds: float | None = None,
    lengths: Sequence[int] | None = None,
    frontier: Sequence[float] = ...,
    tune: int | None = None,
    runs: str | PathLike[str] = "runs",
    progress: bool | Callable[[Progress], object] | None = None,
) -> Run:
    """Compares as `compare` does, on paths and payoffs that are given as arrays.

    `spot` has the shape [paths, dates + 1], the sale and the expiry among them; all paths begin at one spot. `payoff` is what is paid at
    expiry on each path, an array [paths] or a callable that makes it of `spot`; without it the strategy's `contract` says what is paid.
    `variance`, annualised, has the shape of `spot` or is one number; without it the volatility that features see is that of the training paths. A period
    is `days` long, 1 unless given, of `days_per_year`, 252 unless given. `strategy` has all other sections of a strategy.

    The last paths, a share `test_share` of all, are tested on, once each; those before them, a share `validation_share`, are for validation; the
    first ones are trained on, drawn with replacement. The premium is the discounted mean of what is paid on those, unless `contract.premium` is
    an amount. The arrays are kept in a file below `runs/paths`, which the run needs.
    """

def backtest(
    what: Strategy | Run,
    *,
    data: str | PathLike[str] | Sequence[str | PathLike[str]] | None = None,
    surface: str | PathLike[str] | None = None,
    start: str | datetime.date | None = None,
    end: str | datetime.date | None = None,
    columns: Mapping[str, str] | None = None,
    date_format: str | None = None,
    decimal: str | None = None,
    repair: Sequence[str] | None = None,
    volatility_unit: str | None = None,
    days_per_year: float | None = None,
    runs: str | PathLike[str] = "runs",
) -> Run:
    """Hedges options sold on history: with a run's policies and the classical hedges, or with a strategy's classical hedges alone."""

def resume(
    run: str | PathLike[str] | Run,
    *,
    runs: str | PathLike[str] = "runs",
    progress: bool | Callable[[Progress], object] | None = None,
) -> Run:
    """Goes on with a run that was stopped: what is trained is not trained again, and the results have the same bits."""

def simulate(strategy: Strategy, *, paths: int = 10_000) -> dict[str, Array]:
    """Paths of the strategy's market as NumPy arrays by name.

    `time` in years has the shape [dates]; `spot` and `variance` of the first asset, `spot_NAME` and `variance_NAME` of every further one,
    and the quotes of the hedging instruments that are no asset, have the shape [paths, dates]. They are those of the strategy's seed.
    """

def price(what: Strategy | Run, *, runs: str | PathLike[str] = "runs") -> dict[str, Any]:
    """Prices a contract: by the model's formula or simulation, with its greeks, on simulated paths, and by indifference under each hedge."""

def calibrate(
    model: str = "heston",
    *,
    history: str | PathLike[str] | None = None,
    surface: str | PathLike[str] | None = None,
    date: str | datetime.date | None = None,
    whole_weeks: bool = False,
    vega_weighted: bool = False,
    columns: Mapping[str, str] | None = None,
    date_format: str | None = None,
    decimal: str | None = None,
    repair: Sequence[str] | None = None,
    volatility_unit: str | None = None,
    days_per_year: float | None = None,
) -> dict[str, Any]:
    """Parameters of a model.

    From daily closes (`history`), by maximum likelihood, or of `heston` and `local_volatility` from implied volatilities (`surface`), by
    least squares.
    """

def run_command(arguments: Sequence[str], program: tuple[str, Sequence[str]]) -> int:
    """Runs the command line with these arguments, without the name of the program, and returns its exit code.

    0 is done, 1 failed, 2 bad input, 3 stopped. `program` is a command that runs it again: the file and the arguments that come before
    its own.
    """
