//! Studies of several strategies.

use super::*;
use crate::distributed::Ranks;
use crate::market::history::fixture::{Scratch, closes, day, write};
use crate::runs::shard::CarriedOut;
use crate::runs::walk_forward::Phase;

const WORDS: Words<'static> = Words {
    title: "Calls",
    remark: Some("These years were known."),
    command: "deephedge walk-forward *.toml",
};

/// The first day of the test.
const TEST_FROM: usize = 650;

fn plan(folder: &Path, closes: &[f64], (name, strike): (&str, f64), more: &str) -> Plan {
    let data = write(folder, closes);
    let text = format!(
        "name = \"{name}\"\n[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nstrike = {strike}\nexpiry_days = 10\n\
         days_per_year = 365\n[costs]\nproportional = 0.001\n[policy]\nhidden = 4\n[training]\nsteps = 4\npaths = 64\n\
         validation_paths = 0\n[evaluation]\nhedges = [\"naked\", \"black_scholes\", \"whalley_wilmott\"]\n[optimizers.adam]\n\
         [optimizers.kfac]\n{more}\n[backtest]\ndata = '{}'\nstart = \"2001-01-01\"\nspacing = \"weekly\"\n[walk_forward]\n\
         years = \"all\"\nmonths = 4\nseeds = 2\ntest_from = \"{}\"\n",
        data.display(),
        day(TEST_FROM)
    );
    Plan::parse(&text, |_| {}).unwrap()
}

fn walked(plans: Vec<Plan>, root: &Path, registration: Option<&Registration>) -> Vec<Walked> {
    let prepared = prepared(plans, root, registration).unwrap();
    let carried_out = prepared.into_iter().map(|prepared| {
        let prepared = match Walked::complete(prepared).unwrap() {
            Ok(known) => return known,
            Err(prepared) => prepared,
        };
        match prepared
            .carry_out_on(&Ranks::alone(), &mut |_| Ok(()))
            .unwrap()
        {
            CarriedOut::Results(finished) => Walked::of(prepared, finished).unwrap(),
            CarriedOut::Shard(share) => panic!("{share}"),
        }
    });
    carried_out.collect()
}

