//! Learned policies and classical hedges beside each other on the contracts of a period.

use super::trades::Trade;
use crate::risk::bootstrap::{Bootstrap, Sampled, holm};
use crate::risk::{Risk, cvar};
use crate::runs::protocol::{
    Compared, ComparedRow, STATISTICS, Slice, SliceRow, Worst, WorstContract,
};
use crate::runs::registration::Rules;
use crate::runs::walk_forward::{BetweenSeeds, Bounded, Phase, Test, Window};
use chrono::{Datelike, NaiveDate};

/// Resamples of the bootstrap.
const DRAWS: usize = 2000;
/// Confidence of intervals.
const LEVEL: f64 = 0.95;
/// The mean length of the bootstrap's blocks in trading days, unless contracts live longer.
const BLOCK: f64 = 40.0;
const TRADING_DAYS: f64 = 252.0;
const CALENDAR_DAYS: f64 = 365.25;
/// How many of the worst contracts are kept.
const WORST: usize = 10;

/// The mean of `values`.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation of `values`; not a number of fewer than two.
pub fn deviation(values: &[f64]) -> f64 {
    let centre = mean(values);
    (values.iter().map(|z| (z - centre).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)).sqrt()
}

/// The rules by which rows are compared, for whoever registers them.
pub fn rules() -> Rules {
    Rules {
        statistics: STATISTICS.map(str::to_owned).to_vec(),
        confidence: LEVEL,
        bootstrap: "paired, in two stages: days of sale by the stationary bootstrap, then the contracts sold on each of them"
            .into(),
        draws: DRAWS,
        block: BLOCK,
        correction: "Holm, over all statistics and classical hedges of a learned policy".into(),
        choice: "the learned policy and the classical hedge with the least value of the strategy's measure of risk on the \
                 contracts of the validation period"
            .into(),
    }
}

/// A contract that every row has hedged.
#[derive(Debug, Clone, PartialEq)]
pub struct Sold {
    /// The day of the sale.
    pub sold: NaiveDate,
    /// The day of the expiry.
    pub expiry: NaiveDate,
    /// The volatility that was known at the sale; not a number if it is not.
    pub volatility: f64,
    /// The problem that the contract belongs to, where several are pooled.
    pub problem: Option<String>,
}

/// P&L and cost of every contract.
type Accounts = (Vec<f64>, Vec<f64>);

/// A hedge of all contracts.
#[derive(Debug, Clone)]
pub struct Hedged {
    /// The name of the row.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Whether it is a hedge without training.
    pub classical: bool,
    /// Trainings behind it, 0 for hedges that are not trained.
    pub seeds: usize,
    /// P&L and cost of every contract, for every seed.
    pub books: Vec<Accounts>,
}

/// Contracts in the order of sale, and their hedges: learned policies first.
#[derive(Debug, Clone)]
pub struct Book {
    /// The contracts.
    pub contracts: Vec<Sold>,
    /// Their hedges.
    pub rows: Vec<Hedged>,
}

/// What rows are compared by.
pub struct Measures<'a> {
    /// The seed of the bootstrap.
    pub seed: u64,
    /// The measure of risk that recipes are chosen by, whose level the CVaR has.
    pub risk: &'a Risk,
}

