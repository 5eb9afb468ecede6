//! The command line: arguments to plan, plan to result, result to exit code.

mod backtest;
mod book;
mod calibrate;
mod chains;
mod changes;
mod compare;
mod cross;
mod data;
mod head;
mod hedge;
mod job;
mod keys;
mod merge;
mod onnx;
mod output;
mod price;
mod progress;
mod ranks;
mod reading;
mod registration;
mod runs;
#[cfg(feature = "dashboard")]
mod serve;
mod simulate;
mod smile;
mod stop;
mod study;
mod surface;
mod train;
mod values;
mod volatility_index;
mod walk_forward;

use crate::distributed::{self, Ranks};
use crate::error::{Error, Result, excerpt};
use crate::program::Program;
use crate::runs::shard::Shard;
use crate::runs::store::DEFAULT_ROOT;
#[cfg(feature = "dashboard")]
use crate::server::{DEFAULT_BIND, limits};
use crate::simd::InstructionSet;
use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};
use output::{Output, ended, note, report};
use std::ffi::OsString;
#[cfg(feature = "dashboard")]
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Deep hedging with a recurrent policy, trained by K-FAC or Adam.
#[derive(Debug, Parser)]
#[command(name = "deephedge", version)]
struct Arguments {
    /// One JSON document on standard output instead of tables.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train the strategy's optimizers and compare them with classical hedges on the same test paths and on history.
    Compare {
        /// Strategy file (TOML).
        #[arg(required_unless_present = "resume")]
        strategy: Option<PathBuf>,
        /// Go on with this comparison, which was stopped: what is trained is not trained again.
        #[arg(long, value_name = "RUN", conflicts_with_all = ["strategy", "Comparison", "Changes"])]
        resume: Option<String>,
        #[command(flatten)]
        comparison: compare::Comparison,
        #[command(flatten)]
        runs: Root,
    },
    /// Train one policy and measure it on the test paths.
    Train {
        /// Strategy file (TOML).
        #[arg(required_unless_present = "resume")]
        strategy: Option<PathBuf>,
        /// Go on with this training, which was stopped.
        #[arg(long, value_name = "RUN", conflicts_with_all = ["strategy", "optimizer", "Changes"])]
        resume: Option<String>,
        /// The optimizer; `kfac` or else the strategy's first, unless given.
        #[arg(long)]
        optimizer: Option<String>,
        #[command(flatten)]
        changes: changes::Changes,
        #[command(flatten)]
        runs: Root,
    },
    /// Hedge options sold on real history: with a run's policies and the classical hedges, or with a strategy's
    /// classical hedges alone.
    Backtest {
        /// Run id, a unique beginning of it, a path, `latest`, or a strategy file (TOML).
        run: String,
        #[command(flatten)]
        changes: changes::BacktestChanges,
        /// Calibrate on a window of history, train, hedge what is sold in the months after, and roll on; a run that was
        /// interrupted goes on.
        #[arg(long)]
        walk_forward: bool,
        /// Train share K of N of a walk-forward's trainings alone, into a run that waits for `runs merge`: for job arrays.
        #[arg(long, value_name = "K/N", requires = "walk_forward")]
        shard: Option<Shard>,
        /// Write the page of a walk-forward (Markdown) and its figure here too.
        #[arg(long, requires = "walk_forward")]
        page: Option<PathBuf>,
        /// Write the plan and its hash here and stop, or, if the file is there, run what it says and nothing else.
        #[arg(
            long,
            value_name = "FILE",
            requires = "walk_forward",
            conflicts_with = "shard"
        )]
        pre_register: Option<PathBuf>,
        #[command(flatten)]
        runs: Root,
    },
    /// Walk several strategies forward through history as one study: those that sell the same are recipes for one problem. Runs
    /// that are there already are used, and those that were stopped go on.
    WalkForward(study::StudyArguments),
    /// What a run's policies hold today against each contract of a book, what that trades, and what all of it comes to.
    Hedge(hedge::HedgeArguments),
    /// Parameters of a model: from daily closes, by maximum likelihood (Heston's by the quasi-likelihood of a variance
    /// filter), or Heston's from implied volatilities, by least squares.
    Calibrate(calibrate::Calibration),
    /// Train in the strategy's market and in each of its `markets`, and test in all of them.
    Cross {
        /// Strategy file (TOML).
        #[arg(required_unless_present = "resume")]
        strategy: Option<PathBuf>,
        /// Go on with this comparison, which was stopped: what is trained is not trained again.
        #[arg(long, value_name = "RUN", conflicts_with_all = ["strategy", "Crossing", "Changes"])]
        resume: Option<String>,
        #[command(flatten)]
        crossing: cross::Crossing,
        #[command(flatten)]
        runs: Root,
    },
    /// Examine price files and option chains, and make surface files of chains.
    Data {
        #[command(subcommand)]
        action: data::Action,
    },
    /// List the keys of a strategy file with unit, default, bound and help.
    Keys {
        /// Only keys whose names begin so: `training`, `contract.strike`, `optimizers.kfac`.
        #[arg(default_value = "")]
        prefix: String,
        /// As the page docs/strategy-keys.md.
        #[arg(long)]
        markdown: bool,
    },
    /// Print the JSON Schema of a strategy file, by which editors complete and check it.
    Schema,
    /// Write simulated paths as Parquet: path, step, time, spot, variance.
    Simulate {
        /// Strategy file (TOML).
        strategy: PathBuf,
        /// Number of paths.
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
        paths: u32,
        /// File to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Write a run's figures and stand-alone report again, or a page about the compact results of several comparisons.
    Report {
        /// Run id, a unique beginning of it, a path, or `latest`; files of `runs export` for --markdown.
        #[arg(default_value = "latest")]
        runs_or_results: Vec<String>,
        /// A further place for the report.
        #[arg(long)]
        html: Option<PathBuf>,
        /// Write this page (Markdown) and its figures from compact results.
        #[arg(long, value_name = "PAGE", conflicts_with = "html")]
        markdown: Option<PathBuf>,
        #[command(flatten)]
        runs: Root,
    },
    /// List, show, export or delete runs.
    Runs {
        #[command(subcommand)]
        action: runs::Action,
        #[command(flatten)]
        runs: Root,
    },
    /// Carry out what a run folder asks for, until standard input ends.
    #[command(hide = true)]
    Job {
        /// The whole run id.
        run: String,
        #[command(flatten)]
        runs: Root,
    },
    /// Serve the dashboard.
    #[cfg(feature = "dashboard")]
    Serve {
        /// Addresses of other than this machine need a token.
        #[arg(long, default_value = DEFAULT_BIND)]
        bind: SocketAddr,
        /// Refuse who does not send the token in this file, or else in the environment variable DEEPHEDGE_TOKEN.
        #[arg(long)]
        token_file: Option<PathBuf>,
        /// Folder that the files lie in which strategies name, and that uploaded files are kept in. Unless given, strategies
        /// name files in the working directory, and uploads are kept in a folder `data` beside that of the runs.
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
        /// The largest file that may be uploaded, in MiB.
        #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
        max_upload: u32,
        /// A command for the shell to run when a job has finished or failed, with the environment variables DEEPHEDGE_JOB (its
        /// id), DEEPHEDGE_STATE (finished or failed) and DEEPHEDGE_RUN (the folder of its run).
        #[arg(long, value_name = "CMD")]
        on_done: Option<String>,
        /// The address of the dashboard's first page where people reach it through a proxy, such as
        /// https://example.com/deephedge. Needs a token.
        #[arg(long, value_name = "URL")]
        public_url: Option<String>,
        /// Connections at a time; 1024 unless given, or fewer where the limit of open files is low.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
        max_connections: Option<u16>,
        #[command(flatten)]
        runs: Root,
    },
    /// Price the strategy's contract: by the model's formula, by simulation, and by indifference under each hedge.
    Price {
        /// Strategy file (TOML), or a run (its id, a unique beginning of it, a path, `latest`), whose policies then
        /// hedge too.
        strategy: String,
        #[command(flatten)]
        runs: Root,
    },
}

