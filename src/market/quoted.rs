use crate::contract::{At, Cost};
use crate::simd::{Lane, Real};

/// What trading an instrument depends on along the paths of a block: its price, the variance of its asset and, where paths hold it,
/// the state of an option.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a, R> {
    /// The price of one unit at every date, in currency.
    pub price: &'a [Lane<R>],
    variance: &'a [Lane<R>],
    /// Vega, moneyness and root of the time to expiry, each at every date.
    option: Option<[&'a [Lane<R>]; 3]>,
    /// What costs are multiplied by at every date.
    factor: Option<&'a [Lane<R>]>,
}

impl<'a, R> Quoted<'a, R> {
    /// `state` begins with `[vega, moneyness, root of the time][dates]`.
    #[inline(always)]
    pub(super) fn new(
        price: &'a [Lane<R>],
        variance: &'a [Lane<R>],
        state: Option<&'a [Lane<R>]>,
        factor: Option<&'a [Lane<R>]>,
    ) -> Self {
        let option = state.map(|state| {
            let dates = price.len();
            [0, 1, 2].map(|column| &state[column * dates..][..dates])
        });
        Self {
            price,
            variance,
            option,
            factor,
        }
    }
}

impl<R: Real> Quoted<'_, R> {
    /// What the cost of a trade at date `t` depends on; of a cost that asks for the price alone nothing else is looked up.
    #[inline(always)]
    pub fn at<C: Cost>(&self, t: usize, lane: usize) -> At<R> {
        let priced = At::priced(self.price[t][lane]);
        if C::PRICE_ALONE {
            return priced;
        }
        let known = At {
            volatility: self.variance[t][lane].sqrt(),
            factor: self.factor.map_or(R::ONE, |factor| factor[t][lane]),
            ..priced
        };
        match self.option {
            None => known,
            Some([vega, moneyness, root_time]) => At {
                vega: vega[t][lane],
                moneyness: moneyness[t][lane],
                root_time: root_time[t][lane],
                ..known
            },
        }
    }
}
