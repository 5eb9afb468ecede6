use super::*;
use crate::optimizer::Method;
use crate::pricing::HestonParameters;
use crate::strategy::{
    InstrumentSection, MarketSection, NamedInstrument, OptimizerSection, Plan, Strategy, keys,
    keys_of,
};

fn checkout(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `deephedge schema > docs/strategy.schema.json` renews the file.
#[test]
fn the_schema_in_docs_is_current() {
    let stored: Value = serde_json::from_str(&checkout("docs/strategy.schema.json")).unwrap();
    assert!(
        stored == document(),
        "docs/strategy.schema.json is of another version"
    );
}

/// The shipped strategies lead an editor to the schema.
#[test]
fn shipped_strategies_name_the_schema() {
    for folder in [
        "strategies",
        "strategies/study",
        "strategies/sp500_surface",
        "strategies/sp500_surface/networks",
        "strategies/nasdaq100_vxn",
    ] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let named = text.lines().next().unwrap().strip_prefix("#:schema ");
            let schema = path.with_file_name(named.unwrap());
            let schema: Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
            assert!(schema["definitions"]["optimizer"].is_object());
        }
    }
}

/// The defaults that are listed of a method are those that it is trained with, for every method.
#[test]
fn listed_defaults_are_those_of_the_methods() {
    for (name, method) in Method::ALL {
        let (_, resolved) = method.read("optimizers.x", toml::Table::new()).unwrap();
        let groups = keys_of(&format!("optimizers.{name}")).unwrap();
        let listed: Vec<_> = groups.iter().flat_map(|group| &group.keys).collect();
        for (key, value) in resolved {
            let full = format!("optimizers.NAME.{key}");
            let entry = listed.iter().find(|entry| entry.key.key == full).unwrap();
            let expected = serde_json::to_value(value).unwrap();
            assert_eq!(entry.key.default, Some(expected), "{name}: {key}");
            assert!(!entry.key.help.is_empty(), "{name}: {key}");
        }
    }
}

/// Every key says what it is, in a sentence.
#[test]
fn every_key_is_explained() {
    for group in keys() {
        assert!(
            group.help.ends_with('.'),
            "{}: {}",
            group.section,
            group.help
        );
        for entry in group.keys {
            assert!(
                entry.key.help.ends_with('.'),
                "{}: {}",
                entry.key.key,
                entry.key.help
            );
        }
    }
}

/// A strategy made in Rust is that of the file that says the same, and is checked alike.
#[test]
fn a_strategy_in_rust_is_that_of_a_file() {
    let heston = HestonParameters {
        v0: 0.04,
        kappa: 1.5,
        theta: 0.04,
        sigma: 0.3,
        rho: -0.7,
    };
    let mut strategy = Strategy {
        name: "made".into(),
        market: MarketSection::of(heston),
        ..Strategy::default()
    };
    strategy.contract.expiry_days = 20.0;
    strategy.costs.proportional = 0.01;
    let swap = InstrumentSection::Named(NamedInstrument::VarianceSwap);
    strategy.policy.instruments.push(swap);
    let kfac = OptimizerSection::of(Method::Kfac);
    strategy.optimizers.insert("kfac".into(), kfac);
    let text = "name = \"made\"\n[market]\nmodel = \"heston\"\nv0 = 0.04\nkappa = 1.5\ntheta = 0.04\nsigma = 0.3\n\
                rho = -0.7\n[contract]\nexpiry_days = 20\n[costs]\nproportional = 0.01\n\
                [policy]\ninstruments = [\"spot\", \"variance_swap\"]\n[optimizers.kfac]\n";
    let made = Plan::new(strategy.clone()).unwrap();
    let read = Plan::parse(text, |_| {}).unwrap();
    assert_eq!(made.to_toml().unwrap(), read.to_toml().unwrap());
    strategy.costs.proportional = 1.0;
    let error = Plan::new(strategy).unwrap_err();
    assert_eq!(error.at_key(), Some("costs.proportional"));
    assert_eq!(
        error.to_string(),
        "`costs.proportional` must be in [0, 1), was 1"
    );
}

/// A plan whose optimizers are fewer, or that walks forward, says so in its file; the file makes the same plan again.
#[test]
fn a_changed_plan_is_that_of_its_file() {
    let text = checkout("strategies/heston_call.toml").replace("../market_data", "market_data");
    let plan = Plan::parse(&text, |_| {}).unwrap();
    let fewer = plan.with_optimizers(|name| name == "kfac").unwrap();
    let (walking, walk) = fewer.with_walk_forward().unwrap();
    let file = walking.to_toml().unwrap();
    let again = Plan::parse(&file, |_| {}).unwrap();
    assert_eq!(again.to_toml().unwrap(), file);
    assert_eq!(again.walk_forward, Some(walk));
    let names: Vec<&str> = again
        .optimizers
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["kfac"]);
    let tuned = plan.optimizers[0].with_paths(0.5);
    let tuned = plan.with_optimizer(&tuned).unwrap();
    assert_eq!(tuned.optimizers[0].paths, plan.optimizers[0].paths / 2);
    assert_eq!(tuned.optimizers[0].relative_steps, 2.0);
}
