//! Limits as nodes of a graph.

use super::bounds::ROUNDING;
use super::{Limit, Limits};
use crate::onnx::{Graph, Value};

/// What positions of a date stand beside, as values of a graph, `[batch, 1]` for every instrument.
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a> {
    /// The positions held from the date before; empty unless [`Limits::bounds_trades`].
    pub held: &'a [Value],
    /// The prices of the instruments; empty unless [`Limits::bounds_value`].
    pub prices: &'a [Value],
}

impl Limits {
    /// Whether a trade has a bound.
    pub fn bounds_trades(&self) -> bool {
        self.each.iter().any(|limit| limit.trade < f64::INFINITY)
    }

    /// What [`Self::hold`] makes of the targets `positions`, as nodes of a graph.
    ///
    /// # Panics
    /// If there is nothing beside that is asked for.
    pub fn describe(
        &self,
        graph: &mut Graph,
        beside: Beside<'_>,
        mut positions: Vec<Value>,
    ) -> Vec<Value> {
        for (index, (limit, position)) in self.each.iter().zip(&mut positions).enumerate() {
            if let Some(trade) = limit.traded(graph, beside, index) {
                *position = graph.within(*position, trade.0, trade.1);
            }
            let (low, high) = (graph.number(limit.low), graph.number(limit.high));
            *position = graph.within(*position, low, high);
        }
        if self.bounds_value() {
            let load = load(graph, &positions, beside.prices);
            let bound = graph.number(self.value);
            let share = graph.divide(bound, load);
            for position in &mut positions {
                let scaled = graph.multiply(*position, share);
                *position = graph.where_above((load, bound), scaled, *position);
            }
        }
        if self.each.iter().all(|limit| limit.lot == 0.0) {
            return positions;
        }
        let scaled = positions.clone();
        for (index, (limit, position)) in self.each.iter().zip(&mut positions).enumerate() {
            *position = limit.rounded(graph, beside, index, *position);
        }
        if self.bounds_value() {
            let load = load(graph, &positions, beside.prices);
            let bound = graph.number(self.value * (1.0 + ROUNDING));
            let each = self.each.iter().zip(&mut positions).zip(scaled);
            for ((limit, position), scaled) in each {
                let less = limit.nearer_to_zero(graph, scaled);
                *position = graph.where_above((load, bound), less, *position);
            }
        }
        positions
    }
}

impl Limit {
    /// δ₋ − m and δ₋ + m; none where trades have no bound.
    fn traded(
        &self,
        graph: &mut Graph,
        beside: Beside<'_>,
        index: usize,
    ) -> Option<(Value, Value)> {
        (self.trade < f64::INFINITY).then(|| {
            let (held, trade) = (beside.held[index], graph.number(self.trade));
            (graph.subtract(held, trade), graph.add(held, trade))
        })
    }

    /// [`Self::round_to_lots`]
    fn rounded(
        &self,
        graph: &mut Graph,
        beside: Beside<'_>,
        index: usize,
        position: Value,
    ) -> Value {
        if self.lot == 0.0 {
            return position;
        }
        let (mut low, mut high) = (graph.number(self.low), graph.number(self.high));
        if let Some((least, most)) = self.traded(graph, beside, index) {
            let (reached, left) = (graph.smaller(least, high), graph.larger(most, low));
            (low, high) = (graph.larger(low, reached), graph.smaller(high, left));
        }
        let lot = graph.number(self.lot);
        let from = graph.divide(low, lot);
        let from = graph.negative(from);
        let from = graph.shifted(from, ROUNDING);
        let from = graph.floor(from);
        let first = graph.negative(from);
        let to = graph.divide(high, lot);
        let to = graph.shifted(to, ROUNDING);
        let last = graph.floor(to);
        let lots = graph.divide(position, lot);
        let lots = graph.shifted(lots, 0.5);
        let nearest = graph.floor(lots);
        let lots = graph.within(nearest, first, last);
        graph.multiply(lots, lot)
    }

    /// [`Self::towards_zero`]
    fn nearer_to_zero(&self, graph: &mut Graph, position: Value) -> Value {
        if self.lot == 0.0 {
            return position;
        }
        let size = graph.abs(position);
        let lot = graph.number(self.lot);
        let lots = graph.divide(size, lot);
        let lots = graph.shifted(lots, ROUNDING);
        let lots = graph.floor(lots);
        let size = graph.multiply(lots, lot);
        let (negative, none) = (graph.negative(size), graph.number(0.0));
        graph.where_above((none, position), negative, size)
    }
}

/// Σ_i |δ_i| P_i, the value of positions long and short.
///
/// # Panics
/// If there is no instrument, or not a price of each.
fn load(graph: &mut Graph, positions: &[Value], prices: &[Value]) -> Value {
    let values: Vec<Value> = positions
        .iter()
        .zip(prices)
        .map(|(position, price)| {
            let value = graph.multiply(*position, *price);
            graph.abs(value)
        })
        .collect();
    let sum = values
        .into_iter()
        .reduce(|sum, value| graph.add(sum, value));
    sum.expect("there is an instrument")
}
