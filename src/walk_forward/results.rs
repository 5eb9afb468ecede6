//! What the contracts of all windows come to.

use super::Trade;
use super::compared::{Book, Measures, deviation, mean};
use super::trades::average;
use crate::optimizer::Family;
use crate::risk::bootstrap::{self, Bootstrap, holm, maximum_drawdown};
use crate::risk::cvar;
use crate::runs::breakdown::{Breakdown, Expired};
use crate::runs::walk_forward::{
    BestOfWindows, BetweenSeeds, Bounded, Period, PeriodStatistics, Phase, Results, StrategyResult,
    Test, Window,
};
use crate::strategy::{Plan, WalkForwardPlan};
use chrono::{Datelike, NaiveDate};

/// Falls of the S&P 500 that hedgers remember: name, first and last day, from the high to the low or, in 2015, to the
/// retest of it.
const STRESS: [(&str, [i32; 3], [i32; 3]); 5] = [
    ("2008: financial crisis", [2008, 9, 1], [2009, 3, 9]),
    (
        "2011: US downgrade, euro area",
        [2011, 7, 22],
        [2011, 10, 3],
    ),
    ("2015: August", [2015, 8, 17], [2015, 9, 29]),
    ("2018: February", [2018, 1, 26], [2018, 2, 8]),
    ("2018: fourth quarter", [2018, 9, 20], [2018, 12, 24]),
];

const DRAWS: usize = 4999;
const LEVEL: f64 = 0.95;

/// A statistic of P&L.
type Statistic = Box<dyn Fn(&[f64]) -> f64 + Sync>;

/// The contracts of one strategy.
struct Hedged {
    strategy: String,
    seeds: usize,
    /// P&L of every seed.
    pnl: Vec<Vec<f64>>,
    /// Every contract, its numbers averaged over the seeds.
    trades: Vec<Trade>,
}

fn hedged(trades: &[Trade]) -> Vec<Hedged> {
    let mut strategies: Vec<(&str, Vec<Vec<&Trade>>)> = Vec::new();
    for (strategy, _, book) in super::books(trades) {
        match strategies.iter_mut().find(|(name, _)| *name == strategy) {
            Some((_, books)) => books.push(book),
            None => strategies.push((strategy, vec![book])),
        }
    }
    let strategies = strategies.into_iter();
    strategies
        .map(|(strategy, books)| Hedged {
            strategy: strategy.into(),
            seeds: books.iter().filter(|book| book[0].seed.is_some()).count(),
            pnl: books
                .iter()
                .map(|book| book.iter().map(|trade| trade.pnl).collect())
                .collect(),
            trades: average(&books),
        })
        .collect()
}

/// What the trades of all windows come to: those of the test or, of a run that ends before it, of the validation period; with both
/// periods beside each other where the strategy has a first day of the test.
pub fn of_periods(
    plan: &Plan,
    walk: &WalkForwardPlan,
    overlap: f64,
    windows: Vec<Window>,
    trades: &[Trade],
) -> Results {
    let Some(test_from) = walk.test_from else {
        return results(plan, overlap, windows, trades);
    };
    let measures = Measures {
        seed: plan.seed,
        risk: &plan.risk,
    };
    let period = |phase: Phase| {
        let own = in_phase(&windows, trades, phase);
        let compared = Book::new(&windows, &own).compared(phase, &measures);
        compared.map(Box::new)
    };
    let (validation, test) = (period(Phase::Validation), period(Phase::Test));
    let shown = in_phase(&windows, trades, reported_phase(&windows));
    Results {
        test_from: Some(test_from.to_string()),
        validation,
        test,
        ..results(plan, overlap, windows, &shown)
    }
}

/// The trades that results speak of.
pub fn reported(results: &Results, trades: Vec<Trade>) -> Vec<Trade> {
    match results.test_from {
        None => trades,
        Some(_) => in_phase(&results.windows, &trades, reported_phase(&results.windows)),
    }
}

fn reported_phase(windows: &[Window]) -> Phase {
    match windows.iter().any(|window| window.phase == Phase::Test) {
        true => Phase::Test,
        false => Phase::Validation,
    }
}

/// The trades of windows of one period.
pub fn in_phase(windows: &[Window], trades: &[Trade], phase: Phase) -> Vec<Trade> {
    let own = trades
        .iter()
        .filter(|trade| windows[trade.window].phase == phase);
    own.cloned().collect()
}

