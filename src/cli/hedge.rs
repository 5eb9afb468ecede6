//! `hedge`: what a run's policies hold today against a book of contracts.

use super::Root;
use super::changes::{BacktestChanges, settings};
use super::output::{Output, warn, width};
use super::values::day;
use crate::atomic::Destination;
use crate::error::{Error, Result, escaped};
use crate::experiment;
use crate::live::{self, Answer, AnsweringWindow, Asked, BookSource, Desk, Hedged, Net};
use crate::numbers::{Rounding, counted, share, significant};
use crate::report::table::{Cell, Table, heads};
use crate::report::text::render;
use crate::runs::export::Format;
use crate::runs::store;
use std::path::{Path, PathBuf};

/// What `hedge` is told.
#[derive(Debug, clap::Args)]
pub struct HedgeArguments {
    /// Run id, a unique beginning of it, a path, or `latest`.
    run: String,
    /// The book (CSV or Parquet): a row for each contract, with columns `sold` and `quantity` and, where they are there, `id`, `type`,
    /// `strike`, `expiry`, `held` and `held_NAME`; and one for each term of the run's contract that lies in a range.
    book: PathBuf,
    #[command(flatten)]
    changes: BacktestChanges,
    /// Today, such as 2024-01-31, instead of the last day of the prices: what follows it is not read.
    #[arg(long, value_parser = day)]
    date: Option<chrono::NaiveDate>,
    /// The optimizer whose policies hedge, instead of that with the least risk in the run.
    #[arg(long)]
    optimizer: Option<String>,
    /// The greatest distance between the positions of two seeds, in units of an instrument a contract, up to which their mean is
    /// held; beyond it the benchmark is.
    #[arg(long, value_name = "UNITS", default_value_t = Asked::DISAGREEMENT, value_parser = distance)]
    disagreement: f64,
    /// Answer for contracts that the policies were not trained for too.
    #[arg(long)]
    force: bool,
    /// Positions at other spots of today, from one move to another: `-5%..5%`, or `-5%..5%:21` for 21 of them instead of 11.
    #[arg(long, value_name = "MOVES", allow_hyphen_values = true, value_parser = moves)]
    what_if: Option<Moves>,
    /// Write the contracts as a table here too, CSV or Parquet by the end of the name.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    runs: Root,
}

/// Moves of a spot.
#[derive(Debug, Clone)]
struct Moves(Vec<f64>);

/// Answers for a book.
pub fn run(arguments: &HedgeArguments) -> Result<Output> {
    let out = arguments.out.as_deref().map(destination).transpose()?;
    let folder = store::open(&arguments.runs.path, &arguments.run)?;
    let plan = experiment::plan_of(&folder, |strategy| arguments.changes.apply(strategy))?;
    let settings = settings(&plan, &arguments.run)?.clone();
    let book = live::read(BookSource::File(&arguments.book), &plan)?;
    let asked = Asked {
        optimizer: arguments.optimizer.clone(),
        date: arguments.date,
        disagreement: arguments.disagreement,
        force: arguments.force,
        what_if: arguments
            .what_if
            .as_ref()
            .map_or_else(Vec::new, |moves| moves.0.clone()),
    };
    let answer = Desk::open(&folder, plan, settings)?.hedge(&book, &asked)?;
    answer.warnings.iter().for_each(|warning| warn(warning));
    if let Some((destination, format)) = out {
        let bytes = format.bytes(answer.table()?)?;
        destination.write(|file| std::io::Write::write_all(file, &bytes))?;
    }
    let document = serde_json::to_value(&answer)
        .map_err(|error| Error::Computation(format!("the answer: {error}")))?;
    Ok(Output {
        text: text(&answer, width()),
        document,
    })
}

fn destination(path: &Path) -> Result<(Destination, Format)> {
    let end = path.extension().and_then(|end| end.to_str());
    let format = end.and_then(|end| Format::named(&end.to_lowercase()));
    match format {
        Some(format) => Ok((Destination::new(path)?, format)),
        None => Err(Error::input(format!(
            "--out: must end in .csv or .parquet, was \"{}\"",
            escaped(&path.display().to_string())
        ))),
    }
}

fn distance(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    let allowed = number.filter(|number| *number >= 0.0 && number.is_finite());
    allowed.ok_or_else(|| "must be a number of at least 0".into())
}

