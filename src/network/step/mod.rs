//! A policy's step over one date as a graph: what is known at the date and what is carried from the date before to positions and what
//! is carried on. Networks, actions and features describe themselves here, each in its own room.

mod network;
mod observed;
mod situation;
#[cfg(test)]
mod tests;

pub(super) use network::GraphNetwork;
pub use observed::{Names, Observed, ReadBy};
pub use situation::Situation;

use super::action::Actor;
use super::features::Features;
use super::parameters::Parameters;
use super::shape::Shape;
use crate::contract::{Beside, Instrument};
use crate::error::Result;
use crate::onnx::{Dimension, Element, Graph, Value};

/// The axis of contracts, as many as whoever runs the graph asks for at once.
pub const BATCH: &str = "batch";

/// The input of what is held from the date before.
pub const HELD: &str = "held";

/// The output of what is to be held.
pub const POSITION: &str = "position";

/// What a step hands to the next: an output of one date that is an input of the following one.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// The name of the input. At the sale it is 0 everywhere.
    pub input: String,
    /// The name of the output.
    pub output: String,
    /// Its sizes.
    pub dimensions: Vec<Dimension>,
    /// What its numbers are, single or double precision.
    pub element: Element,
    /// What it is, for people.
    pub description: String,
    place: Value,
    next: Option<Value>,
}

/// The step of a policy over one date, as a graph of ONNX operators.
///
/// # Shapes
/// What is observed is `[batch, 1]`, what is held and positions are `[batch, instruments]`, all in double precision. States of networks
/// say their own shapes.
#[derive(Debug, Clone)]
pub struct PolicyStep {
    graph: Graph,
    observed: Vec<(Observed, Value)>,
    carried: Vec<Carried>,
    names: Names,
    held: Option<Value>,
}

impl PolicyStep {
    /// The step of a policy with these weights, inputs called by `names`.
    ///
    /// # Errors
    /// If the weights cannot be read.
    pub fn new(
        shape: Shape,
        parameters: &Parameters,
        features: &Features,
        actor: &Actor,
        names: Names,
    ) -> Result<Self> {
        let mut step = Self {
            graph: Graph::default(),
            observed: Vec::new(),
            carried: Vec::new(),
            names,
            held: None,
        };
        let seen = features.describe(&mut step);
        let outputs = shape.describe(&parameters.matrices()?, seen, &mut step);
        let asked = step.ask(actor, outputs);
        let positions = step.limited(actor, asked);
        let position = step.graph.beside(&positions);
        step.finish(position);
        Ok(step)
    }

    /// The graph, for nodes.
    pub fn graph(&mut self) -> &mut Graph {
        &mut self.graph
    }

    /// The graph with its inputs and outputs.
    pub fn into_graph(self) -> Graph {
        self.graph
    }

    /// What is observed at a date, in the order of the inputs.
    pub fn observed(&self) -> impl Iterator<Item = Observed> {
        self.observed.iter().map(|(observed, _)| *observed)
    }

    /// What is carried from date to date, what is held last if the policy goes by it.
    pub fn carried(&self) -> &[Carried] {
        &self.carried
    }

    /// What things are called.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// What is known of the market or the contract at the date, `[batch, 1]`: an input.
    pub(super) fn observe(&mut self, observed: Observed) -> Value {
        if let Some((_, known)) = self.observed.iter().find(|(one, _)| *one == observed) {
            return *known;
        }
        let name = observed.name(&self.names);
        let description = observed.description(&self.names);
        let value = self
            .graph
            .input(&name, Element::Double, batch_of(1), &description);
        self.observed.push((observed, value));
        value
    }

    /// The positions in all instruments from the date before, `[batch, instruments]`.
    pub(super) fn held(&mut self) -> Value {
        if let Some(held) = self.held {
            return held;
        }
        let count = self.names.instruments.len();
        let description = "units held from the date before, 0 at the sale";
        let held = self
            .graph
            .input(HELD, Element::Double, batch_of(count), description);
        self.held = Some(held);
        held
    }

    /// The position in one instrument from the date before, `[batch, 1]`.
    pub(super) fn held_in(&mut self, instrument: usize) -> Value {
        let (held, count) = (self.held(), self.names.instruments.len());
        self.graph.columns(held, instrument..instrument + 1, count)
    }

