//! Parameters of classical hedges.

use crate::named::named;

named! {
    /// A number that a classical hedge depends on.
    pub enum Parameter {
        /// The risk aversion λ of a band, in one over the spot's currency.
        Aversion = "aversion",
        /// What the centre is multiplied by.
        Scale = "scale",
        /// How far the centre must have moved for a trade, in units of the instrument.
        Move = "move",
        /// Every how many dates there is a trade.
        Every = "every",
        /// The half-width of a constant band, in units of the instrument.
        Width = "width",
        /// What the options of the centre are multiplied by.
        Ratio = "ratio",
        /// The risk aversion λ of a band of the options, in one over the spot's currency.
        OptionAversion = "option_aversion",
        /// How far the centre of an option must have moved for a trade, in options.
        OptionMove = "option_move",
        /// Every how many dates options are traded.
        OptionEvery = "option_every",
        /// The half-width of a constant band of the options, in options.
        OptionWidth = "option_width",
    }
}

impl Parameter {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// What stands before its value in the name of a row.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Aversion => "aversion_",
            Self::Scale => "",
            Self::Move => "move_",
            Self::Every => "every_",
            Self::Width => "width_",
            Self::Ratio => "ratio_",
            Self::OptionAversion => "option_aversion_",
            Self::OptionMove => "option_move_",
            Self::OptionEvery => "option_every_",
            Self::OptionWidth => "option_width_",
        }
    }

    /// The parameter of a rule of trading as the rule of options has it; none for what is no parameter of a rule.
    pub(super) fn of_options(self) -> Option<Self> {
        match self {
            Self::Aversion => Some(Self::OptionAversion),
            Self::Move => Some(Self::OptionMove),
            Self::Every => Some(Self::OptionEvery),
            Self::Width => Some(Self::OptionWidth),
            Self::Scale
            | Self::Ratio
            | Self::OptionAversion
            | Self::OptionMove
            | Self::OptionEvery
            | Self::OptionWidth => None,
        }
    }

    /// Whether it is the risk aversion of a band, on which nothing depends where trading is free.
    pub(super) fn is_aversion(self) -> bool {
        matches!(self, Self::Aversion | Self::OptionAversion)
    }

    /// What people call it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Aversion => "risk aversion",
            Self::Scale => "scale",
            Self::Move => "least move",
            Self::Every => "dates between trades",
            Self::Width => "half-width",
            Self::Ratio => "ratio of options",
            Self::OptionAversion => "risk aversion in options",
            Self::OptionMove => "least move of options",
            Self::OptionEvery => "dates between trades of options",
            Self::OptionWidth => "half-width of options",
        }
    }
}

/// The parameters of a classical hedge. By default each is 1 but least moves and half-widths, which are 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HedgeValues([f64; Parameter::COUNT]);

impl Default for HedgeValues {
    fn default() -> Self {
        use Parameter::{Move, OptionMove, OptionWidth, Width};
        let none = [Move, OptionMove, Width, OptionWidth].into_iter();
        none.fold(Self([1.0; Parameter::COUNT]), |values, parameter| {
            values.with(parameter, 0.0)
        })
    }
}

impl From<f64> for HedgeValues {
    /// The default parameters with the risk aversion λ of a band, in one over the spot's currency.
    fn from(aversion: f64) -> Self {
        Self::default().with_aversion(aversion)
    }
}

impl HedgeValues {
    /// One of them.
    #[inline(always)]
    pub fn of(&self, parameter: Parameter) -> f64 {
        self.0[parameter as usize]
    }

    /// The same with another value of one.
    #[must_use]
    pub fn with(mut self, parameter: Parameter, value: f64) -> Self {
        self.0[parameter as usize] = value;
        self
    }

    /// All of them, in the order of [`Parameter`].
    pub fn to_list(&self) -> Vec<f64> {
        self.0.to_vec()
    }

    /// Those of [`Self::to_list`].
    ///
    /// # Panics
    /// If there are more or fewer than parameters.
    pub fn of_list(values: &[f64]) -> Self {
        Self(values.try_into().expect("one value for every parameter"))
    }

    /// The same with another risk aversion of every band.
    #[must_use]
    fn with_aversion(self, aversion: f64) -> Self {
        self.with(Parameter::Aversion, aversion)
            .with(Parameter::OptionAversion, aversion)
    }

    /// The same as the rule of options reads them: its own parameters in the place of those of the spots.
    pub(super) fn of_options(self) -> Self {
        Parameter::all().fold(self, |values, parameter| match parameter.of_options() {
            Some(own) => values.with(parameter, self.of(own)),
            None => values,
        })
    }
}
