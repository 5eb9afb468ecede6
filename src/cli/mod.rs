//! The command line: arguments to plan, plan to result, result to exit code.

mod calibrate;
mod compare;
mod price;
mod runs;
mod simulate;

use crate::error::Result;
use crate::runs::store::DEFAULT_ROOT;
use crate::server::DEFAULT_BIND;
use clap::{Parser, Subcommand};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Deep hedging with a recurrent policy, trained by K-FAC or Adam.
#[derive(Debug, Parser)]
#[command(name = "deephedge", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train the strategy's optimizers and compare them with classical hedges on the same test paths.
    Compare {
        /// Strategy file (TOML).
        strategy: PathBuf,
        /// Only these optimizers, separated by commas.
        #[arg(long, value_delimiter = ',')]
        optimizers: Option<Vec<String>>,
        /// Train with this many seeds, beginning with the strategy's.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
        seeds: u64,
        /// Optimisation steps instead of the strategy's.
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
        steps: Option<u64>,
        /// Folder of runs.
        #[arg(long, default_value = DEFAULT_ROOT)]
        runs: PathBuf,
        /// One JSON document on standard output instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Hedge options sold on real history with the strategy's classical hedges.
    Backtest {
        /// Strategy file (TOML).
        strategy: PathBuf,
        /// Daily closes (CSV) instead of the strategy's.
        #[arg(long)]
        data: Option<PathBuf>,
        /// One JSON document on standard output instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Estimate Heston parameters from daily closes (CSV), by the quasi-likelihood of a variance filter.
    Calibrate {
        /// Daily closes (CSV).
        #[arg(long)]
        history: PathBuf,
        #[arg(long)]
        json: bool,
    },
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
        /// One JSON document on standard output instead of a line.
        #[arg(long)]
        json: bool,
    },
    /// Write a run's figures and stand-alone report again.
    Report {
        /// Run id, a unique beginning of it, a path, or `latest`.
        #[arg(default_value = "latest")]
        run: String,
        #[arg(long, default_value = DEFAULT_ROOT)]
        runs: PathBuf,
    },
    /// List, show or delete runs.
    Runs {
        #[command(subcommand)]
        action: runs::Action,
        #[arg(long, default_value = DEFAULT_ROOT, global = true)]
        runs: PathBuf,
    },
    /// Serve the dashboard on this machine.
    Serve {
        #[arg(long, default_value = DEFAULT_BIND)]
        bind: SocketAddr,
        #[arg(long, default_value = DEFAULT_ROOT)]
        runs: PathBuf,
    },
    /// Price the strategy's contract: by the model's formula and by simulation.
    Price {
        /// Strategy file (TOML).
        strategy: PathBuf,
        /// One JSON document on standard output instead of a table.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the program: exit code 0 done, 1 failed, 2 bad input.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command) {
        Ok(output) => print(&output),
        Err(error) => {
            eprintln!("deephedge: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(command: Command) -> Result<String> {
    match command {
        Command::Compare {
            strategy,
            optimizers,
            seeds,
            steps,
            runs,
            json,
        } => compare::run(&strategy, optimizers.as_deref(), seeds, steps, &runs, json),
        Command::Backtest {
            strategy,
            data,
            json,
        } => compare::backtest(&strategy, data, json),
        Command::Report { run, runs } => runs::report(&runs, &run),
        Command::Runs { action, runs } => runs::run(&runs, action),
        Command::Serve { bind, runs } => runs::serve(bind, runs),
        Command::Simulate {
            strategy,
            paths,
            out,
            json,
        } => simulate::run(&strategy, paths as usize, &out, json),
        Command::Calibrate { history, json } => calibrate::run(&history, json),
        Command::Price { strategy, json } => price::run(&strategy, json),
    }
}

/// Prints the result; a reader that has gone away is not an error.
fn print(output: &str) -> ExitCode {
    match writeln!(std::io::stdout(), "{output}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("deephedge: standard output: {error}");
            ExitCode::from(1)
        }
        _ => ExitCode::SUCCESS,
    }
}
