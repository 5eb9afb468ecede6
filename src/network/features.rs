use crate::market::PathBlock;
use crate::simd::{BLOCK, Lane, Real};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the policy sees at a date, scaled to order one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// ln(S_t/K) / (σ√T)
    LogMoneyness,
    /// √v_t / σ
    Volatility,
    /// (T − t)/T; (T′ − t)/T, not below 0, of a contract that is one of several and expires at T′ ≤ T.
    TimeLeft,
    /// ln(S_t/S_{t−1}) / (σ√Δ), Δ the hedging period; 0 at the sale.
    LastReturn,
    /// √(Σ_{u≤t} ln²(S_u/S_{u−1}) / (tΔ)) / σ, the volatility since the sale; 0 at the sale.
    RealisedVolatility,
    /// ∂V/∂S_t, the benchmark's delta: Black–Scholes' or that of the contract's closed form, at the volatility that the model expects
    /// until expiry; that of hedged Monte Carlo where the contract has no delta in closed form.
    Delta,
    /// ∂²V/∂S_t² · S_t σ√T, the gamma of the contract's closed form.
    Gamma,
    /// V/u, what the benchmark says the contract is worth over the strategy's unit of money.
    Value,
    /// δ_{t−1}, the position held from the date before, one for every instrument; 0 at the sale.
    PreviousPosition,
}

impl Feature {
    /// What policies see where a strategy does not say otherwise.
    pub const USUAL: [Self; 3] = [Self::LogMoneyness, Self::Volatility, Self::TimeLeft];

    /// Whether every asset has one of its own.
    fn is_of_an_asset(self) -> bool {
        match self {
            Self::LogMoneyness
            | Self::Volatility
            | Self::LastReturn
            | Self::RealisedVolatility
            | Self::Delta
            | Self::Gamma => true,
            Self::TimeLeft | Self::Value | Self::PreviousPosition => false,
        }
    }

    /// Whether the path alone gives it.
    fn is_of_path(self) -> bool {
        !self.is_answer() && self != Self::PreviousPosition
    }

    /// Whether it is an answer of the benchmark.
    pub fn is_answer(self) -> bool {
        match self {
            Self::Delta | Self::Gamma | Self::Value => true,
            Self::LogMoneyness
            | Self::Volatility
            | Self::TimeLeft
            | Self::LastReturn
            | Self::RealisedVolatility
            | Self::PreviousPosition => false,
        }
    }
}

/// The features of a policy and the scales that make them dimensionless.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Features {
    /// What the network sees, in the order of its inputs.
    pub list: Vec<Feature>,
    /// Strike K in the spot's currency, where paths have no strikes of their own.
    pub strike: f64,
    /// Reference volatility σ, annualised.
    pub volatility: f64,
    /// Time to expiry T at the start, in years.
    pub expiry: f64,
    /// The assets after the first, whose features follow those of the list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<AssetScale>,
    /// The scales of the terms that paths draw from ranges, whose values follow those of the market.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<Standard>,
    /// The scales of the contract's running quantities, whose inputs follow.
    #[serde(default)]
    pub state: Vec<Standard>,
    /// The strategy's unit of money u, in currency, where the value of the contract is a feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<f64>,
    /// The number of instruments, whose positions from the date before are the last inputs where they are a feature.
    #[serde(default)]
    pub instruments: usize,
}

/// What makes the features of an asset after the first dimensionless: its moneyness is ln(S_t/S₀)/(σ√T).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AssetScale {
    /// The spot S₀ at the start, in currency.
    pub spot: f64,
    /// Reference volatility σ, annualised.
    pub volatility: f64,
}

/// The scale of a quantity x that a policy sees as (x − mean)/deviation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Standard {
    /// The mean.
    pub mean: f64,
    /// The standard deviation, above 0.
    pub deviation: f64,
}

impl Standard {
    /// The scale of equally likely values; a quantity that never changes has the deviation 1.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let deviation = variance.sqrt();
        Self {
            mean,
            deviation: if deviation > 0.0 { deviation } else { 1.0 },
        }
    }
}

