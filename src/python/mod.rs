//! The Python package: what `import deephedge` offers, over `experiment`, `strategy` and `runs`.
//!
//! Nothing is computed here. Arguments become what the command line makes of its own, work is done without the interpreter's lock, and
//! what comes out becomes dicts, NumPy arrays and Arrow tables. The package in `python/deephedge/` names what is here and has its
//! types.

mod arrays;
mod attended;
mod command;
mod experiments;
mod failure;
mod figure;
mod market;
mod policy;
mod run;
mod table;
mod values;

use pyo3::prelude::*;

/// The compiled part of the package.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("Error", py.get_type::<failure::Error>())?;
    module.add("InputError", py.get_type::<failure::InputError>())?;
    module.add("ResultWarning", py.get_type::<failure::ResultWarning>())?;
    module.add_class::<run::Run>()?;
    module.add_class::<table::Table>()?;
    module.add_class::<figure::Figure>()?;
    module.add_class::<policy::Policy>()?;
    module.add_class::<policy::Session>()?;
    module.add_function(wrap_pyfunction!(experiments::compare, module)?)?;
    module.add_function(wrap_pyfunction!(experiments::train, module)?)?;
    module.add_function(wrap_pyfunction!(experiments::train_on_paths, module)?)?;
    module.add_function(wrap_pyfunction!(experiments::backtest, module)?)?;
    module.add_function(wrap_pyfunction!(experiments::resume, module)?)?;
    module.add_function(wrap_pyfunction!(market::simulate, module)?)?;
    module.add_function(wrap_pyfunction!(market::price, module)?)?;
    module.add_function(wrap_pyfunction!(market::calibrate, module)?)?;
    module.add_function(wrap_pyfunction!(command::run_command, module)?)?;
    Ok(())
}
