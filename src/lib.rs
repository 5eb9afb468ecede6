//! Deep hedging: networks that learn to hedge options under transaction costs, trained by K-FAC or by first-order methods,
//! and measured beside classical hedges on the same paths.
//!
//! The crate is the program `deephedge` and the library under it. A [`strategy`] file becomes a [`strategy::Plan`]; a training
//! simulates the plan's [`market`], lets a [`network`] hedge, and moves its weights by an [`optimizer`] towards a smaller [`risk`]
//! of the P&L that the ledger in [`hedging`] settles.
//!
//! ```
//! use deephedge::hedging::{Book, ClassicalName, ClassicalPolicy};
//! use deephedge::random::Purpose;
//! use deephedge::risk::cvar;
//! use deephedge::strategy::Plan;
//!
//! let plan = Plan::parse(
//!     r#"
//!     market = { model = "gbm", volatility = 0.2 }
//!     contract = { type = "call", expiry_days = 30, days_per_year = 252 }
//!     costs = { proportional = 0.001 }
//!     "#,
//!     |_| {},
//! )?;
//! let price = plan.model_premium();
//! assert!((price - 2.752).abs() < 0.001);
//!
//! // The seller's tail risk on 1,000 paths, hedged daily by the Black–Scholes delta and not at all.
//! let paths = plan.simulator(plan.seed, Purpose::Evaluation).paths(0, 1_000);
//! let paths = paths.under(&plan.contract);
//! let ledger = plan.ledger(&plan.market, price);
//! let tail_risk = |hedge| {
//!     let (assets, charges) = (plan.assets(), plan.charges());
//!     let policy = ClassicalPolicy::new(hedge, assets, charges);
//!     Book::hedge(&policy, &ledger, &paths).map(|book| cvar(&book.pnl, 0.95))
//! };
//! assert!(tail_risk(ClassicalName::BlackScholes)? < 0.3 * tail_risk(ClassicalName::Naked)?);
//! # Ok::<(), deephedge::Error>(())
//! ```
//!
//! The programs in `examples/` go on from here: [`training::train`] gives a policy in a few seconds.
//!
//! # Modules, from the ground up
//!
//! | modules | what they are |
//! |---|---|
//! | [`simd`], [`random`], [`linalg`], [`onnx`] | blocks of 32 paths, random numbers addressed by seed and path, symmetric matrices, graphs of ONNX operators |
//! | [`contract`], [`pricing`], [`market`] | what is sold, what it is worth, simulated and historical paths |
//! | [`network`], [`hedging`] | the recurrent network with its sweep record; the ledger that turns positions into P&L |
//! | [`products`] | contracts by their names, as calls and puts or as payments written in the language of term sheets |
//! | [`risk`], [`optimizer`], [`training`] | risk measures, methods of training, the loop |
//! | [`strategy`] | the strategy file and the plan that is made of it |
//! | `backtest`, `walk_forward`, `calibration` | contracts on price history, calibrated models |
//! | `quotes` | option chains: read, cleaned, and a surface fitted to every day |
//! | `live` | what a run's policies hold today against a book of contracts |
//! | `experiment`, `groups`, `runs`, `report` | comparisons, on several ranks too, the folders that they leave, reports about them |
//! | `charts`, `server`, `cli`, `python` | interactive charts, the dashboard and its API, the command line, the Python package |
//!
//! # Features
//!
//! All but `mpi` and `python` are on by default. Without them the crate builds in a fraction of the time and still simulates, prices, trains and hedges.
//!
//! | feature | what it adds |
//! |---|---|
//! | `data` | price history, option quotes and surfaces through polars: `backtest`, `walk_forward`, `calibration`, `quotes`, `experiment`, `live`, `groups`, `runs`, `report` |
//! | `command-line` | `cli`, and the program |
//! | `dashboard` | `charts` and `server` |
//! | `python` | the compiled part of the Python package, which maturin builds |
//! | `mpi` | trainings over several processes and machines; built with an MPI library and libclang |
//!
//! # Conventions
//!
//! P&L is gain-positive, CVaR is of the loss. Money is per contract in the spot's currency. Rates and variances are
//! annualised, times are in years. The same seed gives the same bits on any number of threads.

#![cfg_attr(not(test), deny(missing_docs))]

pub mod atomic;
#[cfg(feature = "data")]
pub mod backtest;
pub mod bounds;
#[cfg(feature = "data")]
pub mod calibration;
#[cfg(feature = "dashboard")]
pub mod charts;
#[cfg(feature = "command-line")]
pub mod cli;
pub mod contract;
pub mod distributed;
pub mod error;
#[cfg(feature = "data")]
pub mod experiment;
#[cfg(feature = "data")]
pub mod groups;
pub mod hedging;
pub mod linalg;
#[cfg(feature = "data")]
pub mod live;
pub mod market;
mod named;
pub mod network;
// Without the dashboard and history less of it is needed.
#[cfg_attr(not(feature = "dashboard"), allow(dead_code))]
mod numbers;
pub mod onnx;
pub mod optimizer;
pub mod pricing;
pub mod products;
pub mod program;
#[cfg(feature = "python")]
mod python;
#[cfg(feature = "data")]
pub mod quotes;
pub mod random;
#[cfg(feature = "data")]
pub mod report;
pub mod risk;
#[cfg(feature = "data")]
pub mod runs;
#[cfg(feature = "dashboard")]
pub mod server;
pub mod settings;
pub mod simd;
pub mod strategy;
pub mod training;
#[cfg(feature = "data")]
pub mod walk_forward;

pub use error::{Error, Result};
