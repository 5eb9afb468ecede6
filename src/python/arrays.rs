//! NumPy arrays in and out.

use super::failure::input;
use crate::experiment::{GivenAsset, GivenPaths};
use crate::market::path_table::PathColumns;
use crate::strategy::Plan;
use numpy::{
    IxDyn, PyArray, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyReadwriteArrayDyn,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// An array that is written.
pub struct Column<'py> {
    array: Bound<'py, PyArrayDyn<f64>>,
    written: PyReadwriteArrayDyn<'py, f64>,
}

impl<'py> Column<'py> {
    /// An array of this shape, all zero.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn zeros(py: Python<'py>, shape: &[usize]) -> PyResult<Self> {
        // NumPy's own call, since it raises where there is no memory.
        let array = py
            .import("numpy")?
            .call_method1("zeros", (shape.to_vec(),))?;
        let array = array.cast_into::<PyArrayDyn<f64>>()?;
        let written = array.readwrite();
        Ok(Self { array, written })
    }

    /// Its numbers, the last index innermost.
    ///
    /// # Errors
    /// None: a new array is contiguous.
    pub fn slice(&mut self) -> PyResult<&mut [f64]> {
        Ok(self.written.as_slice_mut()?)
    }

    /// The array, once it is written.
    pub fn into_array(self) -> Bound<'py, PyArrayDyn<f64>> {
        self.array
    }
}

/// What is shown of one asset.
struct Shown<'py> {
    spot: PyReadonlyArrayDyn<'py, f64>,
    variance: Option<PyReadonlyArrayDyn<'py, f64>>,
}

/// Spots, variances and surfaces as they are given, of one shape.
pub struct Given<'py> {
    assets: Vec<Shown<'py>>,
    surface: Option<PyReadonlyArrayDyn<'py, f64>>,
    shape: Vec<usize>,
}

impl<'py> Given<'py> {
    /// Reads what is given for the assets of `plan`: arrays for one asset, dicts of arrays by the names of several. A variance that is one
    /// number is that of all.
    ///
    /// # Errors
    /// [`super::failure::InputError`] by name for what is no array of numbers, is missing, or has another shape than the spots.
    pub fn new(
        plan: &Plan,
        spot: &Bound<'py, PyAny>,
        variance: Option<&Bound<'py, PyAny>>,
        surface: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let assets = plan.assets();
        let names: Vec<&str> = assets.list().iter().map(|one| one.name.as_str()).collect();
        let spots = by_asset("spot", spot, &names)?;
        let variances = match variance {
            Some(variance) => by_asset("variance", variance, &names)?,
            None => vec![None; names.len()],
        };
        let mut shown: Vec<Shown<'py>> = Vec::new();
        for (place, (spot, variance)) in spots.into_iter().zip(variances).enumerate() {
            let of = match names.len() {
                1 => String::new(),
                _ => format!("[\"{}\"]", names[place]),
            };
            let spot = spot.ok_or_else(|| input(format!("`spot{of}` is missing")))?;
            let spot = numbers(&format!("spot{of}"), &spot)?;
            if let Some(first) = shown.first()
                && first.spot.shape() != spot.shape()
            {
                return Err(shape_fault(
                    &format!("spot{of}"),
                    first.spot.shape(),
                    spot.shape(),
                ));
            }
            let variance = match variance {
                Some(variance) => {
                    let key = format!("variance{of}");
                    Some(of_shape(&key, numbers(&key, &variance)?, spot.shape())?)
                }
                None => None,
            };
            shown.push(Shown { spot, variance });
        }
        let shape = shown[0].spot.shape().to_vec();
        let surface = surface
            .map(|surface| numbers("surface", surface))
            .transpose()?;
        if let Some(surface) = &surface {
            let mut expected = shape.clone();
            expected.push(crate::pricing::SurfaceFactors::COUNT);
            if surface.shape() != expected {
                return Err(shape_fault("surface", &expected, surface.shape()));
            }
        }
        Ok(Self {
            assets: shown,
            surface,
            shape,
        })
    }

    /// The shape of the spots.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The same as so many paths of so many dates.
    ///
    /// # Errors
    /// None: the arrays are contiguous.
    pub fn paths(&self, paths: usize, dates: usize) -> PyResult<GivenPaths<'_>> {
        let assets = self.assets.iter().map(|one| {
            Ok(GivenAsset {
                spot: one.spot.as_slice()?,
                variance: match &one.variance {
                    Some(variance) => Some(variance.as_slice()?),
                    None => None,
                },
            })
        });
        Ok(GivenPaths {
            paths,
            dates,
            assets: assets.collect::<PyResult<_>>()?,
            surface: match &self.surface {
                Some(surface) => Some(surface.as_slice()?),
                None => None,
            },
        })
    }
}

/// Paths to train on, of one asset, as they are given.
pub struct Trained<'py> {
    spot: PyReadonlyArrayDyn<'py, f64>,
    variance: Option<PyReadonlyArrayDyn<'py, f64>>,
    payoff: Option<PyReadonlyArrayDyn<'py, f64>>,
    dates: usize,
}

