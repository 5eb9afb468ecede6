use super::*;
use crate::runs::fixture;

/// Two markets: kfac loses 30 % where it is made for the other one, adam 10 %; the naked hedge knows of no market.
fn metrics(seeds: usize) -> Metrics {
    let estimate = |value: f64, standard_error: f64| Estimate {
        value,
        standard_error,
    };
    let of = |strategy: &str, loss: f64, risk: f64, seeds: usize| {
        let cell = move |made_for: &str, tested_in: &str| {
            let elsewhere = made_for != tested_in;
            let change = if elsewhere { loss } else { 0.0 };
            Crossed {
                strategy: strategy.into(),
                made_for: made_for.into(),
                tested_in: tested_in.into(),
                seeds,
                risk: estimate(risk * (1.0 + change), 0.01),
                change: estimate(change, if elsewhere { 0.02 } else { 0.0 }),
            }
        };
        [
            ("calm", "calm"),
            ("calm", "wild"),
            ("wild", "calm"),
            ("wild", "wild"),
        ]
        .map(|(a, b)| cell(a, b))
    };
    let all = [
        of("adam", 0.1, 3.0, seeds),
        of("kfac", 0.3, 2.5, seeds),
        of("naked", 0.0, 8.0, 1),
    ];
    Metrics {
        evaluation: Vec::new(),
        backtest: Vec::new(),
        comparisons: Vec::new(),
        backtest_comparisons: Vec::new(),
        crossed: all.into_iter().flatten().collect(),
        ..fixture::metrics()
    }
}

fn pair() -> Pair {
    Pair {
        strategy: "kfac".into(),
        baseline: "adam".into(),
    }
}

/// The conclusion says what each method loses elsewhere and who has less risk; with one seed it ranks nobody.
#[test]
fn the_conclusion_is_counted() {
    assert_eq!(
        conclusion(&metrics(3), &pair()),
        "kfac, made for another market than that of the test, has more CVaR 95 % than its own made for it in 2 of 2 cases; at \
         most +30.0 % (±2.0 %), made for wild and tested in calm. adam, made for another market than that of the test, has \
         more CVaR 95 % than its own made for it in 2 of 2 cases; at most +10.0 % (±2.0 %), made for wild and tested in calm. \
         kfac has less risk than adam in 4 of 4 cases and more in 0."
    );
    let said = conclusion(&metrics(1), &pair());
    assert!(
        said.ends_with(
            "With one seed kfac and adam cannot be told from the luck of their trainings."
        ),
        "{said}"
    );
}

/// A hedge that assumes no market has one row beside its like, and no grid of zeros.
#[test]
fn no_grid_of_zeros_is_shown() {
    let captions: Vec<String> = tables(&metrics(3))
        .into_iter()
        .map(|one| one.caption)
        .collect();
    assert_eq!(captions.len(), 5);
    assert!(captions[4].starts_with("The same whatever market"));
    let page = shown(&metrics(3)).into_string();
    assert_eq!(page.matches("class=\"numbers heat\"").count(), 2);
    assert!(page.contains("heat-3") && page.contains("(+30.0\u{a0}%)") && page.contains("its own"));
    assert_eq!(page.matches("naked").count(), 1);
}

/// Shades grow with the change, and less risk has one of its own.
#[test]
fn shades_follow_the_change() {
    let shades = [-0.2, 0.0, 0.02, 0.1, 0.3, 0.7, 3.0].map(shade);
    assert_eq!(
        shades,
        [
            "heat-less",
            "heat-0",
            "heat-1",
            "heat-2",
            "heat-3",
            "heat-4",
            "heat-5"
        ]
    );
}
