//! What a search asks of runs: words in their names, and conditions on their settings and results.
//!
//! ```text
//! heston, market.model = heston, training.steps >= 300, results.cvar < 2
//! ```
//!
//! Parts are separated by commas, and all of them must hold. A part without a sign of comparison is text that the id or the
//! name contains. The key of a condition is the whole dotted name or its end (`model`, `kfac.damping`), in which `*` stands
//! for any one part (`optimizers.*.damping`).

use crate::error::{Error, Result, excerpt};

/// The results that lists sort and search by, as keys beside those of strategies: P&L variance, mean transaction cost, Sharpe
/// ratio and CVaR of the hedge that the run is about.
pub const RESULTS: [&str; 4] = [
    "results.variance",
    "results.cost",
    "results.sharpe",
    "results.cvar",
];

/// How a list is sorted; runs that have nothing to be sorted by come last.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// `made`, `name`, or a key of strategies or of results: the whole dotted name or its end.
    pub by: String,
    /// From the greatest to the least.
    pub descending: bool,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            by: "made".into(),
            descending: true,
        }
    }
}

/// What runs must satisfy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// Parts of the id or the name, in lower case.
    pub words: Vec<String>,
    /// Conditions on settings and results.
    pub conditions: Vec<Condition>,
}

/// A condition on a setting or a result.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The dotted name of what is compared, or its end.
    pub key: String,
    /// How it is compared.
    pub relation: Relation,
    /// What it is compared with.
    pub value: String,
    /// The value as a number, if it is one.
    pub number: Option<f64>,
}

/// How a setting is compared with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// It is the value, or a list that has it.
    Equal,
    /// It is there, and is neither the value nor a list that has it.
    Unlike,
    /// It is less.
    Less,
    /// It is not more.
    AtMost,
    /// It is more.
    Greater,
    /// It is not less.
    AtLeast,
}

/// The signs of comparison: those that begin with others come first.
const SIGNS: [(&str, Relation); 10] = [
    ("<=", Relation::AtMost),
    ("≤", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("≥", Relation::AtLeast),
    ("!=", Relation::Unlike),
    ("≠", Relation::Unlike),
    ("==", Relation::Equal),
    ("=", Relation::Equal),
    ("<", Relation::Less),
    (">", Relation::Greater),
];

impl Relation {
    /// The operator of SQL between two numbers; none of the two that compare texts as well.
    pub fn between_numbers(self) -> Option<&'static str> {
        match self {
            Self::Equal | Self::Unlike => None,
            Self::Less => Some("<"),
            Self::AtMost => Some("<="),
            Self::Greater => Some(">"),
            Self::AtLeast => Some(">="),
        }
    }
}

impl Search {
    /// Reads a search.
    ///
    /// # Errors
    /// [`Error::Setting`] at `search`, naming the part that is no condition and what it lacks.
    pub fn parse(text: &str) -> Result<Self> {
        let mut search = Self::default();
        for part in parts(text) {
            let sign = SIGNS
                .iter()
                .filter_map(|(sign, relation)| Some((part.find(sign)?, *sign, *relation)))
                // Of signs at the same place the first one, which is the longest.
                .min_by_key(|(place, ..)| *place);
            match sign {
                None => search.words.push(part.to_lowercase()),
                Some((place, sign, relation)) => {
                    let (key, value) = (&part[..place], &part[place + sign.len()..]);
                    let condition = Condition::new(key.trim(), relation, value.trim());
                    search.conditions.push(condition.map_err(|lacks| {
                        let words = format!("has the part `{}`, which {lacks}", excerpt(part));
                        Error::key("search", words)
                    })?);
                }
            }
        }
        Ok(search)
    }
}

