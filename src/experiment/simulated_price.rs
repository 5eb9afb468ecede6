//! The price of a contract on simulated paths, and whether another price agrees with it.

use crate::error::Result;
use crate::market::valuation::ContractPrice;
use crate::random::Purpose;
use crate::risk::Estimate;
use crate::simd::BLOCK;
use crate::strategy::Plan;

/// A contract's discounted mean payoff over simulated paths.
///
/// # Units
/// Currency on the day of the sale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulatedPrice {
    /// The mean and its standard error.
    pub estimate: Estimate,
    /// The number of paths.
    pub paths: usize,
    /// What most paths pay, or, where all pay something else, the first of them.
    usual: f64,
    /// The number of paths that pay something else.
    unusual: usize,
    /// The mean of the excess over what is usual, weighted by that excess: Σ x² / |Σ x|; the spot times
    /// [`UNSEEN`] where no path pays anything unusual.
    size: f64,
}

/// Standard errors between two prices that sampling explains.
const STANDARD_ERRORS: f64 = 4.0;

/// The share of the spot that the simulation's normal variates leave open where it has no sampling error.
const ROUNDING: f64 = 1e-6;

/// Unusual payoffs from which on their own spread says how well their mean is known.
const MANY: usize = 1_000;

/// What a payoff that no path has shown may be, in spots.
const UNSEEN: f64 = 100.0;

/// The number of events of a rare kind that are expected where it is as likely to see none as to miss by
/// [`STANDARD_ERRORS`]: −ln 6.3·10⁻⁵.
const EXPECTED_OF_NONE: f64 = 9.7;

impl SimulatedPrice {
    /// Over `evaluation.paths` paths of the plan's market, of which the ends alone are kept.
    ///
    /// # Errors
    /// The error of `stop`, which is asked again and again.
    pub fn new(plan: &Plan, stop: impl Fn() -> Result<()>) -> Result<Self> {
        /// Blocks between two questions whether to stop.
        const BLOCKS: usize = 64;
        let contract = &plan.contract;
        let simulator = plan.simulator(plan.seed, Purpose::Pricing);
        let discount = plan.market.rate.discount(0.0, contract.expiry);
        let mut moments = None;
        for first in (0..plan.evaluation_paths).step_by(BLOCKS * BLOCK) {
            stop()?;
            let count = (BLOCKS * BLOCK).min(plan.evaluation_paths - first);
            let mut payoffs = simulator.payoffs(contract, (first / BLOCK) as u64, count);
            for payoff in &mut payoffs {
                *payoff *= discount;
            }
            moments
                .get_or_insert_with(|| Moments::about(&payoffs))
                .add(&payoffs);
        }
        let moments = moments.unwrap_or_default();
        Ok(moments.price(UNSEEN * plan.market.spot))
    }

    /// Whether `model`, the price by a formula or another simulation of a contract on an asset at `spot`, is this price but for
    /// sampling.
    ///
    /// Where few paths pay anything unusual their spread says too little of the standard error, above all where none does. It is
    /// then the greater of that spread and of what the model's price implies: payoffs of the size seen would have the variance
    /// |V − usual|·size a path. A payoff that no path has shown is explained where fewer than ten paths would have had to show
    /// it, at a hundred spots each.
    pub fn agrees(&self, model: &ContractPrice, spot: f64) -> bool {
        let paths = self.paths as f64;
        let implied = (model.value - self.usual).abs();
        let rounding = ROUNDING * spot;
        if self.unusual == 0 {
            let unseen = EXPECTED_OF_NONE * self.size / paths;
            return implied <= unseen + STANDARD_ERRORS * model.standard_error + rounding;
        }
        let own = match self.unusual < MANY {
            true => {
                let variance = implied * self.size - implied * implied;
                self.estimate
                    .standard_error
                    .max((variance.max(0.0) / paths).sqrt())
            }
            false => self.estimate.standard_error,
        };
        let both = Estimate {
            standard_error: own.hypot(model.standard_error),
            ..self.estimate
        };
        both.explains(model.value, STANDARD_ERRORS, rounding)
    }
}

/// Sums of payoffs about the usual one, so that they keep their digits.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    usual: f64,
    count: usize,
    unusual: usize,
    sum: f64,
    squares: f64,
}

