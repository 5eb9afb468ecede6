use super::{Observed, PolicyStep};
use crate::contract::Instrument;
use crate::network::action::Actor;
use crate::onnx::{Graph, Value};

/// What an action goes by for one instrument at one date, as values of a graph, all `[batch, 1]` in double precision. Nothing is an
/// input of the graph that no action asks for.
pub struct Situation<'a> {
    pub(super) step: &'a mut PolicyStep,
    pub(super) actor: &'a Actor,
    pub(super) instrument: usize,
    /// The outputs of all instruments.
    pub(super) outputs: Value,
    /// What the instruments that act before it ask for.
    pub(super) asked: &'a [Value],
}

impl Situation<'_> {
    /// The graph, for nodes.
    pub fn graph(&mut self) -> &mut Graph {
        &mut self.step.graph
    }

    /// Output y_i of the network for the instrument.
    pub fn output(&mut self, number: usize) -> Value {
        let first = self.actor.outputs(self.instrument).start + number;
        let width = self.actor.width();
        self.step
            .graph
            .columns(self.outputs, first..first + 1, width)
    }

    /// The position δ₋ held from the date before.
    pub fn held(&mut self) -> Value {
        self.step.held_in(self.instrument)
    }

    /// The benchmark's position b; of a spot that goes by options net of those really asked for, b₀ − Σ_j (q_j − b_j) Δ_j.
    pub fn benchmark(&mut self) -> Value {
        let mut benchmark = self.step.observe(Observed::Benchmark(self.instrument));
        for option in self.options() {
            let theirs = self.step.observe(Observed::Benchmark(option));
            let delta = self.step.observe(Observed::OptionDelta(option));
            let graph = &mut self.step.graph;
            let beyond = graph.subtract(self.asked[option], theirs);
            let moved = graph.multiply(beyond, delta);
            benchmark = graph.subtract(benchmark, moved);
        }
        benchmark
    }

    /// The size m of the benchmark's position, with the deltas of the options that a spot goes by.
    pub fn size(&mut self) -> Value {
        let mut sum = self.step.observe(Observed::Benchmark(self.instrument));
        for option in self.options() {
            let theirs = self.step.observe(Observed::Benchmark(option));
            let delta = self.step.observe(Observed::OptionDelta(option));
            let moved = self.step.graph.multiply(theirs, delta);
            sum = self.step.graph.add(sum, moved);
        }
        self.step.graph.abs(sum)
    }

    /// How much the contract's delta moves, Γ S σ √τ, for a spot; none for another instrument, of which it is 0.
    pub fn curvature(&mut self) -> Option<Value> {
        let asset = self.asset_of_spot()?;
        let gamma = self.step.observe(Observed::Gamma(asset));
        let spot = self.step.observe(Observed::Spot(asset));
        let volatility = self.step.observe(Observed::Volatility);
        let left = self.years_left();
        let graph = &mut self.step.graph;
        let root = graph.sqrt(left);
        let deviation = graph.multiply(volatility, root);
        let moved = graph.multiply(gamma, spot);
        Some(graph.multiply(moved, deviation))
    }

    /// The unit of widths of Whalley and Wilmott, (³⁄₂ C Γ² S₀/100)^{1/3}, for a spot; none for another instrument, of which it is 1.
    pub fn width_unit(&mut self) -> Option<Value> {
        let asset = self.asset_of_spot()?;
        let cost = self.step.observe(Observed::UnitCost(self.instrument));
        let gamma = self.step.observe(Observed::Gamma(asset));
        let sold_at = self.step.observe(Observed::SpotAtSale(asset));
        let graph = &mut self.step.graph;
        let square = graph.multiply(gamma, gamma);
        let priced = graph.multiply(cost, square);
        let cube = graph.multiply(priced, sold_at);
        let cube = graph.scaled(cube, 1.5 * 0.01);
        let third = graph.number(1.0 / 3.0);
        Some(graph.apply("Pow", &[cube, third], &[]))
    }

    fn years_left(&mut self) -> Value {
        let left = self.step.observe(Observed::TimeLeft);
        let period = self.step.graph.number(self.actor.period());
        self.step.graph.larger(left, period)
    }

    fn asset_of_spot(&self) -> Option<usize> {
        match self.step.names.traded[self.instrument] {
            Instrument::Spot(asset) => Some(asset),
            Instrument::Option(_) | Instrument::VarianceSwap(_) => None,
        }
    }

    /// The options that the instrument goes by.
    fn options(&self) -> Vec<usize> {
        let options = 0..self.actor.instruments();
        let own = Some(self.instrument);
        options
            .filter(|option| self.actor.spot_of(*option) == own)
            .collect()
    }
}
