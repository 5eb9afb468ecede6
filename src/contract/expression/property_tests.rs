//! Random texts, trees and paths.

use super::fixture::{days, names, observe, payment, sheet, spots};
use super::functions::{Function, Functional};
use super::lanes::{greater, lesser};
use super::parser::parse;
use super::schedule::Rule;
use super::tree::{Form, Infix, Prefix, Tree};
use super::{Grid, Program, Sheet};
use crate::contract::expression::node::Binary;
use crate::simd::{BLOCK, Lane};
use proptest::prelude::*;

fn of(text: &'static str) -> BoxedStrategy<String> {
    Just(text.to_owned()).boxed()
}

fn schedule() -> impl Strategy<Value = String> {
    prop_oneof![
        of("weekly"),
        of("daily"),
        of("monthly"),
        (1..9usize).prop_map(|n| format!("every({n})")),
        (1..9usize).prop_map(|n| format!("fixings({n})")),
    ]
}

/// Texts that are numbers on every date.
fn number(depth: u32) -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        of("S.a"),
        of("S.b"),
        of("years"),
        of("observation"),
        (0..2000u32).prop_map(|n| format!("{}", f64::from(n) / 10.0)),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let inner = || number(depth - 1);
    let running = prop_oneof![of("average"), of("sum"), of("highest"), of("lowest")];
    prop_oneof![
        1 => leaf,
        3 => (inner(), prop_oneof![of("+"), of("-"), of("*"), of("/")], inner())
            .prop_map(|(x, sign, y)| format!("({x} {sign} {y})")),
        1 => inner().prop_map(|x| format!("-{x}")),
        1 => inner().prop_map(|x| format!("({x})^2")),
        1 => inner().prop_map(|x| format!("sqrt(abs({x}))")),
        1 => (inner(), inner()).prop_map(|(x, y)| format!("max({x}, {y}, 3)")),
        1 => (inner(), inner()).prop_map(|(x, y)| format!("clamp({x}, -20, {y})")),
        1 => (condition(depth - 1), inner(), inner()).prop_map(|(c, x, y)| format!("when({c}, {x}, {y})")),
        2 => (running.clone(), inner()).prop_map(|(f, x)| format!("{f}({x})")),
        2 => (running, inner(), schedule()).prop_map(|(f, x, s)| format!("{f}({x}, {s})")),
        1 => (condition(depth - 1), schedule()).prop_map(|(c, s)| format!("count({c}, {s})")),
        1 => inner().prop_map(|x| format!("first({x})")),
        1 => inner().prop_map(|x| format!("previous({x})")),
        1 => (inner(), schedule()).prop_map(|(x, s)| format!("previous({x}, {s})")),
    ]
    .boxed()
}

/// Texts that are conditions on every date.
fn condition(depth: u32) -> BoxedStrategy<String> {
    let compared = (
        number(depth.saturating_sub(1)),
        prop_oneof![of("<"), of("<="), of(">"), of(">="), of("=="), of("!=")],
        number(depth.saturating_sub(1)),
    )
        .prop_map(|(x, sign, y)| format!("{x} {sign} {y}"));
    if depth == 0 {
        return compared.boxed();
    }
    let inner = || condition(depth - 1);
    prop_oneof![
        3 => compared,
        1 => (inner(), inner()).prop_map(|(x, y)| format!("({x} and not ({y}))")),
        1 => (inner(), inner()).prop_map(|(x, y)| format!("({x} or {y})")),
        1 => (inner(), schedule()).prop_map(|(x, s)| format!("any({x}, {s})")),
        1 => inner().prop_map(|x| format!("all({x})")),
    ]
    .boxed()
}

/// Texts that read as trees, whether they mean something or not.
fn any_text(depth: u32) -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        of("S"),
        of("S.dax"),
        of("K_2"),
        any::<f64>()
            .prop_filter("is finite", |n| n.is_finite())
            .prop_map(|n| format!("{:e}", n.abs())),
        (0..10_000u32).prop_map(|n| f64::from(n).to_string()),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let inner = || any_text(depth - 1);
    let signs = prop::sample::select(vec![
        "or", "and", "<", "<=", ">", ">=", "==", "!=", "+", "-", "*", "/", "^",
    ]);
    prop_oneof![
        1 => leaf,
        4 => (inner(), signs, inner()).prop_map(|(x, sign, y)| format!("({x}) {sign} ({y})")),
        1 => inner().prop_map(|x| format!("-({x})")),
        1 => inner().prop_map(|x| format!("not ({x})")),
        1 => prop::collection::vec(inner(), 0..4).prop_map(|all| format!("f ({})", all.join(" ,"))),
    ]
    .boxed()
}

