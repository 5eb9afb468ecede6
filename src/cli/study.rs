//! `walk-forward`: several strategies as one study, and its page.

use super::Root;
use super::changes::settings;
use super::output::{Output, note, warn};
use super::registration::{PreRegistered, pre_registered};
use super::stop::Stop;
use super::walk_forward::carried_out;
use crate::atomic::Destination;
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::report::protocol;
use crate::report::text::{WIDTH, render};
use crate::runs::shard::CarriedOut;
use crate::strategy::Plan;
use crate::walk_forward::study::{self, Study, Walked, Words};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The title of a page that is given none.
const TITLE: &str = "Walk-forward study";

/// What a study is made of, and where it goes.
#[derive(Debug, clap::Args)]
pub struct StudyArguments {
    /// Strategy files (TOML), each with `backtest` and `walk_forward`.
    #[arg(required = true)]
    strategies: Vec<PathBuf>,
    /// Write the page of the study (Markdown) here, and its figures into a folder of the same name beside it.
    #[arg(long)]
    page: Option<PathBuf>,
    /// The title of the page.
    #[arg(long, default_value = TITLE)]
    title: String,
    /// A sentence below the first paragraph of the page, such as how much of the test was known when the plan was made.
    #[arg(long)]
    remark: Option<String>,
    /// Write the plan and its hash here and stop, or, if the file is there, run what it says and nothing else.
    #[arg(long, value_name = "FILE")]
    pre_register: Option<PathBuf>,
    #[command(flatten)]
    runs: Root,
}

/// Runs what is not run yet, puts the strategies side by side and writes the page.
pub fn run(arguments: &StudyArguments, world: &Ranks) -> Result<Output> {
    let page = arguments
        .page
        .as_deref()
        .map(Destination::new)
        .transpose()?;
    let plans = arguments.strategies.iter().map(|path| {
        let plan = Plan::load(path, |_| {})?;
        settings(&plan, &path.display().to_string())?;
        Ok(plan)
    });
    let plans = plans.collect::<Result<Vec<Plan>>>()?;
    let planned = study::planned(&plans)?;
    let registration = match &arguments.pre_register {
        None => None,
        Some(file) => match pre_registered(file, planned)? {
            PreRegistered::Now(output) => return Ok(output),
            PreRegistered::Before(registration) => Some(registration),
        },
    };
    let stop = Stop::on_signals()?;
    let prepared = study::prepared(plans, &arguments.runs.path, registration.as_ref())?;
    let mut walked = Vec::new();
    for prepared in prepared {
        let id = prepared.folder.id().to_owned();
        let prepared = match Walked::complete(prepared)? {
            Ok(known) => {
                note(&format!("{id}: is there already"));
                walked.push(known);
                continue;
            }
            Err(prepared) => prepared,
        };
        note(&format!("{id}: {}", prepared.plan.name));
        match carried_out(&prepared, &stop, world)? {
            CarriedOut::Results(finished) => {
                let warnings = finished.metrics.warnings().into_iter();
                warnings.for_each(|warning| warn(&format!("{}: {warning}", prepared.plan.name)));
                walked.push(Walked::of(prepared, finished)?);
            }
            CarriedOut::Shard(share) => {
                return Err(Error::input(format!("run `{id}`: {share}")));
            }
        }
    }
    let study = Study::new(walked)?;
    if let (Some(destination), Some(path)) = (page, &arguments.page) {
        let command = command(arguments);
        let words = Words {
            title: &arguments.title,
            remark: arguments.remark.as_deref(),
            command: &command,
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let (text, figures) = study::page(&study, &words, &name)?;
        let folder = path.with_extension("");
        for (file, svg) in figures {
            let figure = Destination::new(&folder.join(file))?;
            figure.write(|file| file.write_all(svg.as_bytes()))?;
        }
        destination.write(|file| file.write_all(text.as_bytes()))?;
    }
    Ok(said(&study, arguments))
}

/// The command that makes the page; all strategies of a folder are written as a pattern.
fn command(arguments: &StudyArguments) -> String {
    let files = &arguments.strategies;
    let folder = files[0].parent().unwrap_or(Path::new(""));
    let tomls = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let is_toml = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "toml");
        entries.map(|entry| entry.path()).filter(is_toml).count()
    };
    let together = files.iter().all(|file| file.parent() == Some(folder));
    let named = match files.len() > 1 && together && tomls(folder) == files.len() {
        true => folder.join("*.toml").display().to_string(),
        false => {
            let files: Vec<String> = files
                .iter()
                .map(|file| file.display().to_string())
                .collect();
            files.join(" ")
        }
    };
    let mut text = format!("deephedge walk-forward {named}");
    if let Some(file) = &arguments.pre_register {
        text += &format!(" --pre-register {}", file.display());
    }
    if let Some(page) = &arguments.page {
        text += &format!(" --page {}", page.display());
    }
    if arguments.title != TITLE {
        text += &format!(" --title \"{}\"", arguments.title);
    }
    if let Some(remark) = &arguments.remark {
        text += &format!(" --remark \"{remark}\"");
    }
    text
}

fn said(study: &Study, arguments: &StudyArguments) -> Output {
    let conclusion = study::conclusion(study, arguments.remark.as_deref());
    let mut text = String::new();
    for problem in &study.problems {
        text += &format!("{}\n\n", problem.name);
        for compared in [&problem.validation, &problem.test].into_iter().flatten() {
            text += &render(&protocol::rows(compared), WIDTH);
            text.push('\n');
        }
    }
    text += &conclusion;
    if let Some(page) = &arguments.page {
        text += &format!("\npage: {}", page.display());
    }
    let problems = study.problems.iter().map(|problem| {
        let runs = problem.recipes.iter();
        let runs = runs.map(|place| study.walked[*place].prepared.folder.id());
        let choice = problem.choice();
        let recipe = choice.and_then(|choice| choice.recipe());
        let classical = choice.and_then(|choice| choice.classical());
        json!({
            "name": problem.name,
            "runs": runs.collect::<Vec<_>>(),
            "recipe": recipe.map(|(row, _)| &row.name),
            "best_classical": classical.map(|row| &row.name),
            "validation": problem.validation,
            "test": problem.test,
        })
    });
    let together = study.together.iter().map(|together| {
        json!({
            "problems": together.names,
            "validation": together.validation,
            "test": together.test,
        })
    });
    Output {
        text,
        document: json!({
            "registration": study.registration,
            "conclusion": conclusion,
            "problems": problems.collect::<Vec<Value>>(),
            "together": together.collect::<Vec<Value>>(),
        }),
    }
}
