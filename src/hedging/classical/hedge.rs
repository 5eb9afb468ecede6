//! Hedges as strategies name them.

use super::centre::{Centre, Quick};
use super::parameter::{HedgeValues, Parameter};
use super::rule::{TradingRule, Wants};
use crate::contract::Instrument;
use crate::market::{Benchmark, QuickHedge, VegaRatio};

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
    /// A multiple of the Black–Scholes delta, the multiple given by `evaluation.scale` or tuned.
    ScaledDelta "scaled_delta" (ScaledDelta, EveryDate, "scaled delta"),
    /// Spot and the first option of `policy.instruments`, so that delta and gamma are hedged.
    DeltaGamma "delta_gamma" (DeltaGamma, EveryDate, "delta–gamma hedge"),
    /// As many options as hedge the vega at the sale, times a tuned ratio, held to the end, and the delta that they leave.
    StaticVega "static_vega" (StaticVega, EveryDate, "static vega hedge"),
    /// The Black–Scholes delta at the volatility of the strike on the day, where there is an implied-volatility surface.
    SmileDelta "smile_delta" (SmileDelta, EveryDate, "smile delta"),
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
    /// An implied-volatility surface, on history or on simulated paths.
    pub surface: bool,
}

impl Needs {
    /// A delta in closed form, and nothing else.
    pub(super) const DELTA: Self = Self {
        delta: true,
        legs: false,
        one_contract: false,
        option: false,
        prices: false,
        surface: false,
    };
    /// One contract, which is a sum of calls and puts.
    pub(super) const LEGS: Self = Self {
        legs: true,
        one_contract: true,
        ..Self::DELTA
    };
}

/// A hedge that needs no training: a centre under a rule of trading, with the parameters that are given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassicalHedge {
    /// The position that the hedge moves towards.
    pub centre: Centre,
    /// When it moves.
    pub rule: TradingRule,
    /// When what is no spot moves, by a rule with parameters of its own; none where it moves as the spots do.
    pub option_rule: Option<TradingRule>,
    /// The parameters that are given.
    pub given: [Option<f64>; Parameter::COUNT],
    /// Parameters that are searched for although they have a usual value.
    pub tuned: [bool; Parameter::COUNT],
    /// What the strategy gives for parameters of several hedges at once, which is no part of their names.
    pub shared: [Option<f64>; Parameter::COUNT],
}

impl From<ClassicalName> for ClassicalHedge {
    fn from(name: ClassicalName) -> Self {
        let (centre, rule, _) = name.parts();
        Self::new(centre, rule)
    }
}

impl ClassicalHedge {
    /// A hedge of which no parameter is given, and whose options move as is usual for the centre.
    pub fn new(centre: Centre, rule: TradingRule) -> Self {
        Self {
            centre,
            rule,
            option_rule: centre.kind().options().rule(rule),
            given: [None; Parameter::COUNT],
            tuned: [false; Parameter::COUNT],
            shared: [None; Parameter::COUNT],
        }
    }

