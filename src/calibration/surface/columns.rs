//! What the columns of files of option quotes hold, the names they go by, and the file that a user's names make of it.

use crate::error::{Error, Result, excerpt};
use crate::market::table::refuse;
use std::path::Path;

/// What a column of a file of option quotes holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The day of the quote.
    Date,
    /// The spot at the quote.
    Spot,
    /// The strike.
    Strike,
    /// Calendar days to expiry.
    ExpiryDays,
    /// Years to expiry.
    ExpiryYears,
    /// The day of expiry.
    ExpiryDate,
    /// Years if the cells are numbers, days of expiry if they are dates.
    Expiry,
    /// The interest rate, continuously compounded.
    Rate,
    /// The dividend yield, continuously compounded.
    Dividend,
    /// The implied volatility.
    Volatility,
    /// The implied volatility of the call.
    CallVolatility,
    /// The implied volatility of the put.
    PutVolatility,
    /// The bid.
    Bid,
    /// The ask.
    Ask,
    /// The bid of the call.
    CallBid,
    /// The ask of the call.
    CallAsk,
    /// The bid of the put.
    PutBid,
    /// The ask of the put.
    PutAsk,
    /// The name of the underlying.
    Underlying,
    /// The root of the option's symbol, such as SPX or SPXW.
    Root,
    /// Whether the option is a call or a put.
    Kind,
    /// Whether the option is settled at the opening of its last day.
    Settlement,
    /// The hour of the quote.
    Time,
    /// The bid of the underlying.
    SpotBid,
    /// The ask of the underlying.
    SpotAsk,
}

impl Field {
    /// The fields of a surface's file, in the order in which columns are looked for.
    pub const SURFACE: [Self; 18] = [
        Self::Date,
        Self::Spot,
        Self::Strike,
        Self::ExpiryDays,
        Self::ExpiryYears,
        Self::ExpiryDate,
        Self::Expiry,
        Self::Rate,
        Self::Dividend,
        Self::Volatility,
        Self::CallVolatility,
        Self::PutVolatility,
        Self::Bid,
        Self::Ask,
        Self::CallBid,
        Self::CallAsk,
        Self::PutBid,
        Self::PutAsk,
    ];

    /// The fields of option chains, in the order in which columns are looked for.
    pub const CHAIN: [Self; 24] = [
        Self::Date,
        Self::Time,
        Self::Underlying,
        Self::Root,
        Self::Spot,
        Self::SpotBid,
        Self::SpotAsk,
        Self::Strike,
        Self::ExpiryDate,
        Self::Expiry,
        Self::ExpiryDays,
        Self::Settlement,
        Self::Kind,
        Self::Rate,
        Self::Dividend,
        Self::Volatility,
        Self::CallVolatility,
        Self::PutVolatility,
        Self::Bid,
        Self::Ask,
        Self::CallBid,
        Self::CallAsk,
        Self::PutBid,
        Self::PutAsk,
    ];

    /// What `--columns` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Spot => "spot",
            Self::Strike => "strike",
            Self::ExpiryDays => "expiry_days",
            Self::ExpiryYears => "expiry_years",
            Self::ExpiryDate => "expiry_date",
            Self::Expiry => "expiry",
            Self::Rate => "rate",
            Self::Dividend => "dividend",
            Self::Volatility => "implied_vol",
            Self::CallVolatility => "call_implied_vol",
            Self::PutVolatility => "put_implied_vol",
            Self::Bid => "bid",
            Self::Ask => "ask",
            Self::CallBid => "call_bid",
            Self::CallAsk => "call_ask",
            Self::PutBid => "put_bid",
            Self::PutAsk => "put_ask",
            Self::Underlying => "underlying",
            Self::Root => "root",
            Self::Kind => "kind",
            Self::Settlement => "settlement",
            Self::Time => "time",
            Self::SpotBid => "spot_bid",
            Self::SpotAsk => "spot_ask",
        }
    }

    /// Names under which the column is looked for, in order of preference and as [`simplified`] makes them.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Date => &["date", "quotedate", "tradedate", "asof", "asofdate"],
            Self::Spot => &[
                "spot",
                "underlying",
                "underlyinglast",
                "underlyingprice",
                "stockprice",
            ],
            Self::Strike => &["strike", "strikeprice"],
            Self::ExpiryDays => &[
                "expirydays",
                "days",
                "dte",
                "daystoexpiry",
                "daystoexpiration",
            ],
            Self::ExpiryYears => &["expiryyears", "yearstoexpiry", "yearstoexpiration"],
            Self::ExpiryDate => &["expirydate", "expiredate", "expirationdate", "exdate"],
            Self::Expiry => &["expiry", "maturity", "expiration"],
            Self::Rate => &["rate", "riskfreerate", "interestrate"],
            Self::Dividend => &["dividend", "dividendyield"],
            Self::Volatility => &["impliedvol", "impliedvolatility", "iv", "volatility"],
            Self::CallVolatility => &["callimpliedvol", "callimpliedvolatility", "calliv", "civ"],
            Self::PutVolatility => &["putimpliedvol", "putimpliedvolatility", "putiv", "piv"],
            Self::Bid => &["bid", "bestbid"],
            Self::Ask => &["ask", "offer", "bestoffer"],
            Self::CallBid => &["callbid", "cbid"],
            Self::CallAsk => &["callask", "cask"],
            Self::PutBid => &["putbid", "pbid"],
            Self::PutAsk => &["putask", "pask"],
            Self::Underlying => &["symbol", "ticker", "underlyingsymbol"],
            Self::Root => &["root", "optionroot"],
            Self::Kind => &[
                "kind",
                "optiontype",
                "type",
                "callput",
                "cpflag",
                "cp",
                "right",
            ],
            Self::Settlement => &["settlement", "amsettlement"],
            Self::Time => &["time", "quotetime"],
            Self::SpotBid => &["spotbid", "underlyingbid"],
            Self::SpotAsk => &["spotask", "underlyingask"],
        }
    }
}

