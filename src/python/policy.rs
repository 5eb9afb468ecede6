//! Trained policies, on whole paths and date by date.

use super::arrays::{Column, Given};
use super::attended::undisturbed;
use super::failure::{input, warn};
use super::run::{Named, Run};
use super::values::{argument, day, whole};
use crate::error::Error;
use crate::experiment::{ExportedPolicy, LoadedPolicy};
use crate::hedging;
use crate::live::{WindowOf, policies_of};
use crate::runs::store;
use crate::simd::InstructionSet;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A trained policy of a run: what it holds depends on what is known on a date and on its own past.
#[pyclass(frozen, module = "deephedge")]
pub struct Policy {
    loaded: Arc<LoadedPolicy>,
}

#[pymethods]
impl Policy {
    /// Loads the policy of a run that `optimizer` trained with `seed`: `kfac` or else the strategy's first, and the first of its seeds, unless
    /// given. Of a walk-forward, which has other policies in every window, it is that of the `window` with this number, from 0, or of the one
    /// that sold on the day `sold`.
    #[staticmethod]
    #[pyo3(signature = (run = Named::Text("latest".into()), optimizer = None, *, seed = None, window = None, sold = None, runs = PathBuf::from(store::DEFAULT_ROOT)))]
    fn load(
        py: Python<'_>,
        run: Named<'_>,
        optimizer: Option<&str>,
        seed: Option<i64>,
        window: Option<i64>,
        sold: Option<Bound<'_, PyAny>>,
        runs: PathBuf,
    ) -> PyResult<Self> {
        let seed = seed.map(|seed| whole("seed", seed, 0)).transpose()?;
        let number = window
            .map(|number| whole("window", number, 0))
            .transpose()?;
        let window = match (number, day("sold", sold)?) {
            (Some(_), Some(_)) => {
                return Err(input("give `window` or `sold`, one of the two"));
            }
            (Some(number), None) => Some(WindowOf::Number(number)),
            (None, sold) => sold.map(WindowOf::Sale),
        };
        let folder = run.folder(&runs)?;
        let (loaded, warning) = undisturbed(py, |_| -> Result<_, Error> {
            InstructionSet::from_environment()?;
            let (policies, warning) = policies_of(&folder, window, argument)?;
            let loaded = LoadedPolicy::new(policies, (optimizer, seed), argument)?;
            loaded.takes_given_paths()?;
            Ok((loaded, warning))
        })?;
        warn(py, warning)?;
        Ok(Self {
            loaded: Arc::new(loaded),
        })
    }

    /// The run that has the policy.
    #[getter]
    fn run(&self) -> Run {
        Run::of(self.loaded.run().clone())
    }

    /// The name of the optimizer that trained it.
    #[getter]
    fn optimizer(&self) -> &str {
        self.loaded.trained().0
    }

    /// The seed that it was trained with.
    #[getter]
    fn seed(&self) -> u64 {
        self.loaded.trained().1
    }

    /// The number of the window of a walk-forward that trained it; `None` of a run that has no windows.
    #[getter]
    fn window(&self) -> Option<usize> {
        self.loaded.window()
    }

    /// The names of the assets that it sees.
    #[getter]
    fn assets(&self) -> Vec<String> {
        let assets = self.loaded.plan().assets();
        assets.list().iter().map(|one| one.name.clone()).collect()
    }

    /// The names of the instruments that it holds.
    #[getter]
    fn instruments(&self) -> Vec<String> {
        let assets = self.loaded.plan().assets();
        let traded = self.loaded.plan().instruments().into_iter();
        traded.map(|one| assets.column(one)).collect()
    }

    /// The number of hedging dates, the sale among them; the contract expires one period after the last.
    #[getter]
    fn dates(&self) -> usize {
        self.loaded.plan().contract.steps
    }

    /// The length of a period in years.
    #[getter]
    fn period(&self) -> f64 {
        self.loaded.plan().contract.dt()
    }

    fn __repr__(&self) -> String {
        let (optimizer, seed) = self.loaded.trained();
        let run = self.loaded.run().id();
        let window = self.loaded.window();
        let window = window.map_or(String::new(), |number| format!("window {number} of "));
        format!("<deephedge.Policy {optimizer}, seed {seed} of {window}{run}>")
    }

