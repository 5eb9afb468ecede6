use super::super::Plan;
use crate::contract::{Observed, Spots};
use crate::hedging::{Book, ClassicalName, ClassicalPolicy, Policy};
use crate::market::{Market, Paths};
use crate::random::Purpose;
use crate::simd::{BLOCK, Lane};

const GBM: &str = "model = \"gbm\"\nvolatility = 0.2\nrate = 0.03";
const HESTON: &str =
    "model = \"heston\"\nv0 = [0.01, 0.09]\nkappa = 2\ntheta = 0.04\nsigma = 0.4\nrho = -0.6";

fn plan(market: &str, contract: &str) -> Plan {
    Plan::parse(
        &format!("[market]\n{market}\n[contract]\n{contract}"),
        |_| {},
    )
    .unwrap()
}

fn refused(market: &str, contract: &str, further: &str) -> String {
    let text = format!("[market]\n{market}\n[contract]\n{contract}\n{further}");
    Plan::parse(&text, |_| {}).unwrap_err().to_string()
}

fn paths(plan: &Plan, count: usize) -> Paths<f64> {
    plan.simulator(7, Purpose::Evaluation)
        .paths_with(&plan.quotes().unwrap(), 0, count)
}

fn black_scholes(plan: &Plan) -> ClassicalPolicy<'static> {
    ClassicalPolicy::new(ClassicalName::BlackScholes, plan.assets(), plan.charges())
}

/// A range of one value is that value: the P&L of every path is the same to the last bit, whether the position is liquidated or not.
#[test]
fn a_range_of_one_value_is_the_value() {
    for costs in ["", "liquidation = true"] {
        let further = format!("[costs]\nproportional = 0.01\n{costs}\n");
        let of = |strike: &str, expiry: &str| {
            plan(
                GBM,
                &format!(
                    "strike = {{ moneyness = {strike} }}\nexpiry_days = {expiry}\nsteps = 20\n{further}"
                ),
            )
        };
        let (one, several) = (of("1.05", "20"), of("[1.05, 1.05]", "[20, 20]"));
        assert_eq!(
            several.contract.family().unwrap().members().len(),
            super::QUICK
        );
        assert!((one.model_premium() - several.model_premium()).abs() < 1e-12);
        let pnl = |plan: &Plan| {
            Book::hedge(
                &black_scholes(plan),
                &plan.ledger_of_sale(),
                &paths(plan, 256),
            )
            .unwrap()
        };
        let (one, several) = (pnl(&one), pnl(&several));
        assert_eq!(one.pnl, several.pnl);
        assert_eq!(one.cost, several.cost);
        assert_eq!(one.turnover, several.turnover);
    }
}

const SEVERAL: [(&str, &str); 6] = [
    ("call", "strike = { moneyness = [0.9, 1.1] }"),
    ("straddle", "strike = [90, 110]"),
    (
        "call_spread",
        "strike = [90, 100]\nupper_strike = [105, 120]",
    ),
    ("asian_call", "strike = { moneyness = [0.9, 1.1] }"),
    (
        "down_and_out_put",
        "strike = { moneyness = [0.95, 1.1] }\nbarrier = [80, 92]",
    ),
    (
        "term_sheet",
        "payoff = \"a * max(highest(S, every(3)) - K, 0)\"\nparameters = { K = [90, 120], a = [1, 2] }",
    ),
];

