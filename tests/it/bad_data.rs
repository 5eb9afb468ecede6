use super::*;
use std::fmt::Write;

/// A bad input: what it is, the files, and the name of its repair, if there is one.
type Case = (&'static str, &'static [&'static str], &'static str);

const CASES: &[Case] = &[
    ("no such file", &[], ""),
    ("no rows", &["Date,Close\n"], ""),
    ("one row", &["Date,Close\n2020-01-02,100\n"], ""),
    (
        "no column of dates",
        &["Day,Close\n2020-01-02,100\n2020-01-03,101\n"],
        "",
    ),
    (
        "no column of closes",
        &["Date,Open\n2020-01-02,100\n2020-01-03,101\n"],
        "",
    ),
    (
        "a row with too many cells",
        &["Date,Close\n2020-01-02,100\n2020-01-03,101,102\n"],
        "",
    ),
    (
        "dates that are numbers",
        &["Date,Close\n1,100\n2,101\n"],
        "dates",
    ),
    (
        "a date that is none",
        &["Date,Close\n2020-01-02,100\n2020-02-30,101\n"],
        "dates",
    ),
    (
        "dates of two readings",
        &["Date,Close\n03/04/2020,100\n03/05/2020,101\n"],
        "",
    ),
    (
        "prices of two readings",
        &["Date;Close\n2020-01-02;30.000\n2020-01-03;30.114\n"],
        "",
    ),
    (
        "a quotation mark that is not closed",
        &["Date,Close\n2020-01-02,\"100\n2020-01-03,101\n"],
        "",
    ),
    (
        "a web page",
        &["<!DOCTYPE html>\n<title>Not found</title>\n"],
        "",
    ),
    (
        "a blank date",
        &["Date,Close\n2020-01-02,100\n,101\n"],
        "dates",
    ),
    (
        "a blank close",
        &["Date,Close\n2020-01-02,100\n2020-01-03,\n"],
        "blanks",
    ),
    (
        "NaN",
        &["Date,Close\n2020-01-02,100\n2020-01-03,NaN\n"],
        "blanks",
    ),
    (
        "a word for a price",
        &["Date,Close\n2020-01-02,100\n2020-01-03,halt\n"],
        "blanks",
    ),
    (
        "a price of zero",
        &["Date,Close\n2020-01-02,100\n2020-01-03,0\n"],
        "prices",
    ),
    (
        "a negative price",
        &["Date,Close\n2020-01-02,100\n2020-01-03,-101\n"],
        "prices",
    ),
    (
        "rows out of order",
        &["Date,Close\n2020-01-03,100\n2020-01-02,101\n"],
        "order",
    ),
    (
        "a date that repeats",
        &["Date,Close\n2020-01-02,100\n2020-01-02,101\n"],
        "duplicates",
    ),
    (
        "a split",
        &[
            "Date,Close,Volume\n2020-01-02,100,9\n2020-01-03,100,9\n2020-01-06,100,9\n2020-01-07,100,9\n\
             2020-01-08,100,9\n2020-01-09,50.2,18\n2020-01-10,50,18\n2020-01-13,50,18\n2020-01-14,50,18\n\
             2020-01-15,50,18\n",
        ],
        "splits",
    ),
    (
        "a move like a split without a witness",
        &["Date,Close\n2020-01-02,100\n2020-01-03,50.2\n"],
        "jumps",
    ),
    (
        "a jump",
        &["Date,Close\n2020-01-02,100\n2020-01-03,170\n"],
        "jumps",
    ),
    (
        "a gap",
        &["Date,Close\n2020-01-02,100\n2020-02-03,101\n"],
        "gaps",
    ),
    (
        "a day that a joined file lacks",
        &[
            "Date,Close\n2020-01-02,100\n2020-01-03,101\n2020-01-06,102\n",
            "Date,VIX\n2020-01-02,14\n2020-01-06,15\n",
        ],
        "unmatched",
    ),
    (
        "a joined file that adds nothing",
        &[
            "Date,Close\n2020-01-02,100\n2020-01-03,101\n",
            "Date,Close\n2020-01-02,100\n2020-01-03,101\n",
        ],
        "",
    ),
];

/// The table of bad inputs in `market_data/README.md` has the messages that the program prints, each one line with exit
/// code 2.
#[test]
fn the_documented_messages_are_those_printed() {
    let path = strategy("bad_data", SMALL);
    let mut table = String::from("| input | message | `repair` |\n|---|---|---|\n");
    for (number, (what, texts, repair)) in CASES.iter().enumerate() {
        let name = |index: usize| format!("prices{}.csv", ["", "2"][index]);
        let folder = path.with_file_name(format!("bad_data-{number}"));
        std::fs::create_dir_all(&folder).unwrap();
        let mut arguments = vec!["backtest", path.to_str().unwrap(), "--runs", "/proc/none"];
        let mut files = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let file = folder.join(name(index));
            std::fs::write(&file, text).unwrap();
            files.push(file);
        }
        if files.is_empty() {
            files.push(folder.join(name(0)));
        }
        for file in &files {
            arguments.extend(["--data", file.to_str().unwrap()]);
        }
        let output = deephedge(&arguments, "1");
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{what}: {message}");
        let message = message.trim_end().strip_prefix("deephedge: ").unwrap();
        assert_eq!(message.lines().count(), 1, "{what}: {message}");
        let message = message.replace(&format!("{}/", folder.display()), "");
        let repair = match *repair {
            "" => String::new(),
            name => format!("`{name}`"),
        };
        let _ = writeln!(table, "| {what} | {message} | {repair} |");
    }
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/market_data/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    assert!(readme.contains(&table), "the table should be\n{table}");
}
