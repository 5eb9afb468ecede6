//! `data surface --shape`: surfaces of closes and a volatility index.

use super::*;

const SHAPE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/market_data/synthetic_surface.csv"
);

fn written(name: &str, text: &str) -> String {
    let path = strategy(name, SMALL).with_extension("csv");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = deephedge(arguments, "2");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn closes() -> String {
    let text = "DATE,NASDAQ100\n2004-01-02,1463.57\n2004-01-05,1496.58\n2004-01-06,1501.26\n";
    written("index-closes", text)
}

fn index(name: &str, middle: &str) -> String {
    let text = format!("DATE,VXNCLS\n2004-01-02,24.63\n2004-01-05,{middle}\n2004-01-06,23.5\n");
    written(name, &text)
}

/// Closes and a volatility index become a file of surfaces that is read as one: the closes stand in it, every day's variance swap has the index as its
/// rate, and the other factors lie on the lines that are said.
#[test]
fn closes_and_a_volatility_index_become_surfaces() {
    let (closes, index) = (closes(), index("index-volatilities", "24.11"));
    let place = written("index-surfaces", "");
    let arguments = ["data", "surface", &closes, &index, "--shape", SHAPE];
    let to = ["--shape-to", "2011-12-30", "--output", &place];
    let (code, text, errors) = run(&[&arguments[..], &to[..]].concat());
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{text}");
    for part in ["3 days, 2004-01-02 to 2004-01-06", "moneyness = "] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (code, document, _) = run(&[&arguments[..], &to[..], &["--json"]].concat());
    assert_eq!(code, Some(0));
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let shape = &document["shape"];
    assert!(shape["last"].as_str().unwrap() <= "2011-12-30");
    let file = std::fs::read_to_string(&place).unwrap();
    let mut lines = file.lines();
    assert_eq!(
        lines.next(),
        Some("date,close,level,slope,moneyness,smile,smirk")
    );
    let mut before = None;
    for (line, index) in lines.zip([24.63, 24.11, 23.5]) {
        let numbers: Vec<f64> = line
            .split(',')
            .skip(1)
            .map(|n| n.parse().unwrap())
            .collect();
        let factors = std::array::from_fn(|place| numbers[place + 1]);
        let surface = pricing::SurfaceFactors::from_array(factors);
        let rate = quotes::swap_rate(&surface);
        assert!((100.0 * rate / index - 1.0).abs() < 1e-9, "{line}: {rate}");
        for (name, factor) in pricing::SurfaceFactors::NAMES.iter().zip(factors).skip(1) {
            let of = |key: &str| shape["factors"][name][key].as_f64().unwrap();
            let mean = before.unwrap_or(surface.one_month());
            let expected =
                of("intercept") + of("gradient") * surface.one_month() + of("reversion") * mean;
            assert!((factor - expected).abs() < 1e-12, "{name}: {line}");
        }
        // The mean of the first day is its own, and a day has the share 2/127 in it.
        let mean = before.unwrap_or(surface.one_month());
        before = Some(mean + 2.0 / 127.0 * (surface.one_month() - mean));
    }
    let (code, text, _) = run(&["data", "check", &place]);
    assert_eq!(code, Some(0));
    assert!(text.contains("surfaces of five factors"), "{text}");
}

/// What cannot become a surface is refused in one line with exit code 2, and no file is written.
#[test]
fn what_is_no_volatility_index_is_refused() {
    let (closes, volatilities) = (closes(), index("index-right", "24.11"));
    let far = index("index-far", "2411");
    let place = std::path::Path::new(&closes).with_extension("none.csv");
    let output = place.to_str().unwrap();
    let whole = ["--shape", SHAPE, "--output", output];
    for (arguments, expected) in [
        (vec![&closes[..]], "no volatility index"),
        (vec![&closes, &far], "2411"),
        (
            vec![&closes, &volatilities, "--shape-to", "1990-01-01"],
            "0 surfaces do not say",
        ),
        (
            vec![&closes, &volatilities, "--fit", "svi"],
            "--fit: is an option for option chains",
        ),
    ] {
        let arguments = [&["data", "surface"], &arguments[..], &whole[..]].concat();
        let (code, _, errors) = run(&arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(errors.contains(expected), "{arguments:?}: {errors}");
        assert!(!place.exists(), "{arguments:?}");
    }
    let (code, _, errors) = run(&[
        "data",
        "surface",
        &closes,
        &volatilities,
        "--output",
        output,
    ]);
    assert_eq!(code, Some(2));
    assert!(
        errors.contains("closes with a volatility index take --shape"),
        "{errors}"
    );
}
