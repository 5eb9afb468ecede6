use super::*;
use crate::contract::Instrument;
use crate::strategy::fixture::{TWO, error, plan};
use crate::strategy::{Strategy, document, form};

/// The assets stand in the order of the file, which is not that of the alphabet, with one rate; the spots of all are traded, and
/// the network sees moneyness and volatility of each beside the time.
#[test]
fn a_file_names_its_assets_in_their_order() {
    let plan = plan(TWO);
    let assets = plan.assets();
    let named: Vec<_> = assets
        .list()
        .iter()
        .map(|asset| asset.name.as_str())
        .collect();
    assert_eq!(named, ["spx", "dax"]);
    assert_eq!(assets.correlation().matrix()[1], [0.5, 1.0]);
    assert_eq!(assets.first(), &plan.market);
    let dax = assets.market(1);
    assert_eq!(dax.spot, 50.0);
    assert_eq!((&dax.rate, &dax.dividend), (&0.02.into(), &0.03.into()));
    assert_eq!(
        plan.instruments(),
        [Instrument::Spot(0), Instrument::Spot(1)]
    );
    assert_eq!(plan.features.inputs(), 5);
    assert_eq!(plan.layout().assets(), 2);
}

/// What a plan writes reads back as the same plan, and says what was traded.
#[test]
fn a_plan_of_several_assets_reads_back() {
    let first = plan(TWO);
    let written = first.to_toml().unwrap();
    let second = plan(&written);
    assert_eq!(second.assets(), first.assets());
    assert_eq!(second.instruments(), first.instruments());
    assert_eq!(second.to_toml().unwrap(), written);
    assert!(
        written.contains("instruments = [\"spot:spx\", \"spot:dax\"]"),
        "{written}"
    );
}

/// Instruments name their asset; an option's moneyness is that of its own asset.
#[test]
fn instruments_are_of_named_assets() {
    let instruments = r#"
        [policy]
        instruments = ["spot", "variance_swap:spx", { type = "put", strike = { moneyness = 0.9 }, asset = "dax" }]
    "#;
    let plan = plan(&(TWO.to_owned() + instruments));
    let found = plan.instruments();
    assert_eq!(
        found[..3],
        [
            Instrument::Spot(0),
            Instrument::Spot(1),
            Instrument::VarianceSwap(0)
        ]
    );
    let Instrument::Option(option) = found[3] else {
        panic!("{found:?}")
    };
    assert_eq!((option.asset, option.strike), (1, 45.0));
    for (instruments, message) in [
        (
            r#"["spot:dax", "spot:spx"]"#,
            "\"spot\" or \"spot:spx\" first",
        ),
        (
            r#"["spot", "spot:ftse"]"#,
            "no asset \"ftse\", must be one of spx, dax",
        ),
        (
            r#"["spot", "variance_swap:dax"]"#,
            "under \"gbm\" it is constant",
        ),
        (
            r#"["spot", "share:dax"]"#,
            "must be one of spot, variance_swap, spot:NAME, variance_swap:NAME or a table, was",
        ),
    ] {
        let text = format!("{TWO}[policy]\ninstruments = {instruments}");
        let error = error(&text);
        assert!(error.contains(message), "{error}");
    }
}

/// A further asset changes neither the paths of a market's first one in law nor its price; alone under a name it is what it is
/// without one.
#[test]
fn one_named_asset_is_one_asset() {
    let named =
        "[market.assets.a]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 20\n";
    let plain = named.replace("market.assets.a", "market");
    let (named, plain) = (plan(named), plan(&plain));
    assert_eq!(named.market, plain.market);
    assert_eq!(named.model_premium(), plain.model_premium());
    assert_eq!(named.instruments(), plain.instruments());
    assert_eq!(named.shape, plain.shape);
}

