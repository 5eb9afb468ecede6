//! The results as a page in Markdown.

use crate::report::table::{Cell, Table};
use crate::report::walk_forward::{findings, percent, tables};
use crate::runs::walk_forward::Results;
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
        Some(error) => format!("{}, {error}", cell.value),
        None => cell.value.clone(),
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
             daily at proportional costs of {}{}{}. In each of {} windows, the {} years before the first sale give the \
             model's parameters, the policies are trained for {} of the P&L on {paths}, and hedge what is sold in the \
             {} months after{start}. Parameters, variance, premium and policy of a contract come from closes up to its \
             sale, hedge ratios from closes up to theirs. The premium is the calibrated model's price at the variance \
             of the day.\n",
            contract.kind,
            settings.files(),
            first.first_sale,
            last.last_sale,
            contract.steps,
            percent(plan.costs.spot.proportional),
            match plan.costs.spot.half_spread {
                0.0 => String::new(),
                half_spread => format!(" and a half-spread of {half_spread}"),
            },
            if plan.costs.liquidation { ", closed at expiry at the same costs" } else { "" },
            results.windows.len(),
            walk.years,
            plan.risk,
            walk.months,
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
