//! Rules by which quotes are dropped: each has a name, is counted, and its bound stands in one place.
//!
//! There is no rule against "wrong-way moves", days on which a call falls though the spot rises. Such days are what a hedge has to live
//! with: dropping options by what their price did afterwards chooses a sample by its outcome.
//!
//! # References
//! J. Ruf and W. Wang (2022), "Hedging with linear regressions and neural networks", Journal of Business & Economic Statistics 40: without
//! the days that end without volume or move the wrong way a fifth of the sample is gone, and the errors of hedges of puts rise by a tenth.

use super::chain::{OptionQuote, slices};
use crate::bounds;
use crate::error::{Error, Result};
use crate::named::named;
use serde::Serialize;

named! {
    /// Why a quote is dropped.
    pub enum Rule {
        /// The row lacks its date, its expiry, its strike, or the word call or put.
        Blank = "blank",
        /// The day has quotes of a later hour.
        Intraday = "intraday",
        /// The same option is quoted again on the day; the narrower quote stays.
        Duplicate = "duplicate",
        /// The option expires on the day or has expired.
        Expired = "expired",
        /// There is no ask.
        NoAsk = "no_ask",
        /// There is no bid.
        NoBid = "no_bid",
        /// The bid is above the ask.
        Crossed = "crossed",
        /// The ask is above the bid by more than a share of the price half-way.
        Wide = "wide",
        /// Too few trading days are left.
        Short = "short",
        /// Too many trading days are left.
        Long = "long",
        /// Neither its expiry nor another one of the day says what the forward is.
        NoForward = "no_forward",
        /// All of bid to ask lies outside the bounds without arbitrage.
        Bounds = "bounds",
        /// Bid and ask are those of the day before, though the spot has moved the option by more than its spread.
        Stale = "stale",
        /// No volatility between 1 % and 300 % gives the price half-way.
        NoVolatility = "no_volatility",
    }
}

/// The number of rules.
const RULES: usize = Rule::ALL.len();

impl Rule {
    /// Whether what the rule drops has nothing that could be fitted, so that it is always kept to.
    pub fn is_needed(self) -> bool {
        match self {
            Self::Blank | Self::Expired | Self::NoAsk | Self::NoForward | Self::NoVolatility => {
                true
            }
            Self::Intraday
            | Self::Duplicate
            | Self::NoBid
            | Self::Crossed
            | Self::Wide
            | Self::Short
            | Self::Long
            | Self::Bounds
            | Self::Stale => false,
        }
    }

    /// What the rule drops, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Blank => "without date, expiry, strike or kind",
            Self::Intraday => "of an earlier hour of their day",
            Self::Duplicate => "quoted twice",
            Self::Expired => "with no day left",
            Self::NoAsk => "without an ask",
            Self::NoBid => "without a bid",
            Self::Crossed => "with the bid above the ask",
            Self::Wide => "with too wide a spread",
            Self::Short => "with too few days left",
            Self::Long => "with too many days left",
            Self::NoForward => "of an expiry without a forward",
            Self::Bounds => "outside the bounds without arbitrage",
            Self::Stale => "unchanged although the spot moved",
            Self::NoVolatility => "without a volatility of 1 % to 300 %",
        }
    }
}

/// The bounds of the rules, and which of them are kept to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cleaning {
    /// The most that the ask may be above the bid, as a share of the price half-way.
    pub widest: f64,
    /// The fewest trading days that may be left.
    pub least_days: f64,
    /// The most trading days that may be left.
    pub most_days: f64,
    /// Rules that are not kept to.
    pub off: Vec<Rule>,
}

impl Default for Cleaning {
    /// A spread of half of the price, 5 trading days to 3 years, all rules.
    fn default() -> Self {
        Self {
            widest: 0.5,
            least_days: 5.0,
            most_days: 756.0,
            off: Vec::new(),
        }
    }
}

