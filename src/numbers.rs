//! Numbers as people read them: as many digits as mean something, whatever the unit of money, and counts with their nouns; and the middle
//! one of several.

/// The decimals that a number may have before it is written with a power of ten.
const MOST_DECIMALS: i32 = 8;

/// The decimals that a zero may have beside other numbers before it is written as one digit.
const LONG_ZERO: i32 = 5;

/// The digits that a number may have before its point before it is written with a power of ten.
const MOST_DIGITS: i32 = 12;

/// The middle one of those of these values that are numbers, the upper one of two; absent if there is none.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().filter(|one| !one.is_nan()).collect();
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

/// Where numbers are rounded, and the power of ten that stands behind each of them: those of a column share both, so that
/// their points line up.
///
/// Decimals below zero round to tens, hundreds and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounding {
    decimals: i32,
    exponent: i32,
}

impl Rounding {
    /// The rounding that shows `digits` digits of the largest of `values`, and no fewer than all digits before the point.
    pub fn of_values(values: impl IntoIterator<Item = f64>, digits: i32) -> Self {
        let sizes = sizes(values);
        let decimals = match sizes.last() {
            Some(&largest) => decimals(largest, digits).max(0),
            None => digits - 1,
        };
        Self::new(decimals, &sizes)
    }

    /// The rounding of estimates with their standard errors: two digits of the middle error and at least one of the
    /// smallest; four digits of the largest value where there are no errors.
    ///
    /// An error of a few roundings of its value is that of a constant and asks for no decimals.
    pub fn of_estimates(estimates: impl IntoIterator<Item = (f64, Option<f64>)>) -> Self {
        let estimates: Vec<(f64, Option<f64>)> = estimates.into_iter().collect();
        let errors = estimates
            .iter()
            .filter_map(|&(value, error)| error.filter(|error| *error > 1e-12 * value.abs()));
        let errors = sizes(errors);
        let values = estimates.iter().map(|(value, _)| *value);
        match errors.first() {
            None => Self::of_values(values, 4),
            Some(&smallest) => {
                let middle = decimals(errors[errors.len() / 2], 2);
                Self::new(middle.max(decimals(smallest, 1)), &sizes(values))
            }
        }
    }

    /// The rounding of multiples of `step` up to `largest`, such as the labels of an axis.
    pub fn of_steps(step: f64, largest: f64) -> Self {
        let needed = match step.is_finite() && step > 0.0 {
            true => decimals(step, 1),
            false => 0,
        };
        Self::new(needed.max(0), &sizes([largest]))
    }

    /// Four decimals, or more where `value` would have fewer than three digits: for parameters of a model.
    pub fn of_parameter(value: f64) -> Self {
        let sizes = sizes([value]);
        let needed = sizes.first().map_or(0, |size| decimals(*size, 3));
        Self::new(needed.max(4), &sizes)
    }

    /// So many decimals; where numbers would be too long with them, the power of ten of the middle one of their `sizes`.
    fn new(decimals: i32, sizes: &[f64]) -> Self {
        let largest = sizes.last().map_or(0, |largest| order(*largest));
        if decimals <= MOST_DECIMALS && largest < MOST_DIGITS {
            return Self {
                decimals,
                exponent: 0,
            };
        }
        let exponent = sizes
            .get(sizes.len() / 2)
            .map_or(0, |middle| order(*middle));
        Self {
            decimals: (decimals + exponent).max(0),
            exponent,
        }
    }

    /// The number, without the sign of a zero: `-1.250`, `61200`, `4.12e-8`.
    pub fn write(self, value: f64) -> String {
        let scaled = value / 10f64.powi(self.exponent);
        let places = self.decimals.max(0) as usize;
        let text = match self.decimals < 0 {
            true => {
                let unit = 10f64.powi(-self.decimals);
                format!("{:.0}", (scaled / unit).round() * unit)
            }
            false => format!("{scaled:.places$}"),
        };
        let is_zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
        let is_long = self.exponent != 0 || self.decimals > LONG_ZERO;
        match (is_zero, self.exponent) {
            (true, _) if is_long => "0".to_owned(),
            (true, _) => text.trim_start_matches('-').to_owned(),
            (false, 0) => text,
            (false, exponent) => format!("{text}e{exponent}"),
        }
    }
}

/// The absolute values of those that are finite and not zero, from the smallest to the largest.
fn sizes(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    let mut sizes: Vec<f64> = finite.map(f64::abs).filter(|size| *size > 0.0).collect();
    sizes.sort_by(f64::total_cmp);
    sizes
}

