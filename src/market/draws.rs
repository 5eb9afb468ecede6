use super::assets::Assets;
use super::model::{Columns, Draw};
use super::spot_market::Market;
use crate::random::{Correlated, Joint, Purpose, Sampling, Shocks, Source};
use crate::simd::{Lane, Real};

/// Draws blocks of all assets of a market on an equidistant grid.
///
/// One asset takes its shocks as they are drawn; the shocks of several are correlated for a whole block first.
pub(super) struct Draws<'a> {
    assets: &'a Assets,
    source: Source,
    purpose: Purpose,
    /// None for one asset.
    joint: Option<Joint>,
    steps: usize,
    dt: f64,
    substeps: usize,
    /// What the forward of each asset at every date is over one that grows evenly to the last date; none where it does.
    forwards: Vec<Option<Vec<f64>>>,
}

/// The correlated shocks of a block, one table for every asset: memory that the next block uses again.
pub(super) type Tables = Vec<Vec<Lane<u32>>>;

impl<'a> Draws<'a> {
    /// Paths of `steps` periods of `dt` years, each of `substeps` steps of the schemes.
    pub fn new(
        assets: &'a Assets,
        (steps, dt, substeps): (usize, f64, usize),
        (seed, purpose, sampling): (u64, Purpose, Sampling),
    ) -> Self {
        let list = assets.list().iter();
        let models: Vec<_> = list.map(|asset| asset.market.model.factors()).collect();
        let factors = models.iter().map(Vec::len).sum();
        let several = models.len() > 1;
        let list = assets.list().iter();
        let forwards = list.map(|asset| uneven(&asset.market, steps, dt)).collect();
        Self {
            assets,
            source: Source::new(seed, purpose, sampling, steps * substeps, factors),
            purpose,
            joint: several.then(|| Joint::new(models, assets.correlation().factor())),
            steps,
            dt,
            substeps,
            forwards,
        }
    }

    /// Bytes of the tables that hold the correlated shocks of one block; none for one asset.
    pub fn table_bytes(&self) -> usize {
        let steps = self.steps * self.substeps;
        let joint = self.joint.as_ref();
        joint.map_or(0, |joint| joint.table_rows(steps) * size_of::<Lane<u32>>())
    }

    /// Draws block number `number` into the columns of the assets, of each (spot, variance), `[steps + 1][BLOCK]`, and into the factors of the
    /// first one's surface, `[factors][steps + 1][BLOCK]`, and its payoffs, one row, where there is room for them. If it has `begun`, the first variances of the first
    /// asset are given.
    ///
    /// # Panics
    /// If there are not as many columns as assets.
    pub fn block<'c, R: Real>(
        &self,
        number: u64,
        begun: bool,
        columns: impl ExactSizeIterator<Item = (&'c mut [Lane<R>], &'c mut [Lane<R>])>,
        (surface, payoff): (&mut [Lane<R>], &mut [Lane<R>]),
        tables: &mut Tables,
    ) {
        assert_eq!(columns.len(), self.assets.list().len());
        let words = self.source.block(number);
        let Some(joint) = &self.joint else {
            for (spot, variance) in columns {
                let columns = (spot, variance, &mut *surface);
                self.asset((0, begun), number, words.clone(), columns, payoff);
            }
            return;
        };
        joint.prepare(&words, self.steps * self.substeps, tables);
        for (asset, (spot, variance)) in columns.enumerate() {
            let begun = begun && asset == 0;
            let shocks = Correlated::new(&tables[asset]);
            let surface: &mut [Lane<R>] = if asset == 0 { &mut *surface } else { &mut [] };
            self.asset(
                (asset, begun),
                number,
                shocks,
                (spot, variance, surface),
                &mut [],
            );
        }
    }

    fn asset<R: Real>(
        &self,
        (asset, begun): (usize, bool),
        number: u64,
        shocks: impl Shocks,
        (spot, variance, surface): Columns<'_, R>,
        payoff: &mut [Lane<R>],
    ) {
        let market = &self.assets.list()[asset].market;
        market.model.draw(Draw {
            shocks,
            start: market.spot,
            carry: market.carry(0.0, self.dt * self.steps as f64),
            dt: self.dt,
            substeps: self.substeps,
            begun,
            spot: &mut *spot,
            variance,
            surface,
            place: (self.purpose, number),
            payoff,
        });
        for (row, &factor) in spot.iter_mut().zip(self.forwards[asset].iter().flatten()) {
            let factor = R::of(factor);
            for value in row {
                *value *= factor;
            }
        }
    }
}

/// F_t e^{−ct}/S₀ for every date t of `steps` periods of `dt` years, c the average carry until the last; none where the carry is
/// constant, and where paths are given, whose spots are what they are. Under every other model a spot is its forward times what does not depend on
/// the carry ([`Draw::carry`]).
fn uneven(market: &Market, steps: usize, dt: f64) -> Option<Vec<f64>> {
    if market.has_constant_carry() || market.model.given().is_some() {
        return None;
    }
    let average = market.carry(0.0, dt * steps as f64);
    let factor = |t: usize| {
        let time = dt * t as f64;
        ((market.carry(0.0, time) - average) * time).exp()
    };
    Some((0..=steps).map(factor).collect())
}
