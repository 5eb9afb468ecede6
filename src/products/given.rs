//! What paths that are given say themselves.

use super::setting::{Setting, Sold};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The terms of a contract whose payoffs are given: none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GivenPayoff {}

/// What the path says that is paid at expiry; moneyness is measured by the spot.
pub(super) fn payoff(setting: &Setting<'_>) -> Sold {
    Sold::given_payoff(setting.spot)
}