/// A path pays, ends and runs as its own contract does alone on its own dates; no path has a contract that another block would
/// not give it, and all of the range is drawn.
#[test]
fn a_path_has_the_contract_that_it_draws() {
    for (kind, terms) in SEVERAL {
        let plan = plan(
            GBM,
            &format!("type = \"{kind}\"\n{terms}\nexpiry_days = [5, 30]"),
        );
        let contract = &plan.contract;
        let family = contract.family().unwrap();
        assert_eq!(family.ranges().len(), family.members()[0].values.len());
        let paths = paths(&plan, 1024);
        let steps = paths.steps();
        let mut lives = vec![0; steps + 1];
        for block in 0..paths.blocks() {
            let data = paths.block(block);
            let drawn = data.drawn().unwrap();
            for lane in 0..BLOCK {
                let member = &family.members()[drawn.member[lane] as usize];
                let own = &member.contract;
                assert_eq!(drawn.life[lane], own.steps as f64);
                assert_eq!(drawn.strike[lane], own.strike);
                lives[own.steps] += 1;
                let spot: Vec<Lane<f64>> = data.spot[..=own.steps]
                    .iter()
                    .map(|row| [row[lane]; BLOCK])
                    .collect();
                let mut payments = vec![[0.0; BLOCK]; own.due().len()];
                let mut end = vec![[0.0; BLOCK]; usize::from(own.can_end())];
                let mut state = vec![[0.0; BLOCK]; own.accumulators().len() * (own.steps + 1)];
                own.observe(
                    Spots::new(&spot, own.steps + 1, own.steps + 1),
                    Observed {
                        payments: &mut payments,
                        end: &mut end,
                        state: &mut state,
                    },
                );
                for (date, paid) in contract.due().iter().zip(data.payments()) {
                    let row = own.due().iter().position(|own| own == date);
                    let expected = row.map_or(0.0, |row| payments[row][lane]);
                    assert_eq!(
                        paid[lane], expected,
                        "{kind} on date {date} of {}",
                        own.steps
                    );
                }
                let ends = end.first().map_or(own.steps as f64, |end| end[lane]);
                assert_eq!(data.end().unwrap()[lane], ends, "{kind}");
                for index in 0..own.accumulators().len() {
                    for t in 0..=steps {
                        let row = index * (own.steps + 1) + t.min(own.steps);
                        assert_eq!(data.state(index)[t][lane], state[row][lane], "{kind}");
                    }
                }
            }
        }
        assert!(lives[..5].iter().all(|count| *count == 0));
        assert!(lives[5..].iter().all(|count| *count > 0), "{lives:?}");
    }
}

/// Every contract is sold for its own price: over all paths the discounted payoff less the premium has the mean 0 within 4 standard
/// errors, under geometric Brownian motion and from variances of a range under Heston and Bates.
#[test]
fn premiums_are_the_prices_of_the_contracts() {
    let terms = "strike = { moneyness = [0.9, 1.1] }\nexpiry_days = [5, 30]";
    let bates = format!(
        "{}\njump_intensity = 0.5\nlog_jump_mean = -0.1\nlog_jump_std = 0.1",
        HESTON.replace("heston", "bates")
    );
    for market in [GBM, HESTON, &bates] {
        let plan = plan(market, terms);
        let book = Book::hedge(
            &ClassicalPolicy::new(ClassicalName::Naked, plan.assets(), plan.charges()),
            &plan.ledger_of_sale(),
            &paths(&plan, 1 << 16),
        )
        .unwrap();
        let n = book.pnl.len() as f64;
        let mean = book.pnl.iter().sum::<f64>() / n;
        let variance = book.pnl.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / n;
        let error = (variance / n).sqrt();
        assert!(mean.abs() < 4.0 * error, "{market}: {mean} ± {error}");
        // Contracts have prices that differ by far more than that.
        let premiums = plan.premiums_in(&plan.assets()).unwrap();
        let spread = premiums.iter().fold(0.0_f64, |most, p| most.max(*p))
            - premiums
                .iter()
                .fold(f64::INFINITY, |least, p| least.min(*p));
        assert!(spread > 5.0, "{spread}");
    }
}

/// Paths begin at the variance of their contract, and the variances are those of the range, evenly spread.
#[test]
fn paths_begin_at_the_variances_of_the_range() {
    let plan = plan(HESTON, "expiry_days = 10");
    let family = plan.contract.family().unwrap();
    let mut variances: Vec<f64> = family
        .members()
        .iter()
        .map(|m| m.variance.unwrap())
        .collect();
    let paths = paths(&plan, 512);
    for block in 0..paths.blocks() {
        let data = paths.block(block);
        let drawn = data.drawn().unwrap();
        for lane in 0..BLOCK {
            let expected = variances[drawn.member[lane] as usize];
            assert!((data.variance[0][lane] - expected).abs() < 1e-15);
        }
    }
    variances.sort_unstable_by(f64::total_cmp);
    for (rank, variance) in variances.iter().enumerate() {
        let even = 0.01 + 0.08 * (rank as f64 + 0.5) / variances.len() as f64;
        assert!((variance - even).abs() < 0.0005, "{rank}: {variance}");
    }
}

/// The Black–Scholes hedge of a path is that of its contract alone.
#[test]
fn the_delta_is_that_of_the_contract_drawn() {
    for (kind, terms) in [SEVERAL[0], SEVERAL[1], SEVERAL[4]] {
        let plan = plan(
            GBM,
            &format!("type = \"{kind}\"\n{terms}\nexpiry_days = [5, 30]"),
        );
        assert!(plan.contract.has_delta());
        let family = plan.contract.family().unwrap();
        let policy = black_scholes(&plan);
        let paths = paths(&plan, 32);
        let positions = policy.positions(&plan.contract, &paths).unwrap();
        for lane in (0..BLOCK).step_by(5) {
            let drawn = paths.block(0).drawn().unwrap();
            let own = &family.members()[drawn.member[lane] as usize].contract;
            let (spot, variance) = paths.path(lane);
            let alone = Paths::from_rows(
                own.steps,
                std::iter::once((&spot[..=own.steps], &variance[..=own.steps])),
            );
            let alone = policy.positions(own, &alone.under(own)).unwrap();
            for (t, held) in positions.iter().enumerate() {
                let expected = alone.get(t).map_or(0.0, |row| row[0]);
                assert_eq!(held[lane], expected, "{kind}, date {t}");
            }
        }
    }
}

