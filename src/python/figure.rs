//! Figures of a run.

use pyo3::prelude::*;

/// A figure of a run's report. A notebook shows it.
#[pyclass(frozen, get_all, module = "deephedge")]
pub struct Figure {
    /// Its name.
    pub name: String,
    /// How to read it.
    pub caption: String,
    /// The drawing, a text in SVG.
    pub svg: String,
}

#[pymethods]
impl Figure {
    fn _repr_svg_(&self) -> &str {
        &self.svg
    }

    fn __repr__(&self) -> String {
        format!("<deephedge.Figure {}>", self.name)
    }
}
