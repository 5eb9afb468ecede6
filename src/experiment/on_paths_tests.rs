use super::*;
use crate::experiment::outcome::{hedge_test_paths, test_paths};
use crate::experiment::{Prepared, Scope};
use crate::hedging::{ClassicalName, HedgeValues};
use crate::market::Paths;
use crate::market::path_table::tests::spots;
use crate::random::Purpose;
use crate::runs::fixture::Scratch;
use crate::runs::store::RunFolder;
use crate::simd::BLOCK;
use crate::strategy::Plan;
use crate::training::train;

const PATHS: usize = 960;
const DATES: usize = 6;

const STRATEGY: &str = r#"
name = "given"
seed = 4
costs.proportional = 0.002
risk.level = 0.5
policy.hidden = 3
training = { steps = 6, paths = 96, validation_period = 3 }
evaluation.hedges = ["naked", "hedged_monte_carlo"]
optimizers.adam = {}
optimizers.kfac = { curvature_paths = 64 }
"#;

fn on<'a>(spot: &'a [f64], payoff: Option<&'a [f64]>) -> OnPaths<'a> {
    OnPaths {
        columns: PathColumns {
            dates: DATES,
            spot,
            variance: None,
            payoff,
        },
        days: None,
        days_per_year: None,
        held_out: (0.1, 0.2),
    }
}

fn table(more: &str) -> Table {
    format!("{STRATEGY}{more}").parse().unwrap()
}

fn plan(on: &OnPaths<'_>, more: &str, root: &Path) -> Plan {
    Plan::read(on.strategy(table(more), root).unwrap(), |_| {}).unwrap()
}

/// What a call at 100 pays.
fn call(spot: &[f64]) -> Vec<f64> {
    let ends = spot.chunks_exact(DATES).map(|path| path[DATES - 1]);
    ends.map(|end| (end - 100.0).max(0.0)).collect()
}

/// On paths to single precision, an array of what a call pays and the contract of the call are the same: premium, unit of money, weights of every
/// optimizer to the last bit, and P&L on the test paths.
#[test]
fn given_payoffs_of_a_call_train_as_the_call() {
    let scratch = Scratch::new("given-call");
    let spot = spots(PATHS, DATES);
    let payoff = call(&spot);
    let given = plan(&on(&spot, Some(&payoff)), "", scratch.path());
    let named = plan(
        &on(&spot, None),
        "contract.type = \"call\"\n",
        scratch.path(),
    );
    assert_eq!(given.model_premium(), named.model_premium());
    assert_eq!(given.money_unit(), named.money_unit());
    for (one, other) in given.optimizers.iter().zip(&named.optimizers) {
        let [one, other] = [(&given, one), (&named, other)].map(|(plan, optimizer)| {
            let trained = train(plan, optimizer, 4, |_| Ok(())).unwrap();
            trained.parameters.matrices().unwrap()
        });
        assert_eq!(one, other);
    }
    let books = [&given, &named].map(|plan| {
        let hedge = plan.classical(ClassicalName::Naked, &plan.assets(), HedgeValues::default());
        hedge_test_paths(plan, &hedge, &mut || Ok(())).unwrap().pnl
    });
    assert_eq!(books[0], books[1]);
}

