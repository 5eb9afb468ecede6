//! Closed forms of named types, from the families of [`crate::pricing::exotic`].

use crate::contract::OptionKind;
use crate::contract::expression::fixing;
use crate::contract::{Formula, Seen, Worth};
use crate::pricing::exotic::{
    AverageSoFar, BarrierOption, Choice, Digital, Direction, Exchange, FixedLookback,
    FloatingLookback, ForwardStart, GeometricAsian, Knock, LognormalAsset, RainbowOption,
    SampledVariance, Touch, TouchKind, TwoAssetValuation, TwoAssets, Valuation,
};

fn asset(seen: &Seen<'_>) -> LognormalAsset {
    LognormalAsset {
        spot: seen.assets[0].spot,
        rate: seen.rate,
        dividend: seen.assets[0].dividend,
        volatility: seen.assets[0].volatility,
        expiry: seen.left(),
    }
}

impl From<Valuation> for Worth {
    fn from(value: Valuation) -> Self {
        Self {
            price: value.price,
            deltas: vec![value.delta],
            gammas: vec![value.gamma],
        }
    }
}

fn two_assets(seen: &Seen<'_>) -> TwoAssets {
    let [one, two] = [0, 1].map(|i| seen.assets[i]);
    TwoAssets {
        spots: [one.spot, two.spot],
        dividends: [one.dividend, two.dividend],
        volatilities: [one.volatility, two.volatility],
        correlation: seen.correlation[0][1],
        rate: seen.rate,
        expiry: seen.left(),
    }
}

impl From<TwoAssetValuation> for Worth {
    fn from(value: TwoAssetValuation) -> Self {
        Self {
            price: value.price,
            deltas: value.deltas.into(),
            gammas: vec![value.gammas[0][0], value.gammas[1][1]],
        }
    }
}

/// An option on the better or the worse of two assets.
#[derive(Debug)]
pub(super) struct RainbowForm {
    pub kind: OptionKind,
    pub choice: Choice,
    pub strike: f64,
}

impl Formula for RainbowForm {
    fn assets(&self) -> usize {
        2
    }

    fn worth(&self, seen: &Seen<'_>) -> Worth {
        let option = RainbowOption {
            assets: two_assets(seen),
            kind: self.kind,
            choice: self.choice,
            strike: self.strike,
        };
        option.valuation().into()
    }
}

/// The exchange of the second asset for the first.
#[derive(Debug)]
pub(super) struct ExchangeForm;

impl Formula for ExchangeForm {
    fn assets(&self) -> usize {
        2
    }

    fn worth(&self, seen: &Seen<'_>) -> Worth {
        let option = Exchange {
            assets: two_assets(seen),
        };
        option.valuation().into()
    }
}

/// A variance swap, whose state is the sum of squared log returns so far.
#[derive(Debug)]
pub(super) struct VarianceSwapForm {
    pub notional: f64,
    pub strike_volatility: f64,
}

impl Formula for VarianceSwapForm {
    /// At a date the next return is counted from the spot, so that its square does not move with it.
    fn delta_hedges(&self) -> bool {
        false
    }

    /// The first return is counted from the spot of the sale, as on any other date.
    fn by_log_returns(&self, seen: &Seen<'_>, moments: &[(f64, f64)]) -> Option<Worth> {
        let asset = asset(seen);
        let life = seen.dt * seen.steps as f64;
        let squares: f64 = moments.iter().map(|(_, square)| square).sum();
        let (next, _) = moments.first()?;
        let squares = Valuation::of_logarithm(squares, 2.0 * next, 2.0, asset.spot);
        let strike = Valuation::constant(self.strike_volatility.powi(2));
        let discount = self.notional * asset.discount();
        Some((discount * (1.0 / life * squares - strike)).into())
    }

    fn worth(&self, seen: &Seen<'_>) -> Worth {
        let asset = asset(seen);
        let life = seen.dt * seen.steps as f64;
        let carries = (seen.date..seen.steps).map(|t| seen.carry(0, t, t + 1));
        let carries: Vec<f64> = carries.collect();
        let to_come = SampledVariance {
            asset,
            carries: &carries,
            spacing: seen.dt,
            previous: asset.spot,
            per_year: 1.0 / life,
        };
        let known = seen.state[0] / life - self.strike_volatility.powi(2);
        let known = Valuation::constant(asset.discount() * known);
        (self.notional * (to_come.valuation() + known)).into()
    }
}

/// A lookback option, whose state is the extreme of the path so far.
#[derive(Debug)]
pub(super) struct LookbackForm {
    pub kind: OptionKind,
    /// None for one whose strike is the extreme on the other side.
    pub strike: Option<f64>,
}

impl Formula for LookbackForm {
    fn needs_constant_carry(&self) -> bool {
        true
    }

    /// That dates are apart is corrected to leading order.
    fn prices_exactly(&self) -> bool {
        false
    }

    fn worth(&self, seen: &Seen<'_>) -> Worth {
        let (asset, kind, spacing) = (asset(seen), self.kind, seen.dt);
        // The sale is no date that counts.
        let extreme = match seen.date {
            0 => asset.spot,
            _ => seen.state[0],
        };
        let value = match self.strike {
            Some(strike) => FixedLookback {
                asset,
                kind,
                strike,
                extreme,
                spacing,
            }
            .valuation(),
            None => FloatingLookback {
                asset,
                kind,
                extreme,
                spacing,
            }
            .valuation(),
        };
        value.into()
    }
}

