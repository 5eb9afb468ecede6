//! The results as a page in Markdown.

use crate::contract::{Charge, Contract, Instrument};
use crate::market::Curve;
use crate::market::estimation::VarianceEstimator;
use crate::numbers::{self, significant};
use crate::report::table::{Cell, Table};
use crate::report::walk_forward::{findings, tables};
use crate::runs::walk_forward::Results;
use crate::strategy::{
    BacktestPlan, Parameterisation, Plan, Premium, Schedule, Strike, TrainingPaths, WalkForwardPlan,
};
use std::fmt::Write;

/// The page of a walk-forward run: what was done, the tables, what they say, the figure at the relative path `figure`,
/// and the command that makes the page, if it is known.
pub fn page(
    figure: &str,
    command: Option<&str>,
    plan: &Plan,
    settings: &BacktestPlan,
    walk: &WalkForwardPlan,
    results: &Results,
) -> String {
    let mut page = Page::default();
    page.line(&format!("# {}\n", plan.name));
    page.setting(plan, settings, walk, results);
    if let Some(command) = command {
        page.line(&format!("    {command}\n"));
    }
    page.line("## What it says\n");
    for finding in findings(results) {
        page.line(&format!("- {finding}"));
    }
    page.line(&format!("\n![P&L added up over the contracts]({figure})\n"));
    for table in tables(results) {
        page.table(&table);
    }
    page.0
}

fn text(cell: &Cell) -> String {
    match &cell.error {
        Some(error) if error.starts_with(['[', '±']) => format!("{} {error}", cell.value),
        Some(error) => format!("{}, {error}", cell.value),
        None => cell.value.clone(),
    }
}

/// Whether contracts are sold at variances that differ.
fn varies(plan: &Plan, settings: &BacktestPlan) -> bool {
    let constant = plan.market.model.variance_process().is_constant();
    !constant || settings.variance != VarianceEstimator::Model
}

/// What is traded, and at what costs.
fn hedge(plan: &Plan) -> String {
    let costs = |charge: &Charge| match (charge.proportional, charge.half_spread) {
        (0.0, 0.0) => "without costs".to_owned(),
        (share, 0.0) => format!("at costs of {} of the value traded", numbers::share(share)),
        (0.0, half_spread) => format!("at a half-spread of {half_spread}"),
        (share, half_spread) => format!(
            "at costs of {} of the value traded and a half-spread of {half_spread}",
            numbers::share(share)
        ),
    };
    let traded = plan.instruments.iter().map(|(instrument, charge)| {
        let name = match instrument {
            Instrument::Spot(_) => "the spot".to_owned(),
            Instrument::VarianceSwap(_) => "a variance swap".to_owned(),
            Instrument::Option(option) => {
                let ratio = option.expiry / plan.contract.expiry;
                let days = (ratio * plan.contract.steps as f64).round();
                format!(
                    "a {} of strike {} over {days} trading days (at the model's price)",
                    option.kind, option.strike
                )
            }
        };
        format!("{name} {}", costs(charge))
    });
    traded.collect::<Vec<_>>().join(" and ")
}

/// Where the variance at a close comes from.
fn variance(plan: &Plan, settings: &BacktestPlan) -> String {
    match settings.variance {
        VarianceEstimator::Model if varies(plan, settings) => "filtered by the model".into(),
        VarianceEstimator::Model => "the model's, constant".into(),
        VarianceEstimator::Realised { days } => format!("the realised one of {days} days"),
        VarianceEstimator::Exponential { decay } => {
            format!("an exponential average of squared returns with decay {decay}")
        }
        VarianceEstimator::GarmanKlass { days } => {
            format!("Garman and Klass's estimate from {days} days")
        }
        VarianceEstimator::Implied => "the implied one of the file".into(),
    }
}

/// The greatest strike, where there are several.
fn upper_strike(contract: &Contract) -> Option<f64> {
    let strikes = contract.legs().unwrap_or_default().iter();
    let most = strikes
        .map(|leg| leg.strike)
        .fold(contract.strike, f64::max);
    (most > contract.strike).then_some(most)
}

