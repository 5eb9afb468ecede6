use super::{AssetScale, Feature, Features};
use crate::market::PathBlock;
use crate::pricing::SurfaceFactors;
use crate::simd::{BLOCK, Lane, Real};

impl Features {
    /// Writes the features of date `t` into `out`, one row for each input that paths give: those of the list, which are of the first
    /// asset where an asset has them for itself, then of every further asset its own, then the terms that the path drew, then the
    /// contract's running quantities.
    #[inline(always)]
    pub(in crate::network) fn write<R: Real, const FMA: bool>(
        &self,
        block: &PathBlock<'_, R>,
        t: usize,
        out: &mut [Lane<R>],
    ) {
        let (listed, rest) = out[..].split_at_mut(self.market());
        let (terms, state) = rest.split_at_mut(self.terms.len());
        let first = AssetScale {
            spot: self.strike,
            volatility: self.volatility,
        };
        let mut rows = listed.iter_mut();
        for (asset, scale) in std::iter::once(&first).chain(&self.further).enumerate() {
            let own = self.listed();
            let own = own.filter(|feature| asset == 0 || feature.is_of_an_asset());
            for (feature, out) in own.zip(&mut rows) {
                self.write_one::<R, FMA>(feature, (asset, scale), block, t, out);
            }
        }
        if let Some(drawn) = block.drawn() {
            for ((standard, value), out) in self.terms.iter().zip(drawn.values).zip(terms) {
                standard.write(value, out);
            }
        }
        for (accumulator, (standard, out)) in self.state.iter().zip(state).enumerate() {
            standard.write(&block.state(accumulator)[t], out);
        }
        for (standard, out) in self.standards.iter().zip(out.iter_mut()) {
            let value = *out;
            standard.write(&value, out);
        }
        if let Some(bound) = self.bound {
            let (low, high) = (R::of(-bound), R::of(bound));
            for x in out.as_flattened_mut() {
                *x = x.greater(low).lesser(high);
            }
        }
    }