impl Standard {
    /// (x − mean)/deviation
    #[inline(always)]
    fn write<R: Real>(&self, values: &Lane<R>, out: &mut Lane<R>) {
        let (mean, share) = (R::of(self.mean), R::of(1.0 / self.deviation));
        for lane in 0..BLOCK {
            out[lane] = (values[lane] - mean) * share;
        }
    }
}

impl Features {
    /// The number of inputs.
    pub fn inputs(&self) -> usize {
        self.seen() + self.fed()
    }

    /// The inputs that paths give; those that the network itself gave on the date before follow.
    pub(super) fn seen(&self) -> usize {
        self.market() + self.terms.len() + self.state.len()
    }

    /// The inputs that are positions held from the date before.
    fn fed(&self) -> usize {
        if self.feeds_back() {
            self.instruments
        } else {
            0
        }
    }

    /// Whether the positions held from the date before are inputs.
    pub fn feeds_back(&self) -> bool {
        self.list.contains(&Feature::PreviousPosition)
    }

    /// Whether an answer of the benchmark is an input, which paths then have to hold.
    pub fn ask_benchmark(&self) -> bool {
        self.list.iter().any(|feature| feature.is_answer())
    }

    /// The same without answers of the benchmark and positions, for who finds them. Where an answer is taken away, what the answer
    /// depends on is seen instead: the usual features.
    pub fn of_path(&self) -> Self {
        let listed = self.list.iter().copied();
        let mut list: Vec<Feature> = Vec::new();
        if self.ask_benchmark() || !listed.clone().any(Feature::is_of_path) {
            list.extend(Feature::USUAL);
        }
        for feature in listed.filter(|feature| feature.is_of_path()) {
            if !list.contains(&feature) {
                list.push(feature);
            }
        }
        Self {
            list,
            unit: None,
            ..self.clone()
        }
    }

    /// What is listed of paths, in the order of the inputs.
    fn listed(&self) -> impl Iterator<Item = Feature> + Clone {
        let fed = Feature::PreviousPosition;
        self.list.iter().copied().filter(move |one| *one != fed)
    }

    /// The inputs that the market and the benchmark give: those of the list, and for every further asset those of them that an asset
    /// has for itself.
    fn market(&self) -> usize {
        let own = self.listed().filter(|feature| feature.is_of_an_asset());
        self.listed().count() + self.further.len() * own.count()
    }

    /// The features of date `t`, one row for each input that paths give.
    pub fn at<R: Real>(&self, block: &PathBlock<'_, R>, t: usize, out: &mut Vec<Lane<f64>>) {
        let mut rows = vec![[R::ZERO; BLOCK]; self.seen()];
        self.write::<R, false>(block, t, &mut rows);
        out.clear();
        out.extend(rows.iter().map(|row| row.map(Real::into_f64)));
    }

    /// Writes the features of date `t` into `out`, one row for each input that paths give: those of the list, which are of the first
    /// asset where an asset has them for itself, then of every further asset its own, then the terms that the path drew, then the
    /// contract's running quantities.
    #[inline(always)]
    pub(super) fn write<R: Real, const FMA: bool>(
        &self,
        block: &PathBlock<'_, R>,
        t: usize,
        out: &mut [Lane<R>],
    ) {
        let (listed, rest) = out.split_at_mut(self.market());
        let (terms, state) = rest.split_at_mut(self.terms.len());
        let first = AssetScale {
            spot: self.strike,
            volatility: self.volatility,
        };
        let mut rows = listed.iter_mut();
        for (asset, scale) in std::iter::once(&first).chain(&self.further).enumerate() {
            let own = self.listed();
            let own = own.filter(|feature| asset == 0 || feature.is_of_an_asset());
            for (feature, out) in own.zip(&mut rows) {
                self.write_one::<R, FMA>(feature, (asset, scale), block, t, out);
            }
        }
        if let Some(drawn) = block.drawn() {
            for ((standard, value), out) in self.terms.iter().zip(drawn.values).zip(terms) {
                standard.write(value, out);
            }
        }
        for (accumulator, (standard, out)) in self.state.iter().zip(state).enumerate() {
            standard.write(&block.state(accumulator)[t], out);
        }
    }