/// Where the policy sees the benchmark's answers, they are those of the contract that the path has, and nothing after its expiry.
#[test]
fn the_benchmark_answers_for_the_contract_drawn() {
    let plan = plan(
        GBM,
        "strike = { moneyness = [0.9, 1.1] }\nexpiry_days = [5, 30]\n[policy]\nfeatures = [\"delta\", \"value\", \"time_left\"]",
    );
    let family = plan.contract.family().unwrap();
    let paths = paths(&plan, BLOCK);
    let data = paths.block(0);
    let (answers, drawn) = (data.benchmark(), data.drawn().unwrap());
    for lane in 0..BLOCK {
        let own = &family.members()[drawn.member[lane] as usize].contract;
        for t in 0..30 {
            let (value, delta) = (answers.value()[t][lane], answers.delta(0)[t][lane]);
            if t >= own.steps {
                assert_eq!((value, delta), (0.0, 0.0));
                continue;
            }
            let market = Market {
                spot: data.spot[t][lane],
                ..plan.market.clone()
            };
            let left = own.dt() * (own.steps - t) as f64;
            let option = market.black_scholes(own.legs().unwrap()[0], left, 0.2);
            assert!((value - option.price()).abs() < 1e-9);
            assert!((delta - option.delta()).abs() < 1e-9);
        }
    }
}

/// ∂z/∂δ has the value of central differences where contracts expire on dates of their own, and the account ends where the
/// settlement does, with and without costs of closing the position.
#[test]
fn the_ledger_closes_every_contract_on_its_own_date() {
    for liquidation in [false, true] {
        let plan = plan(
            GBM,
            &format!(
                "strike = {{ moneyness = [0.9, 1.1] }}\nexpiry_days = [2, 6]\n[costs]\nproportional = 0.02\nliquidation = {liquidation}\n"
            ),
        );
        let paths = paths(&plan, BLOCK);
        let (block, ledger) = (paths.block(0), plan.ledger_of_sale());
        let positions: Vec<Lane<f64>> = (0..6)
            .map(|t| std::array::from_fn(|lane| ((t * 7 + lane * 3) as f64).sin()))
            .collect();
        let settled = ledger.settle(&block, &positions);
        let account = ledger.account(&block, &positions);
        let mut derivative = vec![[0.0; BLOCK]; 6];
        ledger.derivative(&block, &positions, &mut derivative);
        for lane in 0..BLOCK {
            let z = ledger.at_expiry(ledger.premium(&block, lane)) - account.paid[6][lane]
                + account.gain[6][lane]
                - account.cost[6][lane];
            assert!((z - settled.pnl[lane]).abs() < 1e-10);
            let life = block.drawn().unwrap().life[lane] as usize;
            let closing = 0.02
                * positions[life - 1][lane].abs()
                * block.spot[life][lane]
                * ledger.growth(life);
            let last = account.cost[6][lane] - account.cost[life - 1][lane];
            let expected = if liquidation { closing } else { 0.0 };
            assert!((last - expected).abs() < 1e-10, "{last} {expected}");
            for t in 0..6 {
                let moved = |by: f64| {
                    let mut positions = positions.clone();
                    positions[t][lane] += by;
                    ledger.settle(&block, &positions).pnl[lane]
                };
                let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!((difference - derivative[t][lane]).abs() < 1e-6);
                assert!(t < life || derivative[t][lane] == 0.0);
            }
        }
    }
}