    /// Whether options move as is usual for the centre.
    fn moves_options_as_usual(&self) -> bool {
        self.option_rule == self.centre.kind().options().rule(self.rule)
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
        if let (Some(rule), false) = (self.option_rule, self.moves_options_as_usual()) {
            name.push_str(&format!("_option_{}", rule.name()));
        }
        for parameter in Parameter::all() {
            if let Some(value) = self.given[parameter as usize] {
                name.push_str(&format!("_{}{value}", parameter.mark()));
            } else if self.tuned[parameter as usize] {
                name.push_str(&format!("_tuned_{}", parameter.name()));
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
        if let (Some(rule), false) = (self.option_rule, self.moves_options_as_usual()) {
            let words = match rule.kind().title() {
                "" => "on every date",
                words => words,
            };
            title.push_str(&format!(", options: {words}"));
        }
        for parameter in Parameter::all() {
            if let Some(value) = self.given[parameter as usize] {
                title.push_str(&format!(", {} {value}", parameter.words()));
            } else if self.tuned[parameter as usize] {
                title.push_str(&format!(", tuned {}", parameter.words()));
            }
        }
        title
    }

    /// Takes what the strategy gives for a parameter of several hedges, if it is one that would be searched for.
    pub fn share(&mut self, parameter: Parameter, value: Option<f64>) {
        if self.parameters().contains(&parameter) {
            self.shared[parameter as usize] = value;
        }
    }

    /// What it needs of contract, instruments and model.
    pub fn needs(&self) -> Needs {
        self.centre.kind().needs()
    }

    /// What its rules ask for beside positions.
    pub(super) fn wants(&self) -> Wants {
        let own = self.rule.kind().wants();
        self.option_rule
            .map_or(own, |rule| own.or(rule.kind().wants()))
    }

    /// The rule that asks for what the centre has not, if one does.
    pub fn misfit(&self) -> Option<TradingRule> {
        let kind = self.centre.kind();
        let misfit = |rule: TradingRule, gives: Wants| {
            let fits = gives.cover(rule.kind().wants());
            (!fits).then_some(rule)
        };
        let of_options = self.option_rule;
        let of_options = of_options.and_then(|rule| misfit(rule, kind.gives_of_options()));
        misfit(self.rule, kind.gives()).or(of_options)
    }

    /// The parameters that it depends on: those of the rule, those of the rule of options, those of the centre, and what else is given
    /// or searched for.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut all = self.rule.kind().parameters().to_vec();
        if let Some(rule) = self.option_rule {
            let own = rule.kind().parameters().iter();
            all.extend(own.filter_map(|parameter| parameter.of_options()));
        }
        let kind = self.centre.kind();
        let further = kind.further_parameters().iter().filter(|parameter| {
            let place = **parameter as usize;
            self.given[place].is_some() || self.tuned[place]
        });
        for parameter in kind.parameters().iter().chain(further) {
            if !all.contains(parameter) {
                all.push(*parameter);
            }
        }
        all
    }

    /// Whether its centre holds options where there are any.
    pub fn holds_options(&self) -> bool {
        self.centre.kind().holds_options()
    }

    /// Whether its centre is fitted on paths.
    pub fn is_fitted(&self) -> bool {
        self.centre.kind().fit().is_some()
    }

    /// Whether it can be told a parameter.
    pub fn knows(&self, parameter: Parameter) -> bool {
        let further = self.centre.kind().further_parameters();
        further.contains(&parameter) || self.parameters().contains(&parameter)
    }

    /// How its positions in `instruments` follow from what `benchmark`, the closed form of the contract, says of it, if they do that.
    pub fn quick<'a>(
        &self,
        instruments: &[Instrument],
        benchmark: &'a dyn Benchmark,
    ) -> Option<QuickHedge<'a>> {
        let always = TradingRule::EveryDate;
        if self.rule != always || self.option_rule.is_some_and(|rule| rule != always) {
            return None;
        }
        let values = self.values(HedgeValues::default());
        let option = match self.centre.kind().quick() {
            Quick::No => return None,
            Quick::Delta => None,
            Quick::Vega { is_static, most } => Some(VegaRatio {
                instrument: instruments
                    .iter()
                    .position(|one| one.is_option_on_first())?,
                ratio: values.of(Parameter::Ratio),
                most,
                is_static,
            }),
        };
        Some(QuickHedge {
            benchmark,
            scale: values.of(Parameter::Scale),
            option,
        })
    }

    /// The parameters that are not known, in their order.
    pub fn missing(&self) -> Vec<Parameter> {
        let mut own = self.parameters();
        own.retain(|parameter| {
            let place = *parameter as usize;
            self.given[place].or(self.shared[place]).is_none()
        });
        own
    }

    /// Whether its centre has to be made again for every value of its parameters.
    pub fn moves_with_parameters(&self) -> bool {
        self.centre.kind().moves_with_parameters()
    }

    /// `values` where nothing is given, else what is given.
    pub fn values(&self, values: HedgeValues) -> HedgeValues {
        Parameter::all().fold(values, |values, parameter| {
            let place = parameter as usize;
            match self.given[place].or(self.shared[place]) {
                Some(value) => values.with(parameter, value),
                None => values,
            }
        })
    }
}
