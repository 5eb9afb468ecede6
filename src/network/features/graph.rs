//! What a policy sees of a date, as nodes of a graph.

use super::write::{FARTHEST, FLOOR, LEAST_VEGA};
use super::{AssetScale, Feature, Features, Standard};
use crate::network::step::{Observed, PolicyStep};
use crate::onnx::{Element, Value};

impl Features {
    /// The inputs of the network at a date, `[batch, inputs]`, from what is observed and carried: the graph of what
    /// [`Features::write`] writes, with the positions held after it where they are a feature.
    pub(in crate::network) fn describe(&self, step: &mut PolicyStep) -> Value {
        let first = AssetScale {
            spot: self.strike,
            volatility: self.volatility,
        };
        let mut seen = Vec::new();
        for (asset, scale) in std::iter::once(&first).chain(&self.further).enumerate() {
            let own = self.listed();
            let own = own.filter(|feature| asset == 0 || feature.is_of_an_asset());
            for feature in own {
                seen.push(self.describe_one(feature, (asset, scale), step));
            }
        }
        for (range, standard) in self.terms.iter().enumerate() {
            let term = step.observe(Observed::Term(range));
            seen.push(standard.describe(term, step));
        }
        for (number, standard) in self.state.iter().enumerate() {
            let running = step.observe(Observed::Running(number));
            seen.push(standard.describe(running, step));
        }
        for (standard, value) in self.standards.iter().zip(&mut seen) {
            *value = standard.describe(*value, step);
        }
        if let Some(bound) = self.bound {
            let graph = step.graph();
            let (low, high) = (graph.number(-bound), graph.number(bound));
            for value in &mut seen {
                *value = graph.within(*value, low, high);
            }
        }
        if self.feeds_back() {
            seen.push(step.held());
        }
        step.graph().beside(&seen)
    }

    fn describe_one(
        &self,
        feature: Feature,
        (asset, scale): (usize, &AssetScale),
        step: &mut PolicyStep,
    ) -> Value {
        match feature {
            Feature::LogMoneyness => {
                let share = 1.0 / (scale.volatility * self.expiry.sqrt());
                let moneyness = self.moneyness((asset, scale), step);
                let graph = step.graph();
                let log = graph.ln(moneyness);
                graph.scaled(log, share)
            }
            Feature::Volatility => {
                let variance = step.observe(Observed::Variance(asset));
                let graph = step.graph();
                let volatility = graph.sqrt(variance);
                graph.scaled(volatility, 1.0 / scale.volatility)
            }
            Feature::TimeLeft => {
                let left = step.observe(Observed::TimeLeft);
                let graph = step.graph();
                let none = graph.number(0.0);
                let left = graph.larger(left, none);
                graph.scaled(left, 1.0 / self.expiry)
            }
            Feature::LastReturn => {
                let share = 1.0 / (scale.volatility * self.period.sqrt());
                let log_return = log_return(asset, step);
                step.graph().scaled(log_return, share)
            }
            Feature::RealisedVolatility => {
                let (squares, periods) = squared_returns(asset, self.period, step);
                let graph = step.graph();
                let variance = graph.divide(squares, periods);
                let volatility = graph.sqrt(variance);
                graph.scaled(volatility, 1.0 / scale.volatility)
            }
            Feature::Delta => step.observe(Observed::Delta(asset)),
            Feature::Gamma => {
                let gamma = step.observe(Observed::Gamma(asset));
                let spot = step.observe(Observed::Spot(asset));
                let graph = step.graph();
                let moved = graph.multiply(gamma, spot);
                graph.scaled(moved, scale.volatility * self.expiry.sqrt())
            }
            Feature::Value => {
                let unit = self.unit.expect("the value is seen in a unit");
                let value = step.observe(Observed::Value);
                step.graph().scaled(value, 1.0 / unit)
            }
            Feature::SmileMoneyness => {
                let moneyness = self.moneyness((asset, scale), step);
                let left = self.years_left(step);
                let volatility = step.observe(Observed::Volatility);
                let graph = step.graph();
                let log = graph.ln(moneyness);
                let carried = graph.scaled(left, self.carry);
                let forward = graph.add(log, carried);
                let least = graph.number(FLOOR);
                let volatility = graph.larger(volatility, least);
                let root = graph.sqrt(left);
                let deviation = graph.multiply(volatility, root);
                let distance = graph.divide(forward, deviation);
                let (low, high) = (graph.number(-FARTHEST), graph.number(FARTHEST));
                graph.within(distance, low, high)
            }
            Feature::LogTimeLeft => {
                let left = self.years_left(step);
                let graph = step.graph();
                let months = graph.scaled(left, 12.0);
                graph.ln(months)
            }
            Feature::LogVolatility => {
                let volatility = step.observe(Observed::Volatility);
                log_volatility(volatility, step)
            }
            Feature::LogOneMonth => {
                let variance = step.observe(Observed::Variance(asset));
                let volatility = step.graph().sqrt(variance);
                log_volatility(volatility, step)
            }
            Feature::VegaRatio => {
                let option = step.first_option();
                let theirs = step.observe(Observed::OptionVega(option));
                let vega = step.observe(Observed::Vega);
                let graph = step.graph();
                let least = graph.number(LEAST_VEGA);
                let theirs = graph.larger(theirs, least);
                let ratio = graph.divide(vega, theirs);
                let (low, high) = (graph.number(-FARTHEST), graph.number(FARTHEST));
                graph.within(ratio, low, high)
            }
            Feature::SurfaceLevel
            | Feature::SurfaceSlope
            | Feature::SurfaceMoneyness
            | Feature::SurfaceSmile
            | Feature::SurfaceSmirk => {
                let factor = feature.surface_factor().expect("it is a factor");
                step.observe(Observed::Surface(factor))
            }
            Feature::PreviousPosition => unreachable!("it follows what paths give"),
        }
    }

