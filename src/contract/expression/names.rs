//! What names mean: spots, parameters, the time and the number of the date.

use super::compile::{Compiler, Dates, Found};
use super::functions::Function;
use super::misread::{Misread, Span};
use super::node::Node;
use super::rules::misplaced_schedule;
use super::sheet::Value;
use crate::settings::nearest;

impl Compiler<'_> {
    pub(super) fn name(&self, name: &str, span: &Span, dates: Dates) -> Found<Node> {
        let wrong = |words: String| Err(Misread::new(span.clone(), words));
        let mut drawn = 0;
        for parameter in self.parameters {
            let named = parameter.name == name;
            match parameter.value {
                Value::Constant(value) if named => return Ok(Node::constant(value)),
                Value::Drawn if named => return Ok(Node::Term(drawn)),
                Value::Constant(_) => {}
                Value::Drawn => drawn += 1,
            }
        }
        match name {
            "S" if self.assets.len() == 1 => return Ok(Node::Spot(0)),
            "S" => {
                let assets = self.assets.iter();
                let known: Vec<String> = assets.map(|asset| format!("`S.{asset}`")).collect();
                return wrong(format!(
                    "there are several assets: write {}",
                    known.join(" or ")
                ));
            }
            "years" => return Ok(Node::Years),
            "observation" => return Ok(Node::Observation(dates.schedule)),
            _ => {}
        }
        if let Some((_, call)) = Function::named(name) {
            return wrong(format!("`{name}` is a function and is written {call}"));
        }
        if self.names_schedule(name) {
            return wrong(misplaced_schedule(name));
        }
        if self.assets.iter().any(|asset| asset == name) {
            return wrong(format!("the spot of `{name}` is written `S.{name}`"));
        }
        let mut known = vec!["S".to_owned(), "years".to_owned(), "observation".to_owned()];
        known.extend(
            self.parameters
                .iter()
                .map(|parameter| parameter.name.clone()),
        );
        // Any letter is near to any other.
        let near = nearest(name, &known).filter(|_| name.len() > 1);
        let words = match near {
            Some(nearest) => format!("no parameter is called `{name}`, did you mean `{nearest}`?"),
            None if self.parameters.is_empty() => format!(
                "no parameter is called `{name}`: the contract has none, give `{name}` a value in `parameters`"
            ),
            None => format!(
                "no parameter is called `{name}`, known are {}",
                known.join(", ")
            ),
        };
        wrong(words)
    }

    pub(super) fn spot(&self, name: &str, span: &Span) -> Found<Node> {
        if let Some(asset) = self.assets.iter().position(|asset| asset == name) {
            return Ok(Node::Spot(asset));
        }
        let known = self.assets.join(", ");
        let words = match nearest(name, self.assets) {
            Some(nearest) => format!("no asset is called `{name}`, did you mean `S.{nearest}`?"),
            None if self.assets.len() == 1 => {
                format!("no asset is called `{name}`: the spot is `S`")
            }
            None => format!("no asset is called `{name}`, known are {known}"),
        };
        Err(Misread::new(span.clone(), words))
    }
}
