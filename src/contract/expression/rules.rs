//! Schedules as they are written.

use super::bounds::SCHEDULES;
use super::compile::{Compiler, Found};
use super::misread::{Misread, Span};
use super::schedule::Rule;
use super::sheet::Value;
use super::tree::{Form, Tree};

impl Compiler<'_> {
    pub(super) fn names_schedule(&self, name: &str) -> bool {
        Rule::named(name).is_some() || Rule::counted(name).is_some()
    }

    /// The rule that is written, none if it is something else.
    pub(super) fn rule(&mut self, tree: &Tree) -> Found<Option<Rule>> {
        match &tree.form {
            Form::Name(name) if Rule::counted(name).is_some() => {
                let words = format!("`{name}` takes a number of dates: {name}(12)");
                Err(Misread::new(tree.span.clone(), words))
            }
            Form::Name(name) => Ok(Rule::named(name)),
            Form::Call(name, arguments) => {
                let Some(rule) = Rule::counted(name) else {
                    return match Rule::named(name) {
                        Some(_) => {
                            let words = format!("`{name}` takes no argument");
                            Err(Misread::new(tree.span.clone(), words))
                        }
                        None => Ok(None),
                    };
                };
                let [number] = &arguments[..] else {
                    let words = format!("`{name}` takes one number of dates: {name}(12)");
                    return Err(Misread::new(tree.span.clone(), words));
                };
                self.whole_number(name, number).map(|n| Some(rule(n)))
            }
            Form::Number(_) | Form::Spot(_) | Form::Prefix(..) | Form::Infix(..) => Ok(None),
        }
    }

    /// The constant whole number that is written.
    fn whole_number(&mut self, name: &str, tree: &Tree) -> Found<usize> {
        const MOST: f64 = 1e9;
        let value = match &tree.form {
            Form::Number(number) => Some(*number),
            Form::Name(name) => {
                let mut parameters = self.parameters.iter();
                let named = parameters.find(|parameter| parameter.name == *name);
                named.and_then(|parameter| match parameter.value {
                    Value::Constant(value) => Some(value),
                    Value::Drawn => None,
                })
            }
            Form::Spot(_) | Form::Prefix(..) | Form::Infix(..) | Form::Call(..) => None,
        };
        match value {
            Some(n) if n.fract() == 0.0 && (1.0..=MOST).contains(&n) => Ok(n as usize),
            _ => {
                let words = format!(
                    "`{name}` takes a whole number from 1, or a parameter that is one on all paths"
                );
                Err(Misread::new(tree.span.clone(), words))
            }
        }
    }

    /// The number of the schedule of a rule.
    pub(super) fn schedule(&mut self, rule: Rule, span: &Span) -> Found<usize> {
        if let Some(known) = self.rules.iter().position(|other| *other == rule) {
            return Ok(known);
        }
        if self.rules.len() == SCHEDULES {
            let words =
                format!("the contract has more than {SCHEDULES} schedules, which are the most");
            return Err(Misread::new(span.clone(), words));
        }
        let schedule = rule
            .on(&self.grid)
            .map_err(|words| Misread::new(span.clone(), words))?;
        self.rules.push(rule);
        self.schedules.push(schedule);
        Ok(self.rules.len() - 1)
    }
}

pub(super) fn misplaced_schedule(name: &str) -> String {
    format!(
        "`{name}` is a schedule, which stands as the last argument of a functional, as in average(S, monthly), or after `on`"
    )
}
