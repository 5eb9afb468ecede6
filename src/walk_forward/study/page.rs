//! The page of a study in Markdown, with its figures.

use super::{Problem, Study, Together};
use crate::error::Result;
use crate::numbers::share;
use crate::report::figures::Form;
use crate::report::figures::backtest::through_time;
use crate::report::figures::intervals::{Spanned, intervals};
use crate::report::palette::Palette;
use crate::report::protocol::{self, registered, rows, statistic};
use crate::report::verdicts::Choice;
use crate::runs::protocol::Compared;
use crate::walk_forward::compared::rules;
use crate::walk_forward::markdown::Page;
use crate::walk_forward::sold::sold;

/// What whoever makes a study says of it.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// The title of the page.
    pub title: &'a str,
    /// What a reader must know beside the figures, such as how much of the test was known when the plan was made.
    pub remark: Option<&'a str>,
    /// The command that makes the page.
    pub command: &'a str,
}

/// The page of a study under these words, and its figures by their names; their files lie in the folder `figures` relative to the page.
///
/// # Errors
/// [`crate::Error::Computation`] if a figure cannot be drawn.
pub fn page(
    study: &Study,
    words: &Words<'_>,
    figures: &str,
) -> Result<(String, Vec<(String, String)>)> {
    let mut page = Page::default();
    let mut drawn = Vec::new();
    page.line(&format!("# {}\n", words.title));
    page.line(&format!("{}\n", conclusion(study, words.remark)));
    page.line(&format!("    {}\n", words.command));
    protocol_of(&mut page, study);
    for (number, problem) in study.problems.iter().enumerate() {
        page.line(&format!("## {}\n", problem.name));
        described(&mut page, study, problem);
        compared(&mut page, problem.validation.as_ref(), problem.choice());
        let Some(choice) = problem.choice() else {
            continue;
        };
        page.table("###", &protocol::trainings(choice.test, &problem.trainings));
        for (name, caption, svg) in draw(problem, &choice)? {
            let file = format!("{}-{name}.svg", number + 1);
            page.line(&format!("![{caption}]({figures}/{file})\n"));
            drawn.push((file, svg));
        }
    }
    for together in &study.together {
        page.line(&format!("## Together: {}\n", together.names.join(", ")));
        page.line(
            "The contracts of these problems in one book: the bootstrap draws days of sale, then contracts among those sold on \
             them.\n",
        );
        compared(&mut page, together.validation.as_ref(), together.choice());
    }
    Ok((page.into_text(), drawn))
}