fn moves(text: &str) -> Result<Moves, String> {
    const USUAL: usize = 11;
    const MOST: usize = Asked::MOST_MOVES;
    let wrong = || {
        format!(
            "must be two moves from above -100% on, such as -5%..5%, and perhaps how many of them, from 2 to {MOST}, such as -5%..5%:21"
        )
    };
    let fraction = |text: &str| -> Option<f64> {
        let text = text.trim();
        let number = match text.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
            None => text.parse::<f64>().ok()?,
        };
        (number.is_finite() && number > -1.0).then_some(number)
    };
    let (range, count) = match text.split_once(':') {
        Some((range, count)) => (range, count.trim().parse::<usize>().ok()),
        None => (text, Some(USUAL)),
    };
    let count = count.filter(|count| (2..=MOST).contains(count));
    let ends = range
        .split_once("..")
        .and_then(|(low, high)| Some((fraction(low)?, fraction(high)?)));
    let (Some((low, high)), Some(count)) = (ends, count) else {
        return Err(wrong());
    };
    if low >= high {
        return Err(wrong());
    }
    let step = (high - low) / (count - 1) as f64;
    let all = (0..count).map(|place| match place {
        place if place + 1 == count => high,
        place => low + step * place as f64,
    });
    Ok(Moves(all.collect()))
}

/// Contracts that are shown; `--json` and `--out` have all of them.
const SHOWN: usize = 40;

fn text(answer: &Answer, width: usize) -> String {
    let mut texts = vec![head(answer)];
    if !answer.windows.is_empty() {
        texts.push(render(&windows(answer), width));
    }
    texts.push(render(&contracts(answer), width));
    texts.push(render(&net(answer), width));
    if !answer.what_if.is_empty() {
        texts.push(render(&what_if(answer), width));
    }
    texts.join("\n").trim_end().to_owned()
}

fn head(answer: &Answer) -> String {
    let beside = match &answer.benchmark {
        Some(benchmark) => format!("; benchmark {benchmark}"),
        None => String::new(),
    };
    let parameters = match (&answer.estimated, answer.windows.is_empty()) {
        (Some([from, to]), _) => format!("estimated from closes of {from} to {to}"),
        (None, true) => "those of the strategy".to_owned(),
        (None, false) => "those of the windows".to_owned(),
    };
    format!(
        "{}, {}: {} of run {}, {} ({}){beside}; market parameters {parameters}\n",
        answer.date,
        counted(answer.contracts.len(), "contract"),
        answer.optimizer,
        answer.run,
        counted(answer.seeds.len(), "seed"),
        answer.chosen,
    )
}

fn cell(value: Option<f64>) -> Cell {
    Cell::plain(value.map_or_else(String::new, |value| significant(value, 4)))
}

fn windows(answer: &Answer) -> Table {
    let names = [
        "window",
        "trained on closes of",
        "to",
        "sold from",
        "to",
        "benchmark",
        "contracts",
    ];
    let row = |one: &AnsweringWindow| {
        let [trained_from, trained_to] = one.trained.clone();
        let [sold_from, sold_to] = one.sold.clone();
        let benchmark = one.benchmark.clone().unwrap_or_default();
        vec![
            Cell::plain(one.number.to_string()),
            Cell::plain(trained_from),
            Cell::plain(trained_to),
            Cell::plain(sold_from),
            Cell::plain(sold_to),
            Cell::plain(benchmark),
            Cell::plain(one.contracts.to_string()),
        ]
    };
    Table {
        caption: "Windows whose policies hedge:".into(),
        heads: heads(&names),
        rows: answer.windows.iter().map(row).collect(),
        findings: Vec::new(),
        notes: Vec::new(),
    }
}

