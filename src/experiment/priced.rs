//! A contract's price by the model, by simulation and by indifference, and its sensitivities.

use super::policies::{SavedPolicy, indifference_prices};
use super::simulated_price::SimulatedPrice;
use crate::error::Result;
use crate::market::model::PriceMethod;
use crate::market::valuation::{AssetSensitivities, ContractPrice, sensitivities};
use crate::numbers::with_error;
use crate::pricing::Greeks;
use crate::report::facts::price_text;
use crate::risk::Estimate;
use crate::strategy::Plan;
use crate::strategy::memory::check_memory;
use serde_json::{Value, json};

/// Prices of the contract of a plan.
pub struct Priced {
    /// The model's price.
    pub model: ContractPrice,
    /// The price on simulated paths.
    pub simulated: SimulatedPrice,
    /// Whether the two agree but for sampling.
    pub agree: bool,
    /// The sensitivities of the price.
    pub sensitivities: ContractSensitivities,
    /// The premium at which each hedge is worth as much as doing nothing, with the seed of a trained one.
    pub indifference: Vec<(String, Option<u64>, Estimate)>,
    /// What must be known of the prices.
    pub warnings: Vec<String>,
}

/// The sensitivities of a contract.
pub enum ContractSensitivities {
    /// None, of so many contracts whose terms lie in ranges.
    Family(usize),
    /// None, since paths that are given do not say what prices would be at another spot.
    GivenPaths,
    /// Those of calls and puts, in closed form.
    Formula(Greeks),
    /// Those in every asset, by its name, with their standard errors.
    Estimated(Vec<(String, AssetSensitivities)>),
}

impl Priced {
    /// The prices of the contract of `plan`; by indifference under `policies` and the plan's classical hedges.
    ///
    /// # Errors
    /// [`crate::Error::Input`] if it needs more than half of the memory at hand; those of [`indifference_prices`]; that of `stop`, which is
    /// asked again and again.
    pub fn new(
        plan: &Plan,
        policies: &[SavedPolicy],
        stop: impl Fn() -> Result<()>,
    ) -> Result<Self> {
        check_memory(
            plan.measuring_memory(policies.len()),
            "fewer `evaluation.paths` or `contract.steps` need less",
        )?;
        let simulated = SimulatedPrice::new(plan, &stop)?;
        let model = plan.model_price(&mut || stop())?;
        let agree = simulated.agrees(&model, plan.market.spot);
        let mut warnings = Vec::new();
        // A surface has a premium over what its paths realise.
        if !agree && !plan.market.model.has_surface() {
            let Estimate {
                value,
                standard_error,
            } = simulated.estimate;
            warnings.push(format!(
                "the model's price is {} and on {} paths {}, more apart than sampling explains",
                price_text(&model),
                simulated.paths,
                with_error(value, standard_error)
            ));
        }
        let sensitivities = ContractSensitivities::new(plan, &stop)?;
        plan.make_quotes(&mut || stop())?;
        Ok(Self {
            indifference: indifference_prices(plan, policies, &stop)?,
            model,
            simulated,
            agree,
            sensitivities,
            warnings,
        })
    }

    /// All of it as a document.
    pub fn document(&self) -> Value {
        let method: PriceMethod = self.model.method;
        let rows: Vec<Value> = self
            .indifference
            .iter()
            .map(|(strategy, seed, price)| {
                json!({
                    "strategy": strategy,
                    "seed": seed,
                    "value": price.value,
                    "standard_error": price.standard_error,
                })
            })
            .collect();
        let simulated = &self.simulated;
        json!({
            "model_price": self.model.value,
            "model_price_standard_error": self.model.standard_error,
            "model_price_method": method,
            "greeks": self.sensitivities.document(),
            "simulated": {
                "value": simulated.estimate.value,
                "standard_error": simulated.estimate.standard_error,
                "paths": simulated.paths,
            },
            "prices_agree": self.agree,
            "indifference": rows,
        })
    }
}

impl ContractSensitivities {
    fn new(plan: &Plan, stop: &impl Fn() -> Result<()>) -> Result<Self> {
        let (assets, contract) = (plan.assets(), &plan.contract);
        if let Some(family) = contract.family() {
            return Ok(Self::Family(family.members().len()));
        }
        if plan.market.model.given().is_some() {
            return Ok(Self::GivenPaths);
        }
        if let Some(legs) = contract.legs() {
            return Ok(Self::Formula(assets.first().greeks(legs, contract.expiry)));
        }
        let of = sensitivities(&assets, contract, &mut || stop())?;
        let names = assets.list().iter().map(|asset| asset.name.clone());
        Ok(Self::Estimated(names.zip(of).collect()))
    }

    fn document(&self) -> Value {
        let all = match self {
            Self::Family(_) | Self::GivenPaths => return Value::Null,
            Self::Formula(greeks) => return json!(greeks),
            Self::Estimated(all) => all,
        };
        let value = |one: &AssetSensitivities| {
            json!({
                "delta": one.delta.value,
                "gamma": one.gamma.value,
                "vega": one.vega.map(|vega| vega.value),
                "standard_errors": {
                    "delta": one.delta.standard_error,
                    "gamma": one.gamma.standard_error,
                    "vega": one.vega.map(|vega| vega.standard_error),
                },
            })
        };
        let named = |(name, one): &(String, AssetSensitivities)| {
            let mut document = value(one);
            document["asset"] = name.as_str().into();
            document
        };
        match all.as_slice() {
            [(_, alone)] => value(alone),
            [first, further @ ..] => {
                let mut document = value(&first.1);
                document["further_assets"] = further.iter().map(named).collect();
                document["asset"] = first.0.as_str().into();
                document
            }
            [] => Value::Null,
        }
    }
}
