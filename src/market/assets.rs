use super::correlation::Correlation;
use super::spot_market::Market;
use crate::contract::{Contract, Formula, Instrument};
use crate::error::{Error, Result};
use serde::Serialize;

/// A market with a name, by which instruments and files of prices say what they are of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Asset {
    /// The name, as the strategy has it.
    pub name: String,
    /// The dynamics of the asset, its spot, its dividend yield and the rate that all assets share.
    pub market: Market,
}

/// One or more assets whose spots move together, with the correlation matrix of the Brownian motions that move them.
///
/// What moves a variance is correlated with the spot of its own asset, as the model says, and with other assets through that
/// spot alone; jumps are independent between assets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assets {
    list: Vec<Asset>,
    correlation: Correlation,
}

impl Assets {
    /// Assets and the correlation of their spots, in the same order.
    ///
    /// # Errors
    /// [`Error::Setting`] at [`Correlation::KEY`] if the matrix has not a row for every asset, or at `market.assets` if there is
    /// no asset.
    ///
    /// # Panics
    /// If the assets have different rates.
    pub fn new(list: Vec<Asset>, correlation: Correlation) -> Result<Self> {
        let Some(first) = list.first() else {
            return Err(Error::key("market.assets", "must name an asset or more"));
        };
        let rate = &first.market.rate;
        assert!(
            list.iter().all(|asset| asset.market.rate == *rate),
            "all assets have one rate"
        );
        if correlation.count() != list.len() {
            return Err(Error::key(
                Correlation::KEY,
                format!(
                    "has {} rows, and there are {} assets",
                    correlation.count(),
                    list.len()
                ),
            ));
        }
        Ok(Self { list, correlation })
    }

    /// The assets, in their order.
    pub fn list(&self) -> &[Asset] {
        &self.list
    }

    /// How many they are.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// The market of the first asset, which instruments and contracts without a name mean.
    pub fn first(&self) -> &Market {
        &self.list[0].market
    }

    /// The market of an asset.
    pub fn market(&self, asset: usize) -> &Market {
        &self.list[asset].market
    }

    /// The same with another market of an asset.
    ///
    /// # Panics
    /// If its rate is another one.
    #[must_use]
    pub fn with_market(&self, asset: usize, market: Market) -> Self {
        assert_eq!(market.rate, self.first().rate);
        let mut assets = self.clone();
        assets.list[asset].market = market;
        assets
    }

    /// What people call an instrument in this market; it names the asset where there are several.
    pub fn label(&self, instrument: Instrument) -> String {
        let name = self.list[instrument.asset()].name.as_str();
        instrument.label((self.count() > 1).then_some(name))
    }

    /// What a column of an instrument's prices or positions is called: its label in words that [`Self::label`] joins, with
    /// underscores.
    pub fn column(&self, instrument: Instrument) -> String {
        self.label(instrument)
            .replace(", ", "_")
            .replace([' ', ':'], "_")
    }

    /// The closed form of a contract; none if it has none that is right under the rates and yields of these assets.
    pub fn formula<'a>(&self, contract: &'a Contract) -> Option<&'a dyn Formula> {
        let formula = contract.formula()?;
        let mut assets = self.list.iter().take(formula.assets());
        let even = |asset: &Asset| asset.market.has_constant_carry();
        (!formula.needs_constant_carry() || assets.all(even)).then_some(formula)
    }

    /// ∫ (r − q) from the sale to every date of `steps` periods of `dt` years, for each asset.
    pub fn carried(&self, steps: usize, dt: f64) -> Vec<Vec<f64>> {
        let until = |market: &Market, t: usize| {
            let time = dt * t as f64;
            market.carry(0.0, time) * time
        };
        let list = self.list.iter();
        list.map(|asset| (0..=steps).map(|t| until(&asset.market, t)).collect())
            .collect()
    }

    /// The same where the first asset begins at another variance.
    #[must_use]
    pub fn from_variance(&self, variance: f64) -> Self {
        let first = self.first();
        let market = Market {
            model: first.model.at_variance(variance),
            ..first.clone()
        };
        self.with_market(0, market)
    }

    /// The correlation of their spots.
    pub fn correlation(&self) -> &Correlation {
        &self.correlation
    }

    /// The number of equal steps of the schemes in each of `steps` periods of `dt` years, which all assets share: the model that
    /// needs the shortest decides.
    pub fn substeps(&self, dt: f64, steps: usize) -> usize {
        let longest = |asset: &Asset| asset.market.model.longest_step(dt * steps as f64);
        let shortest = self.list.iter().map(longest).fold(f64::INFINITY, f64::min);
        // Rounding of the year fraction makes no further step.
        ((dt / shortest * (1.0 - 1e-9)).ceil() as usize).max(1)
    }
}

impl From<Market> for Assets {
    /// One asset, called "spot".
    fn from(market: Market) -> Self {
        Self {
            list: vec![Asset {
                name: "spot".into(),
                market,
            }],
            correlation: Correlation::independent(1),
        }
    }
}
