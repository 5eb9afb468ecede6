//! Work without the interpreter's lock, which Ctrl-C stops and of which a callable is told.

use crate::error::{Error, Result};
use crate::groups::Progress;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// How long Ctrl-C may wait to be seen. Asking takes the interpreter's lock, which other threads may hold.
const PATIENCE: Duration = Duration::from_millis(50);

/// Who is asked during work whether it goes on, and told how far it is.
pub struct Attendant {
    progress: Option<Py<PyAny>>,
    raised: RefCell<Option<PyErr>>,
    asked: Cell<Instant>,
}

/// Does `work` without the interpreter's lock. It asks the attendant whether to go on, and what Ctrl-C or `progress` raises comes out.
///
/// # Errors
/// The exception of the work, or what was raised meanwhile, with `note` added to it.
pub fn attended<T: Send>(
    py: Python<'_>,
    (progress, note): (Option<Py<PyAny>>, Option<String>),
    work: impl FnOnce(&Attendant) -> Result<T> + Send,
) -> PyResult<T> {
    let (result, raised) = py.detach(move || {
        let attendant = Attendant {
            progress,
            raised: RefCell::new(None),
            asked: Cell::new(Instant::now()),
        };
        let result = work(&attendant);
        (result, attendant.raised.into_inner())
    });
    let Some(raised) = raised else {
        return Ok(result?);
    };
    if let Some(note) = note {
        // Before 3.11 exceptions take no notes.
        let _ = raised.value(py).call_method1("add_note", (note,));
    }
    Err(raised)
}

/// The same for work that tells nothing and leaves nothing behind.
///
/// # Errors
/// Those of [`attended`].
pub fn undisturbed<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&Attendant) -> Result<T> + Send,
) -> PyResult<T> {
    attended(py, (None, None), work)
}

impl Attendant {
    /// Whether the work may go on.
    ///
    /// # Errors
    /// [`Error::Stopped`] if Ctrl-C was pressed.
    pub fn check(&self) -> Result<()> {
        if self.asked.get().elapsed() < PATIENCE {
            return Ok(());
        }
        self.asked.set(Instant::now());
        self.heed(Python::attach(|py| py.check_signals()))
    }

    /// Tells how far the work is, and asks whether it may go on.
    ///
    /// # Errors
    /// [`Error::Stopped`] if Ctrl-C was pressed, or whoever is told raises.
    pub fn tell(&self, at: &Progress<'_>) -> Result<()> {
        if let Some(progress) = &self.progress {
            self.heed(Python::attach(|py| match event(py, at)? {
                Some(event) => progress.call1(py, (event,)).map(|_| ()),
                None => Ok(()),
            }))?;
        }
        self.check()
    }

    fn heed(&self, answer: PyResult<()>) -> Result<()> {
        answer.map_err(|raised| {
            *self.raised.borrow_mut() = Some(raised);
            Error::Stopped("stopped".into())
        })
    }
}

/// What a callable is told; nothing of what has no steps.
fn event<'py>(py: Python<'py>, at: &Progress<'_>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let event = PyDict::new(py);
    match at {
        Progress::Busy => return Ok(None),
        Progress::Training {
            what,
            seed,
            done,
            point,
        } => {
            event.set_item("what", what)?;
            event.set_item("seed", seed)?;
            event.set_item("done", done)?;
            event.set_item("step", point.step + 1)?;
            event.set_item("risk", point.risk)?;
        }
        Progress::Tuning {
            strategy,
            trial,
            trials,
            done,
        } => {
            event.set_item("what", strategy)?;
            event.set_item("trial", trial)?;
            event.set_item("trials", trials)?;
            event.set_item("done", done)?;
        }
    }
    Ok(Some(event))
}

/// Who is told of progress: nobody, the package's own display, or a callable.
///
/// # Errors
/// [`super::failure::InputError`] if it is none of these.
pub fn progress(of: Option<Bound<'_, PyAny>>) -> PyResult<Option<Py<PyAny>>> {
    let Some(of) = of else {
        return Ok(None);
    };
    if let Ok(shown) = of.cast::<PyBool>() {
        if !shown.is_true() {
            return Ok(None);
        }
        let display = of.py().import("deephedge._progress")?;
        return Ok(Some(display.getattr("Display")?.call0()?.unbind()));
    }
    match of.is_callable() {
        true => Ok(Some(of.unbind())),
        false => Err(super::failure::input(format!(
            "`progress` must be true, false or a callable, was {}",
            of.get_type().name()?
        ))),
    }
}