impl Moments {
    /// About the value that is most frequent among `payoffs`, the least of these where several are.
    fn about(payoffs: &[f64]) -> Self {
        let mut sorted = payoffs.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let mut best: &[f64] = &[];
        for run in sorted.chunk_by(|a, b| a == b) {
            if run.len() > best.len() {
                best = run;
            }
        }
        Self {
            usual: best.first().copied().unwrap_or(0.0),
            ..Self::default()
        }
    }

    fn add(&mut self, payoffs: &[f64]) {
        for payoff in payoffs {
            let excess = payoff - self.usual;
            self.sum += excess;
            self.squares += excess * excess;
            self.unusual += usize::from(excess != 0.0);
        }
        self.count += payoffs.len();
    }

    fn price(self, unseen: f64) -> SimulatedPrice {
        let n = self.count as f64;
        let variance = (self.squares - self.sum * self.sum / n).max(0.0) / (n - 1.0);
        SimulatedPrice {
            estimate: Estimate {
                value: self.usual + self.sum / n,
                standard_error: (variance / n).sqrt(),
            },
            paths: self.count,
            usual: self.usual,
            unusual: self.unusual,
            size: match self.unusual {
                0 => unseen,
                _ => self.squares / self.sum.abs(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::model::PriceMethod;

    fn formula(value: f64) -> ContractPrice {
        ContractPrice {
            value,
            standard_error: 0.0,
            method: PriceMethod::Formula,
        }
    }

    fn price(payoffs: &[f64]) -> SimulatedPrice {
        let mut moments = Moments::about(payoffs);
        moments.add(payoffs);
        moments.price(UNSEEN * 100.0)
    }

    /// A digital far out of the money, which 8, 2 and 0.6 of 2,000 paths are expected to pay: over 200 seeds the formula's price
    /// agrees with every simulation, also with those in which no path pays; a price a hundred times too high agrees with none in
    /// which one does.
    #[test]
    fn rare_payoffs_agree_with_their_formula() {
        for strike in [130.0, 135.0, 140.0] {
            let text = format!(
                "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\ntype = \"digital_call\"\nstrike = {strike}\n\
                 cash = 50.0\nexpiry_days = 63\ndays_per_year = 252\nsteps = 1\n[evaluation]\npaths = 2000\n"
            );
            let plan = Plan::parse(&text, |_| {}).unwrap();
            let model = plan.model_price(&mut || Ok(())).unwrap();
            assert_eq!(model.standard_error, 0.0);
            let mut none = 0;
            for seed in 0..200 {
                let mut plan = plan.clone();
                plan.seed = seed;
                let simulated = SimulatedPrice::new(&plan, || Ok(())).unwrap();
                none += usize::from(simulated.unusual == 0);
                assert!(
                    simulated.agrees(&model, 100.0),
                    "{strike}, {seed}: {simulated:?}"
                );
                if simulated.unusual > 0 {
                    let wrong = formula(100.0 * model.value);
                    assert!(!simulated.agrees(&wrong, 100.0), "{strike}, {seed}");
                }
            }
            assert_eq!(none > 60, strike == 140.0, "{strike}: {none} of 200");
        }
    }

    /// What all paths pay may hide what none of them has shown, of up to a hundred spots in 9.7 of as many paths, and
    /// no more.
    #[test]
    fn a_constant_payoff_hides_no_more_than_it_may() {
        let constant = price(&[5.0; 4096]);
        assert_eq!(
            (constant.estimate.value, constant.estimate.standard_error),
            (5.0, 0.0)
        );
        assert!(constant.agrees(&formula(5.0), 100.0));
        let unseen = 9.7 * 100.0 * 100.0 / 4096.0;
        assert!(constant.agrees(&formula(5.0 + 0.99 * unseen), 100.0));
        assert!(!constant.agrees(&formula(5.0 + 1.01 * unseen), 100.0));
    }

    /// Of many payoffs the spread is that of the sample: four standard errors and no more.
    #[test]
    fn many_payoffs_speak_for_themselves() {
        let payoffs: Vec<f64> = (0..4096).map(|i| f64::from(i % 64)).collect();
        let price = price(&payoffs);
        let Estimate {
            value,
            standard_error,
        } = price.estimate;
        assert!((value - 31.5).abs() < 1e-12);
        assert!((standard_error - (4095.0f64 / 12.0).sqrt() / 64.0).abs() < 1e-3);
        assert!(price.agrees(&formula(value + 3.99 * standard_error), 100.0));
        assert!(!price.agrees(&formula(value + 4.01 * standard_error), 100.0));
    }
}
