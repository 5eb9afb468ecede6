//! Files of option chains, read in pieces into quotes by day.

use super::chain::{OptionQuote, number_of};
use super::format::Format;
use super::stretch::{self, Fault, Stretch};
use super::words::Words;
use crate::calibration::surface::columns::{Columns, Field};
use crate::error::{Result, excerpt};
use crate::market::VolatilityUnit;
use crate::market::history::cells::{self, Place};
use crate::market::history::number::{self, Evidence};
use crate::market::history::{DateFormat, Decimal, Defects};
use crate::market::table::{self, Cells, Piece, Texts, refuse, refuse_row};
use chrono::{Datelike, NaiveDate};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a user says of files of chains.
#[derive(Debug, Clone, Default)]
pub struct ChainOptions {
    /// What columns hold, and their names.
    pub columns: Vec<(String, String)>,
    /// How dates are written, if the columns do not show it.
    pub date_format: Option<DateFormat>,
    /// What separates decimals, if the columns do not show it.
    pub decimal: Option<Decimal>,
    /// The unit of the file's own implied volatilities, if they do not show it.
    pub volatility_unit: Option<VolatilityUnit>,
    /// The underlying whose options are taken, of files with several.
    pub underlying: Option<String>,
}

/// What was read of one file.
#[derive(Debug, Clone)]
pub struct ChainFile {
    /// The file.
    pub path: PathBuf,
    /// The name of its form.
    pub format: &'static str,
    /// Its rows.
    pub rows: usize,
    /// The first and the last day of its quotes.
    pub span: Option<(NaiveDate, NaiveDate)>,
    /// Its columns by what they hold.
    pub columns: Vec<(&'static str, String)>,
    /// How it was read, if a reader should know.
    pub notes: Vec<String>,
}

/// The quotes of all files.
#[derive(Debug, Default)]
pub struct Chains {
    /// The files in the order in which they were named.
    pub files: Vec<ChainFile>,
    /// Quotes by day.
    pub days: BTreeMap<NaiveDate, Vec<OptionQuote>>,
    /// The roots of symbols, by [`OptionQuote::root`].
    pub roots: Vec<String>,
    /// The underlying, if the files name it.
    pub underlying: Option<String>,
    /// Options that were read, blank ones and those of earlier hours among them.
    pub read: usize,
    /// Options without a date, an expiry, a strike, or the word call or put.
    pub blank: usize,
    /// Options of an earlier hour than the last of their day.
    pub intraday: usize,
    /// Whether the files have prices; if not, they have implied volatilities alone.
    pub priced: bool,
    /// The unit of the files' own implied volatilities, if they have any.
    pub volatility_unit: Option<VolatilityUnit>,
}

/// Roots of indices whose options are settled at the opening; their weekly options have other roots.
const MORNING_ROOTS: [&str; 5] = ["SPX", "NDX", "RUT", "DJX", "VIX"];

/// Rows that one thread reads at a time.
const STRETCH: usize = 1 << 14;

impl Chains {
    /// Whether a file is one of options, by its header.
    ///
    /// # Errors
    /// What cannot be read as a table at all.
    pub fn recognise(path: &Path, options: &ChainOptions) -> Result<bool> {
        let header = table::header(path, &|cells| Format::is_chain(cells, &[]))?;
        Ok(Format::is_chain(&header.names, &options.columns))
    }

    /// Reads files of one underlying, such as those of several months.
    ///
    /// # Errors
    /// [`crate::Error::Input`], one line naming the file: what is no table, a header without what a chain needs or of two vendors,
    /// a cell that is no number or no date with its row and column, options of several underlyings of which none is chosen, dates
    /// whose order of day and month is open.
    pub fn load(paths: &[PathBuf], options: &ChainOptions) -> Result<Self> {
        let mut chains = Self::default();
        let mut roots = Words::default();
        let mut underlyings = Words::default();
        let mut column = String::new();
        for path in paths {
            let file = File::read(path, options, &mut roots, &mut underlyings)?;
            column.clone_from(&file.volatility_column);
            chains.add(file, options)?;
        }
        chains.roots = roots.list().to_vec();
        chains.underlying = underlyings.list().first().cloned();
        chains.volatility_unit = chains.unit(&column, paths, options)?;
        Ok(chains)
    }

