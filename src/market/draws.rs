use super::assets::Assets;
use super::model::Draw;
use crate::random::{Correlated, Joint, Purpose, Sampling, Shocks, Source};
use crate::simd::{Lane, Real};

/// Draws blocks of all assets of a market on an equidistant grid.
///
/// One asset takes its shocks as they are drawn; the shocks of several are correlated for a whole block first.
pub(super) struct Draws<'a> {
    assets: &'a Assets,
    source: Source,
    /// None for one asset.
    joint: Option<Joint>,
    steps: usize,
    dt: f64,
    substeps: usize,
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
        Self {
            assets,
            source: Source::new(seed, purpose, sampling, steps * substeps, factors),
            joint: several.then(|| Joint::new(models, assets.correlation().factor())),
            steps,
            dt,
            substeps,
        }
    }

    /// Bytes of the tables that hold the correlated shocks of one block; none for one asset.
    pub fn table_bytes(&self) -> usize {
        let steps = self.steps * self.substeps;
        let joint = self.joint.as_ref();
        joint.map_or(0, |joint| joint.table_rows(steps) * size_of::<Lane<u32>>())
    }

    /// Draws block number `number` into the columns of the assets: of each (spot, variance), `[steps + 1][BLOCK]`. If it has
    /// `begun`, the first variances of the first asset are given.
    ///
    /// # Panics
    /// If there are not as many columns as assets.
    pub fn block<'c, R: Real>(
        &self,
        number: u64,
        begun: bool,
        columns: impl ExactSizeIterator<Item = (&'c mut [Lane<R>], &'c mut [Lane<R>])>,
        tables: &mut Tables,
    ) {
        assert_eq!(columns.len(), self.assets.list().len());
        let words = self.source.block(number);
        let Some(joint) = &self.joint else {
            for (spot, variance) in columns {
                self.asset((0, begun), words.clone(), spot, variance);
            }
            return;
        };
        joint.prepare(&words, self.steps * self.substeps, tables);
        for (asset, (spot, variance)) in columns.enumerate() {
            let begun = begun && asset == 0;
            let shocks = Correlated::new(&tables[asset]);
            self.asset((asset, begun), shocks, spot, variance);
        }
    }

    fn asset<R: Real>(
        &self,
        (asset, begun): (usize, bool),
        shocks: impl Shocks,
        spot: &mut [Lane<R>],
        variance: &mut [Lane<R>],
    ) {
        let market = &self.assets.list()[asset].market;
        market.model.draw(Draw {
            shocks,
            start: market.spot,
            carry: market.rate - market.dividend,
            dt: self.dt,
            substeps: self.substeps,
            begun,
            spot,
            variance,
        });
    }
}
