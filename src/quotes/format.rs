//! The forms of files of option chains: by their headers, what their columns hold.

use crate::calibration::surface::columns::{Columns, Field, Needed, simplified};
use crate::error::Result;
use crate::market::table::{self, refuse};
use std::path::Path;

/// A form of file of which the columns are known.
///
/// A further vendor is a further entry of [`FORMATS`].
#[derive(Debug)]
pub struct Format {
    /// The vendor's name.
    pub name: &'static str,
    /// Names of columns, simplified, that no other form has together; of each group one is enough.
    marks: &'static [&'static [&'static str]],
    /// The columns by what they hold, in order of preference.
    fields: &'static [(Field, &'static [&'static str])],
    /// What the column of strikes is divided by.
    pub strike_unit: f64,
    /// What a reader should know of it.
    pub note: Option<&'static str>,
}

/// The forms that are known by their headers.
pub const FORMATS: [Format; 4] = [
    Format {
        name: "OptionsDX",
        marks: &[&["underlyinglast"], &["expiredate"], &["cbid"], &["pbid"]],
        fields: &[
            (Field::Date, &["quotedate"]),
            (Field::Time, &["quotetimehours"]),
            (Field::Spot, &["underlyinglast"]),
            (Field::ExpiryDate, &["expiredate"]),
            (Field::Strike, &["strike"]),
            (Field::CallBid, &["cbid"]),
            (Field::CallAsk, &["cask"]),
            (Field::PutBid, &["pbid"]),
            (Field::PutAsk, &["pask"]),
            (Field::CallVolatility, &["civ"]),
            (Field::PutVolatility, &["piv"]),
        ],
        strike_unit: 1.0,
        note: None,
    },
    Format {
        name: "Cboe end of day",
        marks: &[
            &["underlyingsymbol"],
            &["quotedate"],
            &["expiration"],
            &["optiontype"],
            &["bid1545", "bideod"],
        ],
        fields: &[
            (Field::Date, &["quotedate"]),
            (Field::Underlying, &["underlyingsymbol"]),
            (Field::Root, &["root"]),
            (Field::ExpiryDate, &["expiration"]),
            (Field::Strike, &["strike"]),
            (Field::Kind, &["optiontype"]),
            (Field::Bid, &["bid1545", "bideod"]),
            (Field::Ask, &["ask1545", "askeod"]),
            (Field::SpotBid, &["underlyingbid1545", "underlyingbideod"]),
            (Field::SpotAsk, &["underlyingask1545", "underlyingaskeod"]),
            (Field::Volatility, &["impliedvolatility1545"]),
        ],
        strike_unit: 1.0,
        note: Some("quotes of 15:45 where the file has them"),
    },
    Format {
        name: "OptionMetrics",
        marks: &[
            &["exdate"],
            &["cpflag"],
            &["strikeprice"],
            &["bestbid"],
            &["bestoffer"],
        ],
        fields: &[
            (Field::Date, &["date"]),
            (Field::Underlying, &["ticker", "secid"]),
            (Field::Root, &["root", "symbol"]),
            (Field::ExpiryDate, &["exdate"]),
            (Field::Strike, &["strikeprice"]),
            (Field::Kind, &["cpflag"]),
            (Field::Bid, &["bestbid"]),
            (Field::Ask, &["bestoffer"]),
            (Field::Volatility, &["implvolatility"]),
            (Field::Settlement, &["amsettlement", "amsetflag"]),
        ],
        strike_unit: 1000.0,
        note: Some("strikes are divided by 1000"),
    },
    Format {
        name: "ORATS",
        marks: &[
            &["expirdate"],
            &["strike"],
            &["callbidprice", "cbidpx"],
            &["putbidprice", "pbidpx"],
        ],
        fields: &[
            (Field::Date, &["tradedate"]),
            (Field::Underlying, &["ticker"]),
            (Field::Spot, &["spotprice", "spotpx", "stockprice", "stkpx"]),
            (Field::ExpiryDate, &["expirdate"]),
            (Field::Settlement, &["expirytod"]),
            (Field::Strike, &["strike"]),
            (Field::Rate, &["irate"]),
            (Field::CallBid, &["callbidprice", "cbidpx"]),
            (Field::CallAsk, &["callaskprice", "caskpx"]),
            (Field::PutBid, &["putbidprice", "pbidpx"]),
            (Field::PutAsk, &["putaskprice", "paskpx"]),
            (Field::CallVolatility, &["callmidiv", "cmidiv"]),
            (Field::PutVolatility, &["putmidiv", "pmidiv"]),
        ],
        strike_unit: 1.0,
        note: None,
    },
];

/// A file whose columns go by usual names or by those that the user gives.
const BY_COLUMNS: Format = Format {
    name: "by columns",
    marks: &[],
    fields: &[],
    strike_unit: 1.0,
    note: None,
};

/// What every chain has.
const NEEDED: [Needed<'_>; 3] = [
    ("quote date", &[Field::Date]),
    ("strike", &[Field::Strike]),
    (
        "expiry",
        &[Field::ExpiryDate, Field::Expiry, Field::ExpiryDays],
    ),
];

impl Format {
    /// The form of a file with these names of columns, [`BY_COLUMNS`] if no vendor's.
    ///
    /// # Errors
    /// [`crate::Error::Input`] naming the vendors, if the header is that of several.
    fn of(path: &Path, names: &[String]) -> Result<&'static Self> {
        let simple: Vec<String> = names.iter().map(|name| simplified(name)).collect();
        let has = |group: &&[&str]| group.iter().any(|mark| simple.iter().any(|n| n == mark));
        let fits: Vec<&Self> = FORMATS
            .iter()
            .filter(|format| format.marks.iter().all(&has))
            .collect();
        match fits.as_slice() {
            [] => Ok(&BY_COLUMNS),
            [one] => Ok(one),
            [one, other, ..] => {
                let what = format!(
                    "the header is both that of {} and that of {}: keep the columns of one",
                    one.name, other.name
                );
                Err(refuse(path, &what))
            }
        }
    }

    /// The form of a file and its columns; `given` are the columns that the user names.
    ///
    /// # Errors
    /// [`crate::Error::Input`] for a header of two vendors, for names that are none, for two columns that go by one name, and for
    /// what a chain needs and the file lacks, with what to write.
    pub fn columns(
        path: &Path,
        names: &[String],
        given: &[(String, String)],
    ) -> Result<(&'static Self, Columns)> {
        let format = Self::of(path, names)?;
        let usual = |field: Field| -> &'static [&'static str] {
            if format.fields.is_empty() {
                return field.names();
            }
            let mut fields = format.fields.iter();
            let found = fields.find(|(of, _)| *of == field);
            found.map_or(&[], |(_, names)| names)
        };
        let columns = Columns::find(path, names, given, &Field::CHAIN, &usual)?;
        columns.require(path, names, &NEEDED)?;
        let has = |fields: &[Field]| fields.iter().all(|field| columns.of(*field).is_some());
        use Field::{Ask, Bid, CallAsk, CallBid, Kind, PutAsk, PutBid, Volatility};
        let wide = has(&[CallBid, CallAsk]) || has(&[PutBid, PutAsk]);
        let volatilities = has(&[Field::CallVolatility, Field::PutVolatility]);
        if wide || has(&[Bid, Ask]) || has(&[Volatility]) || volatilities {
            if !wide && has(&[Bid, Ask]) {
                let needed: [Needed<'_>; 1] = [("call or put", &[Kind])];
                columns.require(path, names, &needed)?;
            }
            return Ok((format, columns));
        }
        let what = "has neither bid and ask nor implied volatilities: name them by --columns bid=COLUMN,ask=COLUMN,kind=COLUMN, \
                    by call_bid, call_ask, put_bid and put_ask, or by implied_vol";
        Err(refuse(path, what))
    }

    /// The vendor whose header names of columns are, if they are one's.
    pub fn vendor(path: &Path) -> Option<&'static str> {
        let header = table::header(path, &|cells| Self::is_chain(cells, &[])).ok()?;
        let format = Self::of(path, &header.names).ok()?;
        (!format.fields.is_empty()).then_some(format.name)
    }