    /// The unit of the files' own implied volatilities, from some of every day.
    fn unit(
        &self,
        column: &str,
        paths: &[PathBuf],
        options: &ChainOptions,
    ) -> Result<Option<VolatilityUnit>> {
        const MOST: usize = 1 << 17;
        let count: usize = self.days.values().map(Vec::len).sum();
        let all = self.days.values().flatten();
        let some = all
            .step_by(count / MOST + 1)
            .map(|q| f64::from(q.volatility));
        let some: Vec<f64> = some.collect();
        if some.iter().all(|volatility| volatility.is_nan()) {
            return Ok(None);
        }
        let unit = VolatilityUnit::of(column, &some, options.volatility_unit);
        let named = |wrong: crate::market::volatility_unit::Implausible| {
            let what = format!("column \"{}\": {}", excerpt(column.trim()), wrong.what);
            refuse(paths.first().map_or(Path::new(""), PathBuf::as_path), &what)
        };
        unit.map(Some).map_err(named)
    }

    fn add(&mut self, file: File, options: &ChainOptions) -> Result<()> {
        let dates = file.dates(options.date_format.as_ref())?;
        if !self.files.is_empty() && self.priced != file.priced {
            let what = "has prices or volatilities, and the file before the other of the two";
            return Err(refuse(&file.described.path, what));
        }
        self.priced = file.priced;
        let mut described = file.described;
        described.notes.extend(dates.note);
        let mut first_and_last: Option<(NaiveDate, NaiveDate)> = None;
        // Hours beside the dates themselves tell times of a day apart too.
        let words = file.words.list();
        let mut groups: Vec<(NaiveDate, &String, Vec<OptionQuote>)> = Vec::new();
        for (place, quotes) in file.groups.into_iter().enumerate() {
            if let (Some(date), false) = (dates.dates[place], quotes.is_empty()) {
                groups.push((date, &words[place], quotes));
            }
        }
        groups.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        for at in 0..groups.len() {
            let last = groups
                .get(at + 1)
                .is_none_or(|next| next.0 != groups[at].0 || !groups[at].1.contains(':'));
            let (date, _, quotes) = &mut groups[at];
            let mut quotes = std::mem::take(quotes);
            self.read += quotes.len();
            if !last {
                self.intraday += quotes.len();
                continue;
            }
            for quote in &mut quotes {
                quote.expiry = match file.counts_days {
                    true => number_of(*date).saturating_add(quote.expiry),
                    false => dates.dates[quote.expiry as usize].map_or(0, |d| d.num_days_from_ce()),
                };
            }
            let (from, to) = first_and_last.unwrap_or((*date, *date));
            first_and_last = Some((from.min(*date), to.max(*date)));
            match self.days.get_mut(date) {
                Some(day) => day.append(&mut quotes),
                None => {
                    self.days.insert(*date, quotes);
                }
            }
        }
        described.span = first_and_last;
        if file.other > 0 {
            described
                .notes
                .push(format!("{} rows of other underlyings", file.other));
        }
        self.read += file.blank;
        self.blank += file.blank;
        self.files.push(described);
        Ok(())
    }
}

/// What one file holds.
struct File {
    described: ChainFile,
    date_column: String,
    expiry_column: String,
    volatility_column: String,
    /// Whether it has prices.
    priced: bool,
    /// Whether expiries are days from the quote.
    counts_days: bool,
    /// Dates as they are written.
    words: Words,
    /// Quotes by the place of their day among the words.
    groups: Vec<Vec<OptionQuote>>,
    blank: usize,
    other: usize,
}

impl File {
    fn read(
        path: &Path,
        options: &ChainOptions,
        roots: &mut Words,
        underlyings: &mut Words,
    ) -> Result<Self> {
        let mut decimal = options.decimal;
        let wanted = options.underlying.as_deref().map(stretch::underlying);
        let (mut words, mut groups) = (Words::default(), Vec::new());
        let (mut blank, mut other) = (0, 0);
        let known = |cells: &[String]| Format::is_chain(cells, &options.columns);
        let header = table::header(path, &known)?;
        let (format, columns) = Format::columns(path, &header.names, &options.columns)?;
        let columns: &Columns = &columns;
        let mut each = |piece: Piece| -> Result<()> {
            let cells = columns.iter().filter_map(|(field, name)| {
                let mut columns = piece.columns.iter();
                columns
                    .find(|(of, _)| of == name)
                    .map(|(_, cells)| (field, cells))
            });
            let cells: Vec<(Field, &Cells)> = cells.collect();
            let rows = cells.first().map_or(0, |(_, cells)| cells.rows());
            let read = stretch::Columns {
                decimal: *decimal.get_or_insert_with(|| separator(&cells)),
                cells,
                strike_unit: format.strike_unit,
                underlying: wanted.as_deref(),
            };
            let starts: Vec<usize> = (0..rows).step_by(STRETCH).collect();
            let stretches: Vec<std::result::Result<Stretch, Fault>> = starts
                .into_par_iter()
                .map(|start| read.read(start..(start + STRETCH).min(rows), piece.row))
                .collect();
            for stretch in stretches {
                let stretch = stretch.map_err(|fault| {
                    let column = columns.of(fault.field).unwrap_or_default().trim();
                    refuse_row(path, fault.row, column, &fault.what)
                })?;
                let (dates, root) = (words.with(&stretch.dates), roots.with(&stretch.roots));
                groups.resize_with(words.list().len(), Vec::new);
                underlyings.with(&stretch.underlyings);
                if let [first, second, ..] = underlyings.list() {
                    let (first, second) = (excerpt(first), excerpt(second));
                    let what = format!(
                        "has options of {first} and of {second}: --underlying {first} takes those of one"
                    );
                    return Err(refuse(path, &what));
                }
                if roots.list().len() > usize::from(u16::MAX) {
                    let what = "has more than 65535 roots of symbols, which are none";
                    return Err(refuse(path, what));
                }
                // Without a column of settlement the root says it.
                let morning = |word: &String| MORNING_ROOTS.contains(&word.to_uppercase().as_str());
                let morning: Vec<bool> = match columns.of(Field::Settlement) {
                    Some(_) => vec![false; root.len()],
                    None => stretch.roots.list().iter().map(morning).collect(),
                };
                let counts = columns
                    .of(Field::ExpiryDate)
                    .or(columns.of(Field::Expiry))
                    .is_none();
                for (day, quotes) in stretch.groups {
                    let group: &mut Vec<OptionQuote> = &mut groups[dates[day as usize] as usize];
                    group.extend(quotes.into_iter().map(|mut quote| {
                        if !counts {
                            quote.expiry = dates[quote.expiry as usize] as i32;
                        }
                        if let Some(place) = root.get(usize::from(quote.root)) {
                            quote.morning |= morning[usize::from(quote.root)];
                            quote.root = *place as u16;
                        }
                        quote
                    }));
                }
                blank += stretch.blank;
                other += stretch.other;
            }
            Ok(())
        };
        let rows = table::read_pieces(path, &known, |_| Ok(columns.names()), &mut each)?;
        if let (Some(wanted), true) = (&wanted, groups.iter().all(Vec::is_empty)) {
            let what = format!("--underlying: has no options of {}", excerpt(wanted));
            return Err(refuse(path, &what));
        }
        let name = |field: Field| columns.of(field).map(|name| name.trim().to_owned());
        let expiry = name(Field::ExpiryDate).or(name(Field::Expiry));
        let volatility = name(Field::Volatility).or(name(Field::CallVolatility));
        let prices = [Field::Ask, Field::CallAsk, Field::PutAsk];
        let priced = prices.iter().any(|field| columns.of(*field).is_some());
        let described = columns
            .iter()
            .map(|(field, column)| (field.name(), column.trim().to_owned()));
        Ok(Self {
            described: ChainFile {
                path: path.to_path_buf(),
                format: format.name,
                rows,
                span: None,
                columns: described.collect(),
                notes: format.note.map(str::to_owned).into_iter().collect(),
            },
            date_column: name(Field::Date).unwrap_or_default(),
            priced,
            counts_days: expiry.is_none(),
            expiry_column: expiry.unwrap_or_default(),
            volatility_column: volatility.unwrap_or_default(),
            words,
            groups,
            blank,
            other,
        })
    }

