use crate::contract::{Leg, OptionKind};
use crate::named::named;
use crate::pricing::Greeks;
use std::ops::RangeInclusive;

named! {
    /// How a price came about.
    #[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
    pub enum PriceMethod {
        /// A closed form, or integrals of one that are exact to rounding.
        Formula = "formula",
        /// A series whose terms are closed forms.
        Series = "series",
        /// The inversion of a Fourier transform.
        Transform = "transform",
        /// An integral over what the price is conditional on.
        Quadrature = "quadrature",
        /// An expansion, which leaves an error of its own.
        Expansion = "expansion",
        /// A partial differential equation on a grid.
        FiniteDifferences = "finite_differences",
        /// The mean over simulated paths, which has a standard error.
        Simulation = "simulation",
        /// The mean over training paths that are given, which has a standard error and is no arbitrage-free price by itself.
        GivenPaths = "given_paths",
    }
}

impl PriceMethod {
    /// What a price is, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Formula => "closed form",
            Self::Series => "series",
            Self::Transform => "transform",
            Self::Quadrature => "quadrature",
            Self::Expansion => "expansion",
            Self::FiniteDifferences => "finite differences",
            Self::Simulation => "simulated",
            Self::GivenPaths => "mean over given training paths",
        }
    }

    /// Whether it is a mean over paths, simulated or given.
    pub fn is_simulated(self) -> bool {
        matches!(self, Self::Simulation | Self::GivenPaths)
    }
}

/// What prices are asked for: options that expire together, in states of the market on one date.
///
/// # Units
/// `left` in years; rates per year, continuously compounded; variances annualised.
#[derive(Debug, Clone, PartialEq)]
pub struct Horizon {
    /// The time until expiry.
    pub left: f64,
    /// The time since the sale, when the parameters of the model were those of now.
    pub elapsed: f64,
    /// The spot at the sale, in currency.
    pub start: f64,
    /// ∫ (r − q) since the sale: the forward of the sale for now is `start` e^{carried}.
    pub carried: f64,
    /// The interest rate, on average until expiry.
    pub rate: f64,
    /// The dividend yield, on average until expiry.
    pub dividend: f64,
    /// The instantaneous variances that will be asked for.
    pub variances: RangeInclusive<f64>,
    /// The largest |ln(F/K)| that will be asked for.
    pub log_moneyness: f64,
}

/// Prices options of one horizon in any state of the market, spot and variance: by a closed form or by whatever else the
/// model has.
///
/// # Units
/// Spot and strike in currency; variances annualised.
pub trait Pricer: Send + Sync {
    /// The price of one option.
    fn price(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> f64;

    /// The price of one option and its sensitivities.
    fn greeks(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> Greeks;

    /// The price of calls and puts together.
    fn price_of(&self, legs: &[Leg], spot: f64, variance: f64) -> f64 {
        let price = |leg: &Leg| leg.quantity * self.price(leg.kind, leg.strike, spot, variance);
        legs.iter().map(price).sum()
    }

    /// The standard error of [`Self::price_of`]: 0 unless the price is simulated.
    fn standard_error_of(&self, _legs: &[Leg], _spot: f64, _variance: f64) -> f64 {
        0.0
    }

    /// The price of calls and puts together and its sensitivities.
    fn greeks_of(&self, legs: &[Leg], spot: f64, variance: f64) -> Greeks {
        let mut sum = Greeks::default();
        for leg in legs {
            let one = self.greeks(leg.kind, leg.strike, spot, variance);
            sum.add(leg.quantity, &one);
        }
        sum
    }
}

/// Prices where rate and dividend yield change over time.
///
/// European prices depend on their averages until expiry alone, and so do delta, gamma and vega. How a price changes as time passes
/// depends on the rates of now: with r(t) and q(t) these and r̄ and q̄ the averages,
///
/// Θ = Θ(r̄, q̄) + (r(t) − r̄)(V − S ∂V/∂S) + (q(t) − q̄) S ∂V/∂S
///
/// since V is e^{−r̄τ} times a function of the forward S e^{(r̄ − q̄)τ}.
pub struct AtForwardRates<'a> {
    /// The prices at the averages.
    pub pricer: Box<dyn Pricer + 'a>,
    /// r(t) − r̄
    pub rate: f64,
    /// q(t) − q̄
    pub dividend: f64,
}

impl AtForwardRates<'_> {
    fn moved(&self, greeks: Greeks, spot: f64) -> Greeks {
        let shares = spot * greeks.delta;
        let more = self.rate * (greeks.price - shares) + self.dividend * shares;
        Greeks {
            theta: greeks.theta + more,
            ..greeks
        }
    }
}

impl Pricer for AtForwardRates<'_> {
    fn price(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> f64 {
        self.pricer.price(kind, strike, spot, variance)
    }

    fn greeks(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> Greeks {
        self.moved(self.pricer.greeks(kind, strike, spot, variance), spot)
    }

    fn price_of(&self, legs: &[Leg], spot: f64, variance: f64) -> f64 {
        self.pricer.price_of(legs, spot, variance)
    }

    fn standard_error_of(&self, legs: &[Leg], spot: f64, variance: f64) -> f64 {
        self.pricer.standard_error_of(legs, spot, variance)
    }

    fn greeks_of(&self, legs: &[Leg], spot: f64, variance: f64) -> Greeks {
        self.moved(self.pricer.greeks_of(legs, spot, variance), spot)
    }
}