    /// S_t/K, the first asset's strike being the contract's own where contracts have one.
    fn moneyness(&self, (asset, scale): (usize, &AssetScale), step: &mut PolicyStep) -> Value {
        let spot = step.observe(Observed::Spot(asset));
        if asset > 0 || self.terms.is_empty() {
            return step.graph().scaled(spot, 1.0 / scale.spot);
        }
        let strike = step.observe(Observed::Strike);
        step.graph().divide(spot, strike)
    }

    /// The years to expiry, at least a period.
    fn years_left(&self, step: &mut PolicyStep) -> Value {
        let left = step.observe(Observed::TimeLeft);
        let period = step.graph().number(self.period);
        step.graph().larger(left, period)
    }
}

impl Standard {
    /// (x − mean)/deviation
    fn describe(&self, x: Value, step: &mut PolicyStep) -> Value {
        let centred = step.graph().shifted(x, -self.mean);
        step.graph().scaled(centred, 1.0 / self.deviation)
    }
}

/// ln(σ/0.2) of volatilities that are at least [`FLOOR`].
fn log_volatility(volatility: Value, step: &mut PolicyStep) -> Value {
    let graph = step.graph();
    let least = graph.number(FLOOR);
    let volatility = graph.larger(volatility, least);
    let share = graph.scaled(volatility, 5.0);
    graph.ln(share)
}

/// ln(S_t/S_{t−1}); 0 at the sale, before which the spot that is carried is 0.
fn log_return(asset: usize, step: &mut PolicyStep) -> Value {
    let name = Observed::Spot(asset).name(step.names());
    let name = format!("last_{name}");
    let spot = step.observe(Observed::Spot(asset));
    let description = "spot of the date before, 0 at the sale, in currency";
    let last = step.carry(&name, Element::Double, &[1.into()], description);
    step.carry_on(&name, spot);
    let graph = step.graph();
    let none = graph.number(0.0);
    let before = graph.where_above((last, none), last, spot);
    let growth = graph.divide(spot, before);
    graph.ln(growth)
}

/// Σ_{u≤t} ln²(S_u/S_{u−1}), and the years since the sale, at least a period.
fn squared_returns(asset: usize, period: f64, step: &mut PolicyStep) -> (Value, Value) {
    let spot = Observed::Spot(asset).name(step.names());
    let sum = format!("squared_returns_of_{spot}");
    let log_return = log_return(asset, step);
    let description = "sum of the squared log returns since the sale";
    let before = step.carry(&sum, Element::Double, &[1.into()], description);
    let graph = step.graph();
    let square = graph.multiply(log_return, log_return);
    let squares = graph.add(before, square);
    step.carry_on(&sum, squares);
    const DATES: &str = "dates_before";
    let description = "hedging dates since the sale";
    let dates = step.carry(DATES, Element::Double, &[1.into()], description);
    let graph = step.graph();
    let next = graph.shifted(dates, 1.0);
    let one = graph.number(1.0);
    let periods = graph.larger(dates, one);
    let years = graph.scaled(periods, period);
    step.carry_on(DATES, next);
    (squares, years)
}
