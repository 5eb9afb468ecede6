//! Errors as exceptions, and warnings.

use crate::error;
use pyo3::exceptions::{PyRuntimeError, PyUserWarning, PyValueError};
use pyo3::prelude::*;
use std::ffi::CString;

pyo3::create_exception!(
    deephedge,
    Error,
    PyRuntimeError,
    "What was asked for could not be done although the input was valid."
);

pyo3::create_exception!(
    deephedge,
    InputError,
    PyValueError,
    "The input is at fault: a strategy, a file, an argument. The message has the key, the value and the bound in one line; `key` is the key, or None."
);

pyo3::create_exception!(
    deephedge,
    ResultWarning,
    PyUserWarning,
    "What a result must not be used without knowing."
);

/// The exit code of bad input, by which the errors of the two exceptions are told apart.
const BAD_INPUT: u8 = 2;

impl From<error::Error> for PyErr {
    fn from(error: error::Error) -> Self {
        let message = error.to_string();
        if error.exit_code() != BAD_INPUT {
            return Error::new_err(message);
        }
        let raised = InputError::new_err(message);
        Python::attach(|py| {
            // An exception takes attributes; without one the message still says all.
            let _ = raised.value(py).setattr("key", error.at_key());
        });
        raised
    }
}

/// Bad input, in words.
pub fn input(message: impl Into<String>) -> PyErr {
    error::Error::input(message).into()
}

/// Warns of what a result must not be used without knowing.
///
/// # Errors
/// The warning itself, where the program makes errors of warnings.
pub fn warn<T: ToString>(py: Python<'_>, warnings: impl IntoIterator<Item = T>) -> PyResult<()> {
    let category = py.get_type::<ResultWarning>();
    for warning in warnings {
        // Messages have no character that hides another one, NUL among them.
        let message = CString::new(error::escaped(&warning.to_string()))?;
        PyErr::warn(py, &category, &message, 1)?;
    }
    Ok(())
}
