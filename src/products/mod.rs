//! Contracts by their names: one line here for each, its terms and its expansion to calls and puts or to the language of
//! term sheets. Nothing outside this room matches on a type.

mod barrier;
mod digital;
mod formulas;
mod given;
mod options;
mod path;
mod returns;
mod schema;
mod setting;
mod several;
mod term_sheet;
#[cfg(test)]
mod tests;

pub use barrier::Barrier;
pub use digital::{Digital, Touch};
pub use given::GivenPayoff;
pub use options::{OneStrike, TwoStrikes};
pub use path::{Asian, ForwardStart, Lookback, Mean};
pub use returns::{Cliquet, VarianceSwap};
pub use schema::{check, properties, unit, with_types};
pub use setting::{Made, Money, Part, Setting, Sold, StrikeRule};
pub use several::{Autocallable, Basket, Exchange, Extreme};
pub use term_sheet::{PaymentTerms, Portfolio, PortfolioLeg, TermSheet};

use crate::contract::OptionKind::{Call, Put};
use crate::contract::options::{call_spread, put_spread, strangle};
use crate::error::Result;
use crate::pricing::exotic::Choice::{Best, Worst};
use crate::pricing::exotic::Direction::{Down, Up};
use crate::pricing::exotic::Knock::{In, Out};
use crate::settings::declared;
use barrier::barrier;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The types: one line for each, which everything else that is said of it follows from.
macro_rules! products {
    ($($(#[doc = $doc:literal])* $product:ident $name:literal $terms:ty, $expand:expr;)*) => {
        /// A contract by its name, with its terms; it serialises as `type = "NAME"` beside them.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type")]
        pub enum Product {
            $($(#[doc = $doc])* #[serde(rename = $name)] $product($terms),)*
        }

        impl Product {
            /// All types by the names that strategy files use, with what they are and the schema of their terms.
            pub fn schemas() -> Vec<(&'static str, &'static str, Value)> {
                vec![$(($name, concat!($($doc),*).trim(), declared::<$terms>()),)*]
            }

            /// The name that strategy files use.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$product(_) => $name,)*
                }
            }

            /// Whether its terms, as they are filled in, have a strike.
            pub fn has_strike(&self) -> bool {
                match self {
                    $(Self::$product(terms) => {
                        serde_json::to_value(terms).is_ok_and(|terms| terms.get("strike").is_some())
                    })*
                }
            }

            /// What it is in a setting; terms that depend on it are filled in.
            ///
            /// # Errors
            /// [`crate::Error::Setting`] with key, value and bound.
            pub fn sold(&mut self, setting: &Setting<'_>) -> Result<Sold> {
                match self {
                    $(Self::$product(terms) => {
                        let expand: fn(&mut $terms, &Setting<'_>) -> Result<Sold> = $expand;
                        expand(terms, setting)
                    })*
                }
            }
        }
    };
}

products! {
    /// A call.
    Call "call" OneStrike, |terms, at| options::option(terms, at, Call);
    /// A put.
    Put "put" OneStrike, |terms, at| options::option(terms, at, Put);
    /// A call that its holder may exercise on every hedging date, and does by a rule that is fitted to the model.
    AmericanCall "american_call" OneStrike, |terms, at| options::american(terms, at, Call);
    /// A put that its holder may exercise on every hedging date, and does by a rule that is fitted to the model.
    AmericanPut "american_put" OneStrike, |terms, at| options::american(terms, at, Put);
    /// A call and a put of one strike.
    Straddle "straddle" OneStrike, options::straddle;
    /// A put and a call of a higher strike.
    Strangle "strangle" TwoStrikes, |terms, at| options::two_strikes(terms, at, strangle);
    /// A call less a call of a higher strike.
    CallSpread "call_spread" TwoStrikes, |terms, at| options::two_strikes(terms, at, call_spread);
    /// A put of the higher strike less a put of the lower one.
    PutSpread "put_spread" TwoStrikes, |terms, at| options::two_strikes(terms, at, put_spread);
    /// An amount of cash if the spot ends above the strike.
    DigitalCall "digital_call" Digital, |terms, at| digital::digital(terms, at, Call);
    /// An amount of cash if the spot ends below the strike.
    DigitalPut "digital_put" Digital, |terms, at| digital::digital(terms, at, Put);
    /// An amount of cash at expiry if the barrier has been touched.
    OneTouch "one_touch" Touch, |terms, at| digital::touch(terms, at, true);
    /// An amount of cash at expiry if the barrier has not been touched.
    NoTouch "no_touch" Touch, |terms, at| digital::touch(terms, at, false);
    /// A call that ends at a barrier below the spot.
    DownAndOutCall "down_and_out_call" Barrier, |terms, at| barrier(terms, at, Down, Out, Call);
    /// A put that ends at a barrier below the spot.
    DownAndOutPut "down_and_out_put" Barrier, |terms, at| barrier(terms, at, Down, Out, Put);
    /// A call that begins at a barrier below the spot.
    DownAndInCall "down_and_in_call" Barrier, |terms, at| barrier(terms, at, Down, In, Call);
    /// A put that begins at a barrier below the spot.
    DownAndInPut "down_and_in_put" Barrier, |terms, at| barrier(terms, at, Down, In, Put);
    /// A call that ends at a barrier above the spot.
    UpAndOutCall "up_and_out_call" Barrier, |terms, at| barrier(terms, at, Up, Out, Call);
    /// A put that ends at a barrier above the spot.
    UpAndOutPut "up_and_out_put" Barrier, |terms, at| barrier(terms, at, Up, Out, Put);
    /// A call that begins at a barrier above the spot.
    UpAndInCall "up_and_in_call" Barrier, |terms, at| barrier(terms, at, Up, In, Call);
    /// A put that begins at a barrier above the spot.
    UpAndInPut "up_and_in_put" Barrier, |terms, at| barrier(terms, at, Up, In, Put);
    /// A call on the mean of the spot.
    AsianCall "asian_call" Asian, |terms, at| path::asian(terms, at, Call);
    /// A put on the mean of the spot.
    AsianPut "asian_put" Asian, |terms, at| path::asian(terms, at, Put);
    /// A call on the highest spot, or from the lowest one.
    LookbackCall "lookback_call" Lookback, |terms, at| path::lookback(terms, at, Call);
    /// A put on the lowest spot, or from the highest one.
    LookbackPut "lookback_put" Lookback, |terms, at| path::lookback(terms, at, Put);
    /// A call whose strike is set at a later date.
    ForwardStartCall "forward_start_call" ForwardStart, |terms, at| path::forward_start(terms, at, Call);
    /// A put whose strike is set at a later date.
    ForwardStartPut "forward_start_put" ForwardStart, |terms, at| path::forward_start(terms, at, Put);
    /// A sum of bounded returns.
    Cliquet "cliquet" Cliquet, returns::cliquet;
    /// The realised variance against a fixed one.
    VarianceSwap "variance_swap" VarianceSwap, returns::variance_swap;
    /// A call on a weighted sum of assets.
    BasketCall "basket_call" Basket, |terms, at| several::basket(terms, at, Call);
    /// A put on a weighted sum of assets.
    BasketPut "basket_put" Basket, |terms, at| several::basket(terms, at, Put);
    /// A call on the best of several assets.
    BestOfCall "best_of_call" Extreme, |terms, at| several::extreme(terms, at, Best, Call);
    /// A put on the best of several assets.
    BestOfPut "best_of_put" Extreme, |terms, at| several::extreme(terms, at, Best, Put);
    /// A call on the worst of several assets.
    WorstOfCall "worst_of_call" Extreme, |terms, at| several::extreme(terms, at, Worst, Call);
    /// A put on the worst of several assets.
    WorstOfPut "worst_of_put" Extreme, |terms, at| several::extreme(terms, at, Worst, Put);
    /// The right to have the first asset for the second.
    Exchange "exchange" Exchange, |_, at| several::exchange(at);
    /// A note that is redeemed with coupons on the first date on which all assets are high enough.
    Autocallable "autocallable" Autocallable, several::autocallable;
    /// Payments that the file writes itself, as expressions over the path.
    TermSheet "term_sheet" TermSheet, term_sheet::term_sheet;
    /// What every path of `market.file` says that is paid at expiry, under the model `given_paths`.
    GivenPayoff "given_payoff" GivenPayoff, |_, at| Ok(given::payoff(at));
    /// Several contracts sold together.
    Portfolio "portfolio" Portfolio, term_sheet::portfolio;
}

impl Default for Product {
    /// A call at the money.
    fn default() -> Self {
        Self::Call(OneStrike::default())
    }
}
