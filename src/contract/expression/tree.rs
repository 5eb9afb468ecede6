use super::bounds::DEPTH;
use super::misread::{Misread, Span};
use std::fmt;

/// An expression as it is written: names have no meaning yet.
///
/// Two trees are equal if they say the same; where they stand in their texts does not count.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub form: Form,
    pub span: Span,
    height: usize,
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        self.form == other.form
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Form {
    /// Not negative.
    Number(f64),
    Name(String),
    /// `S.name`, by the name of the asset.
    Spot(String),
    Prefix(Prefix, Box<Tree>),
    Infix(Infix, Box<[Tree; 2]>),
    Call(String, Vec<Tree>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    Minus,
    Not,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Infix {
    Or,
    And,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

impl Prefix {
    /// How tightly it binds, on the scale of [`Infix::power`].
    pub fn power(self) -> u8 {
        match self {
            Self::Minus => 13,
            Self::Not => 5,
        }
    }

    pub fn symbol(self) -> &'static str {
        match self {
            Self::Minus => "-",
            Self::Not => "not ",
        }
    }
}

impl Infix {
    /// How tightly it binds: `^` before a sign before `*` before `+` before comparisons before `not` before `and` before `or`.
    pub fn power(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 3,
            Self::Less
            | Self::LessEqual
            | Self::Greater
            | Self::GreaterEqual
            | Self::Equal
            | Self::NotEqual => 7,
            Self::Add | Self::Subtract => 9,
            Self::Multiply | Self::Divide => 11,
            Self::Power => 15,
        }
    }

    pub fn is_comparison(self) -> bool {
        self.power() == Self::Less.power()
    }

    /// The least power of an operator within its right operand: `a - b - c` is `(a - b) - c`, `a ^ b ^ c` is `a ^ (b ^ c)`.
    pub fn right_power(self) -> u8 {
        match self {
            Self::Power => self.power(),
            _ => self.power() + 1,
        }
    }

    pub fn symbol(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Power => "^",
        }
    }
}

impl Tree {
    /// # Errors
    /// If it is higher than the bound.
    pub fn new(form: Form, span: Span) -> Result<Self, Misread> {
        let below = match &form {
            Form::Number(_) | Form::Name(_) | Form::Spot(_) => 0,
            Form::Prefix(_, operand) => operand.height,
            Form::Infix(_, operands) => operands.iter().map(|one| one.height).max().unwrap_or(0),
            Form::Call(_, arguments) => arguments.iter().map(|one| one.height).max().unwrap_or(0),
        };
        let height = below + 1;
        if height > DEPTH {
            return Err(too_deep(span));
        }
        Ok(Self { form, span, height })
    }

    /// What it is in the order of binding; what stands alone binds most tightly.
    fn power(&self) -> u8 {
        match &self.form {
            Form::Number(_) | Form::Name(_) | Form::Spot(_) | Form::Call(..) => u8::MAX,
            Form::Prefix(prefix, _) => prefix.power(),
            Form::Infix(infix, _) => infix.power(),
        }
    }

    /// Prints it, in parentheses if it binds less tightly than `least`.
    fn print(&self, formatter: &mut fmt::Formatter<'_>, least: u8) -> fmt::Result {
        if self.power() < least {
            write!(formatter, "({self})")
        } else {
            write!(formatter, "{self}")
        }
    }
}

/// The error of an expression that is nested too deeply.
pub(super) fn too_deep(span: Span) -> Misread {
    let words = format!("this is nested more than {DEPTH} levels deep, which is the most");
    Misread::new(span, words)
}

/// The canonical form, which reads back as the same tree: one space around infix operators, and no parentheses but those
/// that are needed.
impl fmt::Display for Tree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.form {
            // Digits or an exponent, whichever is short; both read back as the same number.
            Form::Number(number) if *number == 0.0 || (1e-4..1e15).contains(number) => {
                write!(formatter, "{number}")
            }
            Form::Number(number) => write!(formatter, "{number:e}"),
            Form::Name(name) => formatter.write_str(name),
            Form::Spot(name) => write!(formatter, "S.{name}"),
            Form::Prefix(prefix, operand) => {
                formatter.write_str(prefix.symbol())?;
                operand.print(formatter, prefix.power())
            }
            Form::Infix(infix, operands) => {
                let [left, right] = &**operands;
                let least = match infix {
                    Infix::Power => infix.power() + 1,
                    // Comparisons are not chained.
                    _ if infix.is_comparison() => infix.power() + 1,
                    _ => infix.power(),
                };
                left.print(formatter, least)?;
                write!(formatter, " {} ", infix.symbol())?;
                right.print(formatter, infix.right_power())
            }
            Form::Call(name, arguments) => {
                write!(formatter, "{name}(")?;
                for (index, argument) in arguments.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(formatter, "{comma}{argument}")?;
                }
                formatter.write_str(")")
            }
        }
    }
}