/// The power of ten of the first digit of a number that is not zero.
fn order(value: f64) -> i32 {
    // The decimal form is exact where a logarithm is a rounding off a power of ten.
    let text = format!("{value:e}");
    let exponent = text.rsplit_once('e').map(|(_, exponent)| exponent);
    exponent.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// The decimals that show `digits` digits of a number that is not zero.
fn decimals(value: f64, digits: i32) -> i32 {
    digits - 1 - order(value)
}

/// A number by itself with so many digits: `0.01235`, `58.6`, `1234`.
pub fn significant(value: f64, digits: i32) -> String {
    Rounding::of_values([value], digits).write(value)
}

/// A value and its standard error by themselves, with two digits of the error: `1.235 ± 0.012`; the value alone, with five
/// digits, where the error is not a number.
pub fn with_error(value: f64, error: f64) -> String {
    if !error.is_finite() {
        return significant(value, 5);
    }
    let rounding = Rounding::of_estimates([(value, Some(error))]);
    format!("{} ± {}", rounding.write(value), rounding.write(error))
}

/// A number of a formula or of a simulation by itself: so many digits where its error is 0 or mere rounding, as where control
/// variates replicate it, else with its standard error.
pub fn estimate(value: f64, error: f64, digits: i32) -> String {
    const ROUNDING: f64 = 1e-9;
    match error > ROUNDING * value.abs() {
        true => with_error(value, error),
        false => significant(value, digits),
    }
}

/// A change and its standard error in per cent, the change with its sign: one decimal, or fewer where it would be beyond
/// the third digit of the error.
pub fn percent(change: f64, error: f64) -> (String, String) {
    let (change, error) = (100.0 * change, 100.0 * error);
    let known = error.is_finite() && error > 0.0;
    let rounding = Rounding {
        decimals: if known { decimals(error, 3).min(1) } else { 1 },
        exponent: 0,
    };
    let sign = if change < 0.0 { '-' } else { '+' };
    (
        format!("{sign}{} %", rounding.write(change.abs())),
        format!("±{} %", rounding.write(error)),
    )
}

/// A share in per cent, with all of its digits: `0.95` → `95 %`.
pub fn share(share: f64) -> String {
    // Without the last digits that the factor leaves.
    format!("{} %", (1e12 * share).round() / 1e10)
}

/// `100000` → `100 000`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A number of things: `1 row`, `5 031 rows`.
pub fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digits shown of estimates do not depend on the unit of money: they are the same of 1.23456 ± 0.0123 in any.
    #[test]
    fn digits_do_not_depend_on_the_unit_of_money() {
        let digits = |text: &str| -> String {
            let mantissa = text.split('e').next().unwrap();
            let all: String = mantissa.chars().filter(char::is_ascii_digit).collect();
            all.trim_matches('0').to_owned()
        };
        for power in -12..=12 {
            let unit = 10f64.powi(power);
            let (value, error) = (1.23456 * unit, 0.0123 * unit);
            let text = with_error(value, error);
            let (shown, rest) = text.split_once(" ± ").unwrap();
            assert_eq!(
                (digits(shown).as_str(), digits(rest).as_str()),
                ("1235", "12")
            );
            assert!(
                (shown.parse::<f64>().unwrap() - value).abs() <= 0.0005 * unit,
                "{text}"
            );
            assert!(text.len() < 30, "{text}");
        }
    }

    /// A column of small numbers has the power of ten of its middle one, so that one far from the others hides none.
    #[test]
    fn one_number_does_not_hide_the_others() {
        let column = [
            (3.18e-9, Some(2.0e-10)),
            (3.697e-5, Some(3.07e-5)),
            (4.31e-8, Some(1.9e-9)),
        ];
        let rounding = Rounding::of_estimates(column);
        let shown = column.map(|(value, _)| rounding.write(value));
        assert_eq!(shown, ["0.32e-8", "3697.00e-8", "4.31e-8"]);
    }

    /// By hand: small numbers have a power of ten, large ones no digits beyond their errors, zeros no sign.
    #[test]
    fn numbers_by_hand() {
        let rounding = Rounding::of_estimates([(4.1234e-8, Some(1.8e-9)), (0.0, Some(2.1e-9))]);
        assert_eq!(rounding.write(4.1234e-8), "4.12e-8");
        assert_eq!(rounding.write(-1e-12), "0");
        let large = Rounding::of_estimates([(3_454_683.0, Some(148_810.0))]);
        assert_eq!(large.write(3_454_683.0), "3450000");
        assert_eq!(large.write(148_810.0), "150000");
        assert_eq!(significant(0.012_345_6, 4), "0.01235");
        assert_eq!(significant(61_234.6, 4), "61235");
        assert_eq!(significant(0.0, 3), "0.00");
        assert_eq!(Rounding::of_parameter(3.2).write(3.2), "3.2000");
        assert_eq!(Rounding::of_parameter(4.2e-5).write(4.2e-5), "0.0000420");
        assert_eq!(percent(-0.142, 0.013), ("-14.2 %".into(), "±1.3 %".into()));
        let wild = percent(12_192.591, 10_319.902);
        assert_eq!(wild, ("+1220000 %".into(), "±1030000 %".into()));
    }

    #[test]
    fn counts_have_their_nouns() {
        assert_eq!(grouped(1_234_567), "1 234 567");
        assert_eq!(grouped(100), "100");
        assert_eq!(counted(1, "contract"), "1 contract");
        assert_eq!(counted(5031, "row"), "5 031 rows");
    }

    /// An error of mere rounding is none.
    #[test]
    fn what_is_replicated_has_no_error() {
        assert_eq!(estimate(8.459123, 1e-13, 5), "8.4591");
        assert_eq!(estimate(8.459123, 0.012, 5), "8.459 ± 0.012");
    }
}