/// What a head of desk can take from the study: a paragraph about the first problem, the `remark` of who made the study, the figures behind
/// the paragraph, and a line for every further problem and for those together.
pub fn conclusion(study: &Study, remark: Option<&str>) -> String {
    let Some((first, others)) = study.problems.split_first() else {
        return String::new();
    };
    let said = |choice: Choice<'_>| Some((choice.paragraph(&first.name)?, choice.figures()?));
    let Some((paragraph, figures)) = first.choice().and_then(said) else {
        return "These runs have no test yet, or nothing to compare on it.".into();
    };
    let briefs = others.iter().filter_map(|problem| {
        let choice = problem.choice()?;
        choice.brief(&problem.name)
    });
    let together = study.together.iter().filter_map(|together: &Together| {
        let choice = together.choice()?;
        choice.brief(&format!("Together ({})", together.names.join(", ")))
    });
    let lines: Vec<String> = briefs
        .chain(together)
        .map(|brief| format!("- {brief}"))
        .collect();
    let parts = [
        paragraph,
        remark.unwrap_or_default().to_owned(),
        figures,
        lines.join("\n"),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

/// How the study was done, in short sentences.
fn protocol_of(page: &mut Page, study: &Study) {
    let rules = rules();
    page.line("## Protocol\n");
    let windows = study.walked.iter().flat_map(|one| &one.results.windows);
    let years = windows
        .clone()
        .map(|window| window.calibrated_from.as_str())
        .min();
    let test_from = study
        .walked
        .iter()
        .find_map(|one| one.results.test_from.as_ref());
    let validation = study
        .problems
        .iter()
        .find_map(|one| one.validation.as_ref());
    if let (Some(day), Some(validation)) = (test_from, validation) {
        page.line(&format!(
            "The test begins on {day}. What was sold from {} on and had expired by {} is the validation period: recipes and the \
             classical hedge that they are compared with are chosen there, by the least {}.\n",
            validation.first_sale, validation.last_expiry, validation.measure
        ));
    }
    let walk = study.walked.first().map(|one| one.prepared.walk);
    if let (Some(walk), Some(first)) = (walk, years) {
        let known = match walk.years {
            Some(years) => format!("the {years} years before its first sale"),
            None => format!("all closes from {first} up to its first sale"),
        };
        page.line(&format!(
            "A window lasts {} months. What it knows are {known}; parameters, policies and the tuning of classical hedges come from \
             nothing else.\n",
            walk.months
        ));
    }
    page.line(&format!(
        "Differences are {}; blocks of {} trading days on average, or of a contract's life where that is longer, {} draws. Intervals \
         are of {}. p-values are corrected by {}.\n",
        rules.bootstrap,
        rules.block,
        rules.draws,
        share(rules.confidence),
        rules.correction
    ));
    match &study.registration {
        Some(plan) => page.line(&format!(
            "{} That says that nothing was changed in between, not that who wrote the plan knew nothing of the test.\n",
            registered(plan)
        )),
        None => page.line("The plan was not registered before the test was run.\n"),
    }
}

/// What is sold and how it is hedged.
fn described(page: &mut Page, study: &Study, problem: &Problem) {
    let first = &study.walked[problem.recipes[0]];
    if let Some((sentence, unit)) = sold(
        &first.prepared.plan,
        &first.prepared.settings,
        &first.results,
    ) {
        page.line(&format!("{sentence} P&L is of the seller, {unit}.\n"));
    }
    let classical = problem.test.iter().chain(&problem.validation);
    let titles = classical
        .take(1)
        .flat_map(|of| &of.rows)
        .filter(|row| row.classical && row.title != row.name);
    let titles: Vec<String> = titles
        .map(|row| format!("`{}`: {}", row.name, row.title))
        .collect();
    if !titles.is_empty() {
        page.line(&format!("Classical hedges: {}.\n", titles.join("; ")));
    }
}

/// The tables of a problem: what is known before the test, the choice, and then the test.
fn compared(page: &mut Page, validation: Option<&Compared>, choice: Option<Choice<'_>>) {
    if let Some(validation) = validation {
        page.table("###", &rows(validation));
    }
    let Some(choice) = choice else {
        return;
    };
    if let Some(chosen) = choice.chosen() {
        page.line(&format!("{chosen}\n"));
    }
    for table in protocol::of_test(&choice) {
        page.table("###", &table);
    }
}

/// The figures of a problem: name, caption and drawing.
fn draw(problem: &Problem, choice: &Choice<'_>) -> Result<Vec<(&'static str, String, String)>> {
    let test = choice.test;
    let palette = Palette::new(test.rows.iter().map(|row| row.name.clone()).collect());
    let mut lines: Vec<&str> = choice.names();
    let learned = test.rows.iter().filter(|row| !row.classical);
    for row in learned {
        if !lines.contains(&row.name.as_str()) {
            lines.push(&row.name);
        }
    }
    let curves: Vec<_> = lines
        .into_iter()
        .map(|name| (name, problem.book.cumulative(name)))
        .collect();
    let title = format!("{}: cumulative P&L of the test", problem.name);
    let mut drawn = Vec::new();
    if let Some(svg) = through_time(&title, "expiry", &curves, &palette, Form::Wide)? {
        let caption = "P&L of the test added up at the expiries of its contracts";
        drawn.push(("pnl", caption.to_owned(), svg));
    }
    let cvar = statistic("cvar", test.level);
    let spans: Vec<Spanned> = test
        .rows
        .iter()
        .map(|row| Spanned {
            name: row.name.clone(),
            value: row.cvar.value,
            low: row.cvar.interval.low,
            high: row.cvar.interval.high,
        })
        .collect();
    let title = format!("{}: {cvar} of the test", problem.name);
    if let Some(svg) = intervals(
        (&title, "CVaR of the loss (money), 95 % intervals"),
        &spans,
        &palette,
    )? {
        drawn.push(("cvar", format!("{cvar} of every hedge on the test"), svg));
    }
    Ok(drawn)
}