    /// Whether the names of columns are those of a chain: a vendor's, or a strike beside an expiry.
    pub fn is_chain(names: &[String], given: &[(String, String)]) -> bool {
        let simple: Vec<String> = names.iter().map(|name| simplified(name)).collect();
        let has = |mark: &&str| simple.iter().any(|name| name == mark);
        let known = |group: &&[&str]| group.iter().any(has);
        let vendor = |format: &Self| format.marks.iter().all(known);
        let field = |field: Field| {
            field.names().iter().any(has)
                || given
                    .iter()
                    .any(|(key, column)| key == field.name() && has(&simplified(column).as_str()))
        };
        let expiries = [Field::ExpiryDate, Field::Expiry, Field::ExpiryDays];
        FORMATS.iter().any(vendor) || field(Field::Strike) && expiries.into_iter().any(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(header: &str) -> Vec<String> {
        header
            .split(',')
            .map(|name| name.trim().to_owned())
            .collect()
    }

    /// Headers as vendors write them, each of one form alone.
    #[test]
    fn vendors_are_known_by_their_headers() {
        let path = Path::new("chain.csv");
        for (header, name) in [
            (
                "[QUOTE_UNIXTIME], [QUOTE_READTIME], [QUOTE_DATE], [QUOTE_TIME_HOURS], [UNDERLYING_LAST], [EXPIRE_DATE], [EXPIRE_UNIX], [DTE], [C_DELTA], [C_IV], [C_VOLUME], [C_LAST], [C_SIZE], [C_BID], [C_ASK], [STRIKE], [P_BID], [P_ASK], [P_IV]",
                "OptionsDX",
            ),
            (
                "underlying_symbol,quote_date,root,expiration,strike,option_type,open,high,low,close,trade_volume,bid_size_1545,bid_1545,ask_size_1545,ask_1545,underlying_bid_1545,underlying_ask_1545,bid_eod,ask_eod",
                "Cboe end of day",
            ),
            (
                "secid,date,symbol,exdate,last_date,cp_flag,strike_price,best_bid,best_offer,volume,open_interest,impl_volatility,delta,am_settlement",
                "OptionMetrics",
            ),
            (
                "ticker,tradeDate,expirDate,dte,strike,stockPrice,callBidPrice,callAskPrice,putBidPrice,putAskPrice,callMidIv,putMidIv,residualRate",
                "ORATS",
            ),
            (
                "ticker,stkPx,expirDate,yte,strike,cBidPx,cAskPx,pBidPx,pAskPx,cMidIv,pMidIv,iRate,divRate,residualRateData,trade_date",
                "ORATS",
            ),
            ("date,spot,expiry_date,strike,type,bid,ask", "by columns"),
        ] {
            let names = names(header);
            assert!(Format::is_chain(&names, &[]), "{header}");
            let (format, columns) = Format::columns(path, &names, &[]).unwrap();
            assert_eq!(format.name, name);
            assert!(columns.of(Field::Date).is_some(), "{header}");
        }
        assert!(!Format::is_chain(
            &names("Date,Open,High,Low,Close,Volume"),
            &[]
        ));
    }

    /// What fits two vendors or lacks something is refused in one line that says what to do.
    #[test]
    fn ambiguous_and_incomplete_headers_are_refused() {
        let path = Path::new("chain.csv");
        for (header, expected) in [
            (
                "quote_date,underlying_last,expire_date,strike,c_bid,c_ask,p_bid,p_ask,expirdate,cbidpx,pbidpx",
                "the header is both that of OptionsDX and that of ORATS",
            ),
            (
                "contractSymbol,lastTradeDate,strike,lastPrice,bid,ask,expiration",
                "no column of quote date; add it, or name it by --columns date=COLUMN",
            ),
            ("date,expiration,strike,bid,ask", "no column of call or put"),
            ("date,expiration,strike,last", "has neither bid and ask nor"),
            ("date,Date,expiration,strike,iv", "both name the date"),
        ] {
            let error = Format::columns(path, &names(header), &[]).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            let message = error.to_string();
            assert_eq!(message.lines().count(), 1, "{message}");
            assert!(message.contains(expected), "{message}");
        }
    }
}
