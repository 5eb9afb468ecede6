//! From text to tree: tokens by winnow's parsers, operators by precedence climbing.

use super::bounds::{DEPTH, LENGTH};
use super::misread::{Misread, Span};
use super::tree::{Form, Infix, Prefix, Tree, too_deep};
use winnow::ascii::{digit0, digit1, multispace0};
use winnow::combinator::{alt, opt, peek, preceded};
use winnow::error::ErrMode;
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location, Stateful};
use winnow::token::{one_of, rest, take_while};

/// The text that is left, and how many operands are open.
type Text<'a> = Stateful<LocatingSlice<&'a str>, usize>;
type Read<T> = ModalResult<T, Misread>;

/// Reads the whole of `text`.
pub(super) fn parse(text: &str) -> Result<Tree, Misread> {
    if text.len() > LENGTH {
        let words = format!(
            "the text has {} bytes, and {LENGTH} are the most",
            text.len()
        );
        return Err(Misread::new(0..1, words));
    }
    let mut input = Text {
        input: LocatingSlice::new(text),
        state: 0,
    };
    whole(&mut input).map_err(|error| match error {
        ErrMode::Backtrack(misread) | ErrMode::Cut(misread) => misread,
        // Only of input that is still to come, and this is whole.
        ErrMode::Incomplete(_) => Misread::new(0..1, "the text ends too early"),
    })
}

fn whole(input: &mut Text<'_>) -> Read<Tree> {
    let tree = expression(input, 0)?;
    let start = place(input)?;
    let left = rest_of(input)?;
    if left.is_empty() {
        return Ok(tree);
    }
    Err(wrong(first(start, left), after_value(left)))
}

fn wrong(span: Span, words: impl Into<std::borrow::Cow<'static, str>>) -> ErrMode<Misread> {
    ErrMode::Cut(Misread::new(span, words))
}

/// Skips blanks and says where the next token begins.
fn place(input: &mut Text<'_>) -> Read<usize> {
    multispace0.void().parse_next(input)?;
    Ok(input.current_token_start())
}

fn rest_of<'a>(input: &mut Text<'a>) -> Read<&'a str> {
    peek(rest).parse_next(input)
}

/// The place of the word, the number or the sign that `left` begins with.
fn first(start: usize, left: &str) -> Span {
    let word = left.find(|c| !is_of_word(c)).unwrap_or(left.len());
    let sign = left.chars().next().map_or(0, char::len_utf8);
    start..start + word.max(sign)
}

/// Operands and operators that bind at least as tightly as `least`.
fn expression(input: &mut Text<'_>, least: u8) -> Read<Tree> {
    let start = place(input)?;
    input.state += 1;
    if input.state > DEPTH {
        return Err(ErrMode::Cut(too_deep(start..start + 1)));
    }
    let mut left = match opt(prefix).parse_next(input)? {
        Some(prefix) => {
            let operand = expression(input, prefix.power())?;
            let span = start..operand.span.end;
            Tree::new(Form::Prefix(prefix, Box::new(operand)), span).map_err(ErrMode::Cut)?
        }
        None => operand(input)?,
    };
    let mut compared = false;
    loop {
        let before = input.checkpoint();
        let start = place(input)?;
        let Some(infix) = opt(infix).parse_next(input)? else {
            input.reset(&before);
            break;
        };
        if infix.power() < least {
            input.reset(&before);
            break;
        }
        if compared && infix.is_comparison() {
            let words = "comparisons are not chained: join two of them with `and`";
            return Err(wrong(start..start + infix.symbol().len(), words));
        }
        compared = infix.is_comparison();
        let right = expression(input, infix.right_power())?;
        let span = left.span.start..right.span.end;
        left =
            Tree::new(Form::Infix(infix, Box::new([left, right])), span).map_err(ErrMode::Cut)?;
    }
    input.state -= 1;
    Ok(left)
}

fn prefix(input: &mut Text<'_>) -> Read<Prefix> {
    alt((
        "-".value(Prefix::Minus),
        word.verify(|word: &str| word == "not").value(Prefix::Not),
    ))
    .parse_next(input)
}

fn infix(input: &mut Text<'_>) -> Read<Infix> {
    let compared = alt((
        "<=".value(Infix::LessEqual),
        "<".value(Infix::Less),
        ">=".value(Infix::GreaterEqual),
        ">".value(Infix::Greater),
        "==".value(Infix::Equal),
        "!=".value(Infix::NotEqual),
    ));
    let reckoned = alt((
        "+".value(Infix::Add),
        "-".value(Infix::Subtract),
        "*".value(Infix::Multiply),
        "/".value(Infix::Divide),
        "^".value(Infix::Power),
    ));
    let joined = word.verify_map(|word: &str| match word {
        "and" => Some(Infix::And),
        "or" => Some(Infix::Or),
        _ => None,
    });
    alt((compared, reckoned, joined)).parse_next(input)
}

