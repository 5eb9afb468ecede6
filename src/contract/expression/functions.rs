//! The functions of the language, by their names.

use super::node::{Binary, Unary};

/// A function of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    /// The greatest or the least of its arguments.
    Extreme(Binary),
    /// A function of one number.
    Elementary(Unary),
    Clamp,
    When,
    /// A functional over the dates of a schedule.
    Running(Functional),
    First,
    Previous,
}

/// What runs over dates and keeps one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Functional {
    Average,
    Sum,
    Highest,
    Lowest,
    Count,
    Any,
    All,
}

impl Functional {
    /// Whether it runs over conditions.
    pub fn of_conditions(self) -> bool {
        matches!(self, Self::Count | Self::Any | Self::All)
    }

    /// Whether it is a condition itself.
    pub fn is_condition(self) -> bool {
        matches!(self, Self::Any | Self::All)
    }

    /// Its value before any date; none if that is the value of its argument at the sale.
    pub fn start(self) -> Option<f64> {
        match self {
            Self::Sum | Self::Count | Self::Any => Some(0.0),
            Self::All => Some(1.0),
            Self::Average | Self::Highest | Self::Lowest => None,
        }
    }

    /// Whether it is at a value that its argument always has, on every date and before any.
    pub fn keeps_constants(self) -> bool {
        self.start().is_none()
    }
}

/// Name, function, and how it is called.
const FUNCTIONS: &[(&str, Function, &str)] = &[
    ("max", Function::Extreme(Binary::Max), "max(a, b, …)"),
    ("min", Function::Extreme(Binary::Min), "min(a, b, …)"),
    ("abs", Function::Elementary(Unary::Absolute), "abs(x)"),
    ("exp", Function::Elementary(Unary::Exponential), "exp(x)"),
    ("ln", Function::Elementary(Unary::Logarithm), "ln(x)"),
    ("sqrt", Function::Elementary(Unary::Root), "sqrt(x)"),
    ("clamp", Function::Clamp, "clamp(x, low, high)"),
    ("when", Function::When, "when(condition, a, b)"),
    (
        "average",
        Function::Running(Functional::Average),
        "average(x) or average(x, monthly)",
    ),
    (
        "sum",
        Function::Running(Functional::Sum),
        "sum(x) or sum(x, monthly)",
    ),
    (
        "highest",
        Function::Running(Functional::Highest),
        "highest(x) or highest(x, monthly)",
    ),
    (
        "lowest",
        Function::Running(Functional::Lowest),
        "lowest(x) or lowest(x, monthly)",
    ),
    (
        "count",
        Function::Running(Functional::Count),
        "count(condition) or count(condition, monthly)",
    ),
    (
        "any",
        Function::Running(Functional::Any),
        "any(condition) or any(condition, monthly)",
    ),
    (
        "all",
        Function::Running(Functional::All),
        "all(condition) or all(condition, monthly)",
    ),
    ("first", Function::First, "first(x)"),
    (
        "previous",
        Function::Previous,
        "previous(x) or previous(x, monthly)",
    ),
];

impl Function {
    /// The function of that name, and how it is called.
    pub fn named(name: &str) -> Option<(Self, &'static str)> {
        let mut known = FUNCTIONS.iter();
        known
            .find(|(known, ..)| *known == name)
            .map(|(_, function, call)| (*function, *call))
    }

    /// The names of all functions.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FUNCTIONS.iter().map(|(name, ..)| *name)
    }

    /// The least and the greatest number of arguments, a schedule among them.
    pub fn arguments(self) -> (usize, usize) {
        match self {
            Self::Extreme(_) => (1, usize::MAX),
            Self::Elementary(_) | Self::First => (1, 1),
            Self::Clamp | Self::When => (3, 3),
            Self::Running(_) | Self::Previous => (1, 2),
        }
    }
}

/// Words with a meaning of their own, which no parameter can have.
pub(super) fn is_reserved(name: &str) -> bool {
    const WORDS: [&str; 7] = [
        "S",
        "years",
        "observation",
        "and",
        "or",
        "not",
        super::schedule::EXPIRY,
    ];
    WORDS.contains(&name)
        || Function::names().any(|known| known == name)
        || super::schedule::NAMES.contains(&name)
}
