//! Histories from files.

use super::History;
use super::calendar;
use super::columns::Quantity;
use super::defects::{At, Defects, Kind};
use super::layout::Place;
use super::options::Reading;
use super::reading::{self, Days};
use super::volatility::{behaves_as_volatility, check_names, read_volumes};
use crate::error::Result;
use crate::market::VolatilityUnit;
use crate::market::refusal::{refuse, shown};
use crate::pricing::SurfaceFactors;
use chrono::NaiveDate;
use std::path::{Path, PathBuf};

/// What [`History::inspect`] finds.
#[derive(Debug)]
pub struct Inspection {
    /// The history, with every repair that was asked for.
    pub history: History,
    /// Every defect, repaired or not.
    pub defects: Defects,
    /// What was understood of each file.
    pub files: Vec<FileInspection>,
}

/// What [`History::inspect`] finds of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileInspection {
    /// The number of data rows.
    pub rows: usize,
    /// The first and the last date, if there are any.
    pub span: Option<(NaiveDate, NaiveDate)>,
    /// The unit of its implied volatilities, if it has any.
    pub volatility_unit: Option<VolatilityUnit>,
    /// How it was read where it might be read otherwise.
    pub notes: Vec<String>,
}

impl History {
    /// Reads the closes of one file and repairs nothing.
    ///
    /// # Errors
    ///
    /// Those of [`History::load_files`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let files = [path.as_ref().to_path_buf()];
        Self::load_files(&files, &[Quantity::Close], &Reading::default())
    }

    /// Reads the `wanted` quantities of files that are joined by date.
    ///
    /// Columns may stand in any order and others are ignored. How columns are named, dates and numbers written and the
    /// files laid out is found from the files, as `docs/price-files.md` says, where `reading` does not say it. Prices in
    /// text become the `f64` nearest to their decimal digits, as in any language that rounds correctly. The first file has
    /// the prices; further ones add implied volatility or variance and leave the days that all files have. The unit of
    /// volatilities follows from all of them: see [`super::volatility_unit`].
    ///
    /// # Errors
    ///
    /// [`crate::Error::Input`], one line naming file, data row (from 1), column, value and bound, and the option that
    /// mends it: a file that is missing, of another kind, damaged or empty; no date or no closing price; what may be
    /// read in two ways; any defect that is not repaired; fewer than two days.
    pub fn load_files(files: &[PathBuf], wanted: &[Quantity], reading: &Reading) -> Result<Self> {
        let inspection = Self::inspect(files, wanted, reading)?;
        inspection.defects.refuse(files)?;
        let history = inspection.history;
        history.require_days()?;
        Ok(history)
    }

    /// Reads files like [`History::load_files`] and lists every defect instead of refusing any: the
    /// history is what is left without them.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Input`] for a file that cannot be read at all, or that adds nothing; for a repair of one place
    /// where there is no defect.
    pub fn inspect(
        files: &[PathBuf],
        wanted: &[Quantity],
        reading: &Reading,
    ) -> Result<Inspection> {
        let alone = files.len() == 1;
        let inspection = Self::inspect_from(Place::First { alone }, files, wanted, reading)?;
        inspection.defects.all_met(files)?;
        Ok(inspection)
    }

    /// Reads the implied-volatility surface of every day from a file of five factors, with its closes and rates where it has
    /// these; the history is empty of closes where the file is.
    ///
    /// Columns are those of `docs/surfaces.md`: date, close, rate, level, slope, moneyness, smile and smirk, in any order, read as
    /// price files are. Repairs that `reading` asks for at one place need not meet a defect where `others` are read beside it.
    ///
    /// # Errors
    /// [`crate::Error::Input`], one line naming file, data row, column, value and bound: those of [`History::load_files`], a factor
    /// that is missing, and a surface whose one-month volatility at the money is no plausible one.
    pub fn load_surfaces(file: &Path, reading: &Reading, others: bool) -> Result<Self> {
        let files = [file.to_path_buf()];
        let wanted = Quantity::OF_SURFACES;
        let inspection = Self::inspect_from(Place::Surfaces, &files, &wanted, reading)?;
        if !others {
            inspection.defects.all_met(&files)?;
        }
        inspection.defects.refuse(&files)?;
        inspection.history.require_days()?;
        Ok(inspection.history)
    }

    /// [`Self::inspect`], where the first file is that of `place`.
    fn inspect_from(
        place: Place,
        files: &[PathBuf],
        wanted: &[Quantity],
        reading: &Reading,
    ) -> Result<Inspection> {
        let first = place;
        let mut defects = Defects::new(&reading.repairs);
        let mut read: Vec<Days> = Vec::new();
        let mut units = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let known = |quantity: &Quantity| {
                let mut series = read.iter().flat_map(|days| &days.series);
                series.any(|series| series.quantity == *quantity)
            };
            let (place, wanted): (Place, Vec<Quantity>) = match index {
                0 => (first, wanted.to_vec()),
                _ => {
                    let added = [Quantity::ImpliedVolatility, Quantity::Variance];
                    let added = added.into_iter().filter(|quantity| !known(quantity));
                    (Place::Further, added.collect())
                }
            };
            let mut days = reading::read(file, place, &wanted, reading, &mut defects)?;
            let adds = match read.first().filter(|_| days.presumed) {
                Some(prices) => behaves_as_volatility(prices, &days),
                None => !days.series.is_empty(),
            };
            if !adds {
                let what = "adds no implied volatility or variance to the files before it; \
                            --columns implied_volatility=NAME names it";
                return Err(refuse(file, what));
            }
            units.push(days.convert_volatilities(file, reading.volatility_unit)?);
            days.check_gaps(file, &mut defects);
            read.push(days);
        }
        check_names(files, wanted, &read, reading)?;
        if let Some((prices, further)) = read.split_first_mut() {
            let volatility = further
                .iter()
                .find(|days| days.series(Quantity::ImpliedVolatility).is_some());
            let volumes = prices.volumes();
            let volumes = || volumes.or_else(|| read_volumes(&files[0], reading));
            prices.check_moves(&files[0], volatility, volumes, &mut defects)?;
        }
        let inspected = read.iter().zip(units);
        let inspected = inspected.map(|(days, volatility_unit)| FileInspection {
            rows: days.height,
            span: days
                .dates
                .first()
                .zip(days.dates.last())
                .map(|(a, b)| (*a, *b)),
            volatility_unit,
            notes: days.notes.clone(),
        });
        let inspected = inspected.collect();
        Ok(Inspection {
            history: join(files, read, &mut defects),
            defects,
            files: inspected,
        })
    }
}

