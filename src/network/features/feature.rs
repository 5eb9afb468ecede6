use crate::pricing::SurfaceFactors;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the policy sees at a date, scaled to order one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// ln(S_t/K) / (σ√T)
    LogMoneyness,
    /// √v_t / σ
    Volatility,
    /// (T − t)/T; (T′ − t)/T, not below 0, of a contract that is one of several and expires at T′ ≤ T.
    TimeLeft,
    /// ln(S_t/S_{t−1}) / (σ√Δ), Δ the hedging period; 0 at the sale.
    LastReturn,
    /// √(Σ_{u≤t} ln²(S_u/S_{u−1}) / (tΔ)) / σ, the volatility since the sale; 0 at the sale.
    RealisedVolatility,
    /// ∂V/∂S_t, the benchmark's delta: Black–Scholes' or that of the contract's closed form, at the volatility of the day's surface or, without
    /// one, that the model expects until expiry; that of hedged Monte Carlo where the contract has no delta in closed form.
    Delta,
    /// ∂²V/∂S_t² · S_t σ√T, the gamma of the contract's closed form.
    Gamma,
    /// V/u, what the benchmark says the contract is worth over the strategy's unit of money.
    Value,
    /// ln(F_t/K) / (σ_t√τ), F_t the forward and τ = T − t: how many of its own deviations the contract is from the money, at most 10. σ_t is the
    /// volatility of the contract on the day's surface or, without one, that the model expects until expiry.
    SmileMoneyness,
    /// ln(12 τ), the logarithm of the months to expiry; τ is at least a hedging period.
    LogTimeLeft,
    /// ln(σ_t/0.2), σ_t the volatility of the contract as in `smile_moneyness`, at least 0.01.
    LogVolatility,
    /// ln(√v_t/0.2), on a surface that of an option at the money over a month; √v_t is at least 0.01.
    LogOneMonth,
    /// ∂V/∂σ over that of the first option among the instruments, within ±10.
    VegaRatio,
    /// The factor `level` of the day's surface, a volatility.
    SurfaceLevel,
    /// The factor `slope` of the day's surface, that along the time to expiry.
    SurfaceSlope,
    /// The factor `moneyness` of the day's surface, its slope in the strike.
    SurfaceMoneyness,
    /// The factor `smile` of the day's surface.
    SurfaceSmile,
    /// The factor `smirk` of the day's surface.
    SurfaceSmirk,
    /// δ_{t−1}, the position held from the date before, one for every instrument; 0 at the sale.
    PreviousPosition,
}

/// Where what a feature shows comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The path of every asset, each with a feature of its own.
    Asset,
    /// The path.
    Path,
    /// The factor of that number of the day's surface.
    Surface(usize),
    /// The answers of the benchmark on every asset.
    AssetAnswer,
    /// The answers of the benchmark.
    Answer,
    /// The answers of the benchmark, and the state of an option among the instruments.
    OptionAnswer,
    /// The policy itself, on the date before.
    Policy,
}

impl Feature {
    /// What policies see where a strategy does not say otherwise.
    pub const USUAL: [Self; 3] = [Self::LogMoneyness, Self::Volatility, Self::TimeLeft];

    fn source(self) -> Source {
        match self {
            Self::LogMoneyness
            | Self::Volatility
            | Self::LastReturn
            | Self::RealisedVolatility
            | Self::LogOneMonth => Source::Asset,
            Self::TimeLeft | Self::LogTimeLeft => Source::Path,
            Self::SurfaceLevel => Source::Surface(0),
            Self::SurfaceSlope => Source::Surface(1),
            Self::SurfaceMoneyness => Source::Surface(2),
            Self::SurfaceSmile => Source::Surface(3),
            Self::SurfaceSmirk => Source::Surface(4),
            Self::Delta | Self::Gamma => Source::AssetAnswer,
            Self::Value | Self::SmileMoneyness | Self::LogVolatility => Source::Answer,
            Self::VegaRatio => Source::OptionAnswer,
            Self::PreviousPosition => Source::Policy,
        }
    }

    /// Whether every asset has one of its own.
    pub(super) fn is_of_an_asset(self) -> bool {
        matches!(self.source(), Source::Asset | Source::AssetAnswer)
    }

    /// Whether the path alone gives it.
    pub(super) fn is_of_path(self) -> bool {
        !self.is_answer() && self != Self::PreviousPosition
    }

    /// Whether it is an answer of the benchmark.
    pub fn is_answer(self) -> bool {
        matches!(
            self.source(),
            Source::AssetAnswer | Source::Answer | Source::OptionAnswer
        )
    }

    /// Whether it is had of contracts with a delta in closed form alone.
    pub fn needs_closed_form(self) -> bool {
        match self {
            Self::Gamma | Self::SmileMoneyness | Self::LogVolatility | Self::VegaRatio => true,
            Self::LogMoneyness
            | Self::Volatility
            | Self::TimeLeft
            | Self::LastReturn
            | Self::RealisedVolatility
            | Self::Delta
            | Self::Value
            | Self::LogTimeLeft
            | Self::LogOneMonth
            | Self::SurfaceLevel
            | Self::SurfaceSlope
            | Self::SurfaceMoneyness
            | Self::SurfaceSmile
            | Self::SurfaceSmirk
            | Self::PreviousPosition => false,
        }
    }

    /// Whether it takes the state of an option among the instruments.
    pub fn needs_option(self) -> bool {
        self.source() == Source::OptionAnswer
    }

    /// The place in [`SurfaceFactors::NAMES`] of the factor that it is, if it is one.
    pub fn surface_factor(self) -> Option<usize> {
        match self.source() {
            Source::Surface(factor) => {
                debug_assert!(factor < SurfaceFactors::COUNT);
                Some(factor)
            }
            Source::Asset
            | Source::Path
            | Source::AssetAnswer
            | Source::Answer
            | Source::OptionAnswer
            | Source::Policy => None,
        }
    }
}