fn contracts(answer: &Answer) -> Table {
    let mut names = vec!["id", "sold", "expiry", "date", "quantity", "value", "delta"];
    let windowed = !answer.windows.is_empty();
    if windowed {
        names.insert(3, "window");
    }
    let terms: Vec<&str> = answer.terms().collect();
    names.splice(3..3, terms.iter().copied());
    let each = ["hold", "trade", "cost", "benchmark", "spread"];
    let alone = answer.instruments.len() == 1;
    let further: Vec<String> = answer
        .instruments
        .iter()
        .flat_map(|name| {
            each.map(|what| match alone {
                true => what.to_owned(),
                false => format!("{what} {name}"),
            })
        })
        .collect();
    names.extend(further.iter().map(String::as_str));
    names.push("held by");
    let row = |one: &Hedged| {
        let [age, steps] = one.hedging_date;
        let mut cells = vec![
            Cell::plain(escaped(&one.id)),
            Cell::plain(one.sold.clone()),
            Cell::plain(one.expiry.clone()),
            Cell::plain(format!("{age}/{steps} {}", one.standing.name())),
            cell(Some(one.quantity)),
            cell(one.value.map(|value| value.price)),
            cell(one.value.map(|value| value.delta)),
        ];
        if windowed {
            let number = one.window.map_or_else(String::new, |one| one.to_string());
            cells.insert(3, Cell::plain(number));
        }
        let terms = terms.iter().map(|name| cell(one.terms.get(*name).copied()));
        cells.splice(3..3, terms);
        for of in &one.positions {
            let numbers = [Some(of.position), Some(of.trade), Some(of.cost)];
            cells.extend(numbers.map(cell));
            cells.extend([of.benchmark, Some(of.spread)].map(cell));
        }
        cells.push(Cell::plain(one.held_by.name()));
        cells
    };
    let shown = answer.contracts.iter().take(SHOWN);
    let left = answer.contracts.len().saturating_sub(SHOWN);
    let mut notes = vec![
        "value and delta are those of one contract, all else of all contracts of the row; spread is the distance between the positions of seeds, a contract"
            .to_owned(),
    ];
    if left > 0 {
        notes.insert(
            0,
            format!("{left} contracts more: --json and --out have all"),
        );
    }
    Table {
        caption: "To hold today against each contract:".into(),
        heads: heads(&names),
        rows: shown.map(row).collect(),
        findings: Vec::new(),
        notes,
    }
}

fn net(answer: &Answer) -> Table {
    let names = [
        "instrument",
        "price",
        "hold",
        "held",
        "trade",
        "cost",
        "cost of separate trades",
        "benchmark",
    ];
    let row = |one: &Net| {
        let numbers = [
            one.price,
            one.position,
            one.held,
            one.trade,
            one.cost,
            one.cost_separate,
        ];
        let mut cells = vec![Cell::plain(one.instrument.clone())];
        cells.extend(numbers.map(|number| cell(Some(number))));
        cells.push(cell(one.benchmark));
        cells
    };
    Table {
        caption: "Of everything together:".into(),
        heads: heads(&names),
        rows: answer.net.iter().take(SHOWN).map(row).collect(),
        findings: Vec::new(),
        notes: Vec::new(),
    }
}

fn what_if(answer: &Answer) -> Table {
    let mut names = vec!["spot moves by".to_owned(), "spot".to_owned()];
    names.extend(answer.instruments.iter().map(|name| format!("hold {name}")));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = answer.what_if.iter().map(|one| {
        let mut cells = vec![Cell::plain(share(one.moved))];
        cells.push(Cell::number(one.spot, Rounding::of_parameter(one.spot)));
        cells.extend(one.net.iter().map(|net| cell(Some(*net))));
        cells
    });
    Table {
        caption: "What the policies would hold against all contracts at other spots of today:"
            .into(),
        heads: heads(&names),
        rows: rows.collect(),
        findings: Vec::new(),
        notes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moves are evenly spaced, both ends among them, and odd words are refused.
    #[test]
    fn moves_are_read() {
        let read = |text: &str| moves(text).map(|moves| moves.0);
        let usual = read("-5%..5%").unwrap();
        assert_eq!((usual.len(), usual[0], usual[10]), (11, -0.05, 0.05));
        assert!((usual[5]).abs() < 1e-15);
        assert_eq!(read("-0.1 .. 0.1:3").unwrap().len(), 3);
        for wrong in [
            "",
            "5%",
            "5%..",
            "..5%",
            "5%..-5%",
            "0..0",
            "-100%..5%",
            "-5%..nan",
            "-5%..inf",
            "-5%..5%:1",
            "-5%..5%:x",
            "-5%..5%:1000",
            "a..b",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(distance("0").is_ok() && distance("-1").is_err() && distance("nan").is_err());
    }
}