impl Cleaning {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`Error::Input`] naming the option, the value and the bound; for a rule that cannot be left out.
    pub fn check(&self) -> Result<()> {
        let Self {
            widest,
            least_days,
            most_days,
            ..
        } = self;
        bounds::positive("--widest-spread", *widest)?;
        bounds::check(
            "--least-days",
            *least_days,
            *least_days >= 1.0,
            "at least 1",
        )?;
        let bound = format!("at least the {least_days} of --least-days");
        bounds::check("--most-days", *most_days, most_days >= least_days, &bound)?;
        match self.off.iter().find(|rule| rule.is_needed()) {
            Some(rule) => Err(Error::input(format!(
                "--without: the rule {} cannot be left out, quotes {} have nothing to fit",
                rule.name(),
                rule.words()
            ))),
            None => Ok(()),
        }
    }

    /// Whether the rule is kept to.
    pub fn keeps(&self, rule: Rule) -> bool {
        !self.off.contains(&rule)
    }

    /// Sorts the quotes of day number `day` and drops what its row and its neighbours say cannot be a quote. Where the file has
    /// volatilities instead of prices (`priced` is false) no rule of prices applies.
    pub fn by_row(
        &self,
        quotes: &mut Vec<OptionQuote>,
        day: i32,
        priced: bool,
        dropped: &mut Tally,
    ) {
        if self.keeps(Rule::Intraday) {
            let last = quotes
                .iter()
                .map(|quote| quote.time)
                .fold(f32::NAN, f32::max);
            dropped.retain(quotes, Rule::Intraday, |q| {
                q.time.is_nan() || q.time == last
            });
        }
        dropped.retain(quotes, Rule::Expired, |quote| quote.expiry > day);
        if priced {
            dropped.retain(quotes, Rule::NoAsk, |quote| quote.ask > 0.0);
        }
        quotes.sort_by(OptionQuote::order);
        if self.keeps(Rule::Duplicate) {
            let before = quotes.len();
            quotes.dedup_by(|later, kept| {
                let same = later.order(kept).is_eq();
                if same && later.half_spread() < kept.half_spread() {
                    *kept = *later;
                }
                same
            });
            dropped.add(Rule::Duplicate, before - quotes.len());
        }
        if !priced {
            return;
        }
        if self.keeps(Rule::NoBid) {
            dropped.retain(quotes, Rule::NoBid, |quote| quote.bid > 0.0);
        }
        if self.keeps(Rule::Crossed) {
            // Without a bid there is nothing above the ask.
            dropped.retain(quotes, Rule::Crossed, |q| q.bid.is_nan() || q.bid <= q.ask);
        }
        if self.keeps(Rule::Wide) {
            let most = 0.5 * self.widest;
            dropped.retain(quotes, Rule::Wide, |q| q.half_spread() <= most * q.mid());
        }
    }

    /// Drops expiries by the trading `days` that are left.
    pub fn by_days(
        &self,
        quotes: &mut Vec<OptionQuote>,
        days: impl Fn(&OptionQuote) -> f64,
        dropped: &mut Tally,
    ) {
        let mut kept = Vec::with_capacity(quotes.len());
        for slice in slices(quotes) {
            let left = days(&slice[0]);
            let rule = if left <= 0.0 {
                Some(Rule::Expired)
            } else if left < self.least_days {
                Some(Rule::Short).filter(|rule| self.keeps(*rule))
            } else if left > self.most_days {
                Some(Rule::Long).filter(|rule| self.keeps(*rule))
            } else {
                None
            };
            match rule {
                Some(rule) => dropped.add(rule, slice.len()),
                None => kept.extend_from_slice(slice),
            }
        }
        *quotes = kept;
    }
}

/// How many quotes each rule has dropped.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally([usize; RULES]);

impl Tally {
    /// Counts so many more.
    pub fn add(&mut self, rule: Rule, count: usize) {
        self.0[rule as usize] += count;
    }

    /// Counts what another one has counted.
    pub fn and(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }

    /// The number that a rule has dropped.
    pub fn of(&self, rule: Rule) -> usize {
        self.0[rule as usize]
    }

    /// The number that all rules have dropped.
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// The rules in their order with what each has dropped.
    pub fn iter(&self) -> impl Iterator<Item = (Rule, usize)> + '_ {
        Rule::all().map(|rule| (rule, self.of(rule)))
    }

    fn retain(
        &mut self,
        quotes: &mut Vec<OptionQuote>,
        rule: Rule,
        keep: impl Fn(&OptionQuote) -> bool,
    ) {
        let before = quotes.len();
        quotes.retain(keep);
        self.add(rule, before - quotes.len());
    }
}
