use super::*;
use crate::runs::fixture;

fn dimension(name: &str, values: &[Option<(&str, Option<f64>)>]) -> Dimension {
    let own = |value: &Option<(&str, Option<f64>)>| {
        value.map(|(text, number)| Written {
            text: text.to_owned(),
            number,
        })
    };
    Dimension {
        name: name.into(),
        values: values.iter().map(own).collect(),
    }
}

fn numbers(name: &str, values: &[f64]) -> Dimension {
    let texts: Vec<String> = values.iter().map(f64::to_string).collect();
    let values: Vec<_> = texts
        .iter()
        .zip(values)
        .map(|(text, value)| Some((text.as_str(), Some(*value))))
        .collect();
    dimension(name, &values)
}

/// The least value lies at 0 and the greatest at 1; between them numbers lie evenly, or by their logarithms where they span more
/// than a factor of twenty: 10 is half way from 1 to 100. Texts lie evenly in the order of the alphabet.
#[test]
fn values_have_their_places() {
    let places = |dimension: Dimension| dimension.scale().0;
    assert_eq!(
        places(numbers("a", &[1.0, 3.0, 2.0])),
        [Some(0.0), Some(1.0), Some(0.5)]
    );
    let far = places(numbers("a", &[1.0, 100.0, 10.0]));
    assert!((far[2].unwrap() - 0.5).abs() < 1e-12);
    assert_eq!(places(numbers("a", &[-1.0, 99.0])), [Some(0.0), Some(1.0)]);
    assert_eq!(places(numbers("a", &[2.0, 2.0])), [Some(0.5); 2]);
    let texts = dimension(
        "a",
        &[
            Some(("soap", None)),
            None,
            Some(("adam", None)),
            Some(("kfac", None)),
        ],
    );
    assert_eq!(texts.scale().0, [Some(1.0), None, Some(0.0), Some(0.5)]);
}

/// Every line crosses every axis once, those without a value below it, and the best is the last trace, over the others.
#[test]
fn every_line_crosses_every_axis() {
    let dimensions = [
        numbers("damping", &[1e-4, 1e-3, 1e-2]),
        dimension(
            "network",
            &[Some(("lstm", None)), None, Some(("gru", None))],
        ),
        numbers("CVaR", &[2.0, 1.0, 3.0]),
    ];
    let names = ["a", "b", "c"].map(str::to_owned);
    let figure = parallel("Runs", &dimensions, (&names, &[1, 0, 2])).unwrap();
    let traces = figure.data.as_array().unwrap();
    let points: usize = traces
        .iter()
        .map(|trace| {
            trace["x"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|x| !x.is_null())
                .count()
        })
        .sum();
    assert_eq!(points, 9);
    let best = traces.last().unwrap();
    assert_eq!(best["name"], "the best");
    assert_eq!(best["text"][1], "b<br>network: not set");
    assert_eq!(best["y"][1], NOTHING);
    assert_eq!(best["customdata"][0], json!(["b", "damping", "0.001"]));
    assert_eq!(figure.layout["xaxis"]["ticktext"][0], "damping");
    assert!(parallel("Runs", &dimensions[..1], (&names, &[0, 1, 2])).is_none());
}

/// A candidate is one line, at the risk of the longest round that it reached; one that reached a longer round comes before one
/// that did not, whatever their risks; settings that all candidates share have no axis.
#[test]
fn candidates_of_a_search_are_lines() {
    let trial = |rate: f64, rung: usize, risk: f64| Trial {
        strategy: "adam".into(),
        rung,
        share: if rung == 0 { 0.25 } else { 1.0 },
        seed: 7,
        risk,
        paths: 64,
        settings: [("learning_rate", rate), ("beta1", 0.9)]
            .map(|(key, value)| (key.to_owned(), toml::Value::Float(value)))
            .into_iter()
            .collect(),
    };
    let mut metrics = fixture::metrics();
    metrics.tuning = vec![
        trial(0.1, 0, 3.0),
        trial(0.01, 0, 2.0),
        trial(0.001, 0, 2.5),
        trial(0.01, 1, 2.8),
    ];
    let candidates = Candidate::all(metrics.tuning.iter());
    let order: Vec<(f64, usize)> = candidates.iter().map(|c| (c.risk(), c.rung)).collect();
    assert_eq!(order, [(2.8, 1), (2.5, 0), (3.0, 0)]);
    let figure = tuning(&metrics, "adam").unwrap();
    let axes = &figure.layout["xaxis"]["ticktext"];
    assert_eq!(
        axes,
        &json!(["learning<br>rate", "share of<br>the steps", "CVaR 95 %"])
    );
    assert_eq!(optimizers(&metrics), ["adam"]);
    assert!(tuning(&metrics, "kfac").is_none());
}