fn paying(amount: &str, when: &str, ends: bool) -> Sheet {
    sheet([
        payment("every(2)", Some(when), amount, ends),
        payment("expiry", None, amount, false),
    ])
}

/// One path, for the definitions.
struct Path<'a> {
    spots: &'a [Vec<Lane<f64>>],
    lane: usize,
    grid: Grid,
}

impl Path<'_> {
    /// The value of a tree on date t by its definition; `rule` is the schedule at hand.
    fn value(&self, tree: &Tree, t: usize, rule: Rule) -> f64 {
        let x = |tree: &Tree| self.value(tree, t, rule);
        let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
        match &tree.form {
            Form::Number(number) => *number,
            Form::Name(name) if name == "years" => t as f64 * self.grid.dt,
            Form::Name(_) => self.number(rule, t) as f64,
            Form::Spot(name) => self.spots[usize::from(name == "b")][t][self.lane],
            Form::Prefix(Prefix::Minus, operand) => -x(operand),
            Form::Prefix(Prefix::Not, operand) => 1.0 - x(operand),
            Form::Infix(infix, operands) => {
                let [a, b] = [x(&operands[0]), x(&operands[1])];
                let none = a.is_nan() || b.is_nan();
                match infix {
                    Infix::Add => a + b,
                    Infix::Subtract => a - b,
                    Infix::Multiply => a * b,
                    Infix::Divide => a / b,
                    Infix::Power => a * a,
                    Infix::And => lesser(a, b),
                    Infix::Or => greater(a, b),
                    _ if none => f64::NAN,
                    Infix::Less => truth(a < b),
                    Infix::LessEqual => truth(a <= b),
                    Infix::Greater => truth(a > b),
                    Infix::GreaterEqual => truth(a >= b),
                    Infix::Equal => truth(a == b),
                    Infix::NotEqual => truth(a != b),
                }
            }
            Form::Call(name, arguments) => {
                let written = arguments.get(1).and_then(|tree| match &tree.form {
                    Form::Name(name) => Rule::named(name),
                    Form::Call(name, number) => match number[0].form {
                        Form::Number(n) => Rule::counted(name).map(|rule| rule(n as usize)),
                        _ => None,
                    },
                    _ => None,
                });
                match Function::named(name).unwrap().0 {
                    Function::Extreme(operation) => {
                        assert_eq!(operation, Binary::Max);
                        arguments.iter().map(x).reduce(greater).unwrap()
                    }
                    Function::Elementary(_) if name == "abs" => x(&arguments[0]).abs(),
                    Function::Elementary(_) => x(&arguments[0]).sqrt(),
                    Function::Clamp => lesser(
                        greater(x(&arguments[0]), x(&arguments[1])),
                        x(&arguments[2]),
                    ),
                    Function::When => match x(&arguments[0]) {
                        none if none.is_nan() => none,
                        0.0 => x(&arguments[2]),
                        _ => x(&arguments[1]),
                    },
                    Function::First => self.value(&arguments[0], 0, rule),
                    Function::Previous => {
                        let rule = written.unwrap_or(rule);
                        let before = (1..t).rev().find(|t| self.number(rule, *t) > 0);
                        self.value(&arguments[0], before.unwrap_or(0), rule)
                    }
                    Function::Running(functional) => {
                        let rule = written.unwrap_or(Rule::Every(1));
                        self.running(functional, &arguments[0], t, rule)
                    }
                }
            }
        }
    }

    fn running(&self, functional: Functional, argument: &Tree, t: usize, rule: Rule) -> f64 {
        let dates = (1..=t)
            .map(|t| (self.number(rule, t), t))
            .filter(|(n, _)| *n > 0);
        let values = dates.map(|(n, t)| (n as f64, self.value(argument, t, rule)));
        let running = values.reduce(|(_, so_far), (n, x)| {
            let next = match functional {
                Functional::Average => so_far + (x - so_far) * (1.0 / n),
                Functional::Sum | Functional::Count => so_far + x,
                Functional::Highest | Functional::Any => greater(so_far, x),
                Functional::Lowest | Functional::All => lesser(so_far, x),
            };
            (n, next)
        });
        match running {
            Some((_, running)) => running,
            None => functional
                .start()
                .unwrap_or_else(|| self.value(argument, 0, rule)),
        }
    }

    fn number(&self, rule: Rule, t: usize) -> usize {
        rule.on(&self.grid).unwrap().number(t, self.grid.steps)
    }
}

