//! The strategy: what a file or a program says ([`Strategy`]), and the plan that is made of it ([`Plan`]).
//!
//! Every section is a struct whose fields carry help, unit, default and bounds; [`document`] is their JSON Schema, [`keys`]
//! their list.

mod backtest;
#[cfg(feature = "data")]
mod book;
mod classical;
mod contract;
mod costs;
#[cfg(test)]
mod curve_tests;
mod distributed;
mod file;
mod files;
mod financing;
#[cfg(test)]
mod fixture;
pub mod form;
mod given;
mod hedge_tuning;
mod hedges;
mod instruments;
mod keys;
mod limits;
mod market;
pub mod memory;
mod money;
mod optimizer;
mod past;
mod plan;
mod policy;
mod price_files;
mod prices;
mod ranges;
mod scales;
mod schedule;
mod schema;
mod seen;
mod sent;
mod session;
mod several;
mod smoothing;
mod surface;
mod tenor;
mod traded;
mod training;
mod variants;
mod walk_forward;
mod words;

pub use backtest::{BacktestPlan, BacktestSection, Parameterisation, Rates, VarianceRule};
#[cfg(feature = "data")]
pub use book::Book;
pub use classical::{FitPaths, FittedOn, PastContracts, Regressions};
pub use contract::{ContractSection, ModelPrice, Premium, PremiumRule, Strike};
pub use costs::{CostSchedule, CostsSection, DatedCosts, DatedFactor, OwnCosts, OwnOptionCosts};
pub use distributed::DistributedSection;
pub use file::Strategy;
pub use files::located;
pub use financing::FinancingSection;
pub use hedge_tuning::HedgeValidation;
pub use hedges::{HedgeSection, HedgeTable, Share, TunedShare};
pub use instruments::{CostlySection, InstrumentSection, NamedInstrument, OptionSection};
pub use keys::{KeyEntry, KeyGroup, keys, keys_of};
pub use limits::LimitsSection;
pub use market::MarketSection;
pub use optimizer::{AverageRule, OptimizerPlan, OptimizerSection};
pub use plan::Plan;
pub use policy::{
    Aversion, AversionRule, BandForm, EvaluationSection, PerInstrument, PolicySection, TuneOn,
    TunedAversion,
};
pub use price_files::{AssetFiles, Files};
pub use ranges::{Term, TermUnit};
pub use schedule::{Schedule, Spacing, SpacingRule};
pub use schema::document;
pub use sent::{FindFile, NO_HISTORY};
pub use several::{AssetSection, SeveralSection};
pub use smoothing::{Relaxing, Smoothing};
pub use tenor::{DayCount, Rebalancing, Tenor};
pub use training::{
    Clock, Length, RiskMeasure, RiskSection, TermSection, TrainingSection, Validation,
};
pub use walk_forward::{
    AllYears, CalibrationYears, PathSource, TrainingPaths, WalkForwardPlan, WalkForwardSection,
};
