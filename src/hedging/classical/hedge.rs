//! Hedges as strategies name them.

use super::centre::Centre;
use super::parameter::{HedgeValues, Parameter};
use super::rule::TradingRule;

/// Makes the enum of usual hedges, each with its centre, its rule and what people call it.
macro_rules! hedges {
    ($($(#[$doc:meta])* $variant:ident $name:literal ($centre:ident, $rule:ident, $title:literal),)*) => {
        crate::named::named! {
            /// A usual hedge that needs no training, as a strategy names it.
            pub enum ClassicalName {
                $($(#[$doc])* $variant = $name,)*
            }
        }

        impl ClassicalName {
            fn parts(self) -> (Centre, TradingRule, &'static str) {
                match self {
                    $(Self::$variant => (Centre::$centre, TradingRule::$rule, $title),)*
                }
            }
        }
    };
}

hedges! {
    /// No hedge at all.
    Naked "naked" (Naked, EveryDate, "no hedge"),
    /// The Black–Scholes delta at the volatility that the model expects until expiry.
    BlackScholes "black_scholes" (BlackScholes, EveryDate, "Black–Scholes delta"),
    /// The Black–Scholes delta inside a band within which nothing is traded, as costs ask for.
    WhalleyWilmott "whalley_wilmott" (BlackScholes, WhalleyWilmott, "Whalley–Wilmott band"),
    /// The delta that minimises the variance of the hedged contract; it takes 20 µs a path and date.
    MinimumVariance "minimum_variance" (MinimumVariance, EveryDate, "minimum-variance delta"),
    /// Spot and the first option of `policy.instruments`, so that delta and vega are hedged.
    DeltaVega "delta_vega" (DeltaVega, EveryDate, "delta–vega hedge"),
    /// Leland's delta: Black and Scholes' at a volatility that costs widen.
    Leland "leland" (Leland, EveryDate, "Leland's delta"),
    /// Zakamouline's band around a delta at a volatility that costs widen.
    Zakamouline "zakamouline" (Zakamouline, Zakamouline, "Zakamouline's band"),
    /// Hull and White's minimum-variance delta, by regression on simulated paths.
    HullWhite "hull_white" (HullWhite, EveryDate, "Hull and White's minimum-variance delta"),
    /// A multiple of the Black–Scholes delta, the multiple tuned on validation paths.
    ScaledDelta "scaled_delta" (ScaledDelta, EveryDate, "scaled delta"),
    /// Spot and the first option of `policy.instruments`, so that delta and gamma are hedged.
    DeltaGamma "delta_gamma" (DeltaGamma, EveryDate, "delta–gamma hedge"),
    /// The Black–Scholes delta, to which the hedge moves when it has moved by more than a threshold since the last trade.
    MoveBased "move_based" (BlackScholes, MoveBased, "move-based delta"),
    /// The Black–Scholes delta, to which the hedge moves on every n-th date.
    TimeBased "time_based" (BlackScholes, TimeBased, "time-based delta"),
    /// Hedged Monte Carlo: positions by regression backward in time on what the policy sees, for any contract and instruments, inside
    /// a Whalley–Wilmott band where trading costs something.
    HedgedMonteCarlo "hedged_monte_carlo" (HedgedMonteCarlo, WhalleyWilmott, "hedged Monte Carlo"),
}

/// What a hedge needs of contract, instruments and model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// A delta of the contract in closed form.
    pub delta: bool,
    /// A contract that is a sum of calls and puts.
    pub legs: bool,
    /// One contract for all paths.
    pub one_contract: bool,
    /// An option on the contract's asset among the instruments.
    pub option: bool,
    /// The model's prices on every date.
    pub prices: bool,
}

impl Needs {
    /// A delta in closed form, and nothing else.
    pub(super) const DELTA: Self = Self {
        delta: true,
        legs: false,
        one_contract: false,
        option: false,
        prices: false,
    };
    /// One contract, which is a sum of calls and puts.
    pub(super) const LEGS: Self = Self {
        legs: true,
        one_contract: true,
        ..Self::DELTA
    };
}

/// A hedge that needs no training: a centre and a rule of rule, with the parameters that are given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassicalHedge {
    /// The position that the hedge moves towards.
    pub centre: Centre,
    /// When it moves.
    pub rule: TradingRule,
    /// The parameters that are given; the others are tuned.
    pub given: [Option<f64>; Parameter::COUNT],
}

impl From<ClassicalName> for ClassicalHedge {
    fn from(name: ClassicalName) -> Self {
        let (centre, rule, _) = name.parts();
        Self::new(centre, rule)
    }
}

impl ClassicalHedge {
    /// A hedge of which no parameter is given.
    pub fn new(centre: Centre, rule: TradingRule) -> Self {
        Self {
            centre,
            rule,
            given: [None; Parameter::COUNT],
        }
    }

    /// The usual hedge that it is, whatever its parameters.
    fn usual(&self) -> Option<ClassicalName> {
        ClassicalName::all().find(|name| {
            let (centre, rule, _) = name.parts();
            (centre, rule) == (self.centre, self.rule)
        })
    }

    /// The name of its row in tables: that of the usual hedge, or of its centre and its rule; with parameters that are given after it.
    pub fn name(&self) -> String {
        let mut name = match self.usual() {
            Some(usual) => usual.name().to_owned(),
            None if self.rule == TradingRule::default() => self.centre.name().to_owned(),
            None => format!("{}_{}", self.centre.name(), self.rule.name()),
        };
        for (parameter, given) in Parameter::all().zip(self.given) {
            if let Some(value) = given {
                name.push_str(&format!("_{}{value}", parameter.mark()));
            }
        }
        name
    }

    /// What people call it.
    pub fn title(&self) -> String {
        let mut title = match self.usual() {
            Some(usual) => usual.parts().2.to_owned(),
            None => match self.rule.kind().title() {
                "" => self.centre.kind().title().to_owned(),
                rule => format!("{}, {rule}", self.centre.kind().title()),
            },
        };
        for (parameter, given) in Parameter::all().zip(self.given) {
            if let Some(value) = given {
                title.push_str(&format!(", {} {value}", parameter.words()));
            }
        }
        title
    }

    /// What it needs of contract, instruments and model.
    pub fn needs(&self) -> Needs {
        self.centre.kind().needs()
    }

    /// Whether the centre has what the rule asks for.
    pub fn fits_together(&self) -> bool {
        let kind = self.centre.kind();
        kind.gives().cover(self.rule.kind().wants())
    }

    /// The parameters that it depends on: those of the rule, then those of the centre.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut all = self.rule.kind().parameters().to_vec();
        for parameter in self.centre.kind().parameters() {
            if !all.contains(parameter) {
                all.push(*parameter);
            }
        }
        all
    }

    /// Whether it holds the contract's delta by its closed form on every date, and nothing else.
    pub fn is_delta(&self) -> bool {
        (self.centre, self.rule) == (Centre::BlackScholes, TradingRule::EveryDate)
    }

    /// The first of its parameters that is not given.
    pub fn missing(&self) -> Option<Parameter> {
        let mut own = self.parameters().into_iter();
        own.find(|parameter| self.given[*parameter as usize].is_none())
    }

    /// Whether its centre has to be made again for every value of its parameters.
    pub fn moves_with_parameters(&self) -> bool {
        self.centre.kind().moves_with_parameters()
    }

    /// `values` where nothing is given, else what is given.
    pub fn values(&self, values: HedgeValues) -> HedgeValues {
        let all = Parameter::all().zip(self.given);
        all.fold(values, |values, (parameter, given)| match given {
            Some(value) => values.with(parameter, value),
            None => values,
        })
    }
}