impl Book {
    /// The hedges of `trades`; those are classical that `windows` know the parameters of.
    pub fn new<'a>(windows: &[Window], trades: impl IntoIterator<Item = &'a Trade>) -> Self {
        type Trained<'a> = (&'a str, Option<u64>);
        let mut books: Vec<(Trained<'_>, Vec<&Trade>)> = Vec::new();
        for trade in trades {
            let key = (trade.strategy.as_str(), trade.seed);
            match books.iter_mut().find(|(known, _)| *known == key) {
                Some((_, book)) => book.push(trade),
                None => books.push((key, vec![trade])),
            }
        }
        let sold = |trade: &&Trade| Sold {
            sold: trade.sold,
            expiry: trade.expiry,
            volatility: trade.volatility,
            problem: None,
        };
        let contracts = books.first().map_or(&[][..], |(_, book)| book);
        let contracts = contracts.iter().map(sold).collect();
        let mut rows: Vec<Hedged> = Vec::new();
        for ((strategy, seed), book) in books {
            let numbers = |of: fn(&Trade) -> f64| book.iter().map(|trade| of(trade)).collect();
            let own = (numbers(|trade| trade.pnl), numbers(|trade| trade.cost));
            let seeds = usize::from(seed.is_some());
            if let Some(row) = rows.iter_mut().find(|row| row.name == strategy) {
                row.seeds += seeds;
                row.books.push(own);
                continue;
            }
            let mut hedges = windows.iter().flat_map(|window| &window.hedges);
            let hedge = hedges.find(|hedge| hedge.strategy == strategy);
            rows.push(Hedged {
                name: strategy.to_owned(),
                title: hedge.map_or(strategy, |hedge| &hedge.title).to_owned(),
                classical: hedge.is_some(),
                seeds,
                books: vec![own],
            });
        }
        rows.sort_by_key(|row| row.classical);
        Self { contracts, rows }
    }

    /// The contracts of several problems in one book, with the rows that all of them have with as many seeds.
    pub fn pooled(books: &[(&str, &Self)]) -> Self {
        let mut places: Vec<(usize, usize)> = Vec::new();
        for (number, (_, book)) in books.iter().enumerate() {
            places.extend((0..book.contracts.len()).map(|contract| (number, contract)));
        }
        places
            .sort_by_key(|&(number, contract)| (books[number].1.contracts[contract].sold, number));
        let contracts = places.iter().map(|&(number, contract)| Sold {
            problem: Some(books[number].0.to_owned()),
            ..books[number].1.contracts[contract].clone()
        });
        let first = books.first().map_or(&[][..], |(_, book)| &book.rows);
        let rows = first.iter().filter_map(|row| {
            let same = |book: &&Self| {
                let mut rows = book.rows.iter();
                rows.find(|one| one.name == row.name && one.books.len() == row.books.len())
                    .cloned()
            };
            let own: Option<Vec<Hedged>> = books.iter().map(|(_, book)| same(book)).collect();
            let own = own?;
            let of_seed = |seed: usize| {
                let at = |&(number, contract): &(usize, usize)| {
                    let (pnl, cost) = &own[number].books[seed];
                    (pnl[contract], cost[contract])
                };
                places.iter().map(at).unzip()
            };
            Some(Hedged {
                books: (0..row.books.len()).map(of_seed).collect(),
                ..row.clone()
            })
        });
        Self {
            contracts: contracts.collect(),
            rows: rows.collect(),
        }
    }

    /// Every row beside every classical hedge; nothing without contracts.
    pub fn compared(&self, phase: Phase, measures: &Measures<'_>) -> Option<Compared> {
        let (first, last) = (self.contracts.first()?, self.contracts.last()?);
        let last_expiry = self
            .contracts
            .iter()
            .map(|contract| contract.expiry)
            .max()?;
        let sizes: Vec<usize> = self
            .contracts
            .chunk_by(|a, b| a.sold == b.sold)
            .map(<[Sold]>::len)
            .collect();
        let block = self.block(sizes.len());
        let bootstrap = Bootstrap::of_windows(measures.seed, DRAWS, &sizes, block);
        let level = measures.risk.watched_level();
        let sampled: Vec<[Sampled; 4]> = self
            .rows
            .iter()
            .map(|row| row.sampled(&bootstrap, level))
            .collect();
        let bounded = |sampled: &Sampled| Bounded {
            value: sampled.value,
            interval: sampled.interval(LEVEL),
        };
        let rows = self.rows.iter().zip(&sampled).map(|(row, sampled)| {
            let pnl: Vec<&Vec<f64>> = row.books.iter().map(|(pnl, _)| pnl).collect();
            let risks = pnl.iter().map(|pnl| measures.risk.evaluate(pnl).value);
            let between = |of: &dyn Fn(&[f64]) -> f64| {
                deviation(&pnl.iter().map(|pnl| of(pnl)).collect::<Vec<_>>())
            };
            let [cvar_of, std, centre, cost] = sampled;
            ComparedRow {
                name: row.name.clone(),
                title: row.title.clone(),
                classical: row.classical,
                seeds: row.seeds,
                risk: mean(&risks.collect::<Vec<_>>()),
                mean: bounded(centre),
                std: bounded(std),
                cvar: bounded(cvar_of),
                cost: bounded(cost),
                between_seeds: (row.books.len() > 1).then(|| BetweenSeeds {
                    mean: between(&mean),
                    std: between(&deviation),
                    cvar: between(&|pnl| cvar(pnl, level)),
                }),
            }
        });
        let tests = |ours: usize, theirs: &[usize]| {
            let mut tests: Vec<Test> = Vec::new();
            for &other in theirs {
                for (number, statistic) in STATISTICS.into_iter().enumerate() {
                    let (own, against) = (&sampled[ours][number], &sampled[other][number]);
                    let (interval, p) = own.less(against, LEVEL);
                    tests.push(Test {
                        strategy: self.rows[ours].name.clone(),
                        against: self.rows[other].name.clone(),
                        statistic: statistic.into(),
                        difference: Bounded {
                            value: own.value - against.value,
                            interval,
                        },
                        p,
                        corrected: p,
                    });
                }
            }
            let corrected = holm(&tests.iter().map(|test| test.p).collect::<Vec<_>>());
            for (test, corrected) in tests.iter_mut().zip(corrected) {
                test.corrected = corrected;
            }
            tests
        };
        let places = |classical: bool| -> Vec<usize> {
            let rows = self.rows.iter().enumerate();
            rows.filter(|(_, row)| row.classical == classical)
                .map(|(place, _)| place)
                .collect()
        };
        let (learned, classical) = (places(false), places(true));
        let between_learned = match learned.split_first() {
            Some((first, others)) => tests(*first, others),
            None => Vec::new(),
        };
        Some(Compared {
            phase,
            contracts: self.contracts.len(),
            days: sizes.len(),
            first_sale: first.sold.to_string(),
            last_sale: last.sold.to_string(),
            last_expiry: last_expiry.to_string(),
            block,
            draws: DRAWS,
            level,
            measure: measures.risk.to_string(),
            rows: rows.collect(),
            differences: learned
                .iter()
                .flat_map(|&ours| tests(ours, &classical))
                .collect(),
            between_learned,
            years: self.years(level),
            problems: self.problems(level),
            regimes: self.regimes(level),
            worst: self.worst(),
        })
    }

    /// The mean length of blocks in days of sale: 40 trading days, or the life of a contract if that is longer.
    fn block(&self, days: usize) -> f64 {
        let (Some(first), Some(last)) = (self.contracts.first(), self.contracts.last()) else {
            return 1.0;
        };
        let lives = self.contracts.iter();
        let lives: Vec<f64> = lives
            .map(|one| (one.expiry - one.sold).num_days() as f64)
            .collect();
        let length = (BLOCK * CALENDAR_DAYS / TRADING_DAYS).max(mean(&lives));
        let between = (last.sold - first.sold).num_days() as f64 / (days as f64 - 1.0).max(1.0);
        (length / between.max(1.0)).max(1.0)
    }

    fn slice(&self, name: String, level: f64, has: impl Fn(&Sold) -> bool) -> Option<Slice> {
        let contracts = self.contracts.iter().enumerate();
        let places: Vec<usize> = contracts
            .filter(|(_, contract)| has(contract))
            .map(|(place, _)| place)
            .collect();
        if places.is_empty() {
            return None;
        }
        let rows = self.rows.iter().map(|row| {
            let over_seeds =
                |of: &dyn Fn(&Accounts) -> f64| mean(&row.books.iter().map(of).collect::<Vec<_>>());
            let here = |all: &[f64]| places.iter().map(|&i| all[i]).collect::<Vec<f64>>();
            SliceRow {
                name: row.name.clone(),
                mean: over_seeds(&|(pnl, _)| mean(&here(pnl))),
                std: over_seeds(&|(pnl, _)| deviation(&here(pnl))),
                cvar: over_seeds(&|(pnl, _)| cvar(&here(pnl), level)),
                cost: over_seeds(&|(_, cost)| mean(&here(cost))),
            }
        });
        Some(Slice {
            name,
            contracts: places.len(),
            rows: rows.collect(),
        })
    }

    fn years(&self, level: f64) -> Vec<Slice> {
        let mut years: Vec<i32> = self.contracts.iter().map(|one| one.sold.year()).collect();
        years.dedup();
        let of = |year: &i32| self.slice(year.to_string(), level, |one| one.sold.year() == *year);
        years.iter().filter_map(of).collect()
    }

    fn problems(&self, level: f64) -> Vec<Slice> {
        let mut names: Vec<&String> = Vec::new();
        for name in self.contracts.iter().filter_map(|one| one.problem.as_ref()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let of = |name: &&String| {
            self.slice((*name).clone(), level, |one| {
                one.problem.as_ref() == Some(*name)
            })
        };
        names.iter().filter_map(of).collect()
    }

    fn regimes(&self, level: f64) -> Vec<Slice> {
        let mut known: Vec<f64> = self.contracts.iter().map(|one| one.volatility).collect();
        known.sort_by(f64::total_cmp);
        let calmest = known.first().copied().unwrap_or(f64::NAN);
        let wildest = known.last().copied().unwrap_or(f64::NAN);
        // Without volatilities there are no regimes, nor where there are too few.
        if known.len() < 9 || !calmest.is_finite() || !wildest.is_finite() || calmest == wildest {
            return Vec::new();
        }
        let at = |third: usize| known[third * known.len() / 3];
        let (low, high) = (at(1), at(2));
        let percent = |volatility: f64| format!("{:.1} %", 100.0 * volatility);
        let calm = self.slice(format!("calm, below {}", percent(low)), level, |one| {
            one.volatility < low
        });
        let middle = format!("middle, {} to {}", percent(low), percent(high));
        let middle = self.slice(middle, level, |one| (low..high).contains(&one.volatility));
        let turbulent = self.slice(format!("turbulent, from {}", percent(high)), level, |one| {
            one.volatility >= high
        });
        [calm, middle, turbulent].into_iter().flatten().collect()
    }

    fn worst(&self) -> Vec<Worst> {
        let averaged = |row: &Hedged| -> Vec<f64> {
            let at = |i: usize| mean(&row.books.iter().map(|(pnl, _)| pnl[i]).collect::<Vec<_>>());
            (0..self.contracts.len()).map(at).collect()
        };
        let all: Vec<Vec<f64>> = self.rows.iter().map(averaged).collect();
        let rows = self.rows.iter().zip(&all).map(|(row, own)| {
            let mut order: Vec<usize> = (0..own.len()).collect();
            order.sort_by(|&a, &b| own[a].total_cmp(&own[b]));
            let contracts = order.into_iter().take(WORST).map(|i| {
                let rows = self.rows.iter().zip(&all);
                WorstContract {
                    sold: self.contracts[i].sold.to_string(),
                    expiry: self.contracts[i].expiry.to_string(),
                    problem: self.contracts[i].problem.clone(),
                    pnl: rows.map(|(row, pnl)| (row.name.clone(), pnl[i])).collect(),
                }
            });
            Worst {
                name: row.name.clone(),
                contracts: contracts.collect(),
            }
        });
        rows.collect()
    }

    /// The P&L of a row that has expired up to each expiry, averaged over seeds.
    pub fn cumulative(&self, name: &str) -> Vec<(NaiveDate, f64)> {
        let Some(row) = self.rows.iter().find(|row| row.name == name) else {
            return Vec::new();
        };
        let at = |i: usize| mean(&row.books.iter().map(|(pnl, _)| pnl[i]).collect::<Vec<_>>());
        let mut expired: Vec<(NaiveDate, f64)> = self
            .contracts
            .iter()
            .enumerate()
            .map(|(i, contract)| (contract.expiry, at(i)))
            .collect();
        expired.sort_by_key(|(day, _)| *day);
        let mut points: Vec<(NaiveDate, f64)> = Vec::new();
        let mut sum = 0.0;
        for (day, pnl) in expired {
            sum += pnl;
            match points.last_mut() {
                Some(last) if last.0 == day => last.1 = sum,
                Some(_) | None => points.push((day, sum)),
            }
        }
        points
    }
}

impl Hedged {
    /// The [`STATISTICS`] in their order.
    fn sampled(&self, bootstrap: &Bootstrap, level: f64) -> [Sampled; 4] {
        let (pnl, cost): (Vec<Vec<f64>>, Vec<Vec<f64>>) = self.books.iter().cloned().unzip();
        [
            bootstrap.sampled(&pnl, |pnl| cvar(pnl, level)),
            bootstrap.sampled(&pnl, deviation),
            bootstrap.sampled(&pnl, mean),
            bootstrap.sampled(&cost, mean),
        ]
    }
}

#[cfg(test)]
#[path = "compared_tests.rs"]
mod tests;
