//! A policy of a run for whoever hedges by it elsewhere: its step over a date as an ONNX model, and what it holds on test paths.

use super::{LoadedPolicy, outcome};
use crate::error::{Error, Result};
use crate::hedging::Policy;
use crate::market::Paths;
use crate::network::{Carried, Names, Observed, POSITION, PolicyStep, ReadBy};
use crate::onnx::{Dimension, Element, Model};
use crate::runs::registration::sha256_of;
use crate::runs::store::STRATEGY;
use crate::runs::trained_on::TrainedOn;
use crate::simd::{BLOCK, Lane};
use crate::strategy::Plan;
use polars::prelude::{Column, DataFrame};
use serde_json::{Value, json};

/// A trained policy of a run, and its step over a date as a graph.
pub struct ExportedPolicy<'a> {
    policy: &'a LoadedPolicy,
    /// The SHA-256 of the run's strategy file.
    strategy: String,
    step: PolicyStep,
}

impl<'a> ExportedPolicy<'a> {
    /// The step of a policy.
    ///
    /// # Errors
    /// [`Error::File`] if the run's strategy cannot be read; those of [`PolicyStep::new`].
    pub fn new(policy: &'a LoadedPolicy) -> Result<Self> {
        let plan = policy.plan();
        let features = plan.seen()?;
        let step = PolicyStep::new(
            plan.shape,
            policy.parameters(),
            &features,
            &plan.actor(),
            names(plan),
        )?;
        Ok(Self {
            strategy: sha256_of(&policy.run().path().join(STRATEGY))?,
            policy,
            step,
        })
    }

    /// The names of the model's inputs in their order: what is observed, then what is carried from the date before.
    pub fn inputs(&self) -> Vec<String> {
        let observed = self.step.observed();
        let observed = observed.map(|one| one.name(self.step.names()));
        let carried = self.step.carried().iter().map(|one| one.input.clone());
        observed.chain(carried).collect()
    }

    /// The number of test paths of the run.
    pub fn test_paths(&self) -> usize {
        self.policy.plan().evaluation_paths
    }

    /// The bytes of the ONNX model.
    pub fn to_onnx(&self) -> Vec<u8> {
        let (optimizer, seed) = self.policy.trained();
        let name = &self.policy.plan().name;
        let model = Model {
            name: name.clone(),
            description: format!(
                "One hedging date of the policy that {optimizer} trained with seed {seed} for {name}"
            ),
            producer: ("deephedge", env!("CARGO_PKG_VERSION")),
            graph: self.step.clone().into_graph(),
            metadata: self.metadata(),
        };
        model.to_bytes()
    }

    /// What programs may want to know of the model, JSON where it is no plain text.
    fn metadata(&self) -> Vec<(String, String)> {
        let Self { policy, .. } = self;
        let (plan, (optimizer, seed)) = (policy.plan(), policy.trained());
        let names = self.step.names();
        let observed = self
            .step
            .observed()
            .map(|one| json!({ "name": one.name(names), "description": one.description(names) }));
        let observed: Vec<Value> = observed.collect();
        let carried: Vec<Value> = self.step.carried().iter().map(state).collect();
        let text = |text: &str| text.to_owned();
        let mut metadata = vec![
            ("deephedge_version", text(env!("CARGO_PKG_VERSION"))),
            ("run", text(policy.run().id())),
            ("strategy", plan.name.clone()),
            ("strategy_sha256", self.strategy.clone()),
            ("optimizer", optimizer.to_owned()),
            ("seed", seed.to_string()),
            ("instruments", json!(names.instruments).to_string()),
            ("position", text(POSITION)),
            ("observed", json!(observed).to_string()),
            ("carried", json!(carried).to_string()),
            ("dates", plan.contract.steps.to_string()),
            ("period_years", plan.contract.dt().to_string()),
        ];
        let window = policy.window().map(|number| number.to_string());
        metadata.extend(window.map(|number| ("window", number)));
        let trained_on = policy.trained_on().map(ranges);
        metadata.extend(trained_on.map(|ranges| ("trained_on", ranges.to_string())));
        let metadata = metadata.into_iter();
        metadata
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    }