/// On paths that Heston's model drew, given paths settle any positions as Heston's plan settles them: the P&L has the same bits.
#[test]
fn the_ledger_is_that_of_the_model_that_drew_the_paths() {
    let scratch = Scratch::new("given-heston");
    let heston = Plan::parse(
        "market = { model = \"heston\", v0 = 0.04, kappa = 2.0, theta = 0.04, sigma = 0.4, rho = -0.6, rate = 0.03 }\n\
         contract = { type = \"call\", expiry_days = 5, days_per_year = 252, premium = 1.5 }\n\
         costs.proportional = 0.002\n",
        |_| {},
    )
    .unwrap();
    let drawn: Paths<f64> = heston.simulator(1, Purpose::Export).paths(0, PATHS);
    let columns: Vec<(Vec<f64>, Vec<f64>)> = (0..PATHS).map(|path| drawn.path(path)).collect();
    let spot: Vec<f64> = columns.iter().flat_map(|(spot, _)| spot.clone()).collect();
    let variance: Vec<f64> = columns
        .into_iter()
        .flat_map(|(_, variance)| variance)
        .collect();
    let payoff = call(&spot);
    let mut arrays = on(&spot, Some(&payoff));
    arrays.columns.variance = Some(&variance);
    let given = plan(
        &arrays,
        "market.rate = 0.03\ncontract.premium = 1.5\n",
        scratch.path(),
    );
    let all = given.simulator(1, Purpose::Export);
    let all: Paths<f64> = all.paths_with(&given.quotes().unwrap(), 0, PATHS);
    let drawn = heston.quotes().unwrap().onto(drawn);
    let (ledger, own) = (heston.ledger_of_sale(), given.ledger_of_sale());
    for block in 0..drawn.blocks() {
        let held: Vec<_> = (0..DATES - 1).map(|t| [0.2 * t as f64; BLOCK]).collect();
        let expected = ledger.settle(&drawn.block(block), &held).pnl;
        assert_eq!(own.settle(&all.block(block), &held).pnl, expected);
    }
}

/// A payoff that the language of term sheets cannot say, the number of the date on which the spot is highest: doing nothing earns the premium less the
/// payoff of each of the last paths, and policies are tested on those.
#[test]
fn any_payoff_is_hedged() {
    let scratch = Scratch::new("given-any");
    let spot = spots(PATHS, DATES);
    let highest = |path: &[f64]| {
        let dates = (0..DATES).max_by(|a, b| path[*a].total_cmp(&path[*b]));
        dates.unwrap() as f64
    };
    let payoff: Vec<f64> = spot.chunks_exact(DATES).map(highest).collect();
    let (plan, run) = compared(&on(&spot, Some(&payoff)), scratch.path());
    let training = &payoff[..PATHS * 7 / 10];
    let premium = training.iter().sum::<f64>() / training.len() as f64;
    assert!((plan.model_premium() - premium).abs() < 1e-12);
    let books = run.evaluation().unwrap().unwrap().books;
    let mut names: Vec<&str> = books.iter().map(|book| book.strategy.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["adam", "hedged_monte_carlo", "kfac", "naked"]);
    let tested = &payoff[PATHS - PATHS / 5..];
    let naked = books.iter().find(|book| book.strategy == "naked");
    for (pnl, paid) in naked.unwrap().pnl.iter().zip(tested) {
        assert!((pnl - (premium - paid)).abs() < 1e-12);
    }
    assert!(books.iter().all(|book| book.pnl.len() == tested.len()));
    let paths = test_paths(&plan).paths::<f64>(0, tested.len());
    for path in 0..tested.len() {
        let number = PATHS - PATHS / 5 + path;
        assert_eq!(paths.path(path).0, spot[number * DATES..][..DATES]);
    }
}

fn compared(on: &OnPaths<'_>, root: &Path) -> (Plan, RunFolder) {
    let plan = plan(on, "", root);
    let prepared = Prepared::comparison(&plan, &scope(), root).unwrap();
    prepared.carry_out(&mut |_| Ok(())).unwrap();
    (plan, prepared.folder().clone())
}

fn scope() -> Scope {
    Scope {
        seeds: vec![4],
        ..Scope::default()
    }
}

/// One thread and two, and a run that is stopped and read again from its folder, come to the same P&L to the last bit.
#[test]
fn threads_and_stops_change_no_bit() {
    let scratch = Scratch::new("given-bits");
    let spot = spots(PATHS, DATES);
    let payoff = call(&spot);
    let on = on(&spot, Some(&payoff));
    let pnl = |run: &RunFolder| -> Vec<Vec<f64>> {
        let books = run.evaluation().unwrap().unwrap().books;
        books.into_iter().map(|book| book.pnl).collect()
    };
    let runs = [1, 2].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().unwrap();
        pool.install(|| compared(&on, scratch.path()).1)
    });
    let expected = pnl(&runs[0]);
    assert_eq!(pnl(&runs[1]), expected);

    let plan = plan(&on, "", scratch.path());
    let prepared = Prepared::comparison(&plan, &scope(), scratch.path()).unwrap();
    let mut told = 0;
    let stopped = prepared.carry_out(&mut |_| {
        told += 1;
        match told {
            1..=8 => Ok(()),
            _ => Err(Error::Stopped("asked".into())),
        }
    });
    assert!(matches!(stopped.err(), Some(Error::Stopped(_))));
    let folder = prepared.folder().clone();
    drop(prepared);
    let again = Prepared::again(folder, Some("compare")).unwrap();
    again.carry_out(&mut |_| Ok(())).unwrap();
    assert_eq!(pnl(again.folder()), expected);
}

