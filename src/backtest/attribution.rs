//! Where the P&L of a hedged contract comes from.

use serde::Serialize;

/// The P&L of one sold and hedged contract, in parts that add up to it.
///
/// Over a period from t to t + 1 the contract sold loses V_{t+1} − V_t, what it pays at t + 1 counted to V_{t+1}, which Taylor's
/// formula in the model splits into Σ_i Δ_i dS_i + ½ Σ_i Γ_i dS_i² + Θ dt + ∂V/∂v dv over the assets i and a rest; the positions δ_i
/// gain δ_i dS_i. Where options hedge, V_t and its derivatives are those of the contract less the options held over the period. In
/// money of the expiry, with B_t = e^{∫ r} from t to T and q_it =
/// ∫ q_i over period t:
///
/// ```text
/// premium      (premium − V_0) B_0, V_0 of the contract alone
/// delta        Σ_t Σ_i (δ_i − Δ_i) dS_i B_{t+1}
/// gamma        −Σ_t Σ_i ½ Γ_i dS_i² B_{t+1}
/// theta        −Σ_t Θ dt B_{t+1}
/// vega         −Σ_t ∂V/∂v dv B_{t+1}
/// financing    Σ_t (Σ_i δ_i S_i − V)(B_{t+1} − B_t) + Σ_i δ_i S_{i,t+1} (e^{q_it} − 1) B_{t+1}
///              and what the spreads and fees of a ledger's financing earn beyond that
/// costs        −costs
/// unexplained  −Σ_t (rest) B_{t+1}
/// ```
///
/// On implied-volatility surfaces, in place of vega, with the volatility σ_l of leg l at its own strike and expiry, vega_l = ∂V/∂σ_l, and the
/// factors β of the surface:
///
/// ```text
/// level        −Σ_t Σ_l vega_l ∂σ_l/∂β₁ dβ₁ B_{t+1}
/// slope        −Σ_t Σ_l vega_l ∂σ_l/∂β₂ dβ₂ B_{t+1}
/// skew         −Σ_t Σ_l vega_l (Σ_{i>2} ∂σ_l/∂βᵢ dβᵢ + dσ_l by the move of the spot along the surface of day t) B_{t+1}
/// ```
///
/// Δ and Γ are those of Black and Scholes at σ_l, and Θ dt has what σ_l changes by as the expiry comes nearer on the surface of day t.
///
/// A sum of calls and puts has the model's prices and sensitivities. Any other contract with a closed form in a lognormal market
/// has those of the form, at the volatilities that the models expect until expiry, for as long as it goes on: Θ dt is what it gains if
/// spots and variances stay for a period, ∂V/∂v dv what it gains if the variances alone move, and the products dS_i dS_j of different
/// assets are in the rest. After its end V and positions are 0.
///
/// Near a kink with next to no variance left the formula explains nothing: where a term of gamma or ∂V/∂v is greater than
/// the greatest spot, or infinite, the terms of gamma, theta and ∂V/∂v count as zero and the whole of them is unexplained.
///
/// A contract without such a price on every date has four parts: payments, its premium less what it paid; hedge, what all positions
/// earned, financed at the rate; financing, what spreads and fees earned beyond that; and costs. The others are zero.
///
/// The part delta is the P&L of holding something else than the model's delta: a view on the spots, taken knowingly or
/// not. `drift` is that part of it which the drifts μ_i explain, Σ_t Σ_i (δ_i − Δ_i) S_i (e^{μ_i dt} − 1) B_{t+1}; it is
/// contained in delta and adds to nothing.
///
/// # Units
/// Currency at expiry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Attribution {
    /// The premium less the model's price at the sale.
    pub premium: f64,
    /// What positions other than the model's delta earned.
    pub delta: f64,
    /// What the curvature of the price cost.
    pub gamma: f64,
    /// What the passing of time earned.
    pub theta: f64,
    /// What changes of the variance earned.
    pub vega: f64,
    /// What changes of the level of implied volatilities earned, on surfaces.
    pub level: f64,
    /// What changes of the slope of their term structure earned.
    pub slope: f64,
    /// What changes of the skew earned, and strikes that move along it.
    pub skew: f64,
    /// Interest, dividends, spreads and fees of the hedge.
    pub financing: f64,
    /// The costs of all trades, negative.
    pub costs: f64,
    /// The premium less what the contract paid, where it has no price on every date.
    pub payments: f64,
    /// What positions earned, where the contract has no price on every date.
    pub hedge: f64,
    /// What is left.
    pub unexplained: f64,
    /// The share of delta that the drift of the returns before the sales explains.
    pub drift: f64,
}

impl Attribution {
    /// The names and values of the parts that add up.
    pub fn parts(&self) -> [(&'static str, f64); 13] {
        [
            ("premium", self.premium),
            ("delta", self.delta),
            ("gamma", self.gamma),
            ("theta", self.theta),
            ("vega", self.vega),
            ("level", self.level),
            ("slope", self.slope),
            ("skew", self.skew),
            ("financing", self.financing),
            ("payments", self.payments),
            ("hedge", self.hedge),
            ("costs", self.costs),
            ("unexplained", self.unexplained),
        ]
    }

    /// Adds `share` of the parts `of` another.
    pub fn add(&mut self, share: f64, of: &Self) {
        self.premium += share * of.premium;
        self.delta += share * of.delta;
        self.gamma += share * of.gamma;
        self.theta += share * of.theta;
        self.vega += share * of.vega;
        self.level += share * of.level;
        self.slope += share * of.slope;
        self.skew += share * of.skew;
        self.financing += share * of.financing;
        self.payments += share * of.payments;
        self.hedge += share * of.hedge;
        self.costs += share * of.costs;
        self.unexplained += share * of.unexplained;
        self.drift += share * of.drift;
    }

    /// The sum of the parts: the P&L.
    pub fn total(&self) -> f64 {
        self.parts().iter().map(|(_, value)| value).sum()
    }
}