    /// What the policy sees and holds on the first `count` test paths, a row for every path and date: `path` and `date` from 0, what is
    /// observed under the names of the model's inputs, the price of every instrument, what is held of it over the period that begins
    /// (`position_NAME`, none on the last date and once the contract has ended), and the account so far in money at expiry: `received` for the contract, `paid` by it,
    /// `gain`, `cost` and `financing`. On the last date the run's P&L is received − paid + gain − cost + financing.
    ///
    /// # Errors
    /// [`Error::Input`] if there are not so many test paths; those of the policy; that of `stop`, which is asked again and again.
    pub fn hedged(&self, count: usize, stop: &mut dyn FnMut() -> Result<()>) -> Result<DataFrame> {
        let all = self.test_paths();
        if !(1..=all).contains(&count) {
            return Err(Error::key(
                "--paths",
                format!("= {count}: must be from 1 to {all}, the number of the run's test paths"),
            ));
        }
        let plan = self.policy.plan();
        let quotes = plan.quotes()?;
        let known = self.known();
        let names = self.step.names();
        let held = names.instruments.iter();
        let held = held.map(|one| format!("{POSITION}_{one}"));
        let headings = known.iter().map(|one| one.name(names)).chain(held);
        let headings = headings.chain(ACCOUNT.map(str::to_owned));
        let mut columns: Vec<(String, Vec<Option<f64>>)> =
            headings.map(|name| (name, Vec::new())).collect();
        self.policy.hedging(|policy| {
            for first in (0..count).step_by(plan.chunk()) {
                stop()?;
                let some = plan.chunk().min(count - first);
                let simulator = outcome::test_paths(plan);
                let paths = simulator.paths_with::<f64>(&quotes, (first / BLOCK) as u64, some);
                let positions = policy.positions(&plan.contract, &paths)?;
                self.append(&mut columns, &known, &paths, &positions);
            }
            Ok(())
        })?;
        let dates = plan.contract.steps + 1;
        let rows = count * dates;
        let number = |of: &dyn Fn(usize) -> usize| -> Vec<u32> {
            (0..rows).map(|row| of(row) as u32).collect()
        };
        let mut table = vec![
            Column::new("path".into(), number(&|row| row / dates)),
            Column::new("date".into(), number(&|row| row % dates)),
        ];
        let columns = columns.into_iter();
        table.extend(columns.map(|(name, values)| Column::new(name.into(), values)));
        Ok(DataFrame::new(rows, table)?)
    }

    /// What is told of a date: what the model observes, and the prices of instruments that are not among it.
    fn known(&self) -> Vec<Observed> {
        let mut known: Vec<Observed> = self.step.observed().collect();
        for instrument in 0..self.step.names().instruments.len() {
            let price = Observed::Price(instrument);
            if !known.contains(&price) {
                known.push(price);
            }
        }
        known
    }

    /// Appends paths that are hedged to the columns: `known`, positions, the account.
    fn append(
        &self,
        columns: &mut [(String, Vec<Option<f64>>)],
        known: &[Observed],
        paths: &Paths<f64>,
        positions: &[Lane<f64>],
    ) {
        let plan = self.policy.plan();
        let (steps, count) = (plan.contract.steps, self.step.names().instruments.len());
        let charges = plan.charges();
        let by = ReadBy {
            period: plan.contract.dt(),
            charges: &charges,
        };
        let ledger = plan.ledger_of_sale();
        for index in 0..paths.blocks() {
            let block = paths.block(index);
            let positions = &positions[index * steps * count..][..steps * count];
            let account = ledger.account(&block, positions);
            let read: Vec<Vec<Lane<f64>>> = (0..=steps)
                .map(|t| known.iter().map(|one| one.read(&block, t, &by)).collect())
                .collect();
            let ends = |lane: usize| block.end().map_or(steps, |end| end[lane] as usize);
            for lane in 0..paths.active(index) {
                let received = ledger.at_expiry(ledger.premium(&block, lane));
                for (t, read) in read.iter().enumerate() {
                    let seen = read.iter().map(|one| Some(one[lane]));
                    let held = (0..count).map(|instrument| {
                        let lives = t < steps && t < ends(lane);
                        lives.then(|| positions[t * count + instrument][lane])
                    });
                    let account = [
                        received,
                        account.paid[t][lane],
                        account.gain[t][lane],
                        account.cost[t][lane],
                        account.financing[t][lane],
                    ];
                    let row = seen.chain(held).chain(account.map(Some));
                    for ((_, column), value) in columns.iter_mut().zip(row) {
                        column.push(value);
                    }
                }
            }
        }
    }
}

/// The columns of an account.
const ACCOUNT: [&str; 5] = ["received", "paid", "gain", "cost", "financing"];

/// What the inputs and outputs of a plan's policies are called.
fn names(plan: &Plan) -> Names {
    let (assets, traded) = (plan.assets(), plan.instruments());
    let family = plan.contract.family();
    let ranges = family.map_or(&[][..], |family| family.ranges());
    Names {
        assets: assets.list().iter().map(|one| one.name.clone()).collect(),
        instruments: traded.iter().map(|one| assets.column(*one)).collect(),
        traded,
        terms: ranges.iter().map(|range| range.key.clone()).collect(),
        running: plan.contract.accumulators().to_vec(),
        benchmark: plan.reference.map(|hedge| hedge.name()),
    }
}

/// What was seen in training, in JSON: quantiles by the names of the quantities, with their levels.
fn ranges(trained_on: &TrainedOn) -> Value {
    json!({
        "levels": TrainedOn::LEVELS,
        "moneyness": trained_on.moneyness,
        "moneyness_at_sale": trained_on.moneyness_at_sale,
        "volatility": trained_on.volatility,
        "log_return": trained_on.log_return,
    })
}

/// What a model hands to the next date, in JSON.
fn state(carried: &Carried) -> Value {
    let sizes = carried.dimensions.iter().map(|dimension| match dimension {
        Dimension::Fixed(size) => json!(size),
        Dimension::Named(name) => json!(name),
    });
    let element = match carried.element {
        Element::Float => "float",
        Element::Double => "double",
        Element::Integer => "int64",
        Element::Boolean => "bool",
    };
    json!({
        "input": carried.input,
        "output": carried.output,
        "type": element,
        "shape": sizes.collect::<Vec<Value>>(),
        "at_the_sale": 0,
        "description": carried.description,
    })
}