/// No contract of the validation period lives when the test begins, windows begin anew with it and reach back to the first close,
/// and closes from that day on change nothing of the validation period, nor what is chosen on it.
#[test]
fn validation_knows_nothing_of_the_test() {
    let scratch = Scratch::new("study-periods");
    let mut changed = closes(900);
    changed[TEST_FROM..].reverse();
    changed[TEST_FROM..]
        .iter_mut()
        .for_each(|close| *close *= 1.1);
    let runs = [closes(900), changed].map(|closes| {
        let plan = plan(&scratch.0, &closes, ("calls", 100.0), "");
        walked(vec![plan], &scratch.0, None).remove(0)
    });
    let from = day(TEST_FROM);
    for one in &runs {
        let (validation, test) = (one.in_phase(Phase::Validation), one.in_phase(Phase::Test));
        assert!(validation.len() > 100 && test.len() > 100);
        assert!(validation.iter().all(|trade| trade.expiry < from));
        assert!(test.iter().all(|trade| trade.sold >= from));
        let first = day(0).to_string();
        let windows = &one.results.windows;
        assert!(windows.iter().all(|window| window.calibrated_from == first));
        let numbers = |phase: Phase| windows.iter().filter(|one| one.phase == phase).count();
        assert_eq!((numbers(Phase::Validation), numbers(Phase::Test)), (3, 2));
        // Results speak of the test; metrics and its table too.
        let results = &one.results;
        assert_eq!(results.contracts() * 7, test.len());
        let metrics = one.prepared.folder.metrics().unwrap();
        assert_eq!(metrics.backtest[0].paths, results.contracts());
        assert_eq!(
            results.test.as_ref().unwrap().contracts,
            results.contracts()
        );
    }
    // But for the premium, which a quadrature over all contracts of a window may round otherwise.
    let [a, b] = &runs;
    let (a, b) = (a.in_phase(Phase::Validation), b.in_phase(Phase::Validation));
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(&b) {
        assert!(
            (a.pnl - b.pnl).abs() < 1e-9 && a.volatility == b.volatility,
            "{a:?} {b:?}"
        );
    }
    let chosen = |one: &Walked| {
        let validation = one.results.validation.as_ref().unwrap();
        let names = [false, true].map(|classical| validation.best(classical).unwrap().name.clone());
        (
            names,
            validation
                .rows
                .iter()
                .map(|row| row.risk.to_bits())
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(chosen(&runs[0]).0, chosen(&runs[1]).0);
    assert_ne!(runs[0].trades, runs[1].trades);
}

/// Two strategies that sell the same are recipes for one problem, one that differs in the strike is a problem of its own, judged
/// together with the first; runs that are there are used again; the page names all of them and says what was registered.
#[test]
fn strategies_that_sell_the_same_are_one_problem() {
    let scratch = Scratch::new("study-page");
    let closes = closes(800);
    let plans = || {
        vec![
            plan(&scratch.0, &closes, ("calls", 100.0), ""),
            plan(
                &scratch.0,
                &closes,
                ("quick calls", 100.0),
                "start_learning_rate = 0.1",
            ),
            plan(&scratch.0, &closes, ("calls at 105", 105.0), ""),
        ]
    };
    let registration = Registration::new(planned(&plans()).unwrap());
    let runs = walked(plans(), &scratch.0, Some(&registration));
    let ids: Vec<String> = runs
        .iter()
        .map(|one| one.prepared.folder.id().to_owned())
        .collect();
    // Two plans of one name would be told apart by nothing.
    let twice = [plans().remove(0), plans().remove(0)];
    assert!(
        planned(&twice)
            .unwrap_err()
            .to_string()
            .contains("different names")
    );
    let again = walked(plans(), &scratch.0, Some(&registration));
    let same = |one: &Walked| one.prepared.folder.id().to_owned();
    assert_eq!(again.iter().map(same).collect::<Vec<_>>(), ids);
    // A run under another registration is none that was registered now.
    let mut later = registration.clone();
    later.registered = "2030-01-01T00:00:00Z".into();
    let other = Prepared::known(&planned(&plans()[..1]).unwrap(), &scratch.0, Some(&later));
    assert!(other.unwrap().is_none());

    let study = Study::new(runs).unwrap();
    assert_eq!(study.registration, Some(registration.registered()));
    let names: Vec<&str> = study.problems.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["calls", "calls at 105"]);
    assert_eq!(study.problems[0].recipes, [0, 1]);
    let test = study.problems[0].test.as_ref().unwrap();
    let rows: Vec<&str> = test.rows.iter().map(|row| row.name.as_str()).collect();
    // Recipes that two strategies call the same have their names behind them.
    assert_eq!(
        rows,
        [
            "adam (calls)",
            "kfac (calls)",
            "adam (quick calls)",
            "kfac (quick calls)",
            "naked",
            "black_scholes",
            "whalley_wilmott"
        ]
    );
    // Four learned rows, three classical hedges, four statistics.
    assert_eq!(test.differences.len(), 48);
    let ends = &study.problems[0].trainings;
    assert_eq!(ends.len(), 4);
    let (_, of_adam) = &ends[0];
    let steps: Vec<usize> = of_adam
        .iter()
        .filter(|end| end.seed == 1)
        .map(|end| end.steps)
        .collect();
    assert_eq!((steps[0], steps[1]), (4, 2));
    let together = &study.together[0];
    assert_eq!(together.names, ["calls", "calls at 105"]);
    let pooled = together.test.as_ref().unwrap();
    assert_eq!(pooled.contracts, 2 * test.contracts);
    assert_eq!((pooled.days, pooled.problems.len()), (test.days, 2));

    let (text, figures) = page(&study, &WORDS, "calls").unwrap();
    let first = text.lines().nth(2).unwrap();
    assert!(first.contains("the best classical hedge of"), "{first}");
    assert_eq!(text.lines().nth(4), Some("These years were known."));
    assert!(text.lines().nth(6).unwrap().starts_with("Beside "));
    let brief = text.lines().nth(8).unwrap();
    assert!(brief.starts_with("- calls at 105: beside"), "{brief}");
    for words in [
        "# Calls\n",
        "    deephedge walk-forward *.toml\n",
        "Chosen on the validation period, by the least",
        "### Validation: ",
        "### Test: ",
        "less every classical hedge",
        "### Test: by regime",
        "### Test: by year",
        "### Test: the worst contracts of",
        "### Trainings",
        "## Together: calls, calls at 105",
        "### Test: by problem",
        &registration.sha256,
        "![CVaR 95 % of every hedge on the test](calls/1-cvar.svg)",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // The choice stands before any figure of the test.
    let place = |words: &str| text.find(words).unwrap();
    assert!(place("Chosen on the validation") < place("### Test: "));
    assert_eq!(figures.len(), 4);
    assert_eq!(
        text,
        page(&Study::new(again).unwrap(), &WORDS, "calls")
            .unwrap()
            .0
    );
}

/// Without a first day of the test nothing was chosen, and all contracts are those of the test; one that nothing can be sold after,
/// or before, is refused by its name.
#[test]
fn the_first_day_of_the_test_is_checked() {
    let scratch = Scratch::new("study-dates");
    let with = |day: Option<String>| {
        let plan = plan(&scratch.0, &closes(500), ("calls", 100.0), "");
        plan.changed(|strategy| {
            strategy.walk_forward.as_mut().unwrap().test_from = day;
        })
    };
    let planned = |day: Option<String>| planned(&[with(day).unwrap()]);
    let periods = &planned(None).unwrap().periods[0];
    assert!(periods.validation.is_none());
    let all = periods.test.as_ref().unwrap().contracts;
    let periods = &planned(Some(day(430).to_string())).unwrap().periods[0];
    let (validation, test) = (periods.validation.as_ref(), periods.test.as_ref());
    // Contracts of ten days sold every week: one or two live when the test begins.
    let split = validation.unwrap().contracts + test.unwrap().contracts;
    assert!((1..=2).contains(&(all - split)), "{all} {split}");
    for (day, words) in [
        (day(365), "expires before it"),
        (day(495), "no contract is sold from then on"),
    ] {
        let why = planned(Some(day.to_string())).unwrap_err().to_string();
        assert!(
            why.contains("`walk_forward.test_from`") && why.ends_with(words),
            "{why}"
        );
    }
    let why = with(Some("tomorrow".into())).unwrap_err().to_string();
    assert!(why.contains("walk_forward.test_from"), "{why}");
    let plan = with(None).unwrap();
    let plan = plan.changed(|strategy| strategy.backtest.as_mut().unwrap().start = None);
    let why = super::planned(&[plan.unwrap()]).unwrap_err().to_string();
    assert!(why.contains("needs `backtest.start`"), "{why}");
}