/// What `trades` come to: every statistic is the mean of that of each seed, drawdowns, periods, parts and worst contracts
/// are those of P&L averaged over seeds.
fn results(plan: &Plan, overlap: f64, windows: Vec<Window>, trades: &[Trade]) -> Results {
    let level = plan.risk.watched_level();
    let all = hedged(trades);
    let count = all.first().map_or(0, |hedged| hedged.trades.len());
    let block = (count as f64).cbrt().max(overlap);
    let bootstrap = Bootstrap::new(plan.seed, DRAWS, count.max(1), block);
    let annual = plan.contracts_per_year().sqrt();
    let statistics: [(&str, Statistic); 3] = [
        ("mean", Box::new(mean)),
        ("std", Box::new(deviation)),
        ("cvar", Box::new(move |pnl: &[f64]| cvar(pnl, level))),
    ];
    // As in rows of metrics, zero where P&L does not vary.
    let sharpe = move |pnl: &[f64]| match deviation(pnl) {
        deviation if deviation > 0.0 => annual * mean(pnl) / deviation,
        _ => 0.0,
    };
    let strategies = all.iter().map(|hedged| {
        let Hedged { pnl, trades, .. } = hedged;
        let bounded = |statistic: &(dyn Fn(&[f64]) -> f64 + Sync)| Bounded {
            value: bootstrap::average(pnl, statistic),
            interval: bootstrap.interval(pnl, LEVEL, statistic),
        };
        let between = |statistic: &Statistic| {
            deviation(&pnl.iter().map(|pnl| statistic(pnl)).collect::<Vec<_>>())
        };
        let numbers = |of: fn(&Trade) -> f64| trades.iter().map(of).collect::<Vec<_>>();
        let expired: Vec<Expired> = trades.iter().map(Trade::expired).collect();
        StrategyResult {
            breakdown: Breakdown::new(&hedged.strategy, &expired),
            seeds: hedged.seeds,
            contracts: trades.len(),
            between_seeds: (pnl.len() > 1).then(|| BetweenSeeds {
                mean: between(&statistics[0].1),
                std: between(&statistics[1].1),
                cvar: between(&statistics[2].1),
            }),
            mean: bounded(&statistics[0].1),
            std: bounded(&statistics[1].1),
            cvar: bounded(&statistics[2].1),
            sharpe: bounded(&sharpe),
            cost: mean(&numbers(|t| t.cost)),
            turnover: mean(&numbers(|t| t.turnover)),
        }
    });
    let strategies = strategies.collect();
    let mut tests = Vec::new();
    if let Some(ours) = under_test(plan, &all) {
        let own = &all[ours];
        for theirs in all.iter().filter(|theirs| theirs.strategy != own.strategy) {
            for (name, statistic) in &statistics {
                let (interval, p) = bootstrap.difference(&own.pnl, &theirs.pnl, LEVEL, statistic);
                tests.push(Test {
                    strategy: own.strategy.clone(),
                    against: theirs.strategy.clone(),
                    statistic: (*name).into(),
                    difference: Bounded {
                        value: bootstrap::average(&own.pnl, statistic)
                            - bootstrap::average(&theirs.pnl, statistic),
                        interval,
                    },
                    p,
                    corrected: p,
                });
            }
        }
        let p_values: Vec<f64> = tests.iter().map(|test| test.p).collect();
        for (test, corrected) in tests.iter_mut().zip(holm(&p_values)) {
            test.corrected = corrected;
        }
    }
    let best_classical = best_of(&windows).map(|(strategy, title, validation_risk)| {
        let cvar = |pnl: &[f64]| cvar(pnl, level);
        let hedge = all.iter().find(|one| one.strategy == strategy);
        let policies = all.iter().filter(|one| one.seeds > 0).filter_map(|own| {
            let theirs = hedge?;
            let (interval, p) = bootstrap.difference(&own.pnl, &theirs.pnl, LEVEL, cvar);
            Some(Test {
                strategy: own.strategy.clone(),
                against: strategy.clone(),
                statistic: "cvar".into(),
                difference: Bounded {
                    value: bootstrap::average(&own.pnl, cvar)
                        - bootstrap::average(&theirs.pnl, cvar),
                    interval,
                },
                p,
                corrected: p,
            })
        });
        BestOfWindows {
            policies: policies.collect(),
            strategy: strategy.clone(),
            title,
            validation_risk,
        }
    });
    let period = |name: String, from: NaiveDate, to: NaiveDate, alive: &dyn Fn(&Trade) -> bool| {
        // Every strategy hedges the same contracts.
        let contracts = all.first().map_or(&[][..], |hedged| &hedged.trades);
        let places: Vec<usize> = (0..count).filter(|&i| alive(&contracts[i])).collect();
        let of = |hedged: &Hedged, number: fn(&Trade) -> f64| -> Vec<f64> {
            let trades = places.iter().map(|&i| &hedged.trades[i]);
            trades.map(number).collect()
        };
        let statistics = all.iter().filter(|_| !places.is_empty()).map(|hedged| {
            let seeds = hedged.pnl.iter();
            let pnl: Vec<Vec<f64>> = seeds
                .map(|pnl| places.iter().map(|&i| pnl[i]).collect())
                .collect();
            PeriodStatistics {
                strategy: hedged.strategy.clone(),
                mean: bootstrap::average(&pnl, mean),
                std: bootstrap::average(&pnl, deviation),
                cvar: bootstrap::average(&pnl, |pnl: &[f64]| cvar(pnl, level)),
                sharpe: bootstrap::average(&pnl, sharpe),
                cost: mean(&of(hedged, |t| t.cost)),
                turnover: mean(&of(hedged, |t| t.turnover)),
                maximum_drawdown: maximum_drawdown(&of(hedged, |t| t.pnl)).0,
            }
        });
        Period {
            name,
            from: from.to_string(),
            to: to.to_string(),
            contracts: places.len(),
            statistics: statistics.collect(),
            pnl: all
                .iter()
                .map(|hedged| (hedged.strategy.clone(), of(hedged, |t| t.pnl).iter().sum()))
                .collect(),
        }
    };
    let day = |[year, month, day]: [i32; 3]| {
        NaiveDate::from_ymd_opt(year, month as u32, day as u32).unwrap_or_default()
    };
    let stress = STRESS.iter().map(|(name, from, to)| {
        let (from, to) = (day(*from), day(*to));
        period((*name).into(), from, to, &|t| {
            t.sold <= to && t.expiry >= from
        })
    });
    let mut years: Vec<i32> = trades.iter().map(|trade| trade.sold.year()).collect();
    years.sort_unstable();
    years.dedup();
    let years = years.into_iter().map(|year| {
        let (from, to) = (day([year, 1, 1]), day([year, 12, 31]));
        period(year.to_string(), from, to, &|t| t.sold.year() == year)
    });
    Results {
        stress: stress.filter(|period| period.contracts > 0).collect(),
        years: years.collect(),
        windows,
        strategies,
        tests,
        best_classical,
        block,
        level,
        test_from: None,
        validation: None,
        test: None,
        registration: None,
    }
}

