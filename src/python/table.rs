//! Tables as Arrow.

use super::failure::input;
use crate::error::Error;
use crate::runs::tables::EPOCH;
use polars::prelude::{AnyValue, Column, CompatLevel, DataFrame, PolarsResult};
use polars_arrow::array::{Array, StructArray};
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow::ffi::export_iterator;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList};

/// A table of a run. Whatever reads Arrow takes it by the PyCapsule interface, numbers without a copy: `polars.DataFrame(table)`,
/// `pyarrow.table(table)`, `pandas.DataFrame.from_arrow(table)`.
#[pyclass(frozen, module = "deephedge")]
pub struct Table {
    name: String,
    frame: DataFrame,
}

impl Table {
    /// A table by its name.
    pub fn new(name: &str, frame: DataFrame) -> Self {
        Self {
            name: name.to_owned(),
            frame,
        }
    }
}

/// The name of a capsule that holds a stream of Arrow arrays.
const STREAM: &std::ffi::CStr = c"arrow_array_stream";

#[pymethods]
impl Table {
    /// The name of the table.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// The names of the columns, in their order.
    #[getter]
    fn columns(&self) -> Vec<String> {
        let columns = self.frame.columns().iter();
        columns.map(|column| column.name().to_string()).collect()
    }

    fn __len__(&self) -> usize {
        self.frame.height()
    }

    fn __repr__(&self) -> String {
        format!(
            "<deephedge.Table {}: {} rows of {}>",
            self.name,
            self.frame.height(),
            self.columns().join(", ")
        )
    }

    /// The table as a stream of Arrow record batches in a PyCapsule. `requested_schema` is not heeded, as the interface allows.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // What is older than views of texts is read by every version of everybody.
        const COMPATIBLE: CompatLevel = CompatLevel::oldest();
        drop(requested_schema);
        let mut frame = self.frame.clone();
        frame.rechunk_mut();
        let fields: Vec<Field> = frame
            .columns()
            .iter()
            .map(|column| column.field().to_arrow(COMPATIBLE))
            .collect();
        let structure = ArrowDataType::Struct(fields);
        let field = Field::new("".into(), structure.clone(), false);
        let batches: Vec<PolarsResult<Box<dyn Array>>> = frame
            .iter_chunks(COMPATIBLE, false)
            .map(|batch| {
                let rows = batch.len();
                let columns = batch.into_arrays();
                StructArray::try_new(structure.clone(), rows, columns, None)
                    .map(|array| Box::new(array) as Box<dyn Array>)
            })
            .collect();
        let stream = export_iterator(Box::new(batches.into_iter()), field);
        PyCapsule::new_with_value(py, stream, STREAM)
    }

    /// The columns by name, each a list of Python values; None where a cell is empty.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let columns = PyDict::new(py);
        for column in self.frame.columns() {
            columns.set_item(column.name().as_str(), list(py, column)?)?;
        }
        Ok(columns)
    }

    /// The values of one column as a list.
    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyList>> {
        match self.frame.column(name) {
            Ok(column) => list(py, column),
            Err(_) => Err(input(format!(
                "column: must be one of {}, was \"{}\"",
                self.columns().join(", "),
                crate::error::excerpt(name)
            ))),
        }
    }
}

/// A column as Python values.
fn list<'py>(py: Python<'py>, column: &Column) -> PyResult<Bound<'py, PyList>> {
    let values = PyList::empty(py);
    for value in column.as_materialized_series().rechunk().iter() {
        match value {
            AnyValue::Null => values.append(py.None())?,
            AnyValue::Boolean(value) => values.append(value)?,
            AnyValue::String(value) => values.append(value)?,
            AnyValue::Float64(value) => values.append(value)?,
            AnyValue::UInt32(value) => values.append(value)?,
            AnyValue::UInt64(value) => values.append(value)?,
            AnyValue::Int32(value) => values.append(value)?,
            AnyValue::Int64(value) => values.append(value)?,
            AnyValue::Date(days) => {
                let day = chrono::NaiveDate::from_num_days_from_ce_opt(days + EPOCH);
                let day = day.ok_or_else(|| Error::Table(format!("day {days} is no date")))?;
                let date = py.import("datetime")?.getattr("date")?;
                values.append(date.call_method1("fromisoformat", (day.to_string(),))?)?;
            }
            other => {
                let column = column.name();
                let kind = other.dtype();
                return Err(Error::Table(format!("column `{column}`: {kind} has no form")).into());
            }
        }
    }
    Ok(values)
}
