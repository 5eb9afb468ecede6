//! When what is held is moved towards the centre: one line of [`TradingRule`] for each rule.

use super::parameter::{HedgeValues, Parameter};

/// Makes the enum of rules, each with the value that answers for it.
macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident $name:literal $kind:expr,)*) => {
        crate::named::named! {
            /// When a classical hedge trades.
            #[derive(Default)]
            pub enum TradingRule {
                $($(#[$doc])* $variant = $name,)*
            }
        }

        impl TradingRule {
            /// What answers for the rule.
            pub(super) fn kind(self) -> &'static dyn TradingRuleKind {
                match self {
                    $(Self::$variant => &$kind,)*
                }
            }
        }
    };
}

rules! {
    /// To the centre on every date.
    #[default]
    EveryDate "every_date" EveryDate,
    /// To the nearest edge of Whalley and Wilmott's band around the centre.
    WhalleyWilmott "whalley_wilmott" WhalleyWilmott,
    /// To the nearest edge of Zakamouline's band around the centre.
    Zakamouline "zakamouline" Zakamouline,
    /// To the nearest edge of a band of the same width on every date.
    ConstantBand "constant_band" ConstantBand,
    /// To the centre when it has moved by more than a threshold since the last trade.
    MoveBased "move_based" MoveBased,
    /// To the centre on every n-th date, the sale first.
    TimeBased "time_based" TimeBased,
}

impl TradingRule {
    /// The rule by which options usually move beside spots that move by this one: where these keep to a band, within a band of constant
    /// width, since the position in an option has no gamma to speak of.
    pub fn beside(self) -> Self {
        match self {
            Self::EveryDate => Self::EveryDate,
            Self::WhalleyWilmott | Self::Zakamouline | Self::ConstantBand => Self::ConstantBand,
            Self::MoveBased => Self::MoveBased,
            Self::TimeBased => Self::TimeBased,
        }
    }
}

/// What a rule asks for beside the centre, or a centre has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wants {
    /// ∂position/∂price, discount factors and costs.
    pub gammas: bool,
    /// The volatility that is expected until expiry.
    pub volatilities: bool,
}

impl Wants {
    /// Gammas alone.
    pub const GAMMAS: Self = Self {
        gammas: true,
        volatilities: false,
    };
    /// Everything.
    pub const ALL: Self = Self {
        gammas: true,
        volatilities: true,
    };

    /// What is wanted by either.
    pub fn or(self, other: Self) -> Self {
        Self {
            gammas: self.gammas || other.gammas,
            volatilities: self.volatilities || other.volatilities,
        }
    }

    /// Whether all of `others` is in it.
    pub fn cover(self, others: Self) -> bool {
        (self.gammas || !others.gammas) && (self.volatilities || !others.volatilities)
    }
}

/// One instrument on one date of a path, as a rule sees it. What the rule does not want is 0.
///
/// # Units
/// Positions in units, gamma in units per currency, the volatility annualised, the time in years, the rest in currency.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// The number of the date; 0 is the sale.
    pub date: usize,
    /// The centre.
    pub centre: f64,
    /// Γ, the slope of the centre in the price.
    pub gamma: f64,
    /// The volatility σ that is expected until expiry.
    pub volatility: f64,
    /// The time τ to expiry.
    pub left: f64,
    /// e^{−rτ}.
    pub discount: f64,
    /// What a small trade costs for each unit.
    pub unit_cost: f64,
    /// The price of the instrument.
    pub price: f64,
}

/// Kinds of rules.
pub trait TradingRuleKind: Sync {
    /// What people call it after the name of a centre, with a comma before it; nothing if it needs no word.
    fn title(&self) -> &'static str;

    /// The parameters that it depends on.
    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    /// What it asks for beside the centre.
    fn wants(&self) -> Wants {
        Wants::default()
    }

    /// The next position beside what is `held`.
    fn next(&self, wanted: &Wanted, held: f64, values: &HedgeValues) -> f64;
}

struct EveryDate;

impl TradingRuleKind for EveryDate {
    fn title(&self) -> &'static str {
        ""
    }

    fn next(&self, wanted: &Wanted, _: f64, _: &HedgeValues) -> f64 {
        wanted.centre
    }
}

/// Trade to the nearest edge of the band δ ± (3/2 e^{−rτ} C Γ²/λ)^{1/3}, where C is what trading a unit costs, by the costs that are linear in the trade alone. Without costs there is
/// no band; where Γ is infinite, as at the money without variance, it has no edges and nothing is traded.
///
/// # References
/// Whalley and Wilmott (1997), "An asymptotic analysis of an optimal hedging model for option pricing with transaction costs",
/// equation 3.10, with the slope of any centre for Γ.
struct WhalleyWilmott;

