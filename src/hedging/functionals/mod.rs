//! What is known of a path before a policy hedges it: some thirty numbers that its P&L is nearly linear in.

mod parts;
#[cfg(test)]
mod tests;
mod write;

use super::Ledger;
use crate::contract::{At, Cost, Instrument, Leg};
use crate::market::PathBlock;
use crate::network::{AssetScale, Features, Standard};
use crate::simd::{Lane, Real, dispatch};
use write::{Room, Write};

/// Functionals of paths under any contract, in any market and instruments and at any costs: numbers from which a linear regression
/// foresees the P&L of a policy that it has seen on other paths.
///
/// Of every path there are, in this order,
///
/// - 1, what the contract pays, and, where that differs between paths, what it is sold for, in money of its expiry;
/// - of every asset x_T, x_T², |x_T|, the highest and the lowest x_t, Σ r², √Σ r², Σ|r|, Σ Γ_t r², the mean of its variance and
///   those at the beginning and at the end, with x_t = ln(S_t/K)/(σ√T), r its changes, and K and σ what features of policies are scaled by;
/// - of every instrument the financed gains Σ_t φ_t (P_{t+1} − P_t) of holding φ = 1, N, N′, N″, N², Nθ, Γ and two averages of N′ over
///   the past, with N, N′ and N″ the logistic approximation of Φ(d₁) at the variance v_t, at the mean of v_t and σ², and at twice that,
///   as a hedger at costs sees it; Γ = 4N′(1 − N′), and θ the share of time that is left;
/// - of the first asset the gains of N′ at every further strike of the contract;
/// - the running quantities of the contract at its end, and for each of them and every asset that is traded the gains of holding it, and
///   it times N′;
/// - the terms that the path drew;
/// - costs and gains of three hedges with no-trade bands around N′, or around the sum of N′ over the contract's calls and puts, whose half
///   widths are ¼, ½ and 1 times the cube root of the relative cost of a trade; where paths hold positions of a benchmark, those of
///   these too. The ledger settles them;
/// - where paths hold the deltas of a benchmark, their gains in every asset that is traded.
///
/// # Units
/// Money in the strategy's unit u, see [`crate::strategy::Plan::money_unit`]; all else without a unit.
///
/// # References
/// Σ_t φ_t ΔS_t with a smooth φ: the hedge of Black and Scholes (1973); the variance at costs: Leland (1985); bands whose width goes with
/// the cube root of costs: Whalley and Wilmott (1997).
#[derive(Debug, Clone)]
pub struct Functionals {
    /// Settles hedges of a contract that is sold for nothing.
    ledger: Ledger,
    /// Knows what contracts are sold for, where that differs from path to path.
    sale: Option<Ledger>,
    instruments: Vec<Instrument>,
    /// What makes the moneyness of every asset dimensionless.
    scales: Vec<AssetScale>,
    /// The contract's calls and puts, all on the first asset.
    legs: Vec<Leg>,
    /// Strikes of the first asset after that of the contract.
    strikes: Vec<f64>,
    state: Vec<Standard>,
    terms: Vec<Standard>,
    /// The length of a period in years.
    period: f64,
    /// Half the widths of the no-trade bands of every asset, in shares.
    bands: Vec<[f64; BANDS]>,
    unit: f64,
    /// Whether paths hold the deltas of a benchmark.
    answered: bool,
    /// Whether paths hold positions of a benchmark.
    hedged: bool,
}

/// The number of hedges with bands.
const BANDS: usize = 3;
/// Positions whose gains are taken in every instrument.
const HELD: usize = 9;
/// Numbers of the path of an asset.
const OF_ASSET: usize = 12;

impl Functionals {
    /// Of paths that `ledger` settles, on which `instruments` are traded and which policies see as `features` say, in units `unit` of
    /// money; paths hold the deltas of a benchmark if `answered`, and its positions if `hedged`.
    pub fn new(
        ledger: Ledger,
        features: &Features,
        instruments: &[Instrument],
        unit: f64,
        (answered, hedged): (bool, bool),
    ) -> Self {
        const MOST_STRIKES: usize = 4;
        let contract = ledger.contract();
        let first = AssetScale {
            spot: features.strike,
            volatility: features.volatility,
        };
        let further = features.further.iter().copied();
        let scales: Vec<AssetScale> = std::iter::once(first).chain(further).collect();
        let legs = contract.legs().unwrap_or_default().to_vec();
        let mut strikes: Vec<f64> = legs.iter().map(|leg| leg.strike).collect();
        strikes.sort_by(f64::total_cmp);
        strikes.dedup();
        strikes.retain(|strike| *strike != features.strike);
        strikes.truncate(MOST_STRIKES);
        let half_widths = |(asset, scale): (usize, &AssetScale)| {
            const TRADE: f64 = 0.1;
            let of_asset = |one: &Instrument| *one == Instrument::Spot(asset);
            let cost = instruments.iter().position(of_asset).map_or(0.0, |place| {
                let cost = ledger.charge(place).cost(TRADE, &At::priced(scale.spot));
                cost / (TRADE * scale.spot)
            });
            [0.25, 0.5, 1.0].map(|share| share * cost.cbrt())
        };
        Self {
            bands: scales.iter().enumerate().map(half_widths).collect(),
            period: contract.dt(),
            state: features.state.clone(),
            terms: features.terms.clone(),
            instruments: instruments.to_vec(),
            sale: ledger.premiums_differ().then(|| ledger.clone()),
            ledger: ledger.without_premium(),
            scales,
            legs,
            strikes,
            unit,
            answered,
            hedged,
        }
    }

    /// How many there are of a path.
    pub fn count(&self) -> usize {
        let spots = self.spots().count();
        let settled = BANDS + usize::from(self.hedged);
        let answers = if self.answered { spots } else { 0 };
        2 + usize::from(self.sale.is_some())
            + self.scales.len() * OF_ASSET
            + self.instruments.len() * HELD
            + self.strikes.len()
            + self.state.len() * (1 + 2 * spots)
            + self.terms.len()
            + 2 * settled
            + answers
    }

    /// The instruments that are assets, each with its asset.
    fn spots(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let instruments = self.instruments.iter().enumerate();
        instruments.filter_map(|(place, instrument)| match instrument {
            Instrument::Spot(asset) => Some((place, *asset)),
            Instrument::VarianceSwap(_) | Instrument::Option(_) => None,
        })
    }

    /// Writes those of a block on which the contract was observed and the instruments are priced, `[count][BLOCK]`.
    ///
    /// # Panics
    /// If there is not as much room.
    pub fn write<R: Real>(&self, block: &PathBlock<'_, R>, out: &mut [Lane<R>]) {
        assert_eq!(out.len(), self.count(), "room for every functional");
        dispatch(Write {
            functionals: self,
            block,
            room: Room::new(self, block.steps()),
            out,
        });
    }
}
