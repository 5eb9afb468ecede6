//! From trees to nodes: names get their meaning, types are checked, and equal terms become one.

use super::bounds::NODES;
use super::lanes;
use super::misread::{Misread, Span};
use super::node::{Binary, Node, Unary};
use super::schedule::{self, Grid, Rule, Schedule};
use super::sheet::Parameter;
use super::tree::{Form, Infix, Prefix, Tree};
use crate::simd::BLOCK;
use std::collections::HashMap;

pub(super) type Found<T> = Result<T, Misread>;

/// What a term is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Number,
    Condition,
}

impl Type {
    fn words(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Condition => "a condition",
        }
    }

    pub fn of(condition: bool) -> Self {
        if condition {
            Self::Condition
        } else {
            Self::Number
        }
    }
}

/// A term: its number among the nodes, and what it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub node: usize,
    pub kind: Type,
}

/// Whose dates a term is evaluated on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dates {
    pub schedule: usize,
    /// Whether they are those of a functional, or else of a payment.
    pub of_functional: bool,
}

/// Nodes so far, and what names mean.
pub(super) struct Compiler<'a> {
    pub assets: &'a [String],
    pub parameters: &'a [Parameter],
    pub grid: Grid,
    pub nodes: Vec<Node>,
    known: HashMap<Node, usize>,
    pub rules: Vec<Rule>,
    pub schedules: Vec<Schedule>,
    /// The nodes that keep a value of the path, and how they are written.
    pub accumulators: Vec<(usize, String)>,
}

impl<'a> Compiler<'a> {
    pub fn new(assets: &'a [String], parameters: &'a [Parameter], grid: Grid) -> Self {
        Self {
            assets,
            parameters,
            grid,
            nodes: Vec::new(),
            known: HashMap::new(),
            rules: Vec::new(),
            schedules: Vec::new(),
            accumulators: Vec::new(),
        }
    }

    /// The schedule of a payment.
    pub fn payment_schedule(&mut self, tree: &Tree) -> Found<usize> {
        let words = format!(
            "a payment falls due on {} or {}",
            schedule::EXPIRY,
            schedule::FORMS
        );
        let rule = self
            .rule(tree)?
            .ok_or(Misread::new(tree.span.clone(), words))?;
        self.schedule(rule, &tree.span)
    }

    /// The number that `tree` is on the dates of a payment.
    pub fn amount(&mut self, tree: &Tree, schedule: usize) -> Found<usize> {
        self.of_payment(tree, schedule, Type::Number)
    }

    /// The condition that `tree` is on the dates of a payment.
    pub fn condition(&mut self, tree: &Tree, schedule: usize) -> Found<usize> {
        self.of_payment(tree, schedule, Type::Condition)
    }

    fn of_payment(&mut self, tree: &Tree, schedule: usize, kind: Type) -> Found<usize> {
        let dates = Dates {
            schedule,
            of_functional: false,
        };
        self.typed(tree, dates, kind, "this must be")
    }

    /// The node of a tree of this type; `what` precedes "a number" or "a condition" in the error of another.
    pub(super) fn typed(
        &mut self,
        tree: &Tree,
        dates: Dates,
        kind: Type,
        what: &str,
    ) -> Found<usize> {
        let term = self.term(tree, dates)?;
        if term.kind == kind {
            return Ok(term.node);
        }
        let (wanted, is) = (kind.words(), term.kind.words());
        Err(Misread::new(
            tree.span.clone(),
            format!("{what} {wanted}, and it is {is}"),
        ))
    }

    pub(super) fn term(&mut self, tree: &Tree, dates: Dates) -> Found<Term> {
        let (node, kind) = match &tree.form {
            Form::Number(number) => (Node::constant(*number), Type::Number),
            Form::Name(name) => (self.name(name, &tree.span, dates)?, Type::Number),
            Form::Spot(name) => (self.spot(name, &tree.span)?, Type::Number),
            Form::Prefix(Prefix::Minus, operand) => {
                let x = self.typed(operand, dates, Type::Number, "what follows `-` must be")?;
                (Node::Unary(Unary::Negate, x), Type::Number)
            }
            Form::Prefix(Prefix::Not, operand) => {
                let x = self.typed(
                    operand,
                    dates,
                    Type::Condition,
                    "what follows `not` must be",
                )?;
                (Node::Unary(Unary::Not, x), Type::Condition)
            }
            Form::Infix(infix, operands) => self.infix(*infix, operands, dates)?,
            Form::Call(name, arguments) => return self.call(tree, name, arguments, dates),
        };
        self.added(node, kind, &tree.span)
    }