/// A column's name without case, brackets, blanks and whatever else is neither letter nor digit: `[C_IV]` is `civ`.
pub fn simplified(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// What a file cannot do without: what it is called, and the fields any of which has it.
pub type Needed<'a> = (&'a str, &'a [Field]);

/// The columns of one file.
#[derive(Debug)]
pub struct Columns(Vec<(Field, String)>);

impl Columns {
    /// Finds the columns of `fields` among the `names` of a file; `given` are those that the user names, as pairs of
    /// [`Field::name`] and column, and `usual` the names of the others as [`simplified`] makes them.
    ///
    /// # Errors
    /// [`Error::Input`] for a name that is none, and for two columns that go by one name, with what to write.
    pub fn find(
        path: &Path,
        names: &[String],
        given: &[(String, String)],
        fields: &[Field],
        usual: &dyn Fn(Field) -> &'static [&'static str],
    ) -> Result<Self> {
        for (key, _) in given {
            if !fields.iter().any(|field| field.name() == key) {
                let known: Vec<&str> = fields.iter().map(|field| field.name()).collect();
                return Err(Error::input(format!(
                    "--columns: must be one of {}, was \"{}\"",
                    known.join(", "),
                    excerpt(key)
                )));
            }
        }
        let mut found = Vec::new();
        for &field in fields {
            let mut given = given.iter().filter(|(key, _)| key == field.name());
            let column = match given.next() {
                Some((_, column)) => Some(named(path, names, column)?),
                None => known(path, names, field, usual(field))?,
            };
            found.extend(column.map(|column| (field, column)));
        }
        Ok(Self(found))
    }

    /// The column of a field.
    pub fn of(&self, field: Field) -> Option<&str> {
        let mut columns = self.0.iter();
        let found = columns.find(|(of, _)| *of == field);
        found.map(|(_, column)| column.as_str())
    }

    /// The columns that were found and what they hold.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &str)> {
        self.0
            .iter()
            .map(|(field, column)| (*field, column.as_str()))
    }

    /// Every column once, as a reader asks for them.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (_, column) in &self.0 {
            if !names.contains(column) {
                names.push(column.clone());
            }
        }
        names
    }

    /// Whether calls and puts of a strike stand in one row.
    pub fn is_chain(&self) -> bool {
        let sides = [Field::CallVolatility, Field::PutVolatility];
        self.of(Field::Volatility).is_none() && sides.iter().all(|side| self.of(*side).is_some())
    }

    /// Checks that the file has what is `needed`.
    ///
    /// # Errors
    /// [`Error::Input`] with what is missing and what to write.
    pub fn require(&self, path: &Path, names: &[String], needed: &[Needed<'_>]) -> Result<()> {
        let lacks =
            |(_, fields): &&Needed<'_>| fields.iter().all(|field| self.of(*field).is_none());
        let missing: Vec<_> = needed.iter().filter(lacks).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let what: Vec<&str> = missing.iter().map(|(what, _)| *what).collect();
        let keys: Vec<String> = missing
            .iter()
            .map(|(_, fields)| format!("{}=COLUMN", fields[0].name()))
            .collect();
        let names: Vec<&str> = names.iter().map(|name| name.trim()).collect();
        let text = format!(
            "no column of {}; add it, or name it by --columns {}; found {}",
            what.join(", of "),
            keys.join(","),
            excerpt(&names.join(", "))
        );
        Err(refuse(path, &text))
    }
}

/// The column that the user calls `wanted`, in any case and without brackets.
fn named(path: &Path, names: &[String], wanted: &str) -> Result<String> {
    let exact = names.iter().find(|name| name.trim() == wanted.trim());
    let like = || {
        names
            .iter()
            .find(|name| simplified(name) == simplified(wanted))
    };
    exact.or_else(like).cloned().ok_or_else(|| {
        let names: Vec<&str> = names.iter().map(|name| name.trim()).collect();
        let what = format!(
            "--columns: has no column \"{}\", found {}",
            excerpt(wanted),
            excerpt(&names.join(", "))
        );
        refuse(path, &what)
    })
}

fn known(path: &Path, names: &[String], field: Field, usual: &[&str]) -> Result<Option<String>> {
    for want in usual {
        let mut matches = names.iter().filter(|name| simplified(name) == *want);
        let Some(name) = matches.next() else {
            continue;
        };
        if let Some(other) = matches.next() {
            let what = format!(
                "columns \"{}\" and \"{}\" both name the {}: --columns {}=COLUMN says which",
                excerpt(name.trim()),
                excerpt(other.trim()),
                field.name(),
                field.name(),
            );
            return Err(refuse(path, &what));
        }
        return Ok(Some(name.clone()));
    }
    Ok(None)
}