/// Every defect is refused at its key.
#[test]
fn defects_are_named_by_their_keys() {
    for (from, to, message) in [
        (
            "correlation = [[1.0, 0.5], [0.5, 1.0]]\n",
            "",
            "`market.correlation` is missing",
        ),
        (
            "[0.5, 1.0]]",
            "[0.4, 1.0]]",
            "`market.correlation[2][1]` must be 0.5",
        ),
        (
            "[[1.0, 0.5], [0.5, 1.0]]",
            "[[1.0]]",
            "`market.correlation` has 1 rows, and there are 2",
        ),
        (
            "[0.5, 1.0]]",
            "[0.5, 1.0], [0.1, 0.1, 1.0]]",
            "market.correlation",
        ),
        (
            "rate = 0.02",
            "rate = 0.02\nspot = 90.0",
            "`market.spot` has no meaning beside `market.assets`",
        ),
        (
            "volatility = 0.25",
            "volatility = 25",
            "`market.assets.dax.volatility`",
        ),
        (
            "volatility = 0.25",
            "sigma = 0.25",
            "`market.assets.dax.sigma`",
        ),
        (
            "spot = 50.0",
            "rate = 0.01",
            "`market.assets.dax.rate` has no meaning in an asset",
        ),
        ("v0 = 0.04", "v0 = 20.0", "`market.assets.spx.v0`"),
        (
            "[contract]",
            "[markets.other]\nspot = 1.0\n[contract]",
            "`markets.other.spot`",
        ),
        (
            "[contract]",
            "[markets.other.assets.dax]\nrho = 0.5\nvolatilty = 0.3\n[contract]",
            "`markets.other.assets.dax.volatilty`",
        ),
        (
            "[contract]",
            "[backtest]\ndata = \"a.csv\"\n[contract]",
            "must be a table of the files of each asset, { spx",
        ),
        (
            "[contract]",
            "[backtest]\ndata = { spx = \"a.csv\" }\n[contract]",
            "`backtest.data.dax` is missing",
        ),
        (
            "[contract]",
            "[backtest]\ndata = { spx = \"a\", dax = \"b\", x = \"c\" }\n[contract]",
            "`backtest.data.x` is of no asset",
        ),
    ] {
        assert!(TWO.contains(from), "{from}");
        let error = error(&TWO.replace(from, to));
        assert!(error.contains(message), "{error}");
    }
}

/// Training draws from all assets together: the options of either have their model's price on the first date, in both precisions.
#[test]
fn options_of_every_asset_are_quoted_by_their_market() {
    let text = TWO.to_owned()
        + "[policy]\ninstruments = [\"spot\", { type = \"call\", strike = 101.0 }, { type = \"put\", strike = 47.0, asset = \"dax\" }]";
    let plan = plan(&text);
    let simulator = plan.simulator(1, crate::random::Purpose::Evaluation);
    let paths = simulator.paths_with::<f64>(&plan.quotes().unwrap(), 0, 64);
    let assets = plan.assets();
    for (index, instrument) in plan.instruments().into_iter().enumerate() {
        let market = assets.market(instrument.asset());
        let expected = match instrument {
            Instrument::Option(option) => {
                let leg = crate::contract::Leg::one(option.kind, option.strike);
                market.price(&[leg], option.expiry)
            }
            Instrument::Spot(_) | Instrument::VarianceSwap(_) => market.spot,
        };
        let found = paths.block(0).price(index)[0][5];
        assert!(
            (found - expected).abs() < 2e-5 * market.spot,
            "{instrument:?}: {found}, {expected}"
        );
    }
}

/// The schema lets an editor write such a file, and the form shows every asset's own section.
#[test]
fn schema_and_form_know_the_assets() {
    let choices = document()["properties"]["market"]["oneOf"].clone();
    let choices = choices.as_array().unwrap();
    let several = choices.last().unwrap();
    let asset = &several["properties"]["assets"]["additionalProperties"]["oneOf"][0]["properties"];
    assert!(asset.get("spot").is_some() && asset.get("rate").is_none());
    let sections = form::sections(TWO).unwrap();
    let of = |name: &str| {
        sections
            .iter()
            .find(|section| section.name == name)
            .unwrap()
    };
    let dax = of("market.assets.dax").fields.iter();
    let spot = dax
        .clone()
        .find(|field| field.key.key == "market.assets.dax.spot");
    assert_eq!(spot.unwrap().value, Some(json!(50.0)));
    assert!(
        of("market")
            .fields
            .iter()
            .any(|field| field.key.key == "market.correlation")
    );
    let strategy = Strategy::parse(TWO).unwrap();
    assert!(strategy.market.several.is_some());
}