    /// The dates of the words: by the rules of price files, from all of them together, so that days of expiry say what the order of day
    /// and month is where days of quotes do not.
    fn dates(&self, format: Option<&DateFormat>) -> Result<cells::Dates> {
        let path = &self.described.path;
        let words = self.words.list();
        let place = Place {
            file: path,
            column: &self.date_column,
        };
        let cells = Cells::Text(Texts::of(words));
        let dates = cells::dates(place, &cells, format, &mut Defects::default())?;
        if let Some(place) = dates.dates.iter().position(Option::is_none) {
            let column = match self.groups[place].is_empty() {
                true => &self.expiry_column,
                false => &self.date_column,
            };
            let what = format!(
                "must be a date such as 2020-01-31, was \"{}\" (--date-format says how dates are written)",
                excerpt(&words[place])
            );
            return Err(refuse_row(path, self.words.row(place), column, &what));
        }
        Ok(dates)
    }
}

/// What separates the decimals of a file: what most of its numbers ask for.
fn separator(cells: &[(Field, &Cells)]) -> Decimal {
    let numbers = [
        Field::Strike,
        Field::Spot,
        Field::Bid,
        Field::Ask,
        Field::CallBid,
        Field::CallAsk,
    ];
    let mut evidence = Evidence::default();
    for (field, cells) in cells {
        if let (true, Cells::Text(cells)) = (numbers.contains(field), cells) {
            evidence = evidence.and(number::evidence(cells));
        }
    }
    evidence.decided().unwrap_or(Decimal::Point)
}