impl<'py> Trained<'py> {
    /// Reads spots of shape [paths, dates], variances of the same shape or one number, and payoffs, an array [paths] or a callable that makes
    /// one of the array of spots.
    ///
    /// # Errors
    /// [`super::failure::InputError`] by name for what is no array of numbers, or has another shape; what the callable raises.
    pub fn new(
        spot: &Bound<'py, PyAny>,
        variance: Option<&Bound<'py, PyAny>>,
        payoff: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let spot = numbers("spot", spot)?;
        let &[paths, dates] = spot.shape() else {
            return Err(input(format!(
                "`spot` must have the shape [paths, dates], has {:?}",
                spot.shape()
            )));
        };
        let variance = match variance {
            Some(variance) => Some(of_shape(
                "variance",
                numbers("variance", variance)?,
                &[paths, dates],
            )?),
            None => None,
        };
        let payoff = match payoff {
            // Of a copy: what it writes into its argument is no path.
            Some(payoff) if payoff.is_callable() => {
                Some(payoff.call1((spot.call_method0("copy")?,))?)
            }
            Some(payoff) => Some(payoff.clone()),
            None => None,
        };
        let payoff = match payoff {
            Some(payoff) => {
                let payoff = numbers("payoff", &payoff)?;
                if payoff.shape() != [paths] {
                    return Err(shape_fault("payoff", &[paths], payoff.shape()));
                }
                Some(payoff)
            }
            None => None,
        };
        Ok(Self {
            spot,
            variance,
            payoff,
            dates,
        })
    }

    /// The numbers.
    ///
    /// # Errors
    /// None: the arrays are contiguous.
    pub fn columns(&self) -> PyResult<PathColumns<'_>> {
        fn slice<'a>(
            array: &'a Option<PyReadonlyArrayDyn<'_, f64>>,
        ) -> PyResult<Option<&'a [f64]>> {
            match array {
                Some(array) => Ok(Some(array.as_slice()?)),
                None => Ok(None),
            }
        }
        Ok(PathColumns {
            dates: self.dates,
            spot: self.spot.as_slice()?,
            variance: slice(&self.variance)?,
            payoff: slice(&self.payoff)?,
        })
    }
}

/// What is given of every asset: of one the thing itself, or a dict by the names of all.
fn by_asset<'py>(
    key: &str,
    of: &Bound<'py, PyAny>,
    names: &[&str],
) -> PyResult<Vec<Option<Bound<'py, PyAny>>>> {
    let Ok(dict) = of.cast::<PyDict>() else {
        if names.len() == 1 {
            return Ok(vec![Some(of.clone())]);
        }
        return Err(input(format!(
            "`{key}` must be a dict with an array for each of {}",
            names.join(", ")
        )));
    };
    for name in dict.keys() {
        let name = name.str()?.to_string();
        if !names.contains(&name.as_str()) {
            return Err(input(format!(
                "`{key}`: the assets are {}, was \"{}\"",
                names.join(", "),
                crate::error::excerpt(&name)
            )));
        }
    }
    names.iter().map(|name| dict.get_item(name)).collect()
}

/// Real numbers in double precision, the last index innermost.
fn numbers<'py>(key: &str, of: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, f64>> {
    let py = of.py();
    let numpy = py.import("numpy")?;
    let array = numpy.call_method1("asarray", (of,));
    let array = array.map_err(|error| {
        input(format!(
            "`{key}` must be an array of numbers: {}",
            error.value(py)
        ))
    })?;
    let kind: String = array.getattr("dtype")?.getattr("kind")?.extract()?;
    if !["f", "i", "u"].contains(&kind.as_str()) {
        let dtype = array.getattr("dtype")?;
        return Err(input(format!(
            "`{key}` must be an array of numbers, was of {dtype}"
        )));
    }
    let arguments = PyDict::new(py);
    arguments.set_item("dtype", "float64")?;
    arguments.set_item("order", "C")?;
    let array = numpy.call_method("asarray", (array,), Some(&arguments))?;
    let array = array.cast_into::<PyArray<f64, IxDyn>>()?;
    Ok(array.readonly())
}

/// An array of that shape; one number stands for all.
fn of_shape<'py>(
    key: &str,
    array: PyReadonlyArrayDyn<'py, f64>,
    shape: &[usize],
) -> PyResult<PyReadonlyArrayDyn<'py, f64>> {
    if array.shape() == shape {
        return Ok(array);
    }
    if !array.shape().is_empty() {
        return Err(shape_fault(key, shape, array.shape()));
    }
    let py = array.py();
    let number = array.as_slice()?[0];
    let numpy = py.import("numpy")?;
    let all = numpy.call_method1("full", (shape.to_vec(), number))?;
    Ok(all.cast_into::<PyArrayDyn<f64>>()?.readonly())
}

fn shape_fault(key: &str, expected: &[usize], found: &[usize]) -> PyErr {
    input(format!(
        "`{key}` must have the shape {expected:?}, has {found:?}"
    ))
}
