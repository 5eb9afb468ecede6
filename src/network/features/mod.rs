//! What a policy sees of a date.

mod feature;
mod graph;
mod scale;
mod write;

pub use feature::Feature;
pub use scale::{AssetScale, Standard};

use crate::market::{PathBlock, Paths};
use crate::simd::{BLOCK, Lane, Real};
use serde::{Deserialize, Serialize};

/// The features of a policy and the scales that make them dimensionless.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// The length of a hedging period in years.
    #[serde(default)]
    pub period: f64,
    /// The average of the rate less the dividend yield over the contract's life, by which forwards are seen.
    #[serde(default)]
    pub carry: f64,
    /// The scales of all inputs that paths give, which are seen as (x − mean)/deviation; none where they are seen as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub standards: Vec<Standard>,
    /// The bound b of all inputs that paths give, which are seen within ±b; none where they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// The number of instruments, whose positions from the date before are the last inputs where they are a feature.
    #[serde(default)]
    pub instruments: usize,
}

impl Features {
    /// The number of inputs.
    pub fn inputs(&self) -> usize {
        self.seen() + self.fed()
    }

    /// The inputs that paths give; those that the network itself gave on the date before follow.
    pub(in crate::network) fn seen(&self) -> usize {
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

    /// Whether the state of an option among the instruments is seen, which paths then have to hold.
    pub fn ask_options(&self) -> bool {
        self.list.iter().any(|feature| feature.needs_option())
    }

    /// The first feature that is a factor of the day's surface, which paths then have to hold.
    pub fn of_surface(&self) -> Option<Feature> {
        let mut list = self.list.iter().copied();
        list.find(|feature| feature.surface_factor().is_some())
    }

    /// The same as they are, without scales of all inputs and a bound.
    #[must_use]
    pub fn unscaled(&self) -> Self {
        Self {
            standards: Vec::new(),
            bound: None,
            ..self.clone()
        }
    }

    /// The scales of all inputs that paths give over every hedging date of `paths`, which are the own ones of a rank.
    pub fn standards_on<R: Real>(&self, paths: &Paths<R>) -> Vec<Standard> {
        let plain = self.unscaled();
        let mut values = vec![Vec::new(); self.seen()];
        let mut rows = Vec::new();
        for index in paths.own() {
            let (block, active) = (paths.block(index), paths.active(index));
            for t in 0..paths.steps() {
                plain.at(&block, t, &mut rows);
                for (values, row) in values.iter_mut().zip(&rows) {
                    values.extend_from_slice(&row[..active]);
                }
            }
        }
        values.iter().map(|values| Standard::of(values)).collect()
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
            ..self.unscaled()
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
}