/// The days that all files have; those that one lacks within the span of all are defects.
fn join(files: &[PathBuf], read: Vec<Days>, defects: &mut Defects) -> History {
    let start = read.iter().filter_map(|days| days.dates.first()).max();
    let end = read.iter().filter_map(|days| days.dates.last()).min();
    let span = start.zip(end).map(|(start, end)| *start..=*end);
    let mut dates: Vec<NaiveDate> = read.first().map_or(Vec::new(), |days| days.dates.clone());
    if read.len() > 1 {
        for (file, days) in files.iter().zip(&read) {
            for (other, others) in files.iter().zip(&read) {
                for (i, date) in days.dates.iter().enumerate() {
                    let within = span.as_ref().is_some_and(|span| span.contains(date));
                    if within && others.dates.binary_search(date).is_err() {
                        let at = At {
                            file,
                            row: days.rows[i],
                            column: &days.date_column,
                            date: Some(*date),
                        };
                        defects.add(Kind::Unmatched, at, || {
                            format!("{} has no day {date}", shown(other))
                        });
                    }
                }
            }
            dates.retain(|date| days.dates.binary_search(date).is_ok());
        }
    }
    let warnings = files.iter().zip(&read).flat_map(|(file, days)| {
        let odd = calendar::oddities(&days.dates, &days.clocks);
        odd.into_iter()
            .map(move |odd| format!("{}: {odd}", shown(file)))
    });
    let warnings = warnings.collect();
    let mut history = History {
        files: files.to_vec(),
        date_column: read
            .first()
            .map_or(String::new(), |d| d.date_column.clone()),
        close_column: String::new(),
        close: Vec::new(),
        series: Vec::new(),
        surface: Vec::new(),
        rate: Vec::new(),
        repaired: defects.repaired(),
        warnings,
        dates,
    };
    let mut factors = Vec::new();
    for days in read {
        for mut series in days.series {
            if days.dates.len() != history.dates.len() {
                let places = history
                    .dates
                    .iter()
                    .filter_map(|d| days.dates.binary_search(d).ok());
                series.values = places.map(|place| series.values[place]).collect();
            }
            match series.quantity {
                Quantity::Close => {
                    history.close_column = series.column;
                    history.close = series.values;
                }
                Quantity::Rate => history.rate = series.values,
                Quantity::Factor(_) => factors.push(series.values),
                Quantity::Open
                | Quantity::High
                | Quantity::Low
                | Quantity::Volume
                | Quantity::ImpliedVolatility
                | Quantity::Variance => history.series.push(series),
            }
        }
    }
    // A file has all of them or none, in their order.
    if let Ok(factors) = <[Vec<f64>; SurfaceFactors::COUNT]>::try_from(factors) {
        let day = |day: usize| SurfaceFactors::from_array(factors.each_ref().map(|of| of[day]));
        history.surface = (0..history.dates.len()).map(day).collect();
    }
    history
}