impl TradingRuleKind for WhalleyWilmott {
    fn title(&self) -> &'static str {
        "Whalley–Wilmott band"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter::Aversion]
    }

    fn wants(&self) -> Wants {
        Wants::GAMMAS
    }

    fn next(&self, wanted: &Wanted, held: f64, values: &HedgeValues) -> f64 {
        let (cost, gamma) = (wanted.unit_cost, wanted.gamma);
        let aversion = values.of(Parameter::Aversion);
        let width = match cost == 0.0 {
            true => 0.0,
            false => (1.5 * wanted.discount * cost * gamma * gamma / aversion).cbrt(),
        };
        nearest(wanted.centre, width, held)
    }
}

/// Trade to the nearest edge of the band δ ± (H₀ + H₁),
///
/// H₀ = c/(λ S σ² τ),  H₁ = 1.12 c^{0.31} τ^{0.05} (e^{−rτ}/σ)^{0.25} (|Γ|/λ)^{0.5}
///
/// with c what a trade costs as a share of its value and λ the risk aversion. Unlike that of Whalley and Wilmott it does not close where
/// there is no gamma. Without costs there is no band.
///
/// # References
/// Zakamouline (2006), "Efficient analytic approximation of the optimal hedging strategy for a European call option with transaction
/// costs", Quantitative Finance 6; as Sinclair (2008), "Volatility trading", quotes it in equations 4.11 to 4.15.
struct Zakamouline;

impl TradingRuleKind for Zakamouline {
    fn title(&self) -> &'static str {
        "Zakamouline's band"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter::Aversion]
    }

    fn wants(&self) -> Wants {
        Wants::ALL
    }

    fn next(&self, wanted: &Wanted, held: f64, values: &HedgeValues) -> f64 {
        let Wanted {
            volatility,
            left,
            price,
            ..
        } = *wanted;
        let aversion = values.of(Parameter::Aversion);
        let cost = wanted.unit_cost / price;
        if cost == 0.0 {
            return wanted.centre;
        }
        let fixed = cost / (aversion * price * volatility * volatility * left);
        let curved = 1.12
            * cost.powf(0.31)
            * left.powf(0.05)
            * (wanted.discount / volatility).powf(0.25)
            * (wanted.gamma.abs() / aversion).sqrt();
        nearest(wanted.centre, fixed + curved, held)
    }
}

/// Trade to the nearest edge of the band δ ± w, with the same half-width w on every date. It needs nothing of the centre, and goes with
/// positions that have no gamma to speak of. With w = 0 that is every date.
///
/// # References
/// Davis and Norman (1990), "Portfolio selection with transaction costs", Mathematics of Operations Research 15: trading to the nearest
/// edge of a region is optimal at proportional costs.
struct ConstantBand;

impl TradingRuleKind for ConstantBand {
    fn title(&self) -> &'static str {
        "constant band"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter::Width]
    }

    fn next(&self, wanted: &Wanted, held: f64, values: &HedgeValues) -> f64 {
        nearest(wanted.centre, values.of(Parameter::Width), held)
    }
}

/// Trade to the centre at the sale, and when it is further than a threshold y from what is held, which is the centre of the last trade:
/// |δ_t − δ_last| > y. With y = 0 that is every date.
///
/// # References
/// Henrotte (1993), "Transaction costs and duplication strategies"; Martellini and Priaulet (2002), "Competing methods for option
/// hedging in the presence of transaction costs", Journal of Derivatives 9, section "move-based strategies".
struct MoveBased;

impl TradingRuleKind for MoveBased {
    fn title(&self) -> &'static str {
        "move-based"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter::Move]
    }

    fn next(&self, wanted: &Wanted, held: f64, values: &HedgeValues) -> f64 {
        let far = (wanted.centre - held).abs() > values.of(Parameter::Move);
        match wanted.date == 0 || far {
            true => wanted.centre,
            false => held,
        }
    }
}

/// Trade to the centre on every n-th date, the sale first. With n = 1 that is every date.
///
/// # References
/// Boyle and Emanuel (1980), "Discretely adjusted option hedges", Journal of Financial Economics 8.
struct TimeBased;

impl TradingRuleKind for TimeBased {
    fn title(&self) -> &'static str {
        "time-based"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter::Every]
    }

    fn next(&self, wanted: &Wanted, held: f64, values: &HedgeValues) -> f64 {
        match wanted.date as f64 % values.of(Parameter::Every) == 0.0 {
            true => wanted.centre,
            false => held,
        }
    }
}

/// The position nearest to what is held within `centre` ± `width`.
fn nearest(centre: f64, width: f64, held: f64) -> f64 {
    let (low, high) = (centre - width, centre + width);
    if held < low {
        low
    } else if held > high {
        high
    } else {
        held
    }
}
