//! The results as a page in Markdown.

use super::results::{Bounded, Period, Results, Test};
use crate::strategy::{BacktestPlan, Plan, Schedule, Strike, TrainingPaths, WalkForwardPlan};
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
    page.verdict(results);
    page.line(&format!("![P&L added up over the contracts]({figure})\n"));
    page.statistics(results);
    page.tests(results);
    page.attribution(results);
    page.periods(
        "Stress",
        "Total P&L of the contracts alive in a fall of the index.",
        &results.stress,
    );
    page.periods("Years of sale", "Total P&L.", &results.years);
    page.worst(results);
    page.windows(results);
    page.0
}

#[derive(Default)]
struct Page(String);

fn bounded(value: &Bounded) -> String {
    let Bounded { value, interval } = value;
    format!("{value:.3} [{:.3}, {:.3}]", interval.low, interval.high)
}

fn percent(level: f64) -> String {
    // Without the last digits that the factor leaves.
    format!("{} %", (1e12 * level).round() / 1e10)
}

impl Page {
    fn line(&mut self, text: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{text}");
    }

    fn table(&mut self, heads: &[String], rows: impl Iterator<Item = Vec<String>>) {
        self.line(&format!("| {} |", heads.join(" | ")));
        self.line(&format!("|---{}|", "|---:".repeat(heads.len() - 1)));
        for row in rows {
            self.line(&format!("| {} |", row.join(" | ")));
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
            Schedule::Every(days) => format!("every {days} trading days"),
            Schedule::Weekly => "on the first trading day of every week".into(),
            Schedule::Monthly => "on the first trading day of every month".into(),
        };
        let (Some(first), Some(last)) = (results.windows.first(), results.windows.last()) else {
            return;
        };
        let paths = match walk.paths {
            TrainingPaths::Model => {
                "paths of the calibrated model that begin at the variances of those years".into()
            }
            TrainingPaths::Bootstrap { block } => format!(
                "paths made of the returns of those years by the stationary bootstrap, in blocks of {block} days on average"
            ),
        };
        let start = if walk.warm_start {
            format!(
                "; after the first window, training begins with the weights of the window before and lasts {} as long",
                percent(walk.warm_share)
            )
        } else {
            String::new()
        };
        let share = |strike: f64| percent(strike / plan.market.spot);
        let (strike, unit) = match (plan.strike, contract.kind.upper_strike()) {
            (Strike::Delta { size, .. }, _) => (
                format!("struck at a Black–Scholes delta of {size}"),
                format!("for a strike of {:.2}", contract.strike),
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
                format!(
                    "in percent of the spot at the sale (for a spot of {})",
                    plan.market.spot
                ),
            ),
        };
        self.line(&format!(
            "{contracts} {}s on `{}`, sold {schedule} from {} to {}, {strike}, {} trading days, hedged \
             daily at proportional costs of {} %{}. In each of {} windows, the {} years before the first sale give the \
             model's parameters, the policies are trained for {} of the P&L on {paths}, and hedge what is sold in the \
             {} months after{start}. Parameters, variance, premium and policy of a contract come from closes up to its \
             sale, hedge ratios from closes up to theirs. The premium is the calibrated model's price at the variance \
             of the day.\n",
            contract.kind,
            settings.data.display(),
            first.first_sale,
            last.last_sale,
            contract.steps,
            100.0 * plan.costs.proportional,
            if plan.costs.liquidation { ", closed at expiry at the same costs" } else { "" },
            results.windows.len(),
            walk.years,
            plan.risk,
            walk.months,
        ));
        self.line(&format!(
            "P&L is of the seller, {unit}. Intervals are of 95 %, by the stationary bootstrap over contracts in blocks \
             of {:.1} on average.\n",
            results.block
        ));
    }

    /// In words: who has the lower CVaR, by how much, and whether the contracts tell.
    fn verdict(&mut self, results: &Results) {
        self.line("## What it says\n");
        let tests = results.tests.iter().filter(|test| test.statistic == "cvar");
        for test in tests {
            let Test {
                strategy,
                against,
                difference,
                corrected,
                ..
            } = test;
            let theirs = results
                .strategies
                .iter()
                .find(|result| result.strategy == *against)
                .map_or(f64::NAN, |result| result.cvar.value);
            let share = 100.0 * difference.value.abs() / theirs.abs();
            let side = if difference.value < 0.0 {
                "below"
            } else {
                "above"
            };
            let verdict = if *corrected < 0.05 {
                "which the contracts establish"
            } else {
                "which the contracts do not establish"
            };
            self.line(&format!(
                "- The CVaR {} of {strategy} lies {:.3} ({share:.0} %) {side} that of {against}, interval of the \
                 difference [{:.3}, {:.3}], p = {corrected:.3} after correction: {verdict}.",
                percent(results.level),
                difference.value.abs(),
                difference.interval.low,
                difference.interval.high,
            ));
        }
        self.line("");
    }

