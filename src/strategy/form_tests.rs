use super::*;
use crate::strategy::Plan;

const STRATEGY: &str = include_str!("../../strategies/heston_call.toml");

fn field(strategy: &str, key: &str) -> Option<Field> {
    let fields = sections(strategy).unwrap().into_iter();
    let mut fields = fields.flat_map(|section| section.fields);
    fields.find(|field| field.key.key == key)
}

/// The form says of a key what the validation says of it, with help and unit, whether or not the file has it.
#[test]
fn fields_have_values_defaults_and_bounds() {
    let rho = field(STRATEGY, "market.rho").unwrap();
    assert_eq!(
        (rho.key.least, rho.key.most),
        (Some((-1.0, true)), Some((1.0, true)))
    );
    assert_eq!(rho.value, Some((-0.7).into()));
    assert_eq!(rho.key.title, "Correlation of spot and variance");
    let measure = field(STRATEGY, "risk.measure").unwrap();
    assert_eq!(measure.value, Some("cvar".into()));
    let names = measure
        .key
        .choices
        .iter()
        .map(|choice| choice.name.as_str());
    assert!(names.eq([
        "cvar",
        "entropic",
        "mean_variance",
        "monotone_mean_variance",
        "standard_deviation",
        "mean",
        "weighted_sum"
    ]));
    let period = field(STRATEGY, "training.validation_period").unwrap();
    assert_eq!((period.value, period.key.default), (None, Some(10.into())));
    assert_eq!(period.key.unit.as_deref(), Some("steps"));
}

/// Another model or another method has other keys, and a strategy that lacks them has a form all the same.
#[test]
fn keys_follow_the_model_and_the_method() {
    let merton = "[market]\nmodel = \"merton\"\nkappa = 1.0\n[optimizers.kfac]\nmethod = \"sgd\"\n";
    let jumps = field(merton, "market.jump_intensity").unwrap();
    assert!(jumps.key.required && jumps.value.is_none());
    assert_eq!(field(merton, "market.kappa"), None);
    assert!(field(merton, "optimizers.kfac.nesterov").is_some());
    assert_eq!(field(merton, "optimizers.kfac.damping"), None);
    let method = field(merton, "optimizers.kfac.method").unwrap();
    assert!(method.decides && method.key.choices.len() == Method::ALL.len());
}

/// Fields written back are the same strategy.
#[test]
fn fields_make_the_strategy_again() {
    let made: Map<String, Value> = sections(STRATEGY)
        .unwrap()
        .into_iter()
        .flat_map(|section| section.fields)
        .filter_map(|field| Some((field.key.key, field.value?)))
        .collect();
    let again = Plan::parse(&to_toml(&made).unwrap(), |_| {}).unwrap();
    let first = Plan::parse(STRATEGY, |_| {}).unwrap();
    assert_eq!(again.to_toml().unwrap(), first.to_toml().unwrap());
}

#[test]
fn keys_that_are_no_paths_are_refused() {
    for keys in [
        &["market."][..],
        &["a", "a.b"],
        &["a.b", "a"],
        &["."],
        &[""],
    ] {
        let fields = keys
            .iter()
            .map(|key| ((*key).to_owned(), Value::from(1)))
            .collect();
        assert_eq!(to_toml(&fields).unwrap_err().exit_code(), 2, "{keys:?}");
    }
}