/// A number, a name, a call or an expression in parentheses.
fn operand(input: &mut Text<'_>) -> Read<Tree> {
    let start = place(input)?;
    if let Some(number) = opt(number).parse_next(input)? {
        let span = start..input.current_token_start();
        if !number.is_finite() {
            return Err(wrong(span, "this number is too large"));
        }
        return leaf(Form::Number(number), span);
    }
    if opt("(").parse_next(input)?.is_some() {
        let inner = expression(input, 0)?;
        return match closing(input, start, 0)? {
            Closing::End => Ok(inner),
            Closing::Comma(at) => Err(wrong(
                at..at + 1,
                "a comma separates the arguments of a function, and the parenthesis before it is not one's; the decimal point is `.`",
            )),
        };
    }
    let left = rest_of(input)?;
    let name = opt(word).parse_next(input)?;
    let Some(name) = name.filter(|name| !matches!(*name, "and" | "or" | "not")) else {
        return Err(wrong(first(start, left), before_value(left)));
    };
    let end = start + name.len();
    if let Some(asset) = opt(preceded(".", take_while(0.., is_of_word))).parse_next(input)? {
        let span = start..end + 1 + asset.len();
        if name != "S" || asset.is_empty() {
            let words = "a dot stands between `S` and the name of an asset alone";
            return Err(wrong(span, words));
        }
        return leaf(Form::Spot(asset.to_owned()), span);
    }
    let before = input.checkpoint();
    let opening = place(input)?;
    if opt("(").parse_next(input)?.is_none() {
        input.reset(&before);
        return leaf(Form::Name(name.to_owned()), start..end);
    }
    let mut arguments = Vec::new();
    if opt(preceded(multispace0, ")")).parse_next(input)?.is_none() {
        loop {
            arguments.push(expression(input, 0)?);
            if let Closing::End = closing(input, opening, arguments.len())? {
                break;
            }
        }
    }
    let span = start..input.current_token_start();
    Tree::new(Form::Call(name.to_owned(), arguments), span).map_err(ErrMode::Cut)
}

fn leaf(form: Form, span: Span) -> Read<Tree> {
    Tree::new(form, span).map_err(ErrMode::Cut)
}

/// What stands after an expression in parentheses.
enum Closing {
    End,
    /// A comma, and where.
    Comma(usize),
}

/// Reads the end of what was opened at `opening`, or the comma before a further argument.
fn closing(input: &mut Text<'_>, opening: usize, arguments: usize) -> Read<Closing> {
    let start = place(input)?;
    match opt(one_of([')', ','])).parse_next(input)? {
        Some(')') => Ok(Closing::End),
        Some(_) => Ok(Closing::Comma(start)),
        None => {
            let left = rest_of(input)?;
            if left.is_empty() {
                let words = "this parenthesis is not closed";
                return Err(wrong(opening..opening + 1, words));
            }
            let words = match after_value(left) {
                MISSING_OPERATOR if arguments > 0 => {
                    "an operator or a comma is missing before this"
                }
                words => words,
            };
            Err(wrong(first(start, left), words))
        }
    }
}

fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn word<'a>(input: &mut Text<'a>) -> Read<&'a str> {
    let begins = |c: char| c.is_ascii_alphabetic() || c == '_';
    (one_of(begins), take_while(0.., is_of_word))
        .take()
        .parse_next(input)
}

/// Digits with a decimal point and an exponent where there are any.
fn number(input: &mut Text<'_>) -> Read<f64> {
    let exponent = || opt((one_of(['e', 'E']), opt(one_of(['+', '-'])), digit1));
    alt((
        (digit1, opt((".", digit0)), exponent()).take(),
        (".", digit1, exponent()).take(),
    ))
    .parse_to()
    .parse_next(input)
}

const MISSING_OPERATOR: &str = "an operator is missing before this";

/// What is wrong where `left` follows a value.
fn after_value(left: &str) -> &'static str {
    match left.chars().next() {
        Some(')') => "no parenthesis is open here",
        Some(',') => {
            "a comma separates the arguments of a function, and this is outside of one; the decimal point is `.`"
        }
        Some('=') => "two numbers are compared with `==`",
        Some('&') => "two conditions are joined with `and`",
        Some('|') => "two conditions are joined with `or`",
        Some('%') => "a percentage is written as a fraction, 0.02 for 2 %",
        Some(c) if is_of_word(c) || c == '(' || c == '.' => MISSING_OPERATOR,
        _ => UNKNOWN_SIGN,
    }
}

const UNKNOWN_SIGN: &str = "this sign has no meaning";

/// What is wrong where `left` stands in the place of a value.
fn before_value(left: &str) -> &'static str {
    match left.chars().next() {
        None => "a value is missing at the end",
        Some('!') => "a condition is denied with `not`",
        Some('*') => "a value is missing before this; a power is written with `^`",
        Some(c) if is_of_word(c) || "+-/^<>=,)".contains(c) => "a value is missing before this",
        Some(_) => UNKNOWN_SIGN,
    }
}