/// A contract on several assets sees those of the file: an exchange of two is worth Margrabe's price (Black and Scholes' call on
/// the first struck at the second), within 3 standard errors of the simulated one, and its running quantities and hedges are there.
#[test]
fn an_exchange_of_two_named_assets_has_its_price() {
    let text = r#"
        [market]
        rate = 0.02
        correlation = [[1.0, 0.4], [0.4, 1.0]]
        [market.assets.b]
        model = "gbm"
        volatility = 0.3
        [market.assets.a]
        model = "gbm"
        volatility = 0.2
        spot = 95.0
        dividend = 0.01
        [contract]
        type = "exchange"
        expiry_days = 100
        steps = 5
    "#;
    let plan = plan(text);
    let expiry = plan.contract.expiry;
    let formula = crate::pricing::BlackScholes {
        kind: crate::contract::OptionKind::Call,
        spot: 100.0,
        strike: 95.0,
        expiry,
        rate: 0.01,
        dividend: 0.0,
        volatility: f64::sqrt(0.09 + 0.04 - 2.0 * 0.4 * 0.06),
    };
    let simulator = plan.simulator(3, crate::random::Purpose::Pricing);
    let payoffs = simulator.payoffs(&plan.contract, 0, 1 << 16);
    let n = payoffs.len() as f64;
    let discount = (-0.02 * expiry).exp();
    let mean = discount * payoffs.iter().sum::<f64>() / n;
    let squares: f64 = payoffs.iter().map(|x| (discount * x - mean).powi(2)).sum();
    let error = squares.sqrt() / n;
    let price = formula.price();
    assert!(
        (mean - price).abs() < 3.0 * error,
        "{mean} ± {error}, {price}"
    );
}

/// A further market changes what it names of each asset, and the correlation; another model begins from nothing but spot and
/// yield. What is of no asset, or is no correlation, is refused at its key.
#[test]
fn further_markets_change_single_assets() {
    let text = TWO.to_owned()
        + "[markets.wild]\ncorrelation = [[1.0, 0.9], [0.9, 1.0]]\n[markets.wild.assets.spx]\nv0 = 0.09\n\
           [markets.jumps.assets.spx]\nmodel = \"gbm\"\nvolatility = 0.5\n[markets.jumps.assets.dax]\nspot = 60.0\n";
    let plans = plan(&text).markets().unwrap();
    let named: Vec<&str> = plans.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(named, ["own", "jumps", "wild"]);
    let [own, jumps, wild] = [0, 1, 2].map(|i| plans[i].1.assets());
    assert_eq!(own, plan(TWO).assets());
    assert_eq!(wild.correlation().matrix()[0][1], 0.9);
    assert_eq!(wild.first().model.initial_volatility(), 0.3);
    assert_eq!(wild.market(1), own.market(1));
    assert_eq!(jumps.correlation(), own.correlation());
    assert_eq!(jumps.first().model.name(), "gbm");
    assert_eq!(
        (jumps.first().spot, jumps.market(1).spot),
        (own.first().spot, 60.0)
    );
    for (change, message) in [
        (
            "[markets.x.assets.ftse]\nspot = 1.0",
            "`markets.x.assets.ftse` is no table of an asset",
        ),
        (
            "[markets.x]\ncorrelation = [[1.0, 0.5], [0.4, 1.0]]",
            "market.correlation[2][1]",
        ),
        ("[markets.x.assets.spx]\nmodel = \"gbm\"", "volatility"),
    ] {
        let plan = plan(&format!("{TWO}{change}\n"));
        let error = plan.markets().unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains(message), "{error}");
    }
}
