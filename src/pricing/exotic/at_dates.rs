//! Barriers that are watched at dates, by quadrature over the dates.

use super::barrier::Alive;
use super::term::density;
use super::{BarrierOption, Direction, Knock, LognormalAsset, Pays, Touch, TouchKind, Valuation};
use crate::pricing::quadrature::GAUSS_LEGENDRE;

/// Standard deviations of a step, and of all steps, beyond which nothing is integrated.
const REACH: f64 = 9.0;

/// Standard deviations of a step that a panel of the quadrature is wide; 16 points integrate a normal density over it to
/// rounding.
const PANEL: f64 = 3.0;

/// Panels that are worth their while. A volatility so small that more are needed leaves no error in the formula either.
const MOST_PANELS: f64 = 4096.0;

impl BarrierOption {
    /// Price, delta and gamma without the error of the shifted barrier: for `spacing > 0` the transition densities of ln S
    /// between the dates left are integrated one after the other,
    ///
    /// ```text
    /// V_{i−1}(x) = e^{−rΔ} ∫_{alive} φ((y − x − mΔ)/(σ√Δ))/(σ√Δ) V_i(y) dy
    /// ```
    ///
    /// from the last but one date, whose V is a formula. The error is below 10⁻⁹ of the spot.
    /// For `spacing = 0` it is [`Self::valuation`].
    ///
    /// # References
    ///
    /// F. AitSahlia and T. L. Lai (1997), "Valuation of discrete barrier and hindsight options", Journal of Financial
    /// Engineering 6.
    pub fn at_dates(&self) -> Valuation {
        let path = DatedPath {
            asset: &self.asset,
            barrier: self.barrier,
            direction: self.direction,
            spacing: self.spacing,
        };
        let last = |asset: LognormalAsset| {
            let option = Self { asset, ..*self };
            option.knock_out()
        };
        match (self.touched, path.survive(&last)) {
            (true, _) | (_, None) => self.valuation(),
            (false, Some(out)) => match self.knock {
                Knock::Out => out,
                Knock::In => self.asset.vanilla(self.kind, self.strike) - out,
            },
        }
    }
}

impl Touch {
    /// Price, delta and gamma without the error of the shifted barrier, as [`BarrierOption::at_dates`].
    pub fn at_dates(&self) -> Valuation {
        let path = DatedPath {
            asset: &self.asset,
            barrier: self.barrier,
            direction: self.direction,
            spacing: self.spacing,
        };
        let last = |asset: LognormalAsset| {
            let alive = Alive {
                asset: &asset,
                barrier: self.barrier,
                direction: self.direction,
                spacing: self.spacing,
            };
            alive.beyond(Pays::Cash, self.barrier)
        };
        match (self.touched, path.survive(&last)) {
            (true, _) | (_, None) => self.valuation(),
            (false, Some(none)) => {
                self.cash
                    * match self.kind {
                        TouchKind::NoTouch => none,
                        TouchKind::OneTouch => Valuation::constant(self.asset.discount()) - none,
                    }
            }
        }
    }
}

/// An asset on its way through dates at which a barrier is watched.
struct DatedPath<'a> {
    asset: &'a LognormalAsset,
    barrier: f64,
    direction: Direction,
    spacing: f64,
}

impl DatedPath<'_> {
    /// What `last`, the value one date before expiry, is worth now if no date up to there touches the barrier; nothing where
    /// the formula is exact or as good.
    fn survive(&self, last: &dyn Fn(LognormalAsset) -> Valuation) -> Option<Valuation> {
        let asset = self.asset;
        if self.spacing <= 0.0 {
            return None;
        }
        let dates = (asset.expiry / self.spacing - 1e-9).ceil();
        if dates < 2.0 {
            return None;
        }
        let m = asset.rate - asset.dividend - 0.5 * asset.volatility * asset.volatility;
        let step = Step::over(self.spacing, m, asset.volatility);
        let first = Step::over(
            asset.expiry - (dates - 1.0) * self.spacing,
            m,
            asset.volatility,
        );
        let here = asset.spot.ln();
        let (low, high) = self.range(here, m);
        let panels = ((high - low) / (PANEL * step.deviation.min(first.deviation))).ceil();
        if panels > MOST_PANELS {
            return None;
        }
        let nodes = nodes(low, high, panels.max(1.0) as usize);
        let before_last = |node: &(f64, f64)| {
            let asset = LognormalAsset {
                spot: node.0.exp(),
                expiry: self.spacing,
                ..*asset
            };
            last(asset).price
        };
        let mut values: Vec<f64> = nodes.iter().map(before_last).collect();
        let rows: Vec<(usize, Vec<f64>)> =
            nodes.iter().map(|(x, _)| step.row(*x, &nodes)).collect();
        for _ in 2..dates as usize {
            let next = rows.iter().map(|(from, weights)| {
                let reached = weights.iter().zip(&values[*from..]);
                reached.map(|(weight, value)| weight * value).sum::<f64>()
            });
            values = next.collect();
        }
        let discount = (-asset.rate * (asset.expiry - self.spacing)).exp();
        let mut sums = [0.0; 3];
        let (from, weights) = first.row(here, &nodes);
        for (i, weight) in weights.iter().enumerate() {
            let distance = (nodes[from + i].0 - here - first.drift) / first.deviation;
            let part = discount * weight * values[from + i];
            sums[0] += part;
            sums[1] += part * distance / first.deviation;
            sums[2] += part * (distance * distance - 1.0) / (first.deviation * first.deviation);
        }
        let [price, by_log, curvature] = sums;
        Some(Valuation::of_logarithm(
            price, by_log, curvature, asset.spot,
        ))
    }

    /// The logarithms that are alive and within reach.
    fn range(&self, here: f64, m: f64) -> (f64, f64) {
        let time = self.asset.expiry;
        let deviation = self.asset.deviation();
        // What pays the asset is reached under a drift greater by σ².
        let drift = m * time;
        let low = here + drift.min(0.0) - REACH * deviation;
        let high = here + (drift + deviation * deviation).max(0.0) + REACH * deviation;
        let level = self.barrier.ln();
        match self.direction {
            Direction::Down => (low.max(level), high.max(level)),
            Direction::Up => (low.min(level), high.min(level)),
        }
    }
}

