//! What a date costs a hedge that is carried through time: `cargo bench --bench session`.
//!
//! One contract a date, from what the market shows to its positions; 10,000 contracts a date; and 10,000 contracts through all of their
//! dates, as `deephedge hedge` replays a book. Paths are made before, and the medians are of time on the clock.

use deephedge::hedging::{Seen, Session};
use deephedge::network::Parameters;
use deephedge::strategy::Plan;
use std::hint::black_box;
use std::time::Instant;

const MANY: usize = 10_000;

const POLICIES: [(&str, &str); 6] = [
    ("lstm, 32 units", ""),
    ("gru", "network = \"gru\""),
    ("attention", "network = \"attention\""),
    (
        "lstm that sees delta, gamma and what it holds",
        "features = [\"log_moneyness\", \"volatility\", \"time_left\", \"delta\", \"gamma\", \"previous_position\"]",
    ),
    (
        "lstm beside the Black–Scholes delta",
        "action = \"residual\"",
    ),
    (
        "lstm with an option",
        "instruments = [\"spot\", { type = \"put\", strike = { moneyness = 0.95 } }]",
    ),
];

fn plan(policy: &str) -> Plan {
    let text = format!(
        "[market]\nmodel = \"heston\"\nv0 = 0.04\nkappa = 1.5\ntheta = 0.04\nsigma = 0.3\nrho = -0.7\n\
         [contract]\nexpiry_days = 30\n[policy]\n{policy}\n"
    );
    Plan::parse(&text, |_| {}).expect("a plan")
}

fn session(plan: &Plan, parameters: &Parameters, contracts: usize) -> Session {
    plan.session(&plan.assets(), &[parameters], contracts, |_| 0)
        .expect("a session")
}

/// What contracts see on a date: spots that move, each in its own way.
fn seen(t: usize, contracts: usize) -> Vec<Seen> {
    let one = |contract: usize| {
        let phase = (contract * 7 + t * 3) as f64;
        Seen {
            assets: vec![(100.0 + 5.0 * phase.sin(), 0.04 + 0.01 * phase.cos())],
            surface: None,
        }
    };
    (0..contracts).map(one).collect()
}

/// Median seconds of a date, over `lives` lives.
fn date(plan: &Plan, parameters: &Parameters, contracts: usize, lives: usize) -> f64 {
    let steps = plan.contract.steps;
    let shown: Vec<Vec<Seen>> = (0..steps).map(|t| seen(t, contracts)).collect();
    let mut times = Vec::new();
    for _ in 0..lives {
        let mut session = session(plan, parameters, contracts);
        for shown in &shown {
            let start = Instant::now();
            session.see(shown).expect("a date");
            black_box(session.positions(0, 0));
            times.push(start.elapsed().as_secs_f64());
        }
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    println!(
        "| policy | one contract a date | 10,000 contracts a date | 10,000 contracts through 30 dates |"
    );
    println!("|---|---|---|---|");
    for (name, policy) in POLICIES {
        let plan = plan(policy);
        let parameters = Parameters::random(plan.shape.maps(), 1).expect("weights");
        // Tables of options are made once, with the first session.
        drop(session(&plan, &parameters, 1));
        let one = date(&plan, &parameters, 1, 20);
        let many = date(&plan, &parameters, MANY, 1);
        let start = Instant::now();
        let mut all = session(&plan, &parameters, MANY);
        let shown: Vec<Vec<Seen>> = (0..plan.contract.steps).map(|t| seen(t, MANY)).collect();
        let made = start.elapsed().as_secs_f64();
        let start = Instant::now();
        for shown in &shown {
            all.see(shown).expect("a date");
        }
        let whole = start.elapsed().as_secs_f64();
        black_box((all.positions(0, MANY - 1), made));
        println!(
            "| {name} | {:.0} µs | {:.1} ms | {:.2} s |",
            1e6 * one,
            1e3 * many,
            whole
        );
    }
}