/// A digital option.
#[derive(Debug)]
pub(super) struct DigitalForm {
    pub kind: OptionKind,
    pub strike: f64,
    pub cash: f64,
}

impl Formula for DigitalForm {
    fn worth(&self, seen: &Seen<'_>) -> Worth {
        let option = Digital {
            asset: asset(seen),
            kind: self.kind,
            strike: self.strike,
            cash: self.cash,
        };
        option.valuation().into()
    }
}

/// A one-touch or a no-touch, whose state is whether the barrier has been touched.
#[derive(Debug)]
pub(super) struct TouchForm {
    pub kind: TouchKind,
    pub direction: Direction,
    pub barrier: f64,
    pub cash: f64,
}

impl TouchForm {
    fn option(&self, seen: &Seen<'_>) -> Touch {
        Touch {
            asset: asset(seen),
            kind: self.kind,
            barrier: self.barrier,
            direction: self.direction,
            cash: self.cash,
            spacing: seen.dt,
            touched: seen.state[0] != 0.0,
        }
    }
}

impl Formula for TouchForm {
    fn needs_constant_carry(&self) -> bool {
        true
    }

    fn worth(&self, seen: &Seen<'_>) -> Worth {
        self.option(seen).valuation().into()
    }

    fn exactly(&self, seen: &Seen<'_>) -> Worth {
        self.option(seen).at_dates().into()
    }
}

/// A barrier option. One that is knocked in has the extreme of the path as its state; one that is knocked out has ended when
/// its barrier is touched, and has none.
#[derive(Debug)]
pub(super) struct BarrierForm {
    pub kind: OptionKind,
    pub strike: f64,
    pub barrier: f64,
    pub direction: Direction,
    pub knock: Knock,
}

impl BarrierForm {
    fn option(&self, seen: &Seen<'_>) -> BarrierOption {
        let side = self.direction.side();
        let touched = match self.knock {
            // The sale is no date on which the barrier is watched.
            Knock::In => seen.date > 0 && side * seen.state[0] <= side * self.barrier,
            Knock::Out => seen.date > 0 && side * seen.assets[0].spot <= side * self.barrier,
        };
        BarrierOption {
            asset: asset(seen),
            kind: self.kind,
            strike: self.strike,
            barrier: self.barrier,
            direction: self.direction,
            knock: self.knock,
            spacing: seen.dt,
            touched,
        }
    }
}

impl Formula for BarrierForm {
    fn needs_constant_carry(&self) -> bool {
        true
    }

    fn worth(&self, seen: &Seen<'_>) -> Worth {
        self.option(seen).valuation().into()
    }

    fn exactly(&self, seen: &Seen<'_>) -> Worth {
        self.option(seen).at_dates().into()
    }
}

/// An option on a geometric mean, whose state is the mean of the logarithms so far.
#[derive(Debug)]
pub(super) struct GeometricForm {
    pub kind: OptionKind,
    pub strike: f64,
    /// The number of fixings, or all hedging dates.
    pub fixings: Option<usize>,
}

impl Formula for GeometricForm {
    fn worth(&self, seen: &Seen<'_>) -> Worth {
        let n = self.fixings.unwrap_or(seen.steps);
        let date = |k: usize| fixing(k, n, seen.steps);
        let known = (1..=n).take_while(|k| date(*k) <= seen.date).count();
        let times = (known + 1..=n).map(|k| seen.dt * (date(k) - seen.date) as f64);
        let times: Vec<f64> = times.collect();
        let carries = (known + 1..=n).map(|k| seen.carry(0, seen.date, date(k)));
        let mut asset = asset(seen);
        if known < n {
            // The yield at which the forwards of all fixings together grow as they do; paid is at the rate until expiry.
            asset.dividend = asset.rate - carries.sum::<f64>() / times.iter().sum::<f64>();
        }
        let option = GeometricAsian {
            asset,
            kind: self.kind,
            strike: self.strike,
            average: AverageSoFar::Fixings {
                known,
                log_sum: if known == 0 {
                    0.0
                } else {
                    known as f64 * seen.state[0]
                },
                times: &times,
            },
        };
        option.valuation().into()
    }
}

/// A forward-start option, whose state is the spot that set its strike, 0 before.
#[derive(Debug)]
pub(super) struct ForwardStartForm {
    pub kind: OptionKind,
    pub moneyness: f64,
    /// The date that sets the strike.
    pub start: usize,
}

impl Formula for ForwardStartForm {
    fn worth(&self, seen: &Seen<'_>) -> Worth {
        let asset = asset(seen);
        if seen.date >= self.start {
            let strike = self.moneyness * seen.state[0];
            return asset.vanilla(self.kind, strike).into();
        }
        let life = seen.dt * (seen.steps - self.start) as f64;
        let option = ForwardStart {
            // At the growth of the forward over the life of the option that begins then. What is paid for the asset of that day is the
            // spot less the dividends until expiry, in the formula by one and the same yield before and after.
            asset: LognormalAsset {
                rate: asset.dividend + seen.carry(0, self.start, seen.steps) / life,
                ..asset
            },
            kind: self.kind,
            moneyness: self.moneyness,
            start: seen.dt * (self.start - seen.date) as f64,
        };
        option.valuation().into()
    }
}
