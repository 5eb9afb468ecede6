//! Names of months and weekdays, in English and German.

const MONTHS: [[&str; 2]; 12] = [
    ["january", "januar"],
    ["february", "februar"],
    ["march", "märz"],
    ["april", "april"],
    ["may", "mai"],
    ["june", "juni"],
    ["july", "juli"],
    ["august", "august"],
    ["september", "september"],
    ["october", "oktober"],
    ["november", "november"],
    ["december", "dezember"],
];

const WEEKDAYS: [&str; 14] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonntag",
];

/// The number of a month by its name or the first letters of it, at least three.
pub fn month(word: &str) -> Option<u32> {
    let word = word.to_lowercase();
    let begins = |name: &&str| word.chars().count() >= 3 && name.starts_with(&word);
    let place = MONTHS.iter().position(|names| names.iter().any(&begins));
    // `Mrz` and `Maerz` are how German programs without umlauts write the third.
    let third = matches!(word.as_str(), "mrz" | "maerz").then_some(2);
    Some(place.or(third)? as u32 + 1)
}

/// Whether it is the name of a weekday, or the first letters of it, at least two.
pub fn weekday(word: &str) -> bool {
    let word = word.to_lowercase();
    let begins = |name: &&str| word.chars().count() >= 2 && name.starts_with(&word);
    WEEKDAYS.iter().any(begins)
}
