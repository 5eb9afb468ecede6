//! Surfaces as history, whatever kind of file they come from.

use super::{ChainOptions, ChainReport, Chains, QuoteSettings};
use crate::error::{Error, Result};
use crate::market::History;
use crate::market::history::Reading;
use std::path::Path;

/// The implied-volatility surface of every day of `file`, with closes and rates where it has these: those of a file of five factors
/// ([`History::load_surfaces`]), or of a chain of options those that are fitted to it day by day, its quotes cleaned by the usual rules
/// ([`QuoteSettings`]). Days of a chain that have no surface are left out and told in the warnings, as are the quotes that were dropped.
///
/// # Errors
/// Those of [`History::load_surfaces`] and [`Chains::load`]; [`Error::Input`] for a chain with surfaces on fewer than two days.
pub fn surfaces(file: &Path, reading: &Reading, others: bool) -> Result<History> {
    let options = ChainOptions::default();
    // What cannot be read as a table at all is refused as a file of factors.
    if !Chains::recognise(file, &options).unwrap_or(false) {
        return History::load_surfaces(file, reading, others);
    }
    let chains = Chains::load(&[file.to_path_buf()], &options)?;
    let report = ChainReport::of(chains, &QuoteSettings::default())?;
    let days = report.factor_days();
    let place = file.display();
    if days.len() < 2 {
        return Err(Error::input(format!(
            "{place}: a chain of options with a surface on {} of {} days, needs at least 2; `data check` says why",
            days.len(),
            report.days.len()
        )));
    }
    let mut warnings = vec![format!(
        "{place}: a chain of options, of which {} of {} quotes are kept and surfaces fitted to {} of {} days; `data check` says more",
        report.kept(),
        report.read,
        days.len(),
        report.days.len()
    )];
    let mut unfitted = report.unfitted();
    if let Some((date, why)) = unfitted.next() {
        let count = 1 + unfitted.count();
        warnings.push(format!(
            "{place}: days without a surface are left out, {count} of them, the first {date}: {why}"
        ));
    }
    Ok(History {
        files: vec![file.to_path_buf()],
        dates: days.iter().map(|day| day.date).collect(),
        close: days.iter().map(|day| day.close).collect(),
        date_column: "quote date".into(),
        close_column: "underlying".into(),
        series: Vec::new(),
        surface: days.iter().map(|day| day.factors).collect(),
        rate: days.iter().filter_map(|day| day.rate).collect(),
        repaired: Vec::new(),
        warnings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::history::fixture::Scratch;
    use crate::quotes::factor_file;
    use crate::quotes::fixture::{day, options_dx};
    use crate::quotes::tests::written;

    /// A chain gives the surfaces that its prices were made of, with closes and rates; a file of five factors of the same days is the same
    /// history but for rounding.
    #[test]
    fn chains_and_files_of_factors_are_one_history() {
        const DAYS: u32 = 3;
        let folder = Scratch::new("quotes-history");
        let rows: Vec<_> = (0..DAYS).flat_map(|number| day(number).rows(15)).collect();
        let chain = written(&folder, "chain.csv", &options_dx(&rows));
        let read = |file: &Path| surfaces(file, &Reading::default(), false).unwrap();
        let of_chain = read(&chain);
        assert_eq!(of_chain.len(), DAYS as usize);
        assert!(of_chain.warnings[0].contains("a chain of options"));
        for (number, (surface, close)) in
            (0..DAYS).zip(of_chain.surface.iter().zip(&of_chain.close))
        {
            let made = day(number);
            let pairs = surface.to_array().into_iter().zip(made.factors.to_array());
            assert!(
                pairs
                    .into_iter()
                    .all(|(fitted, made)| (fitted - made).abs() < 1e-3)
            );
            // The vendor writes spots to the cent.
            assert!((close / made.spot - 1.0).abs() < 1e-5);
            assert_eq!(of_chain.dates[number as usize], made.date);
        }
        let report = ChainReport::of(
            Chains::load(&[chain], &ChainOptions::default()).unwrap(),
            &QuoteSettings::default(),
        );
        let text = factor_file(&report.unwrap().factor_days());
        let of_factors = read(&written(&folder, "factors.csv", &text));
        assert_eq!(of_factors.dates, of_chain.dates);
        assert_eq!(of_factors.surface, of_chain.surface);
        assert_eq!(of_factors.close, of_chain.close);
        let alone: Vec<_> = day(0).rows(15);
        let alone = written(&folder, "alone.csv", &options_dx(&alone));
        let error = surfaces(&alone, &Reading::default(), false).unwrap_err();
        assert!(error.to_string().contains("on 1 of 1 days"), "{error}");
    }
}
