use crate::contract::{Charge, Cost, Instrument};
use crate::market::PathBlock;
use crate::pricing::SurfaceFactors;
use crate::simd::{BLOCK, Lane};

/// What is known of the market or the contract at a date, in natural units. Places of assets, instruments, ranges and running quantities
/// count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// The spot of an asset.
    Spot(usize),
    /// The spot of an asset on the day of the sale.
    SpotAtSale(usize),
    /// The annualised variance of an asset.
    Variance(usize),
    /// The years to expiry.
    TimeLeft,
    /// The strike of the contract, where contracts have strikes of their own.
    Strike,
    /// A term of the contract that is drawn from a range.
    Term(usize),
    /// A running quantity of the contract.
    Running(usize),
    /// A factor of the day's implied-volatility surface.
    Surface(usize),
    /// The price of an instrument.
    Price(usize),
    /// The delta of an option among the instruments.
    OptionDelta(usize),
    /// The vega of an option among the instruments.
    OptionVega(usize),
    /// What the first unit of a trade in an instrument costs.
    UnitCost(usize),
    /// The position of the benchmark hedge in an instrument.
    Benchmark(usize),
    /// What the benchmark says the contract is worth.
    Value,
    /// The volatility of the contract by the benchmark.
    Volatility,
    /// The vega of the contract by the benchmark.
    Vega,
    /// The delta of the contract in an asset by the benchmark.
    Delta(usize),
    /// The gamma of the contract in an asset by the benchmark.
    Gamma(usize),
}

/// What assets, instruments and the terms of a contract are called.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Names {
    /// The assets; the first one has no name in inputs.
    pub assets: Vec<String>,
    /// The instruments.
    pub instruments: Vec<String>,
    /// What the instruments are.
    pub traded: Vec<Instrument>,
    /// The keys of ranges.
    pub terms: Vec<String>,
    /// The running quantities, as people read them.
    pub running: Vec<String>,
    /// The hedge whose positions an action departs from.
    pub benchmark: Option<String>,
}

/// What a block of paths does not say by itself.
#[derive(Debug, Clone, Copy)]
pub struct ReadBy<'a> {
    /// The length of a period in years.
    pub period: f64,
    /// What trading each instrument costs.
    pub charges: &'a [Charge],
}

impl Observed {
    /// The name of the input.
    pub fn name(self, names: &Names) -> String {
        let of_asset = |what: &str, asset: usize| match asset {
            0 => what.to_owned(),
            _ => format!("{what}_{}", names.assets[asset]),
        };
        let of_instrument = |what: &str, one: usize| format!("{what}_{}", names.instruments[one]);
        match self {
            Self::Spot(asset) => of_asset("spot", asset),
            Self::SpotAtSale(asset) => of_asset("spot_at_sale", asset),
            Self::Variance(asset) => of_asset("variance", asset),
            Self::TimeLeft => "time_left".into(),
            Self::Strike => "strike".into(),
            Self::Term(range) => names.terms[range].replace('.', "_"),
            Self::Running(number) => format!("running_{}", number + 1),
            Self::Surface(factor) => format!("surface_{}", SurfaceFactors::NAMES[factor]),
            Self::Price(one) => of_instrument("price", one),
            Self::OptionDelta(one) => of_instrument("option_delta", one),
            Self::OptionVega(one) => of_instrument("option_vega", one),
            Self::UnitCost(one) => of_instrument("unit_cost", one),
            Self::Benchmark(one) => of_instrument("benchmark", one),
            Self::Value => "value".into(),
            Self::Volatility => "volatility".into(),
            Self::Vega => "vega".into(),
            Self::Delta(asset) => of_asset("delta", asset),
            Self::Gamma(asset) => of_asset("gamma", asset),
        }
    }

    /// What it is and in which unit, for people.
    pub fn description(self, names: &Names) -> String {
        let benchmark = || names.benchmark.as_deref().unwrap_or("the benchmark");
        match self {
            Self::Spot(_) => "spot, in currency".into(),
            Self::SpotAtSale(_) => "spot on the day of the sale, in currency".into(),
            Self::Variance(_) => "variance of the spot, annualised".into(),
            Self::TimeLeft => "years to expiry".into(),
            Self::Strike => "strike of the contract, in currency".into(),
            Self::Term(range) => format!("{} of the contract, as the strategy has it", names.terms[range]),
            Self::Running(number) => format!("{} so far", names.running[number]),
            Self::Surface(_) => "factor of the day's implied-volatility surface".into(),
            Self::Price(_) => "price of a unit, in currency".into(),
            Self::OptionDelta(_) => "delta of the option, in shares".into(),
            Self::OptionVega(_) => "vega of the option, in currency for a volatility of 1".into(),
            Self::UnitCost(_) => "what the first unit of a trade costs, in currency".into(),
            Self::Benchmark(_) => format!("units that {} holds from this date", benchmark()),
            Self::Value => "value of the contract by its closed form or the regression that stands for one, in currency".into(),
            Self::Volatility => "volatility of the contract on the day's surface, or that the model expects until expiry, annualised".into(),
            Self::Vega => "vega of the contract, in currency for a volatility of 1".into(),
            Self::Delta(_) => "delta of the contract by its closed form or the regression that stands for one, in shares".into(),
            Self::Gamma(_) => "gamma of the contract by its closed form, in shares per currency".into(),
        }
    }

    /// What it is on date `t` of a block of paths.
    ///
    /// # Panics
    /// If the paths do not hold it.
    pub fn read(self, block: &PathBlock<'_, f64>, t: usize, by: &ReadBy<'_>) -> Lane<f64> {
        let held = "the paths hold what the policy sees";
        match self {
            Self::Spot(asset) => block.spot_of(asset)[t],
            Self::SpotAtSale(asset) => block.spot_of(asset)[0],
            Self::Variance(asset) => block.variance_of(asset)[t],
            Self::TimeLeft => {
                let life = block
                    .drawn()
                    .map_or([block.steps() as f64; BLOCK], |drawn| *drawn.life);
                life.map(|life| (life - t as f64).max(0.0) * by.period)
            }
            Self::Strike => *block.drawn().expect(held).strike,
            Self::Term(range) => block.drawn().expect(held).values[range],
            Self::Running(number) => block.state(number)[t],
            Self::Surface(factor) => block.surface().expect(held).factor(factor)[t],
            Self::Price(one) => block.price(one)[t],
            Self::OptionDelta(one) => block.option_deltas(one).expect(held)[t],
            Self::OptionVega(one) => block.option_vegas(one).expect(held)[t],
            Self::UnitCost(one) => {
                let quoted = block.quoted(one);
                std::array::from_fn(|lane| by.charges[one].of_unit(&quoted.at::<Charge>(t, lane)))
            }
            // Nothing is held from the date of expiry.
            Self::Benchmark(_) if t == block.steps() => [0.0; BLOCK],
            Self::Benchmark(one) => {
                block.benchmark_positions()[t * block.instruments().len() + one]
            }
            Self::Value => block.benchmark().value()[t],
            Self::Volatility => block.benchmark().volatility()[t],
            Self::Vega => block.benchmark().vega()[t],
            Self::Delta(asset) => block.benchmark().delta(asset)[t],
            Self::Gamma(asset) => block.benchmark().gamma(asset)[t],
        }
    }
}
