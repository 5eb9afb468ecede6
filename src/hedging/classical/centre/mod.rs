//! What a hedge holds where trading is free: one file for each kind of formula, and one line of [`Centre`] for each centre.

mod adjusted;
mod closed_form;
mod hull_white;
mod minimum_variance;
mod options;
mod regressed;

#[cfg(test)]
pub(super) use hull_white::HullWhite;

use super::Needs;
use super::parameter::{HedgeValues, Parameter};
use super::rule::{TradingRule, Wants};
use crate::contract::{Charge, Contract, Instrument};
use crate::error::{Error, Result};
use crate::hedging::Regression;
use crate::market::{Assets, Paths};
use crate::simd::{BLOCK, Lane};
use std::ops::Range;
use std::sync::Arc;

/// Makes the enum of centres, each with the value that answers for it.
macro_rules! centres {
    ($($(#[$doc:meta])* $variant:ident $name:literal $kind:expr,)*) => {
        crate::named::named! {
            /// The position that a classical hedge moves towards.
            pub enum Centre {
                $($(#[$doc])* $variant = $name,)*
            }
        }

        impl Centre {
            /// What answers for the centre.
            pub(super) fn kind(self) -> &'static dyn CentreKind {
                match self {
                    $(Self::$variant => &$kind,)*
                }
            }
        }
    };
}

centres! {
    /// Nothing at all.
    Naked "naked" closed_form::Nothing,
    /// The Black–Scholes delta at the volatility that the model expects until expiry.
    BlackScholes "black_scholes" closed_form::BlackScholesDelta,
    /// The delta that minimises the variance of the hedged contract over the next instant, by the model.
    MinimumVariance "minimum_variance" minimum_variance::ModelDelta,
    /// Spot and the first option of `policy.instruments`, so that delta and vega are hedged.
    DeltaVega "delta_vega" options::DELTA_VEGA,
    /// Spot and the first option of `policy.instruments`, so that delta and gamma are hedged.
    DeltaGamma "delta_gamma" options::DELTA_GAMMA,
    /// As many of the first option of `policy.instruments` as hedge the vega at the sale, times a ratio, held to the end, and the delta
    /// that they leave.
    StaticVega "static_vega" options::STATIC_VEGA,
    /// The Black–Scholes delta at the volatility of the strike on the day, where there is an implied-volatility surface.
    SmileDelta "smile_delta" closed_form::SmileDelta,
    /// The Black–Scholes delta at a volatility that costs widen, by Leland's formula.
    Leland "leland" adjusted::Leland,
    /// The Black–Scholes delta at a volatility that costs widen, by Zakamouline's formula.
    Zakamouline "zakamouline" adjusted::Zakamouline,
    /// The Black–Scholes delta and a correction by regression that takes out how volatility moves with the spot.
    HullWhite "hull_white" hull_white::HullWhite,
    /// A multiple of the Black–Scholes delta.
    ScaledDelta "scaled_delta" closed_form::ScaledDelta,
    /// The positions that a regression backward in time finds on what the policy sees.
    HedgedMonteCarlo "hedged_monte_carlo" regressed::ByRegression,
}

/// What a centre is asked.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// The market that the hedge assumes.
    pub assets: &'a Assets,
    /// What is hedged.
    pub contract: &'a Contract,
    /// The paths on which it is hedged.
    pub paths: &'a Paths<f64>,
    /// What trading each instrument costs.
    pub charges: &'a [Charge],
    /// The parameters of the hedge.
    pub values: HedgeValues,
    /// What the rule asks for beside the positions.
    pub wants: Wants,
    /// Where fits come from.
    pub fits: Option<&'a dyn Fits>,
}

impl<'a> Ask<'a> {
    /// What trading an instrument costs; nothing beyond the list.
    fn charge(&self, instrument: usize) -> Charge {
        self.charges.get(instrument).copied().unwrap_or_default()
    }

    /// Where each asset's spot stands among the instruments, if it does.
    fn places(&self) -> Vec<Option<usize>> {
        let instruments = self.paths.instruments();
        let place = |asset| {
            let spot = Instrument::Spot(asset);
            instruments.iter().position(|one| *one == spot)
        };
        (0..self.assets.count()).map(place).collect()
    }

    /// Where fits come from.
    ///
    /// # Errors
    /// [`Error::Computation`] if there is no such place.
    fn fits(&self) -> Result<&'a dyn Fits> {
        self.fits.ok_or_else(no_fits)
    }

    /// Targets of a block on some dates, all zero.
    fn targets(&self, dates: &Range<usize>) -> Targets {
        Targets::zeros(dates.clone(), self.paths.instruments().len(), self.wants)
    }
}

/// What is said where there is nothing to fit a centre on.
pub fn no_fits() -> Error {
    Error::Computation("a hedge that is fitted has no paths to be fitted on".into())
}

/// Where the fits of a centre come from, which keeps them.
pub trait Fits: Send + Sync {
    /// Hedged Monte Carlo of the contract.
    ///
    /// # Errors
    /// Those of [`Regression::new`].
    fn regression(&self, contract: &Contract) -> Result<Arc<Regression>>;

    /// The coefficients that `fit` finds for the contract, made once.
    ///
    /// # Errors
    /// Those of `fit`.
    fn coefficients(&self, contract: &Contract, fit: &dyn Fit) -> Result<Arc<Vec<f64>>>;
}

/// Finds the coefficients of a centre in the market that a hedge assumes.
pub trait Fit: Sync {
    /// The name of the centre.
    fn name(&self) -> &'static str;

    /// The coefficients for a contract on simulated paths, those of all ranks.
    ///
    /// # Errors
    /// If the contract lacks what the centre needs, or the equations have no solution.
    fn on_simulated(
        &self,
        assets: &Assets,
        contract: &Contract,
        paths: &Paths<f32>,
    ) -> Result<Vec<f64>>;

    /// The coefficients on contracts of the past, each list on paths of its own.
    ///
    /// # Errors
    /// If a contract lacks what the centre needs, or the equations have no solution.
    fn on_past(&self, assets: &Assets, past: &[(&Contract, &Paths<f64>)]) -> Result<Vec<f64>>;
}

/// How positions of a centre follow quickly from what a closed form says of the contract.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quick {
    /// Not at all.
    No,
    /// They are its deltas.
    Delta,
    /// They are its deltas beside options in the ratio of the vegas, at most so many.
    Vega {
        /// Whether the options of the sale are held to the end.
        is_static: bool,
        /// The greatest ratio.
        most: f64,
    },
}