/// The network sees the moneyness by the path's strike, the time that is left to its contract, and its terms.
#[test]
fn terms_are_features() {
    let plan = plan(
        GBM,
        "strike = { moneyness = [0.9, 1.1] }\nexpiry_days = [5, 30]",
    );
    assert_eq!(plan.features.inputs(), 5);
    let paths = paths(&plan, 512);
    let (mut sums, mut squares) = ([0.0; 2], [0.0; 2]);
    let mut rows = Vec::new();
    for block in 0..paths.blocks() {
        let data = paths.block(block);
        let drawn = data.drawn().unwrap();
        plan.features.at(&data, 4, &mut rows);
        for lane in 0..BLOCK {
            let scale = 0.2 * plan.contract.expiry.sqrt();
            let moneyness = (data.spot[4][lane] / drawn.strike[lane]).ln() / scale;
            assert!((rows[0][lane] - moneyness).abs() < 1e-9);
            assert!((rows[2][lane] - (drawn.life[lane] - 4.0) / 30.0).abs() < 1e-12);
            for (term, row) in rows[3..].iter().enumerate() {
                sums[term] += row[lane] / 512.0;
                squares[term] += row[lane].powi(2) / 512.0;
            }
        }
    }
    for term in 0..2 {
        assert!(sums[term].abs() < 0.2 && (squares[term] - 1.0).abs() < 0.2);
    }
}

/// A strategy with ranges writes itself and reads back to the same plan.
#[test]
fn ranges_are_written_as_they_were_read() {
    let plan = plan(
        HESTON,
        "strike = { moneyness = [0.9, 1.1] }\nexpiry_days = [5, 30]",
    );
    let text = plan.to_toml().unwrap();
    assert!(text.contains("expiry_days = [5.0, 30.0]"), "{text}");
    assert!(text.contains("v0 = [0.01, 0.09]"), "{text}");
    let again = Plan::parse(&text, |_| {}).unwrap();
    assert_eq!(again.contract, plan.contract);
    assert_eq!(again.to_toml().unwrap(), text);
}

/// What is no range, and what cannot be one, is refused in one line that names the key.
#[test]
fn what_cannot_be_a_range_is_named() {
    let wrong = [
        (
            GBM,
            "strike = [110, 90]\nexpiry_days = 30",
            "",
            "contract.strike",
            "low at most high",
        ),
        (
            GBM,
            "strike = [-1, 90]\nexpiry_days = 30",
            "",
            "contract.strike",
            "-1",
        ),
        (
            GBM,
            "strike = { delta = [0.2, 0.5] }\nexpiry_days = 30",
            "",
            "contract.strike.delta",
            "as a range",
        ),
        (
            GBM,
            "expiry_days = [0, 30]",
            "",
            "contract.expiry_days",
            "positive",
        ),
        (
            GBM,
            "type = \"american_put\"\nstrike = [90, 110]\nexpiry_days = 30",
            "",
            "contract.strike",
            "exercise",
        ),
        (
            GBM,
            "type = \"asian_call\"\nfixings = [3, 5]\nexpiry_days = 30",
            "",
            "contract.fixings",
            "",
        ),
        (
            GBM,
            "expiry_days = 30\nsteps = [5, 10]",
            "",
            "contract.steps",
            "",
        ),
        (
            "model = \"gbm\"\nvolatility = [0.1, 0.2]",
            "expiry_days = 30",
            "",
            "market.volatility",
            "[0.1, 0.2]",
        ),
        (
            GBM,
            "strike = [90, 110]\nexpiry_days = 30",
            "[evaluation]\nhedges = [\"minimum_variance\"]\n",
            "evaluation.hedges",
            "one contract for all paths",
        ),
        (
            HESTON,
            "expiry_days = 30",
            "[markets.calm]\nv0 = 0.01\n",
            "markets",
            "market.v0",
        ),
    ];
    for (market, contract, further, key, words) in wrong {
        let message = refused(market, contract, further);
        assert!(
            message.contains(key) && message.contains(words) && !message.contains('\n'),
            "{contract}: {message}"
        );
    }
}

/// Every number of a contract that may lie in a range is counted in something that the column of a term is: the schema says in what.
#[test]
fn terms_are_counted_as_the_schema_says() {
    use super::TermUnit;
    use crate::products;
    for (key, unit) in [
        ("contract.strike", TermUnit::Money),
        ("contract.strike.moneyness", TermUnit::Spots),
        ("contract.barrier.moneyness", TermUnit::Spots),
        ("contract.expiry_days", TermUnit::Days),
        ("contract.parameters.K", TermUnit::Number),
        ("market.v0", TermUnit::Number),
    ] {
        assert_eq!(TermUnit::of(key), Some(unit), "{key}");
    }
    // Of what the schema knows nothing there is no unit.
    assert_eq!(products::unit(&["strike", "delta"]), None);
    let mut money = 0;
    for (name, property) in products::properties() {
        if property["type"] != "array" {
            for key in [
                format!("contract.{name}"),
                format!("contract.{name}.moneyness"),
            ] {
                let unit = TermUnit::of(&key).unwrap_or_else(|| panic!("{key}"));
                money += usize::from(unit == TermUnit::Money);
            }
        }
    }
    assert!(money > 3, "{money}");
}