    /// Writes one feature of one asset.
    #[inline(always)]
    fn write_one<R: Real, const FMA: bool>(
        &self,
        feature: Feature,
        (asset, scale): (usize, &AssetScale),
        block: &PathBlock<'_, R>,
        t: usize,
        out: &mut Lane<R>,
    ) {
        let (spots, steps) = (block.spot_of(asset), block.steps());
        match feature {
            Feature::LogMoneyness => {
                let inverse = R::of(1.0 / scale.spot);
                let share = R::of(1.0 / (scale.volatility * self.expiry.sqrt()));
                match block.drawn().filter(|_| asset == 0) {
                    None => {
                        for lane in 0..BLOCK {
                            out[lane] = (spots[t][lane] * inverse).ln::<FMA>() * share;
                        }
                    }
                    Some(drawn) => {
                        for lane in 0..BLOCK {
                            let moneyness = spots[t][lane] / drawn.strike[lane];
                            out[lane] = moneyness.ln::<FMA>() * share;
                        }
                    }
                }
            }
            Feature::Volatility => {
                let variance = &block.variance_of(asset)[t];
                let share = R::of(1.0 / scale.volatility);
                for lane in 0..BLOCK {
                    out[lane] = variance[lane].sqrt() * share;
                }
            }
            Feature::TimeLeft => match block.drawn() {
                None => *out = [R::of((steps - t) as f64 / steps as f64); BLOCK],
                Some(drawn) => {
                    let (t, share) = (R::of(t as f64), R::of(1.0 / steps as f64));
                    for lane in 0..BLOCK {
                        out[lane] = (drawn.life[lane] - t).greater(R::ZERO) * share;
                    }
                }
            },
            Feature::LastReturn => {
                let period = self.expiry / steps as f64;
                let share = R::of(1.0 / (scale.volatility * period.sqrt()));
                let log_return = log_return::<R, FMA>(spots, t);
                for lane in 0..BLOCK {
                    out[lane] = log_return[lane] * share;
                }
            }
            Feature::RealisedVolatility => {
                let mut sum = [R::ZERO; BLOCK];
                for u in 1..=t {
                    let log_return = log_return::<R, FMA>(spots, u);
                    for lane in 0..BLOCK {
                        sum[lane] += log_return[lane] * log_return[lane];
                    }
                }
                let years = self.expiry * t.max(1) as f64 / steps as f64;
                let share = R::of(1.0 / (scale.volatility * years.sqrt()));
                for lane in 0..BLOCK {
                    out[lane] = sum[lane].sqrt() * share;
                }
            }
            Feature::Delta => *out = block.benchmark().delta(asset)[t],
            Feature::Gamma => {
                let gamma = &block.benchmark().gamma(asset)[t];
                let share = R::of(scale.volatility * self.expiry.sqrt());
                for lane in 0..BLOCK {
                    out[lane] = gamma[lane] * spots[t][lane] * share;
                }
            }
            Feature::Value => {
                let value = &block.benchmark().value()[t];
                let unit = self.unit.expect("the value is seen in a unit");
                let share = R::of(1.0 / unit);
                for lane in 0..BLOCK {
                    out[lane] = value[lane] * share;
                }
            }
            Feature::SmileMoneyness => {
                let left = block.years_left(t, self.period);
                let volatility = &block.benchmark().volatility()[t];
                let (own, least, most) = (R::of(self.strike), R::of(FLOOR), R::of(FARTHEST));
                let carry = R::of(self.carry);
                for lane in 0..BLOCK {
                    let strike = block.drawn().map_or(own, |drawn| drawn.strike[lane]);
                    let forward = (spots[t][lane] / strike).ln::<FMA>() + carry * left[lane];
                    let deviation = volatility[lane].greater(least) * left[lane].sqrt();
                    out[lane] = (forward / deviation).greater(-most).lesser(most);
                }
            }
            Feature::LogTimeLeft => {
                let (left, months) = (block.years_left(t, self.period), R::of(12.0));
                for lane in 0..BLOCK {
                    out[lane] = (left[lane] * months).ln::<FMA>();
                }
            }
            Feature::LogVolatility => {
                log_volatility::<R, FMA>(&block.benchmark().volatility()[t], out);
            }
            Feature::LogOneMonth => {
                let volatility = block.variance_of(asset)[t].map(Real::sqrt);
                log_volatility::<R, FMA>(&volatility, out);
            }
            Feature::VegaRatio => {
                let mut options = 0..block.instruments().len();
                let theirs = options.find_map(|option| block.option_vegas(option));
                let theirs = theirs.expect("an option is traded, and paths hold its vega");
                let vega = &block.benchmark().vega()[t];
                let (least, most) = (R::of(LEAST_VEGA), R::of(FARTHEST));
                for lane in 0..BLOCK {
                    let ratio = vega[lane] / theirs[t][lane].greater(least);
                    out[lane] = ratio.greater(-most).lesser(most);
                }
            }
            Feature::SurfaceLevel
            | Feature::SurfaceSlope
            | Feature::SurfaceMoneyness
            | Feature::SurfaceSmile
            | Feature::SurfaceSmirk => {
                let surface = block.surface().expect("paths have a surface");
                let factor = feature.surface_factor().expect("it is a factor");
                *out = surface.factor(factor)[t];
            }
            Feature::PreviousPosition => unreachable!("the network feeds it"),
        }
    }
}

/// The least volatility that features know.
pub(super) const FLOOR: f64 = SurfaceFactors::FLOOR;

/// How many deviations from the money, and how many options, features know.
pub(super) const FARTHEST: f64 = 10.0;

/// The least vega of an option that features divide by.
pub(super) const LEAST_VEGA: f64 = 1e-20;

/// ln(σ/0.2) of volatilities that are at least [`FLOOR`].
#[inline(always)]
fn log_volatility<R: Real, const FMA: bool>(volatility: &Lane<R>, out: &mut Lane<R>) {
    let (least, share) = (R::of(FLOOR), R::of(5.0));
    for lane in 0..BLOCK {
        out[lane] = (volatility[lane].greater(least) * share).ln::<FMA>();
    }
}

/// ln(S_t/S_{t−1}); 0 at the sale.
#[inline(always)]
fn log_return<R: Real, const FMA: bool>(spot: &[Lane<R>], t: usize) -> Lane<R> {
    let mut log_return = [R::ZERO; BLOCK];
    if t > 0 {
        for lane in 0..BLOCK {
            log_return[lane] = (spot[t][lane] / spot[t - 1][lane]).ln::<FMA>();
        }
    }
    log_return
}
