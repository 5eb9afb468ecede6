//! The results as a page in Markdown.

use super::markdown::Page;
use super::sold::{sold, varies};
use crate::market::estimation::VarianceEstimator;
use crate::numbers;
use crate::report::protocol;
use crate::report::walk_forward::{findings, tables};
use crate::runs::walk_forward::Results;
use crate::strategy::{
    BacktestPlan, Parameterisation, Plan, Premium, TrainingPaths, WalkForwardPlan,
};

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
        page.table("##", &table);
    }
    page.into_text()
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

impl Page {
    fn setting(
        &mut self,
        plan: &Plan,
        settings: &BacktestPlan,
        walk: &WalkForwardPlan,
        results: &Results,
    ) {
        let assets = plan.assets();
        let Some((sold, unit)) = sold(plan, settings, results) else {
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
        let before = match walk.years {
            Some(years) => format!("the {years} years before the first sale"),
            None => "all years before the first sale".into(),
        };
        let (parameters, those) = match settings.parameters {
            Parameterisation::History => (
                match assets.count() {
                    1 => format!("{before} give the model's parameters"),
                    _ => format!("{before} give the models' parameters and the correlations"),
                },
                "those years".to_owned(),
            ),
            Parameterisation::Strategy => match assets.count() {
                1 => ("the model has the strategy's parameters".to_owned(), before),
                _ => (
                    "the models have the strategy's parameters".to_owned(),
                    before,
                ),
            },
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
        let premium = match (plan.premium, &settings.surface) {
            (Premium::Model, Some(_)) => {
                "The premium is the price at the surface of the day".into()
            }
            (Premium::Model, None) => {
                "The premium is the model's price at the variance of the day".into()
            }
            (Premium::Amount(amount), _) => format!("The premium is {amount}"),
        };
        let variance = match settings.surface {
            Some(_) => {
                "the variance of a day is that of the surface at the money over a month".into()
            }
            None => format!("that variance is {}", variance(plan, settings)),
        };
        self.line(&format!(
            "{sold} In each of {} windows, {parameters}, the policies are trained for {} of the P&L on \
             {paths}, and hedge what is sold in the {} months after{start}. Parameters, variance, premium and policy of \
             a contract come from closes up to its sale, hedge ratios from closes up to theirs. {premium}; \
             {variance}.\n",
            results.windows.len(),
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
        if let Some(text) = periods(results) {
            self.line(&format!("{text}\n"));
        }
        if let Some(registered) = &results.registration {
            self.line(&format!("{}\n", protocol::registered(registered)));
        }
    }
}

/// What of the results belongs to which period, of a strategy that has a first day of the test.
fn periods(results: &Results) -> Option<String> {
    let test_from = results.test_from.as_ref()?;
    let validation = results.validation.as_ref()?;
    let before = format!(
        "{} contracts from {} to {} are the validation period: they have expired before the test begins on {test_from}, and whatever \
         is chosen is chosen there.",
        validation.contracts, validation.first_sale, validation.last_expiry,
    );
    Some(match results.test {
        Some(_) => format!("{before} All else on this page is said of the test."),
        None => format!(
            "{before} This run ends before the test, so the whole page is said of that period."
        ),
    })
}
