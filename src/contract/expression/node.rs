use super::functions::Functional;

/// A term of a program, of which every different one is there once; operands have smaller numbers than what they make.
///
/// Conditions are numbers: 1 if they hold and 0 if not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// By the bits of the number.
    Constant(u64),
    /// A parameter that differs from path to path.
    Term(usize),
    /// The spot of an asset.
    Spot(usize),
    /// The time since the sale.
    Years,
    /// The number of the date in a schedule.
    Observation(usize),
    Unary(Unary, usize),
    Binary(Binary, usize, usize),
    /// A whole power.
    Whole(usize, i32),
    When(usize, usize, usize),
    /// The value at the sale.
    First(usize),
    /// The value on the date before of a schedule.
    Previous(usize, usize),
    /// A functional of a term over a schedule.
    Running(Functional, usize, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Unary {
    Negate,
    Not,
    Absolute,
    Exponential,
    Logarithm,
    Root,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Max,
    Min,
    Less,
    LessEqual,
    Equal,
    NotEqual,
    And,
    Or,
}

impl Node {
    pub fn constant(value: f64) -> Self {
        // The two zeros are one number.
        Self::Constant((value + 0.0).to_bits())
    }

    pub fn as_constant(self) -> Option<f64> {
        match self {
            Self::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// What it is made of on the same date; what running values are made of is not among them.
    pub fn operands(self) -> impl Iterator<Item = usize> {
        let operands = match self {
            Self::Constant(_)
            | Self::Term(_)
            | Self::Spot(_)
            | Self::Years
            | Self::Observation(_)
            | Self::First(_)
            | Self::Previous(..)
            | Self::Running(..) => [None; 3],
            Self::Unary(_, x) | Self::Whole(x, _) => [Some(x), None, None],
            Self::Binary(_, x, y) => [Some(x), Some(y), None],
            Self::When(x, y, z) => [Some(x), Some(y), Some(z)],
        };
        operands.into_iter().flatten()
    }
}