    /// What the same name was carried on as on the date before, 0 at the sale; the sizes after the batch are `sizes`.
    pub(super) fn carry(
        &mut self,
        name: &str,
        element: Element,
        sizes: &[Dimension],
        description: &str,
    ) -> Value {
        if let Some(known) = self.carried.iter().find(|one| one.input == name) {
            return known.place;
        }
        let mut dimensions = vec![Dimension::Named(BATCH)];
        dimensions.extend_from_slice(sizes);
        let place = self
            .graph
            .input(name, element, dimensions.clone(), description);
        self.carried.push(Carried {
            input: name.to_owned(),
            output: format!("next_{name}"),
            dimensions,
            element,
            description: description.to_owned(),
            place,
            next: None,
        });
        place
    }

    /// Says what goes on to the next date under a name that is carried; along `Named` axes of networks it may be longer.
    ///
    /// # Panics
    /// If nothing of that name is carried.
    pub(super) fn carry_on(&mut self, name: &str, next: Value) {
        let mut carried = self.carried.iter_mut();
        let carried = carried.find(|one| one.input == name);
        carried.expect("it is carried").next = Some(next);
    }

    /// The place of the first option among the instruments.
    ///
    /// # Panics
    /// If none is traded.
    pub(super) fn first_option(&self) -> usize {
        let mut traded = self.names.traded.iter();
        let option = traded.position(|one| matches!(one, Instrument::Option(_)));
        option.expect("an option is traded")
    }

    /// What the actions ask for, one `[batch, 1]` for every instrument.
    fn ask(&mut self, actor: &Actor, outputs: Value) -> Vec<Value> {
        let mut asked = vec![outputs; actor.instruments()];
        for &instrument in actor.order() {
            let mut at = Situation {
                step: self,
                actor,
                instrument,
                outputs,
                asked: &asked,
            };
            asked[instrument] = actor.action(instrument).describe(&mut at);
        }
        asked
    }

    /// What the limits make of what is asked for.
    fn limited(&mut self, actor: &Actor, asked: Vec<Value>) -> Vec<Value> {
        let limits = &actor.limits;
        if limits.is_none() {
            return asked;
        }
        let instruments = 0..actor.instruments();
        let held = match limits.bounds_trades() {
            true => instruments.clone().map(|one| self.held_in(one)).collect(),
            false => Vec::new(),
        };
        let prices = match limits.bounds_value() {
            true => instruments
                .map(|one| self.observe(Observed::Price(one)))
                .collect(),
            false => Vec::new(),
        };
        let beside = Beside {
            held: &held,
            prices: &prices,
        };
        limits.describe(&mut self.graph, beside, asked)
    }

    /// Makes outputs of the positions and of what is carried on.
    fn finish(&mut self, position: Value) {
        let count = self.names.instruments.len();
        let description = format!(
            "units to hold of {} over the period that begins",
            self.names.instruments.join(", ")
        );
        self.graph
            .output(POSITION, position, batch_of(count), &description);
        for carried in &self.carried {
            let next = carried.next.expect("what is carried goes on");
            let dimensions = carried.dimensions.iter().map(following);
            let description = &carried.description;
            self.graph
                .output(&carried.output, next, dimensions.collect(), description);
        }
        if let Some(place) = self.held {
            self.carried.push(Carried {
                input: HELD.into(),
                output: POSITION.into(),
                dimensions: batch_of(count),
                element: Element::Double,
                description: "units held".into(),
                place,
                next: Some(position),
            });
        }
    }
}

/// The axis of the dates before, of what a network looks back at.
pub(super) const PAST: &str = "past_dates";

/// The same axis after the date: one more.
const PAST_AND_PRESENT: &str = "past_dates_and_this";

/// The size of an axis of what is carried on.
fn following(dimension: &Dimension) -> Dimension {
    match dimension {
        Dimension::Named(PAST) => Dimension::Named(PAST_AND_PRESENT),
        Dimension::Named(_) | Dimension::Fixed(_) => dimension.clone(),
    }
}

/// `[batch, columns]`
fn batch_of(columns: usize) -> Vec<Dimension> {
    vec![Dimension::Named(BATCH), Dimension::Fixed(columns)]
}