    fn infix(&mut self, infix: Infix, operands: &[Tree; 2], dates: Dates) -> Found<(Node, Type)> {
        let of_conditions = matches!(infix, Infix::And | Infix::Or);
        let what = format!("both sides of `{}` must be", infix.symbol());
        let what = match of_conditions {
            true => what.replace("must be", "must be conditions: this must be"),
            false => what.replace("must be", "must be numbers: this must be"),
        };
        let [left, right] = operands;
        let kind = Type::of(of_conditions);
        let x = self.typed(left, dates, kind, &what)?;
        let y = self.typed(right, dates, kind, &what)?;
        let node = match infix {
            Infix::Or => Node::Binary(Binary::Or, x, y),
            Infix::And => Node::Binary(Binary::And, x, y),
            Infix::Less => Node::Binary(Binary::Less, x, y),
            Infix::LessEqual => Node::Binary(Binary::LessEqual, x, y),
            Infix::Greater => Node::Binary(Binary::Less, y, x),
            Infix::GreaterEqual => Node::Binary(Binary::LessEqual, y, x),
            Infix::Equal => Node::Binary(Binary::Equal, x, y),
            Infix::NotEqual => Node::Binary(Binary::NotEqual, x, y),
            Infix::Add => Node::Binary(Binary::Add, x, y),
            Infix::Subtract => Node::Binary(Binary::Subtract, x, y),
            Infix::Multiply => Node::Binary(Binary::Multiply, x, y),
            Infix::Divide => Node::Binary(Binary::Divide, x, y),
            Infix::Power => match self.nodes[y].as_constant() {
                Some(n) if n.fract() == 0.0 && n.abs() <= 64.0 => Node::Whole(x, n as i32),
                Some(_) | None => Node::Binary(Binary::Power, x, y),
            },
        };
        Ok((node, Type::of(of_conditions || infix.is_comparison())))
    }

    /// Adds a node, if there is no equal one; operations on constants are done at once.
    pub(super) fn added(&mut self, node: Node, kind: Type, span: &Span) -> Found<Term> {
        let node = match self.folded(node) {
            Some(value) if value.is_finite() => Node::constant(value),
            Some(_) => return Err(Misread::new(span.clone(), "this is not a finite number")),
            None => node,
        };
        if let Some(known) = self.known.get(&node) {
            return Ok(Term { node: *known, kind });
        }
        if self.nodes.len() == NODES {
            let words =
                format!("the contract has more than {NODES} different terms, which are the most");
            return Err(Misread::new(span.clone(), words));
        }
        self.nodes.push(node);
        self.known.insert(node, self.nodes.len() - 1);
        Ok(Term {
            node: self.nodes.len() - 1,
            kind,
        })
    }

    /// The value of an operation on constants.
    fn folded(&self, node: Node) -> Option<f64> {
        let value = |node: usize| self.nodes[node].as_constant().map(|value| [value; BLOCK]);
        let mut out = [0.0; BLOCK];
        match node {
            Node::Unary(operation, x) => lanes::unary::<false>(operation, &value(x)?, &mut out),
            Node::Binary(operation, x, y) => {
                lanes::binary(operation, &value(x)?, &value(y)?, &mut out)
            }
            Node::Whole(x, n) => lanes::whole(&value(x)?, n, &mut out),
            Node::When(condition, yes, no) => {
                let chosen = if value(condition)?[0] != 0.0 { yes } else { no };
                out = value(chosen)?;
            }
            Node::First(x) => out = value(x)?,
            Node::Constant(_)
            | Node::Term(_)
            | Node::Spot(_)
            | Node::Years
            | Node::Observation(_)
            | Node::Previous(..)
            | Node::Running(..) => return None,
        }
        Some(out[0])
    }
}
