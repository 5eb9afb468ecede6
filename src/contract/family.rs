//! Contracts whose terms lie in ranges, one of which every path has.

use super::expression::{Sheet, Value};
use super::sheets::Position;
use super::{Contract, Form, Observed, Spots};
use crate::error::{Error, Result};
use crate::simd::{BLOCK, Lane, Real};
use serde::{Serialize, Serializer};

/// A term that differs between the contracts of a family.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Range {
    /// The setting that it is: `contract.strike.moneyness`.
    pub key: String,
    /// The least value that it may have.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

/// One contract of a family, and the state of the market that it is sold in.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The contract, on its own dates, which are the first ones of the family's.
    pub contract: Contract,
    /// The value of every range.
    pub values: Vec<f64>,
    /// The instantaneous variance of the first asset at the sale, where that differs between members.
    pub variance: Option<f64>,
}

/// Contracts of one kind whose terms lie in ranges. Every path has one of them, drawn with equal chances.
///
/// # Shapes
/// [`Self::rows`] says what a block of paths holds of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    ranges: Vec<Range>,
    members: Vec<Member>,
    form: Common,
    /// The periods of paths, those of the longest contract.
    steps: usize,
}

/// What the members have in common.
#[derive(Debug, Clone, PartialEq)]
enum Common {
    /// All are the same, and differ in the variance at the sale alone.
    One(Box<Contract>),
    /// All are sums of calls and puts; the dates on which one or another expires.
    Options { due: Vec<usize> },
    /// All are one sheet, of which some parameters have a value `[members]` for each.
    Sheet {
        sheets: super::Sheets,
        parameters: Vec<Vec<f64>>,
    },
}

/// The rows of [`Family::rows`] before the values of the ranges.
const FIXED_ROWS: usize = 3;

impl Family {
    /// The family of `members`, whose values are those of `ranges`, beside the longest of them.
    ///
    /// # Errors
    /// [`Error::Setting`] at the first range if they differ by more than numbers: schedules that depend on a term, positions of several
    /// expiries, or the right to exercise.
    ///
    /// # Panics
    /// If there is no member.
    pub(super) fn new(
        longest: &Contract,
        ranges: Vec<Range>,
        members: Vec<Member>,
    ) -> Result<Self> {
        assert!(!members.is_empty());
        let form = match ranges.first() {
            None => Common::One(Box::new(longest.clone())),
            Some(range) => {
                common(longest, &members).map_err(|words| Error::key(range.key.clone(), words))?
            }
        };
        Ok(Self {
            ranges,
            members,
            form,
            steps: longest.steps,
        })
    }

    /// The terms that differ.
    pub fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// The contracts.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The number of the contract that a random word draws: each with the same chance.
    pub fn drawn(&self, word: u32) -> usize {
        ((u64::from(word) * self.members.len() as u64) >> 32) as usize
    }

    /// The contract nearest to the middle of all ranges.
    pub fn middle(&self) -> usize {
        let distance = |member: &Member| -> f64 {
            let values = self.ranges.iter().zip(&member.values);
            values
                .map(|(range, value)| {
                    let width = (range.high - range.low).max(f64::MIN_POSITIVE);
                    ((value - range.low) / width - 0.5).powi(2)
                })
                .sum()
        };
        let distances = self.members.iter().map(distance).enumerate();
        let nearest = distances.min_by(|(_, a), (_, b)| a.total_cmp(b));
        nearest.map_or(0, |(index, _)| index)
    }

    /// How many rows a block of paths has for the contracts that its paths have.
    pub fn row_count(&self) -> usize {
        FIXED_ROWS + self.ranges.len()
    }

    /// What a path with a member holds of it: the number of the member, its life in periods, its strike, and the value of every
    /// range.
    pub fn rows(&self, member: usize) -> impl Iterator<Item = f64> {
        let Member {
            contract, values, ..
        } = &self.members[member];
        [member as f64, contract.steps as f64, contract.strike]
            .into_iter()
            .chain(values.iter().copied())
    }

    /// The least and the greatest variance of the first asset at the sale; none where it is the market's.
    pub fn variances(&self) -> impl Iterator<Item = f64> {
        let variances = self.members.iter().filter_map(|member| member.variance);
        let ends = variances.fold(None, |ends: Option<(f64, f64)>, variance| {
            let (low, high) = ends.unwrap_or((variance, variance));
            Some((low.min(variance), high.max(variance)))
        });
        ends.into_iter().flat_map(|(low, high)| [low, high])
    }

    /// Whether all members live as long as paths are.
    pub fn lives_are_equal(&self) -> bool {
        let mut lives = self.members.iter().map(|member| member.contract.steps);
        lives.all(|life| life == self.steps)
    }

    pub(super) fn due(&self) -> Vec<usize> {
        match &self.form {
            Common::One(contract) => contract.due(),
            Common::Options { due } => due.clone(),
            Common::Sheet { sheets, .. } => sheets.due().to_vec(),
        }
    }