    /// What the policy holds on whole paths.
    ///
    /// `spot` has the shape [paths, dates + 1] (the expiry, which is no hedging date, may be left out), in the strategy's currency and on its
    /// scale; `variance`, annualised, has the same shape or is one number, and may be left out where the model's never changes. Of several
    /// assets both are dicts by their names. `surface` has the shape [paths, dates + 1, 5], where the strategy's market has surfaces. Positions have
    /// the shape [paths, dates], or [paths, dates, instruments] where there are several. Where more than 1 % of dates lie outside of
    /// what the policy was trained on, a `ResultWarning` says so.
    #[pyo3(signature = (spot, variance = None, *, surface = None))]
    fn hedge<'py>(
        &self,
        py: Python<'py>,
        spot: &Bound<'py, PyAny>,
        variance: Option<&Bound<'py, PyAny>>,
        surface: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let plan = self.loaded.plan();
        let given = Given::new(plan, spot, variance, surface)?;
        let [paths, dates] = *given.shape() else {
            return Err(input(format!(
                "`spot` must have the two dimensions of paths and dates, has the shape {:?}",
                given.shape()
            )));
        };
        let shown = given.paths(paths, dates)?;
        let shape = shape(&[paths, self.dates()], plan.instruments.len());
        let mut positions = Column::zeros(py, &shape)?;
        let out = positions.slice()?;
        let outside = undisturbed(py, |attendant| {
            let mut stop = || attendant.check();
            self.loaded.positions(&shown, out, &mut stop)
        })?;
        warn(
            py,
            outside
                .iter()
                .map(|one| format!("the policy was not trained for this: {one}")),
        )?;
        Ok(positions.into_array().into_any())
    }

    /// So many contracts before their sale, which are hedged date by date.
    #[pyo3(signature = (paths = 1))]
    fn session(&self, py: Python<'_>, paths: i64) -> PyResult<Session> {
        let paths = whole("paths", paths, 1)?;
        let session = undisturbed(py, |_| self.loaded.session(paths))?;
        Ok(Session {
            loaded: Arc::clone(&self.loaded),
            session: Mutex::new(session),
        })
    }

    /// The policy's step over a date as an ONNX model: the bytes of its file.
    fn to_onnx<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let model = undisturbed(py, |_| Ok(ExportedPolicy::new(&self.loaded)?.to_onnx()))?;
        Ok(PyBytes::new(py, &model))
    }
}

/// The shape of positions: of several instruments the last dimension.
fn shape(of: &[usize], instruments: usize) -> Vec<usize> {
    let mut shape = of.to_vec();
    if instruments > 1 {
        shape.push(instruments);
    }
    shape
}

/// Contracts that live, hedged by a policy that is taken through time one date after the other. It remembers everything that positions
/// depend on; they have the bits of `Policy.hedge`.
#[pyclass(frozen, module = "deephedge")]
pub struct Session {
    loaded: Arc<LoadedPolicy>,
    session: Mutex<hedging::Session>,
}

impl Session {
    fn lock(&self) -> MutexGuard<'_, hedging::Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An array of what `of` says of every contract, `[paths]` or with the instruments.
    fn array<'py>(
        &self,
        py: Python<'py>,
        of: fn(&hedging::Session, usize) -> Vec<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let values: Vec<f64> = {
            let session = self.lock();
            let all = (0..session.contracts()).flat_map(|contract| of(&session, contract));
            all.collect()
        };
        let instruments = self.loaded.plan().instruments.len();
        let shape = shape(&[values.len() / instruments], instruments);
        let mut array = Column::zeros(py, &shape)?;
        array.slice()?.copy_from_slice(&values);
        Ok(array.into_array().into_any())
    }
}

#[pymethods]
impl Session {
    /// The number of contracts.
    #[getter]
    fn paths(&self) -> usize {
        self.lock().contracts()
    }

    /// The number of the next hedging date, 0 before the sale; `Policy.dates` once all are past.
    #[getter]
    fn next(&self) -> usize {
        self.lock().next()
    }

    /// Shows the market on the next date, and gives the positions held from then on, of shape [paths], or [paths, instruments] where
    /// there are several. `spot` has the shape [paths]; of one contract it may be a number, and so is the position. Variances, several
    /// assets and surfaces are as in `Policy.hedge`. What is refused changes nothing.
    #[pyo3(signature = (spot, variance = None, *, surface = None))]
    fn see<'py>(
        &self,
        py: Python<'py>,
        spot: &Bound<'py, PyAny>,
        variance: Option<&Bound<'py, PyAny>>,
        surface: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let plan = self.loaded.plan();
        let given = Given::new(plan, spot, variance, surface)?;
        let paths = self.paths();
        let alone = given.shape().is_empty();
        match *given.shape() {
            [] if paths == 1 => {}
            [count] if count == paths => {}
            ref other => {
                return Err(input(format!(
                    "`spot` must have the shape [{paths}], a number for every contract, has {other:?}"
                )));
            }
        }
        let shown = given.paths(paths, 1)?;
        undisturbed(py, |_| {
            shown.check(plan)?;
            let seen = shown.seen(plan, 0);
            self.lock().see(&seen)
        })?;
        let positions = self.positions(py)?;
        if alone {
            return positions.get_item(0);
        }
        Ok(positions)
    }

    /// What is held after the last date; nothing before the sale.
    #[getter]
    fn positions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.array(py, |session, contract| session.positions(0, contract))
    }

    /// What was bought on the last date; sold, where it is below 0.
    #[getter]
    fn trades<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.array(py, |session, contract| session.trades(0, contract))
    }

    fn __repr__(&self) -> String {
        let session = self.lock();
        format!(
            "<deephedge.Session of {} contracts, date {} of {}>",
            session.contracts(),
            session.next(),
            self.loaded.plan().contract.steps
        )
    }
}