    fn statistics(&mut self, results: &Results) {
        self.line("## Strategies\n");
        let heads = [
            "strategy".into(),
            "mean P&L".into(),
            "std".into(),
            format!("CVaR {}", percent(results.level)),
            "Sharpe a year".into(),
            "cost".into(),
            "turnover".into(),
            "maximum drawdown".into(),
        ];
        let rows = results.strategies.iter().map(|r| {
            let from = r.drawdown_from.clone().unwrap_or("the start".into());
            vec![
                r.strategy.clone(),
                bounded(&r.mean),
                bounded(&r.std),
                bounded(&r.cvar),
                bounded(&r.sharpe),
                format!("{:.3}", r.cost),
                format!("{:.2}", r.turnover),
                format!("{:.2}, {from} to {}", r.maximum_drawdown, r.drawdown_to),
            ]
        });
        self.table(&heads, rows);
    }

    fn tests(&mut self, results: &Results) {
        let Some(first) = results.tests.first() else {
            return;
        };
        self.line(&format!("## {} less the others\n", first.strategy));
        self.line("Paired on the same contracts; p-values of no difference, then corrected by Holm for all of this table.\n");
        let heads = ["against", "statistic", "difference", "p", "corrected"].map(String::from);
        let rows = results.tests.iter().map(|test| {
            let statistic = match test.statistic.as_str() {
                "cvar" => format!("CVaR {}", percent(results.level)),
                "mean" => "mean P&L".into(),
                other => other.into(),
            };
            vec![
                test.against.clone(),
                statistic,
                bounded(&test.difference),
                format!("{:.3}", test.p),
                format!("{:.3}", test.corrected),
            ]
        });
        self.table(&heads, rows);
    }

    fn attribution(&mut self, results: &Results) {
        self.line("## Where the P&L comes from\n");
        self.line(
            "Means per contract. The parts add up to the mean P&L. Delta is the P&L of holding something else than the \
             model's delta: a view on the spot. Drift is the share of it that the drift of the calibrated returns \
             explains; the last column is delta without it.\n",
        );
        let Some(first) = results.strategies.first() else {
            return;
        };
        let mut heads = vec!["strategy".to_string()];
        heads.extend(first.attribution.iter().map(|(name, _)| name.clone()));
        heads.extend(["sum", "drift", "delta without drift"].map(String::from));
        let rows = results.strategies.iter().map(|r| {
            // Without the sign of a zero.
            let number = |value: f64| format!("{:.3}", (1000.0 * value).round() / 1000.0 + 0.0);
            let mut row = vec![r.strategy.clone()];
            row.extend(r.attribution.iter().map(|(_, value)| number(*value)));
            let sum: f64 = r.attribution.iter().map(|(_, value)| value).sum();
            let delta = r.attribution.iter().find(|(name, _)| name == "delta");
            let delta = delta.map_or(0.0, |(_, value)| *value);
            row.extend([number(sum), number(r.drift), number(delta - r.drift)]);
            row
        });
        self.table(&heads, rows);
    }

    fn periods(&mut self, title: &str, note: &str, periods: &[Period]) {
        let Some(first) = periods.first() else {
            return;
        };
        self.line(&format!("## {title}\n\n{note}\n"));
        let mut heads = vec!["period".to_string(), "contracts".to_string()];
        heads.extend(first.pnl.iter().map(|(strategy, _)| strategy.clone()));
        let rows = periods.iter().map(|period| {
            let mut row = vec![period.name.clone(), period.contracts.to_string()];
            row.extend(period.pnl.iter().map(|(_, pnl)| format!("{pnl:.2}")));
            row
        });
        self.table(&heads, rows);
    }

    fn worst(&mut self, results: &Results) {
        self.line("## Worst contracts\n");
        let heads = ["strategy", "sold", "expiry", "P&L"].map(String::from);
        let rows = results.strategies.iter().flat_map(|r| {
            r.worst.iter().map(|(sold, expiry, pnl)| {
                vec![
                    r.strategy.clone(),
                    sold.to_string(),
                    expiry.to_string(),
                    format!("{pnl:.2}"),
                ]
            })
        });
        self.table(&heads, rows);
    }

    fn windows(&mut self, results: &Results) {
        self.line("## Windows\n");
        let Some(first) = results.windows.first() else {
            return;
        };
        let names: Vec<&String> = first
            .model
            .iter()
            .filter(|(_, v)| v.is_number())
            .map(|(n, _)| n)
            .collect();
        let mut heads: Vec<String> = ["calibrated on", "sold", "contracts"]
            .map(String::from)
            .to_vec();
        heads.extend(names.iter().map(ToString::to_string));
        heads.extend(["drift", "band λ", "on a bound"].map(String::from));
        let rows = results.windows.iter().map(|w| {
            let mut row = vec![
                format!("{} to {}", w.calibrated_from, w.calibrated_to),
                format!("{} to {}", w.first_sale, w.last_sale),
                w.contracts.to_string(),
            ];
            let number = |name: &String| {
                w.model
                    .get(name)
                    .and_then(|v| v.as_f64())
                    .unwrap_or(f64::NAN)
            };
            row.extend(names.iter().map(|name| format!("{:.4}", number(name))));
            row.extend([
                format!("{:.3}", w.drift),
                format!("{:.3}", w.band_aversion),
                w.at_bound.join(", "),
            ]);
            row
        });
        self.table(&heads, rows);
    }
}