#[derive(Debug, clap::Args)]
struct Root {
    /// Folder of runs.
    #[arg(long = "runs", default_value = DEFAULT_ROOT, global = true)]
    path: PathBuf,
}

/// Runs the program: exit code 0 done, 1 failed, 2 bad input, 3 stopped.
///
/// Of several ranks, as `mpirun` starts them, the first one does what the arguments say, and the others what it tells them.
pub fn main() -> ExitCode {
    ExitCode::from(run(std::env::args_os(), None))
}

/// The same with these arguments, the name of the program first; `program` is how it is started again where that is not its own file. The exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>, program: Option<&Program>) -> u8 {
    let world = InstructionSet::from_environment().and_then(|_| distributed::world());
    let code = match world {
        Ok(world) if world.is_first() => {
            let code = first(arguments, program, &world);
            ranks::dismiss(&world, code);
            code
        }
        Ok(world) => ranks::follow(&world),
        Err(error) => failed(&error),
    };
    distributed::finish(code);
    code
}

fn first(
    arguments: impl IntoIterator<Item = OsString>,
    program: Option<&Program>,
    world: &Ranks,
) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return refused(error),
    };
    let done = ranks::shared(&arguments.command, world)
        .and_then(|()| carry_out(arguments.command, (arguments.json, program), world));
    match done {
        Ok(output) => report(&output, arguments.json),
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> u8 {
    note(&format!("deephedge: {error}"));
    error.exit_code()
}

/// Says what is wrong with the arguments, which are shown in excerpts, or prints the help that they ask for.
fn refused(mut error: clap::Error) -> u8 {
    let long: Vec<(ContextKind, ContextValue)> = error
        .context()
        .filter_map(|(kind, value)| Some((kind, shortened(value)?)))
        .collect();
    if !long.is_empty() {
        // Suggestions repeat the argument.
        error.remove(ContextKind::Suggested);
    }
    for (kind, value) in long {
        error.insert(kind, value);
    }
    let printed = error.print();
    if error.use_stderr() {
        return 2;
    }
    ended(printed)
}

/// The value in excerpts, if it is longer than they are.
fn shortened(value: &ContextValue) -> Option<ContextValue> {
    match value {
        ContextValue::String(text) if excerpt(text) != *text => {
            Some(ContextValue::String(excerpt(text)))
        }
        ContextValue::Strings(texts) if texts.iter().any(|text| excerpt(text) != *text) => {
            let texts = texts.iter().map(|text| excerpt(text));
            Some(ContextValue::Strings(texts.collect()))
        }
        _ => None,
    }
}

fn carry_out(
    command: Command,
    (json, program): (bool, Option<&Program>),
    world: &Ranks,
) -> Result<Output> {
    // Only the dashboard starts the program again.
    #[cfg(not(feature = "dashboard"))]
    let _ = program;
    match command {
        Command::Compare {
            strategy,
            resume,
            comparison,
            runs,
        } => match (strategy, resume) {
            (_, Some(run)) => compare::resume(&run, &runs.path, world),
            (Some(strategy), None) => compare::run(&strategy, &comparison, &runs.path, world),
            (None, None) => unreachable!("one of the two is required"),
        },
        Command::Train {
            strategy,
            resume,
            optimizer,
            changes,
            runs,
        } => match (strategy, resume) {
            (_, Some(run)) => train::resume(&run, &runs.path, world),
            (Some(strategy), None) => {
                train::run(&strategy, optimizer.as_deref(), &changes, &runs.path, world)
            }
            (None, None) => unreachable!("one of the two is required"),
        },
        Command::Backtest {
            run,
            changes,
            walk_forward,
            shard,
            page,
            pre_register,
            runs,
        } => {
            if walk_forward {
                let more = (shard, page.as_deref(), pre_register.as_deref());
                walk_forward::run(&run, &changes, more, &runs.path, world)
            } else {
                backtest::run(&run, &changes, &runs.path)
            }
        }
        Command::WalkForward(arguments) => study::run(&arguments, world),
        Command::Hedge(arguments) => hedge::run(&arguments),
        Command::Report {
            runs_or_results,
            html,
            markdown,
            runs,
        } => match (markdown, runs_or_results.as_slice()) {
            (Some(page), results) => runs::study(&page, results),
            (None, [run]) => runs::report(&runs.path, run, html.as_deref()),
            (None, _) => Err(Error::input(
                "report: one run at a time, unless --markdown is given",
            )),
        },
        Command::Runs { action, runs } => runs::run(&runs.path, action, world),
        Command::Job { run, runs } => job::run(&run, &runs.path, world),
        #[cfg(feature = "dashboard")]
        Command::Serve {
            bind,
            token_file,
            data_dir,
            max_upload,
            on_done,
            public_url,
            max_connections,
            runs,
        } => {
            let access = serve::access(token_file.as_deref(), public_url.as_deref())?;
            let limits = limits(max_connections.map(usize::from));
            let files = serve::DataFiles {
                folder: data_dir.as_deref(),
                most_upload: max_upload,
            };
            serve::run(
                bind,
                access,
                limits,
                files,
                on_done,
                runs.path,
                (json, program),
            )
        }
        Command::Simulate {
            strategy,
            paths,
            out,
        } => simulate::run(&strategy, paths as usize, &out),
        Command::Cross {
            strategy,
            resume,
            crossing,
            runs,
        } => match (strategy, resume) {
            (_, Some(run)) => cross::resume(&run, &runs.path, world),
            (Some(strategy), None) => cross::run(&strategy, &crossing, &runs.path, world),
            (None, None) => unreachable!("one of the two is required"),
        },
        Command::Data { action } => data::run(&action, json),
        Command::Keys { prefix, markdown } => keys::keys(&prefix, markdown),
        Command::Schema => Ok(keys::schema()),
        Command::Calibrate(calibration) => calibrate::run(&calibration),
        Command::Price { strategy, runs } => price::run(&strategy, &runs.path),
    }
}