    pub(super) fn depends_on(&self) -> Vec<usize> {
        match &self.form {
            Common::One(contract) => contract.depends_on(),
            Common::Options { .. } => vec![0],
            Common::Sheet { sheets, .. } => sheets.depends_on(),
        }
    }

    pub(super) fn accumulators(&self) -> &[String] {
        match &self.form {
            Common::One(contract) => contract.accumulators(),
            Common::Options { .. } => &[],
            Common::Sheet { sheets, .. } => sheets.accumulators(),
        }
    }

    pub(super) fn can_end(&self) -> bool {
        let ends = match &self.form {
            Common::One(contract) => contract.can_end(),
            Common::Options { .. } => false,
            Common::Sheet { sheets, .. } => sheets.can_end(),
        };
        ends || !self.lives_are_equal()
    }

    pub(super) fn has_delta(&self) -> bool {
        self.members.iter().all(|one| one.contract.has_delta())
    }

    /// Writes what each path of a block makes of its own contract.
    ///
    /// # Panics
    /// If the paths have none.
    pub(super) fn observe<R: Real>(&self, spots: Spots<'_, R>, out: Observed<'_, R>) -> Result<()> {
        let members = spots.members().expect("every path has a contract");
        let members: [usize; BLOCK] = std::array::from_fn(|lane| members[lane].into_f64() as usize);
        let life = members.map(|member| self.members[member].contract.steps);
        match &self.form {
            Common::One(contract) => contract.write(spots, out),
            Common::Options { due } => {
                out.payments.fill([R::ZERO; BLOCK]);
                for lane in 0..BLOCK {
                    let contract = &self.members[members[lane]].contract;
                    let spot = spots.of(0)[life[lane]][lane].into_f64();
                    // A life is one of the dates on which some member expires.
                    let row = due.partition_point(|date| *date < life[lane]);
                    let pays = super::payoff(contract.legs().unwrap_or_default(), spot);
                    out.payments[row][lane] = R::of(pays);
                }
                if let Some(end) = out.end.first_mut() {
                    *end = life.map(|date| R::of(date as f64));
                }
                Ok(())
            }
            Common::Sheet { sheets, parameters } => {
                let of = |values: &Vec<f64>| -> Lane<f64> { members.map(|member| values[member]) };
                let terms: Vec<Lane<f64>> = parameters.iter().map(of).collect();
                sheets.observe_drawn(spots, &terms, &life, out)
            }
        }
    }
}

impl Serialize for Family {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.ranges.serialize(serializer)
    }
}

/// What `members` have in common, or why they have not.
fn common(longest: &Contract, members: &[Member]) -> std::result::Result<Common, String> {
    match &longest.form {
        Form::Options(_) => {
            let mut due: Vec<usize> = members.iter().map(|one| one.contract.steps).collect();
            due.sort_unstable();
            due.dedup();
            Ok(Common::Options { due })
        }
        Form::American(_) => {
            Err("has no meaning as a range of a contract that its holder may exercise".into())
        }
        Form::Family(_) => Err("has no meaning as a range of ranges".into()),
        Form::GivenPayoff => Err("has no meaning as a range where payoffs are given".into()),
        Form::Sheets(sheets, _) => {
            let [position] = sheets.positions() else {
                return Err(
                    "has no meaning as a range of contracts with expiries of their own".into(),
                );
            };
            let mut sheet = position.sheet.clone();
            let parameters = drawn_parameters(&mut sheet, members)?;
            let shortest = members.iter().map(|one| one.contract.steps).min();
            let position = Position {
                sheet,
                ..position.clone()
            };
            let sheets = sheets
                .with_lives(position, shortest.unwrap_or(longest.steps))
                .map_err(|error| error.to_string())?;
            Ok(Common::Sheet { sheets, parameters })
        }
    }
}

/// Makes those parameters of `sheet` drawn that differ between the members, and gives their values, `[parameters][members]`.
fn drawn_parameters(
    sheet: &mut Sheet,
    members: &[Member],
) -> std::result::Result<Vec<Vec<f64>>, String> {
    let of_member = |member: &Member| match &member.contract.form {
        Form::Sheets(sheets, _) => sheets.positions().first().map(|one| one.sheet.clone()),
        Form::Options(_) | Form::American(_) | Form::Family(_) | Form::GivenPayoff => None,
    };
    let sheets: Option<Vec<Sheet>> = members.iter().map(of_member).collect();
    let sheets = sheets.filter(|all| all.iter().all(|one| one.payments == sheet.payments));
    let Some(sheets) = sheets else {
        return Err("changes more of the contract than numbers, and is no range for it".into());
    };
    let mut drawn = Vec::new();
    for (index, parameter) in sheet.parameters.iter_mut().enumerate() {
        let constant = |sheet: &Sheet| match sheet.parameters[index].value {
            Value::Constant(value) => value,
            Value::Drawn => f64::NAN,
        };
        let values: Vec<f64> = sheets.iter().map(constant).collect();
        if values.iter().any(|value| *value != values[0]) {
            parameter.value = Value::Drawn;
            drawn.push(values);
        } else {
            parameter.value = Value::Constant(values[0]);
        }
    }
    Ok(drawn)
}