/// The law of a change of ln S.
struct Step {
    drift: f64,
    deviation: f64,
}

impl Step {
    fn over(time: f64, m: f64, volatility: f64) -> Self {
        Self {
            drift: m * time,
            deviation: (volatility * time.sqrt()).max(super::asset::LEAST_DEVIATION),
        }
    }

    /// The weights of the nodes within reach of x, and the number of the first of them.
    fn row(&self, x: f64, nodes: &[(f64, f64)]) -> (usize, Vec<f64>) {
        let centre = x + self.drift;
        let from = nodes.partition_point(|node| node.0 < centre - REACH * self.deviation);
        let to = nodes.partition_point(|node| node.0 < centre + REACH * self.deviation);
        let weights = nodes[from..to].iter().map(|(y, weight)| {
            let distance = (y - centre) / self.deviation;
            weight * density(-0.5 * distance * distance) / self.deviation
        });
        (from, weights.collect())
    }
}

/// Gauss points and weights of so many equal panels.
fn nodes(low: f64, high: f64, panels: usize) -> Vec<(f64, f64)> {
    let half = 0.5 * (high - low) / panels as f64;
    let panel = |i: usize| low + (2 * i + 1) as f64 * half;
    let points = |i: usize| {
        let centre = panel(i);
        let rule = GAUSS_LEGENDRE.iter().rev();
        rule.map(move |(x, weight)| (centre + half * x, half * weight))
    };
    (0..panels).flat_map(points).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::OptionKind::{Call, Put};

    const OPTION: BarrierOption = BarrierOption {
        asset: LognormalAsset {
            spot: 100.0,
            rate: 0.03,
            dividend: 0.01,
            volatility: 0.25,
            expiry: 1.0,
        },
        kind: Put,
        strike: 105.0,
        barrier: 85.0,
        direction: Direction::Down,
        knock: Knock::Out,
        spacing: 0.25,
        touched: false,
    };

    /// With two dates a no-touch is a bivariate normal probability.
    #[test]
    fn two_dates_are_a_bivariate_probability() {
        let asset = LognormalAsset {
            expiry: 0.5,
            ..OPTION.asset
        };
        let touch = Touch {
            asset,
            kind: TouchKind::NoTouch,
            barrier: 95.0,
            direction: Direction::Down,
            cash: 1.0,
            spacing: 0.3,
            touched: false,
        };
        let d = |time: f64| {
            let m = 0.02 - 0.5 * 0.0625;
            ((100.0f64 / 95.0).ln() + m * time) / (0.25 * time.sqrt())
        };
        let correlation = (0.2f64 / 0.5).sqrt();
        let probability = crate::pricing::bivariate_normal_cdf(d(0.2), d(0.5), correlation);
        let found = touch.at_dates().price;
        let expected = asset.discount() * probability;
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }

    /// In and out are the vanilla option; delta and gamma are derivatives; the shifted barrier is near, and nearer with more
    /// dates.
    #[test]
    fn it_is_what_the_formula_approximates() {
        for (kind, direction, barrier) in [
            (Put, Direction::Down, 85.0),
            (Call, Direction::Down, 85.0),
            (Call, Direction::Up, 130.0),
        ] {
            let option = BarrierOption {
                kind,
                direction,
                barrier,
                ..OPTION
            };
            let knock_in = BarrierOption {
                knock: Knock::In,
                ..option
            };
            let both = option.at_dates() + knock_in.at_dates();
            both.assert_near(&option.asset.vanilla(kind, option.strike), 1e-12);
            Valuation::check_derivatives(
                |spot| {
                    let asset = LognormalAsset {
                        spot,
                        ..option.asset
                    };
                    BarrierOption { asset, ..option }.at_dates()
                },
                100.0,
            );
            let error = |spacing: f64| {
                let option = BarrierOption { spacing, ..option };
                (option.at_dates().price - option.valuation().price).abs()
            };
            let (coarse, fine) = (error(0.25), error(1.0 / 64.0));
            assert!(fine < 0.25 * coarse && fine < 0.01, "{coarse} {fine}");
        }
    }
}