impl Condition {
    fn new(key: &str, relation: Relation, value: &str) -> std::result::Result<Self, &'static str> {
        let plain = |c: char| c.is_alphanumeric() || "._-*".contains(c);
        if key.is_empty() || !key.chars().all(plain) {
            return Err("needs the name of a key before its sign");
        }
        let value = value.trim_matches(['"', '\'']);
        if value.is_empty() {
            return Err("needs a value after its sign");
        }
        let number = value.replace('−', "-").parse();
        let number = number.ok().filter(|number: &f64| number.is_finite());
        if relation.between_numbers().is_some() && number.is_none() {
            return Err("needs a number after its sign");
        }
        Ok(Self {
            key: key.to_owned(),
            relation,
            value: value.to_owned(),
            number,
        })
    }
}

/// The parts between commas that stand neither in brackets nor in quotes.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted) = (0_usize, false);
    let split = move |c: char| {
        match c {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0 && !quoted
    };
    let parts = text.split(split).map(str::trim);
    parts.filter(|part| !part.is_empty()).collect()
}

/// Those of `known` that `asked` names: the key of that whole name or else all keys that end in it.
pub fn named<'a>(asked: &str, known: &'a [String]) -> Vec<&'a String> {
    let whole = known.iter().find(|key| key.eq_ignore_ascii_case(asked));
    match whole {
        Some(key) => vec![key],
        None => known.iter().filter(|key| ends_in(key, asked)).collect(),
    }
}

fn ends_in(key: &str, asked: &str) -> bool {
    let (mut parts, mut asked) = (key.rsplit('.'), asked.rsplit('.'));
    asked.all(|asked| {
        let part = parts.next();
        part.is_some_and(|part| asked == "*" || part.eq_ignore_ascii_case(asked))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(key: &str, relation: Relation, value: &str, number: Option<f64>) -> Condition {
        Condition {
            key: key.into(),
            relation,
            value: value.into(),
            number,
        }
    }

    /// Words and conditions, in any spacing; a comma in brackets separates nothing.
    #[test]
    fn a_search_is_words_and_conditions() {
        let search = Search::parse(
            "Heston call, market.model = \"heston\",steps>=3e2, lengths = [100, 400],, rho ≠ −.5",
        );
        assert_eq!(
            search.unwrap(),
            Search {
                words: vec!["heston call".into()],
                conditions: vec![
                    condition("market.model", Relation::Equal, "heston", None),
                    condition("steps", Relation::AtLeast, "3e2", Some(300.0)),
                    condition("lengths", Relation::Equal, "[100, 400]", None),
                    condition("rho", Relation::Unlike, "−.5", Some(-0.5)),
                ],
            }
        );
        assert_eq!(Search::parse(" , ").unwrap(), Search::default());
    }

    /// What is no condition is refused by name.
    #[test]
    fn what_is_no_condition_is_refused() {
        for (text, lacks) in [
            ("= heston", "needs the name of a key before its sign"),
            ("a b = 1", "needs the name of a key before its sign"),
            ("market.model =", "needs a value after its sign"),
            ("ok, steps > many", "needs a number after its sign"),
            ("steps < inf", "needs a number after its sign"),
        ] {
            let error = Search::parse(text).unwrap_err();
            assert_eq!((error.exit_code(), error.at_key()), (2, Some("search")));
            assert!(error.to_string().ends_with(lacks), "{error}");
        }
    }

    /// A key is named by its whole name, or by its end at a dot, where one part may be anything.
    #[test]
    fn keys_are_named_by_their_ends() {
        let known = [
            "market.model",
            "name",
            "optimizers.kfac.damping",
            "optimizers.soap.damping",
            "contract.name",
        ]
        .map(str::to_owned);
        let of = |asked: &str| -> Vec<&str> {
            let found = named(asked, &known).into_iter();
            found.map(String::as_str).collect()
        };
        assert_eq!(of("MODEL"), ["market.model"]);
        assert_eq!(of("odel"), [""; 0]);
        assert_eq!(of("name"), ["name"]);
        assert_eq!(of("kfac.damping"), ["optimizers.kfac.damping"]);
        assert_eq!(of("optimizers.*.damping").len(), 2);
        assert_eq!(of("a.b.market.model"), [""; 0]);
    }
}