/// What a strategy leaves out follows from the paths; what it says stays.
#[test]
fn the_strategy_is_filled_from_the_paths() {
    let scratch = Scratch::new("given-filled");
    let spot = spots(PATHS, DATES);
    let payoff = call(&spot);
    let filled = on(&spot, Some(&payoff))
        .strategy(Table::new(), scratch.path())
        .unwrap();
    let plan = Plan::read(filled, |_| {}).unwrap();
    assert_eq!((plan.evaluation_paths, plan.validation.paths), (192, 96));
    assert_eq!(
        (plan.contract.steps, plan.contract.expiry),
        (5, 5.0 / 252.0)
    );
    assert_eq!(plan.default_optimizer(), Some("kfac"));
    let halves = OnPaths {
        days: Some(0.5),
        days_per_year: Some(260.0),
        ..on(&spot, Some(&payoff))
    };
    let filled = halves
        .strategy(table("evaluation.paths = 50\n"), scratch.path())
        .unwrap();
    let plan = Plan::read(filled, |_| {}).unwrap();
    assert_eq!(
        (plan.evaluation_paths, plan.contract.expiry),
        (50, 2.5 / 260.0)
    );
    let files = std::fs::read_dir(scratch.path().join(FOLDER)).unwrap();
    assert_eq!(files.count(), 1);
}

/// What is wrong with arrays, or is said twice, is refused by its name.
#[test]
fn what_is_wrong_is_refused() {
    let scratch = Scratch::new("given-wrong");
    let spot = spots(PATHS, DATES);
    let payoff = call(&spot);
    let right = on(&spot, Some(&payoff));
    let said = |on: &OnPaths<'_>, more: &str| {
        let error = on
            .strategy(more.parse().unwrap(), scratch.path())
            .unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    };
    let mut wrong = spot.clone();
    wrong[2 * DATES + 3] = f64::NAN;
    assert!(said(&on(&wrong, None), "").starts_with("`spot`[2, 3] must be finite"));
    let mut wrong = payoff.clone();
    wrong[7] = f64::INFINITY;
    assert_eq!(
        said(&on(&spot, Some(&wrong)), ""),
        "`payoff`[7] must be finite, was inf"
    );
    assert!(
        said(&on(&spot[..DATES * 100], None), "contract.type = \"call\"")
            .starts_with("100 paths leave 70 for training")
    );
    for share in [0.0, 1.0, f64::NAN] {
        let shares = OnPaths {
            held_out: (share, 0.2),
            ..right
        };
        assert!(said(&shares, "").contains("`validation_share` must be above 0 and below 1"));
    }
    for (more, expected) in [
        (
            "contract.type = \"call\"",
            "`contract.type` has no meaning beside `payoff`",
        ),
        (
            "market.model = \"gbm\"",
            "`market.model` has no meaning beside paths that are given as arrays",
        ),
        (
            "market.test_share = 0.3",
            "`market.test_share` has no meaning",
        ),
        ("market = 3", "`market` must be a table of keys"),
    ] {
        let said = said(&right, more);
        assert!(said.starts_with(expected), "{said}");
    }
    assert!(said(&on(&spot, None), "").starts_with("`payoff` is missing"));
    let days = OnPaths {
        days: Some(2.0),
        ..right
    };
    assert_eq!(
        said(&days, "contract.expiry_days = 5"),
        "`days` has no meaning beside `contract.expiry_days`"
    );
    let days = OnPaths {
        days: Some(0.0),
        ..right
    };
    assert!(said(&days, "").contains("`days` must be positive"));
    assert!(!scratch.path().join(FOLDER).exists(), "nothing was written");
}