const STEPS: usize = 24;

fn same(a: f64, b: f64) -> bool {
    a == b || a.is_nan() && b.is_nan()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// The program pays what the definitions of its terms say, to the last bit.
    #[test]
    fn a_program_is_its_definition(amount in number(4), when in condition(2), seed in 0..1000u64) {
        let Ok(program) = Program::new(&paying(&amount, &when, false), &names(&["a", "b"]), days(STEPS)) else {
            // Such as a division of constants by 0.
            return Ok(());
        };
        let spots = spots(2, STEPS, seed);
        let found = observe(&program, &spots, &[], None);
        let path = Path { spots: &spots, lane: seed as usize % BLOCK, grid: days(STEPS) };
        let (amount_tree, when_tree) = (parse(&amount).unwrap(), parse(&when).unwrap());
        for (row, t) in program.due().iter().enumerate() {
            let mut paid = 0.0;
            if t % 2 == 0 {
                let amount = path.value(&amount_tree, *t, Rule::Every(2));
                paid += match path.value(&when_tree, *t, Rule::Every(2)) {
                    none if none.is_nan() => none,
                    0.0 => 0.0,
                    _ => amount,
                };
            }
            if *t == STEPS {
                paid += path.value(&amount_tree, *t, Rule::Expiry);
            }
            prop_assert!(same(found.payments[row][path.lane], paid), "{} when {} at {}", amount, when, t);
        }
    }

    /// What is paid, known and ended up to a date does not change when all that follows does.
    #[test]
    fn the_future_changes_nothing_before(
        amount in number(4), when in condition(3), date in 0..STEPS, seed in 0..1000u64
    ) {
        let Ok(program) = Program::new(&paying(&amount, &when, true), &names(&["a", "b"]), days(STEPS)) else {
            return Ok(());
        };
        let before = spots(2, STEPS, seed);
        let mut other = before.clone();
        for (asset, changed) in other.iter_mut().enumerate() {
            changed[date + 1..].reverse();
            changed[date + 1..].iter_mut().for_each(|row| row.rotate_left(3 + asset));
        }
        let [one, other] = [before, other].map(|spots| observe(&program, &spots, &[], None));
        for (row, due) in program.due().iter().enumerate().filter(|(_, due)| **due <= date) {
            for lane in 0..BLOCK {
                prop_assert!(same(one.payments[row][lane], other.payments[row][lane]), "due on {}", due);
            }
        }
        for (one, other) in one.state.iter().zip(&other.state) {
            for t in 0..=date {
                for lane in 0..BLOCK {
                    prop_assert!(same(one[t][lane], other[t][lane]));
                }
            }
        }
        for lane in 0..BLOCK {
            let (one, other) = (one.end[lane], other.end[lane]);
            prop_assert!(one == other || one > date && other > date);
        }
    }

    /// The canonical text of a tree reads back as the tree.
    #[test]
    fn what_is_printed_reads_back(text in any_text(5)) {
        // Deeper than the bound, if at all.
        if let Ok(tree) = parse(&text) {
            let printed = tree.to_string();
            prop_assert_eq!(parse(&printed), Ok(tree), "{}", printed);
        }
    }

    /// Whatever a text is, it is read or refused, and the refusal can be shown.
    #[test]
    fn no_text_panics(
        words in prop::collection::vec(
            prop_oneof![
                prop::sample::select(vec![
                    "S", "(", ")", "average", "max", "when", ",", "monthly", "every", "2", ".5", "1e9", "-", "not", "and",
                    "<=", "==", "^", "first", "previous", "observation", " ", "\n", "K", "dax", ".", "é", "\u{200b}",
                ]).prop_map(str::to_owned),
                any::<String>(),
            ],
            0..30,
        )
    ) {
        let text = words.concat();
        match super::fixture::payoff(&text) {
            Ok(sheet) => {
                if let Err(error) = Program::new(&sheet, &names(&["x"]), days(40)) {
                    prop_assert!(error.to_string().lines().count() == 3);
                }
            }
            Err(error) => prop_assert!(error.to_string().lines().count() == 3),
        }
    }
}