/// How what is no spot is usually moved towards a centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionsMove {
    /// By the rule of the spots and with its parameters.
    AsSpots,
    /// By a rule like that of the spots with parameters of its own.
    Alone,
    /// On every date, as far as the centre itself moves.
    WithCentre,
}

impl OptionsMove {
    /// The rule of what is no spot beside that of the spots, if it has parameters of its own.
    pub fn rule(self, spots: TradingRule) -> Option<TradingRule> {
        match self {
            Self::AsSpots => None,
            Self::Alone => Some(spots.beside()),
            Self::WithCentre => Some(TradingRule::EveryDate),
        }
    }
}

/// Kinds of centres.
pub trait CentreKind: Sync {
    /// What people call it.
    fn title(&self) -> &'static str;

    /// What it needs of contract, instruments and model.
    fn needs(&self) -> Needs {
        Needs::default()
    }

    /// What it has beside positions, for rules that ask.
    fn gives(&self) -> Wants;

    /// What it has for rules of what is no spot.
    fn gives_of_options(&self) -> Wants {
        self.gives()
    }

    /// Whether it holds options where there are any.
    fn holds_options(&self) -> bool {
        self.needs().option
    }

    /// How its positions follow quickly from what a closed form says of the contract, if they do.
    fn quick(&self) -> Quick {
        Quick::No
    }

    /// What finds its coefficients, if it has any.
    fn fit(&self) -> Option<&'static dyn Fit> {
        None
    }

    /// How what is no spot is usually moved.
    fn options(&self) -> OptionsMove {
        OptionsMove::AsSpots
    }

    /// The parameters that it depends on, which are searched for unless they are given.
    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    /// Parameters with a usual value, which are searched for where that is asked for.
    fn further_parameters(&self) -> &'static [Parameter] {
        &[]
    }

    /// Whether the positions change with those parameters other than by the scale and the ratio, which multiply them.
    fn moves_with_parameters(&self) -> bool {
        false
    }

    /// What does not depend on the block, for targets on some dates.
    ///
    /// # Errors
    /// If contract, instruments or model lack what it needs, or a fit fails.
    fn prepare<'a>(
        &self,
        ask: &Ask<'a>,
        dates: Range<usize>,
    ) -> Result<Box<dyn CentreOnPaths + 'a>>;
}

/// A centre on given paths and dates.
pub trait CentreOnPaths: Sync {
    /// The targets on one block; none depends on which other dates there are.
    fn targets(&self, block: usize) -> Targets;
}

/// The positions that a centre asks for on some dates of a block, and what rules may ask beside.
///
/// Where there are option deltas, the positions in spots are those of someone who holds no options: what is really held of those is
/// taken off when positions are made.
///
/// # Shapes
/// Positions, gammas, volatilities and option deltas `[dates][instruments][BLOCK]`, the others `[dates][BLOCK]`. What nobody wants is
/// empty.
///
/// # Units
/// Positions in units, gammas in units per currency of the instrument's price, volatilities annualised, times in years.
pub struct Targets {
    /// The dates, 0 for the sale.
    pub dates: Range<usize>,
    /// The number of instruments.
    pub instruments: usize,
    /// The positions; not a number where the centre has no say.
    pub positions: Vec<Lane<f64>>,
    /// How many units of the first instrument, the spot, one unit of an instrument moves with; 0 of spots. Empty where the positions in spots
    /// do not depend on what is held of options.
    pub option_deltas: Vec<Lane<f64>>,
    /// ∂position/∂price.
    pub gammas: Vec<Lane<f64>>,
    /// The volatility that is expected until expiry.
    pub volatilities: Vec<Lane<f64>>,
    /// The time to expiry, 0 after it.
    pub left: Vec<Lane<f64>>,
    /// What one unit of currency at expiry is worth on the date.
    pub discounts: Vec<Lane<f64>>,
}

impl Targets {
    fn zeros(dates: Range<usize>, instruments: usize, wants: Wants) -> Self {
        let steps = dates.len();
        let rows = |wanted: bool, rows: usize| match wanted {
            true => vec![[0.0; BLOCK]; rows],
            false => Vec::new(),
        };
        Self {
            dates,
            instruments,
            positions: rows(true, steps * instruments),
            option_deltas: Vec::new(),
            gammas: rows(wants.gammas, steps * instruments),
            volatilities: rows(wants.volatilities, steps * instruments),
            left: rows(true, steps),
            discounts: rows(wants.gammas, steps),
        }
    }

    /// The row of the first instrument on date `t`.
    pub fn row(&self, t: usize) -> usize {
        (t - self.dates.start) * self.instruments
    }
}
