//! Parameters of a model from closes, or from a file of implied volatilities, with what the data say of how well they are known.

use crate::calibration::{Errors, Fit, FittedModel, Quote, Surface, SurfaceOptions};
use crate::error::{Error, Result, excerpt};
use crate::market::history::{Frequency, Quantity, Reading};
use crate::market::model::Estimate;
use crate::market::{History, Model};
use crate::quotes::Format;
use crate::runs::precision::Precision;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

/// The parameters of a model under which daily returns are likeliest.
pub struct FitToCloses {
    /// The model.
    pub estimate: Estimate<Model>,
    /// How well the returns determine it.
    pub precision: Precision,
    /// How often there is a close.
    pub frequency: Frequency,
    /// What must be known of the result.
    pub warnings: Vec<String>,
    /// How long the search took.
    pub seconds: f64,
}

impl FitToCloses {
    /// The model of that name from the closes of a file; `days_per_year` closes make a year, or as many as the dates say.
    ///
    /// # Errors
    /// Those of reading the file and of the estimation, with the file and its days.
    pub fn new(
        model: &str,
        path: &Path,
        reading: &Reading,
        days_per_year: Option<f64>,
    ) -> Result<Self> {
        let history = History::load_files(&[path.into()], &[Quantity::Close], reading)?;
        let found = history.frequency();
        let frequency = days_per_year.map_or(found, |days| found.counted_as(days));
        let start = Instant::now();
        let (returns, per_year) = (history.log_returns(), frequency.observations_per_year);
        let estimate = Model::estimated(model, &returns, per_year);
        let estimate = estimate.map_err(|error| match (error, history.dates.as_slice()) {
            (Error::Input(what), [first, .., last]) => Error::input(format!(
                "{}: closes of {first} to {last}: {what}",
                path.display()
            )),
            (error, _) => error,
        })?;
        let seconds = start.elapsed().as_secs_f64();
        let errors = &estimate.standard_errors;
        let precision = Precision::new(&estimate.at_bound, errors.known(), errors.unknown());
        let mut warnings = history.warnings.clone();
        let files = history.files.iter().map(|file| file.display().to_string());
        let files: Vec<String> = files.collect();
        warnings.extend(
            precision
                .undetermined()
                .map(|names| format!("{}: the returns do not determine {names}", files.join(", "))),
        );
        Ok(Self {
            estimate,
            precision,
            frequency,
            warnings,
            seconds,
        })
    }

    /// The parameters by name, as a strategy has them beside the name of the model.
    ///
    /// # Errors
    /// If they have no form in JSON.
    pub fn parameters(&self) -> Result<Value> {
        let mut parameters = serde_json::to_value(&self.estimate.parameters)
            .map_err(|error| Error::Computation(format!("parameters as JSON: {error}")))?;
        if let Some(parameters) = parameters.as_object_mut() {
            parameters.remove("model");
        }
        Ok(parameters)
    }

    /// All of it as a document.
    ///
    /// # Errors
    /// Those of [`Self::parameters`].
    pub fn document(&self) -> Result<Value> {
        let mut document = json!({
            "parameters": self.parameters()?,
            "standard_errors": self.precision.standard_errors,
            "drift": self.estimate.drift,
            "at_bound": self.precision.at_bound,
            "not_identified": self.precision.not_identified,
            "warnings": self.warnings,
        });
        for finding in &self.estimate.findings {
            document[finding.key] = finding.value.clone();
        }
        document["closes"] = json!(self.frequency);
        document["seconds"] = json!(self.seconds);
        Ok(document)
    }
}

/// A model fitted to the implied volatilities of a day.
pub struct FitToSurface {
    /// The quotes.
    pub surface: Surface,
    /// The fit.
    pub fit: Box<dyn Fit>,
    /// How well the quotes determine it.
    pub precision: Precision,
    /// What must be known of the result.
    pub warnings: Vec<String>,
    /// How long the search took.
    pub seconds: f64,
}

impl FitToSurface {
    /// The model of that name fitted to a file of implied volatilities, by the `errors` of prices over vega or of implied volatilities;
    /// `named` makes the name of the argument that is at fault of `surface` and `vega_weighted`.
    ///
    /// # Errors
    /// [`Error::Input`] for a model that is not fitted to surfaces, and for errors that its fit does not know; those of reading the file
    /// and of the fit.
    pub fn new(
        model: &str,
        path: &Path,
        options: &SurfaceOptions,
        errors: Errors,
        named: impl Fn(&str) -> String,
    ) -> Result<Self> {
        let model = FittedModel::named(model).ok_or_else(|| {
            let known = FittedModel::ALL
                .iter()
                .map(|(name, _)| format!("\"{name}\""));
            let known: Vec<String> = known.collect();
            Error::input(format!(
                "{}: only {} are calibrated to implied volatilities",
                named("surface"),
                known.join(" and ")
            ))
        })?;
        if let Some(why) = model.refusal(errors) {
            return Err(Error::input(format!("{}: {why}", named("vega_weighted"))));
        }
        let surface = Surface::load(path, options).map_err(|error| match Format::vendor(path) {
            Some(vendor) => Error::input(format!(
                "{error}; a chain of {vendor} becomes a surface of every day by `deephedge data surface`"
            )),
            None => error,
        })?;
        let place = path.display();
        let drops = surface.drops().map(|drops| format!("{place}: {drops}"));
        let mut warnings: Vec<String> = drops.into_iter().collect();
        let start = Instant::now();
        let fit = model.fit(&surface, errors).map_err(|error| match error {
            Error::Input(what) => Error::input(format!("{place}: {what}")),
            Error::Computation(what) => Error::Computation(format!("{place}: {what}")),
            error => error,
        })?;
        let seconds = start.elapsed().as_secs_f64();
        let unknown = fit.not_identified().iter().copied();
        let precision = Precision::new(fit.at_bound(), std::iter::empty(), unknown);
        let undetermined = precision.undetermined();
        let undetermined = undetermined.map(|names| format!("the quotes do not determine {names}"));
        let of_fit = undetermined.into_iter().chain(fit.warnings());
        warnings.extend(of_fit.map(|warning| format!("{place}: {warning}")));
        Ok(Self {
            surface,
            fit,
            precision,
            warnings,
            seconds,
        })
    }

    /// All of it as a document.
    pub fn document(&self) -> Value {
        let surface = &self.surface;
        let mut document = Value::Object(self.fit.document());
        document["volatility_unit"] = json!(surface.unit.name());
        document["dropped"] = json!(surface.dropped);
        document["warnings"] = json!(self.warnings);
        let quotes = self.fit.quotes(surface).into_iter().map(|(quote, model)| {
            let mut document = quote_document(&quote);
            document["model"] = json!(model);
            document
        });
        document["quotes"] = quotes.collect();
        document["seconds"] = json!(self.seconds);
        if let Some(date) = surface.date {
            document["date"] = json!(date.to_string());
        }
        document
    }
}

/// A quote as it is read.
pub fn quote_document(quote: &Quote) -> Value {
    json!({
        "strike": quote.strike, "expiry_years": quote.expiry,
        "implied_volatility": quote.implied_volatility,
    })
}

/// Refuses a model that there is not; `argument` named it.
///
/// # Errors
/// [`Error::Input`] with the models that there are.
pub fn known_model(argument: &str, name: &str) -> Result<()> {
    let names: Vec<&str> = Model::ALL.iter().map(|(name, _)| *name).collect();
    match names.contains(&name) {
        true => Ok(()),
        false => Err(Error::input(format!(
            "{argument}: must be one of {}, was \"{}\"",
            names.join(", "),
            excerpt(name)
        ))),
    }
}
