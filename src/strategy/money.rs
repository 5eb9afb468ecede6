//! The unit in which training counts money.

use super::Plan;
use crate::random::Purpose;

impl Plan {
    /// The unit of money u of the strategy, in the spot's currency: everything that steers a training (damping, trust radius,
    /// clipping, and the grid of Whalley–Wilmott bands) is relative to it, so that no default knows a currency.
    ///
    /// u = ¼ max(sd(payoff), 0.6 sd(S_T))
    ///
    /// with the standard deviations of what the contract pays, in money of its expiry, and of the spot at its expiry, over 4,096 simulated paths of the
    /// strategy's market that are the same for every seed. Six tenths of the spot's is about that of an option at the money; it
    /// bears on contracts out of the money, which pay seldom while positions still gain and lose with the spot. Multiplying
    /// every amount of money by c multiplies u by c. A month's call at the money has u ≈ 1 where the spot is 100 and its
    /// volatility 20 %; `docs/scale.md` says how this measure of money was chosen.
    pub fn money_unit(&self) -> f64 {
        const PATHS: usize = 4096;
        const SEED: u64 = 0;
        const LEAST_SHARE: f64 = 0.6;
        let simulator = self.simulator(SEED, Purpose::Unit);
        let ends = simulator.ends(0, PATHS);
        let payoffs = simulator.payoffs(&self.contract, 0, PATHS);
        let spread = deviation(&payoffs).max(LEAST_SHARE * deviation(&ends));
        // A market may stand still.
        if spread > 0.0 {
            spread / 4.0
        } else {
            0.01 * self.market.spot
        }
    }
}

/// The standard deviation of equally likely values.
fn deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt()
}
