//! An implied-volatility surface of five factors.

use crate::simd::{BLOCK, Kernel, Lane, Real};

/// The implied-volatility surface of a day, by five factors β:
///
/// σ(M, τ) = β₁ + β₂ e^{−√(τ/¼)} + β₃ (M if M ≥ 0, else tanh M) + β₄ (1 − e^{−M²}) ln(τ/5) + β₅ (1 − e^{(3M)³}) ln(τ/5) [M < 0]
///
/// and at least [`Self::FLOOR`], with M = ln(F/K)/√τ for the forward F of the option's expiry, its strike K, and τ years to expiry. It is
/// linear in the factors but for the floor.
///
/// # Units
/// Volatilities annualised, as fractions; years of 252 trading days.
///
/// # References
/// François, Galarneau-Vincent, Gauthier and Godin (2022), "Venturing into uncharted territory: an extensible implied volatility surface
/// model", Journal of Futures Markets 42.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SurfaceFactors {
    /// The level β₁, the volatility at the money in the long run.
    pub level: f64,
    /// The slope β₂ of the term structure: what an option at the money that expires at once has above the level.
    pub slope: f64,
    /// The slope β₃ in moneyness.
    pub moneyness: f64,
    /// The curvature β₄ of the smile, which fades with maturity.
    pub smile: f64,
    /// What bends the side β₅ of calls out of the money beyond that.
    pub smirk: f64,
}

/// A month of trading days, in years.
const MONTH: f64 = 21.0 / 252.0;

/// The constants of the formula: a quarter of a year, by which the term structure fades, and five years, at which the smile has gone.
const QUARTER: f64 = 0.25;
const FIVE_YEARS: f64 = 5.0;

impl SurfaceFactors {
    /// How many there are.
    pub const COUNT: usize = 5;

    /// Their names, in their order.
    pub const NAMES: [&'static str; Self::COUNT] =
        ["level", "slope", "moneyness", "smile", "smirk"];

    /// The least volatility that a surface has.
    pub const FLOOR: f64 = 0.01;

    /// ∂σ/∂β above the floor, for an option at `log_moneyness` = ln(F/K) with `years` to its expiry.
    pub fn basis(log_moneyness: f64, years: f64) -> [f64; Self::COUNT] {
        let term = Term::at(years);
        let m = log_moneyness / term.root;
        let below = m.min(0.0);
        [
            1.0,
            term.slope,
            if m >= 0.0 { m } else { m.tanh() },
            -(-m * m).exp_m1() * term.fade,
            -(3.0 * below).powi(3).exp_m1() * term.fade,
        ]
    }

    /// The volatility of an option at `log_moneyness` = ln(F/K) with `years` to its expiry.
    pub fn volatility(&self, log_moneyness: f64, years: f64) -> f64 {
        let basis = Self::basis(log_moneyness, years);
        let terms = self.to_array().into_iter().zip(basis);
        let sum: f64 = terms.map(|(factor, share)| factor * share).sum();
        sum.max(Self::FLOOR)
    }

    /// The volatility of an option at the money that expires in 21 trading days.
    pub fn one_month(&self) -> f64 {
        self.volatility(0.0, MONTH)
    }

    /// The same surface at another level, under which an option at the money that expires in 21 trading days has this `volatility`.
    #[must_use]
    pub fn with_one_month(self, volatility: f64) -> Self {
        let [_, slope, ..] = Self::basis(0.0, MONTH);
        Self {
            level: volatility - slope * self.slope,
            ..self
        }
    }

    /// The factors in the order of [`Self::NAMES`].
    pub fn to_array(self) -> [f64; Self::COUNT] {
        [
            self.level,
            self.slope,
            self.moneyness,
            self.smile,
            self.smirk,
        ]
    }

    /// The factors in the order of [`Self::NAMES`].
    pub fn from_array(factors: [f64; Self::COUNT]) -> Self {
        let [level, slope, moneyness, smile, smirk] = factors;
        Self {
            level,
            slope,
            moneyness,
            smile,
            smirk,
        }
    }
}

/// What the formula has of a time to expiry alone.
#[derive(Debug, Clone, Copy)]
struct Term {
    root: f64,
    slope: f64,
    fade: f64,
}

impl Term {
    fn at(years: f64) -> Self {
        Self {
            root: years.sqrt(),
            slope: (-(years / QUARTER).sqrt()).exp(),
            fade: (years / FIVE_YEARS).ln(),
        }
    }
}

/// Volatilities of one option on one date of a block of paths, each by the surface of its own path.
pub struct SurfaceLanes<'a, R> {
    /// The factors, in the order of [`SurfaceFactors::NAMES`].
    pub factors: [&'a Lane<R>; SurfaceFactors::COUNT],
    /// The spots S.
    pub spot: &'a Lane<R>,
    /// F/K for a spot of 1.
    pub forward_per_strike: f64,
    /// Years to expiry, above 0.
    pub years: f64,
    /// The volatilities.
    pub out: &'a mut Lane<R>,
}

impl<R: Real> Kernel for SurfaceLanes<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let term = Term::at(self.years);
        let (share, slope, fade) = (R::of(1.0 / term.root), R::of(term.slope), R::of(term.fade));
        let per_strike = R::of(self.forward_per_strike);
        let [level, steep, moneyness, smile, smirk] = self.factors;
        for lane in 0..BLOCK {
            let m = (self.spot[lane] * per_strike).ln::<FMA>() * share;
            let below = m.lesser(R::ZERO);
            let tripled = R::of(3.0) * below;
            let cubed = tripled * tripled * tripled;
            // tanh m = (e^{2m} − 1)/(e^{2m} + 1), of what lies below the money alone.
            let squared = (R::of(2.0) * below).exp::<FMA>();
            let tanh = (squared - R::ONE) / (squared + R::ONE);
            let side = if m < R::ZERO { tanh } else { m };
            let volatility = level[lane]
                + steep[lane] * slope
                + moneyness[lane] * side
                + fade
                    * (smile[lane] * (R::ONE - (-(m * m)).exp::<FMA>())
                        + smirk[lane] * (R::ONE - cubed.exp::<FMA>()));
            self.out[lane] = volatility.greater(R::of(SurfaceFactors::FLOOR));
        }
    }
}

#[cfg(test)]
#[path = "surface_factors_tests.rs"]
mod tests;
