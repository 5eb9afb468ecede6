//! Calls of functions: numbers and types of their arguments, and the nodes that they make.

use super::compile::{Compiler, Dates, Found, Term, Type};
use super::functions::Function;
use super::misread::{Misread, Span};
use super::node::{Binary, Node};
use super::rules::misplaced_schedule;
use super::schedule::{self, Rule, Schedule};
use super::tree::Tree;
use crate::settings::nearest;

impl Compiler<'_> {
    pub(super) fn call(
        &mut self,
        tree: &Tree,
        name: &str,
        arguments: &[Tree],
        dates: Dates,
    ) -> Found<Term> {
        let at_name = tree.span.start..tree.span.start + name.len();
        let Some((function, form)) = Function::named(name) else {
            let words = if self.names_schedule(name) {
                misplaced_schedule(name)
            } else {
                let known: Vec<String> = Function::names().map(str::to_owned).collect();
                match nearest(name, &known) {
                    Some(nearest) => {
                        format!("no function is called `{name}`, did you mean `{nearest}`?")
                    }
                    None => format!(
                        "no function is called `{name}`, known are {}",
                        known.join(", ")
                    ),
                }
            };
            return Err(Misread::new(at_name, words));
        };
        let (least, most) = function.arguments();
        if !(least..=most).contains(&arguments.len()) {
            let words = format!(
                "`{name}` has {} arguments here and is written {form}",
                arguments.len()
            );
            return Err(Misread::new(tree.span.clone(), words));
        }
        let what = format!("an argument of `{name}` must be");
        match function {
            Function::Elementary(operation) => {
                let x = self.typed(&arguments[0], dates, Type::Number, &what)?;
                self.added(Node::Unary(operation, x), Type::Number, &tree.span)
            }
            Function::Extreme(operation) => {
                let mut extreme = self.typed(&arguments[0], dates, Type::Number, &what)?;
                for argument in &arguments[1..] {
                    let next = self.typed(argument, dates, Type::Number, &what)?;
                    let node = Node::Binary(operation, extreme, next);
                    extreme = self.added(node, Type::Number, &tree.span)?.node;
                }
                Ok(Term {
                    node: extreme,
                    kind: Type::Number,
                })
            }
            Function::Clamp => {
                let [x, low, high] = self.numbers(arguments, dates, &what)?;
                let value = |node: usize| self.nodes[node].as_constant();
                if let (Some(least), Some(most)) = (value(low), value(high))
                    && least > most
                {
                    let words = format!("the least value {least} is above the greatest, {most}");
                    return Err(Misread::new(arguments[1].span.clone(), words));
                }
                let raised = Node::Binary(Binary::Max, x, low);
                let raised = self.added(raised, Type::Number, &tree.span)?.node;
                self.added(
                    Node::Binary(Binary::Min, raised, high),
                    Type::Number,
                    &tree.span,
                )
            }
            Function::When => {
                let [condition, yes, no] = arguments else {
                    // The number of arguments was checked above.
                    unreachable!("`when` has three arguments");
                };
                let what = "the first argument of `when` must be";
                let condition = self.typed(condition, dates, Type::Condition, what)?;
                let term = self.term(yes, dates)?;
                let what = "the last argument of `when` must be as the one before:";
                let no = self.typed(no, dates, term.kind, what)?;
                self.added(Node::When(condition, term.node, no), term.kind, &tree.span)
            }
            Function::First => {
                let term = self.term(&arguments[0], dates)?;
                self.added(Node::First(term.node), term.kind, &tree.span)
            }
            Function::Previous => self.previous(tree, arguments, dates),
            Function::Running(functional) => {
                let written = self.own_schedule(name, arguments)?;
                let schedule = match written {
                    Some(schedule) => schedule,
                    None => self.schedule(Rule::Every(1), &tree.span)?,
                };
                let kind = Type::of(functional.of_conditions());
                let x = self.typed(&arguments[0], of_functional(schedule), kind, &what)?;
                let node = Node::Running(functional, x, schedule);
                let kind = Type::of(functional.is_condition());
                let label = || tree.to_string();
                self.accumulated(
                    node,
                    x,
                    functional.keeps_constants(),
                    kind,
                    &tree.span,
                    label,
                )
            }
        }
    }

    fn previous(&mut self, tree: &Tree, arguments: &[Tree], dates: Dates) -> Found<Term> {
        let schedule = match self.own_schedule("previous", arguments)? {
            Some(schedule) => schedule,
            None if !dates.of_functional && self.rules[dates.schedule] == Rule::Expiry => {
                let words = "`previous` needs a schedule here, previous(x, monthly): the payment has one date, and the value at the sale is first(x)";
                return Err(Misread::new(tree.span.clone(), words));
            }
            None => dates.schedule,
        };
        let term = self.term(&arguments[0], of_functional(schedule))?;
        let rule = self.rules[schedule];
        let label = || match rule {
            Rule::Every(1) => tree.to_string(),
            rule => format!("previous({}, {rule})", arguments[0]),
        };
        let node = Node::Previous(term.node, schedule);
        self.accumulated(node, term.node, true, term.kind, &tree.span, label)
    }

    /// Adds a node that keeps a value of the path; if it stays at every constant, that of a constant is the constant.
    fn accumulated(
        &mut self,
        node: Node,
        argument: usize,
        keeps_constants: bool,
        kind: Type,
        span: &Span,
        label: impl Fn() -> String,
    ) -> Found<Term> {
        if keeps_constants && self.nodes[argument].as_constant().is_some() {
            return Ok(Term {
                node: argument,
                kind,
            });
        }
        let before = self.nodes.len();
        let term = self.added(node, kind, span)?;
        // What a value on the hedging date before will be is known from the values of this date.
        let known = matches!(node, Node::Previous(_, schedule) if self.schedules[schedule] == Schedule::All);
        if term.node == before && !known {
            self.accumulators.push((term.node, label()));
        }
        Ok(term)
    }

    fn numbers<const N: usize>(
        &mut self,
        arguments: &[Tree],
        dates: Dates,
        what: &str,
    ) -> Found<[usize; N]> {
        let mut nodes = [0; N];
        for (node, argument) in nodes.iter_mut().zip(arguments) {
            *node = self.typed(argument, dates, Type::Number, what)?;
        }
        Ok(nodes)
    }

    /// The schedule that is the second argument of a functional.
    fn own_schedule(&mut self, name: &str, arguments: &[Tree]) -> Found<Option<usize>> {
        let [_, written] = arguments else {
            return Ok(None);
        };
        let hint = match name {
            "highest" => "; the greater of two numbers is max(a, b)",
            "lowest" => "; the lesser of two numbers is min(a, b)",
            _ => "",
        };
        let words = format!(
            "the second argument of `{name}` is a schedule: {}{hint}",
            schedule::FORMS
        );
        match self.rule(written)? {
            Some(rule) if rule != Rule::Expiry => self.schedule(rule, &written.span).map(Some),
            _ => Err(Misread::new(written.span.clone(), words)),
        }
    }
}

fn of_functional(schedule: usize) -> Dates {
    Dates {
        schedule,
        of_functional: true,
    }
}