/// The unit of P&L on contracts whose strike is a share of the spot.
fn unit(spot: f64) -> String {
    match spot == 100.0 {
        true => "in percent of the spot at the sale (for a spot of 100)".into(),
        false => format!("in money for a spot of {spot} at the sale"),
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{text}");
    }

    fn table(&mut self, table: &Table) {
        self.line(&format!("## {}\n", table.caption));
        for note in &table.notes {
            self.line(&format!("{note}\n"));
        }
        self.line(&format!("| {} |", table.heads.join(" | ")));
        self.line(&format!("|---{}|", "|---:".repeat(table.heads.len() - 1)));
        for row in &table.rows {
            let cells: Vec<String> = row.iter().map(text).collect();
            self.line(&format!("| {} |", cells.join(" | ")));
        }
        self.line("");
    }

    fn setting(
        &mut self,
        plan: &Plan,
        settings: &BacktestPlan,
        walk: &WalkForwardPlan,
        results: &Results,
    ) {
        let contract = &plan.contract;
        let contracts: usize = results.windows.iter().map(|window| window.contracts).sum();
        let schedule = match settings.schedule {
            Schedule::NonOverlapping => "when the contract before expires".into(),
            Schedule::Every(days) => format!("every {days} trading days"),
            Schedule::Weekly => "on the first trading day of every week".into(),
            Schedule::Monthly => "on the first trading day of every month".into(),
        };
        let (Some(first), Some(last)) = (results.windows.first(), results.windows.last()) else {
            return;
        };
        let start = if walk.warm_start {
            format!(
                "; after the first window, training begins with the weights of the window before and lasts {} as long",
                numbers::share(walk.warm_share)
            )
        } else {
            String::new()
        };
        let share = |strike: f64| numbers::share(strike / plan.market.spot);
        let (strike, unit) = match (plan.strike, upper_strike(contract)) {
            (Strike::Delta { size, .. }, _) => (
                format!("struck at a Black–Scholes delta of {size}"),
                format!("for a strike of {}", significant(contract.strike, 5)),
            ),
            (Strike::Moneyness, upper) => (
                match upper {
                    None => format!("struck at {} of the spot", share(contract.strike)),
                    Some(upper) => format!(
                        "struck at {} and {} of the spot",
                        share(contract.strike),
                        share(upper)
                    ),
                },
                unit(plan.market.spot),
            ),
        };
        let before = format!("the {} years before the first sale", walk.years);
        let (parameters, those) = match settings.parameters {
            Parameterisation::History => (
                format!("{before} give the model's parameters"),
                "those years".to_owned(),
            ),
            Parameterisation::Strategy => {
                ("the model has the strategy's parameters".to_owned(), before)
            }
        };
        let paths = match walk.paths {
            TrainingPaths::Model if varies(plan, settings) => {
                format!("paths of the model that begin at the variances of {those}")
            }
            TrainingPaths::Model => "paths of the model".into(),
            TrainingPaths::Bootstrap { block } => format!(
                "paths made of the returns of {those} by the stationary bootstrap, in blocks of {block} days on average"
            ),
        };
        let expiry = plan.contract.expiry;
        let shown = |curve: &Curve| match curve.constant() {
            Some(rate) => numbers::share(rate),
            None => format!(
                "{} on average until expiry",
                numbers::share(curve.average(0.0, expiry))
            ),
        };
        let (rate, dividend) = (&plan.market.rate, &plan.market.dividend);
        let carry = match [rate, dividend].map(Curve::constant) {
            [Some(0.0), Some(0.0)] => "without interest and dividends".into(),
            _ => format!(
                "at a rate of {} and a dividend yield of {}",
                shown(rate),
                shown(dividend)
            ),
        };
        let premium = match plan.premium {
            Premium::Model => "The premium is the model's price at the variance of the day".into(),
            Premium::Amount(amount) => format!("The premium is {amount}"),
        };
        self.line(&format!(
            "{contracts} {}s on `{}`, sold {schedule} from {} to {}, {strike}, {} trading days, {carry}, hedged daily \
             with {}, {} at expiry. In each of {} windows, {parameters}, the policies are trained for {} of the P&L on \
             {paths}, and hedge what is sold in the {} months after{start}. Parameters, variance, premium and policy of \
             a contract come from closes up to its sale, hedge ratios from closes up to theirs. {premium}; that variance \
             is {}.\n",
            contract.name,
            settings.file_names(),
            first.first_sale,
            last.last_sale,
            contract.steps,
            hedge(plan),
            if plan.liquidation {
                "closed at the same costs"
            } else {
                "carried on without costs"
            },
            results.windows.len(),
            plan.risk,
            walk.months,
            variance(plan, settings),
        ));
        let seeds = match walk.seeds {
            1 => String::new(),
            seeds => format!(
                " Every policy is trained with {seeds} seeds; its figures are means over them."
            ),
        };
        self.line(&format!(
            "P&L is of the seller, {unit}.{seeds} Intervals are of 95 %, by the stationary bootstrap over contracts in blocks \
             of {:.1} on average.\n",
            results.block
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::unit;

    /// Money is percent of the spot for a spot of 100 alone.
    #[test]
    fn money_is_called_percent_for_a_spot_of_100_alone() {
        assert!(unit(100.0).starts_with("in percent"));
        assert_eq!(unit(65.51), "in money for a spot of 65.51 at the sale");
    }
}