    /// Writes one feature of one asset.
    #[inline(always)]
    fn write_one<R: Real, const FMA: bool>(
        &self,
        feature: Feature,
        (asset, scale): (usize, &AssetScale),
        block: &PathBlock<'_, R>,
        t: usize,
        out: &mut Lane<R>,
    ) {
        let (spots, steps) = (block.spot_of(asset), block.steps());
        match feature {
            Feature::LogMoneyness => {
                let inverse = R::of(1.0 / scale.spot);
                let share = R::of(1.0 / (scale.volatility * self.expiry.sqrt()));
                match block.drawn().filter(|_| asset == 0) {
                    None => {
                        for lane in 0..BLOCK {
                            out[lane] = (spots[t][lane] * inverse).ln::<FMA>() * share;
                        }
                    }
                    Some(drawn) => {
                        for lane in 0..BLOCK {
                            let moneyness = spots[t][lane] / drawn.strike[lane];
                            out[lane] = moneyness.ln::<FMA>() * share;
                        }
                    }
                }
            }
            Feature::Volatility => {
                let variance = &block.variance_of(asset)[t];
                let share = R::of(1.0 / scale.volatility);
                for lane in 0..BLOCK {
                    out[lane] = variance[lane].sqrt() * share;
                }
            }
            Feature::TimeLeft => match block.drawn() {
                None => *out = [R::of((steps - t) as f64 / steps as f64); BLOCK],
                Some(drawn) => {
                    let (t, share) = (R::of(t as f64), R::of(1.0 / steps as f64));
                    for lane in 0..BLOCK {
                        out[lane] = (drawn.life[lane] - t).greater(R::ZERO) * share;
                    }
                }
            },
            Feature::LastReturn => {
                let period = self.expiry / steps as f64;
                let share = R::of(1.0 / (scale.volatility * period.sqrt()));
                let log_return = log_return::<R, FMA>(spots, t);
                for lane in 0..BLOCK {
                    out[lane] = log_return[lane] * share;
                }
            }
            Feature::RealisedVolatility => {
                let mut sum = [R::ZERO; BLOCK];
                for u in 1..=t {
                    let log_return = log_return::<R, FMA>(spots, u);
                    for lane in 0..BLOCK {
                        sum[lane] += log_return[lane] * log_return[lane];
                    }
                }
                let years = self.expiry * t.max(1) as f64 / steps as f64;
                let share = R::of(1.0 / (scale.volatility * years.sqrt()));
                for lane in 0..BLOCK {
                    out[lane] = sum[lane].sqrt() * share;
                }
            }
            Feature::Delta => *out = block.benchmark().delta(asset)[t],
            Feature::Gamma => {
                let gamma = &block.benchmark().gamma(asset)[t];
                let share = R::of(scale.volatility * self.expiry.sqrt());
                for lane in 0..BLOCK {
                    out[lane] = gamma[lane] * spots[t][lane] * share;
                }
            }
            Feature::Value => {
                let value = &block.benchmark().value()[t];
                let unit = self.unit.expect("the value is seen in a unit");
                let share = R::of(1.0 / unit);
                for lane in 0..BLOCK {
                    out[lane] = value[lane] * share;
                }
            }
            Feature::PreviousPosition => unreachable!("the network feeds it"),
        }
    }
}

/// ln(S_t/S_{t−1}); 0 at the sale.
#[inline(always)]
fn log_return<R: Real, const FMA: bool>(spot: &[Lane<R>], t: usize) -> Lane<R> {
    let mut log_return = [R::ZERO; BLOCK];
    if t > 0 {
        for lane in 0..BLOCK {
            log_return[lane] = (spot[t][lane] / spot[t - 1][lane]).ln::<FMA>();
        }
    }
    log_return
}