/// The classical hedge whose risk on the validation paths of the windows is least on average: its name, what people call it, and that
/// risk.
fn best_of(windows: &[Window]) -> Option<(String, String, f64)> {
    let first = windows.first()?;
    let means = first.hedges.iter().map(|hedge| {
        let rows = windows.iter().flat_map(|window| &window.hedges);
        let risks: Vec<f64> = rows
            .filter(|row| row.strategy == hedge.strategy)
            .map(|row| row.validation_risk)
            .collect();
        (hedge.strategy.clone(), hedge.title.clone(), mean(&risks))
    });
    let known = means.filter(|(_, _, risk)| !risk.is_nan());
    known.min_by(|a, b| a.2.total_cmp(&b.2))
}

/// The strategy that is tested against the others: the first one trained with a curvature method or, if there is none,
/// the first one of all.
fn under_test(plan: &Plan, all: &[Hedged]) -> Option<usize> {
    let curvature = |name: &str| {
        let mut optimizers = plan.optimizers.iter();
        optimizers.any(|o| o.name == name && o.method.family() == Family::Curvature)
    };
    let place = all.iter().position(|hedged| curvature(&hedged.strategy));
    place.or((all.len() > 1).then_some(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Muon, SOAP and the others that see gradients alone are not tested before K-FAC, wherever they stand; without a
    /// curvature method the first strategy is, and a strategy alone is not.
    #[test]
    fn the_curvature_method_is_tested_against_the_others() {
        let tested = |optimizers: &[&'static str]| {
            let sections: String = optimizers
                .iter()
                .map(|name| format!("[optimizers.{name}]\n"))
                .collect();
            let text = format!(
                "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 10\n{sections}"
            );
            let plan = Plan::parse(&text, |_| {}).unwrap();
            let hedged = |name: &&str| Hedged {
                strategy: (*name).into(),
                seeds: 1,
                pnl: Vec::new(),
                trades: Vec::new(),
            };
            let all: Vec<Hedged> = optimizers.iter().map(hedged).collect();
            under_test(&plan, &all).map(|place| optimizers[place])
        };
        assert_eq!(tested(&["adam", "muon", "soap", "kfac"]), Some("kfac"));
        assert_eq!(tested(&["mlbfgs", "shampoo", "singd"]), Some("singd"));
        assert_eq!(tested(&["muon", "adam"]), Some("muon"));
        assert_eq!(tested(&["muon"]), None);
    }
}
