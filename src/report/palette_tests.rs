use super::*;
use crate::hedging::ClassicalName;
use crate::optimizer::Method;

/// The style sheet names the same colours and dashes in the same order, light colours first.
#[test]
fn pages_have_the_same_colours() {
    let css = include_str!("../../web/app.css");
    let (light, dark) = css
        .split_once("@media (prefers-color-scheme: dark)")
        .unwrap();
    for (place, color) in SERIES.iter().enumerate() {
        let (bright, dim) = (color.light, color.dark);
        assert!(light.contains(&format!("--s{place}: {bright};")), "{place}");
        assert!(dark.contains(&format!("--s{place}: {dim};")), "{place}");
        assert!(css.contains(&format!(".series-{place} {{")), "{place}");
    }
    for place in 1..DASHES.len() {
        assert!(css.contains(&format!(".swatch.dash-{place} {{")), "{place}");
    }
    for (name, color) in [("paper", PAPER), ("ink", INK), ("muted", MUTED)] {
        let (bright, dim) = (color.light, color.dark);
        assert!(light.contains(&format!("--{name}: {bright};")), "{name}");
        assert!(dark.contains(&format!("--{name}: {dim};")), "{name}");
    }
}

/// Linear red, green and blue of `#rrggbb`.
fn linear(hex: &str) -> [f64; 3] {
    [1, 3, 5].map(|at| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    })
}

fn product(matrix: [[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum())
}

/// WCAG 2.2, 1.4.11: graphics have a contrast of at least 3 to the paper they are on.
#[test]
fn series_stand_out_from_the_paper() {
    let luminance = |hex: &str| {
        let [red, green, blue] = linear(hex);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let contrast = |a: &str, b: &str| {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    };
    for color in SERIES.into_iter().chain(PARTS) {
        assert!(contrast(color.light, PAPER.light) >= 3.0, "{color:?}");
        assert!(contrast(color.dark, PAPER.dark) >= 3.0, "{color:?}");
    }
}

/// Any two colours of methods are apart by at least .08 in Ottosson's OKLab (2020), to usual eyes and to those that lack the
/// cones for red or green (Machado, Oliveira and Fernandes 2009, table 1, severity 1); .02 is just noticeable.
#[test]
fn colours_are_told_apart_without_red_or_green() {
    const SEEN: [[[f64; 3]; 3]; 3] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ];
    let lab = |hex: &str, seen: [[f64; 3]; 3]| {
        let rgb = product(seen, linear(hex)).map(|channel| channel.clamp(0.0, 1.0));
        let cones = product(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ],
            rgb,
        );
        product(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ],
            cones.map(f64::cbrt),
        )
    };
    for seen in SEEN {
        for (place, one) in SERIES.iter().enumerate() {
            for other in &SERIES[..place] {
                for (a, b) in [(one.light, other.light), (one.dark, other.dark)] {
                    let pairs = lab(a, seen).into_iter().zip(lab(b, seen));
                    let apart = pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                    assert!(apart >= 0.08, "{a} and {b}: {apart}");
                }
            }
        }
    }
    for part in PARTS {
        let mut series = SERIES.into_iter();
        assert!(series.all(|of| of.light != part.light && of.dark != part.dark));
    }
}

/// The names of the tables are those of methods and hedges that there are.
#[test]
fn names_are_those_of_methods_and_hedges() {
    for (name, _) in TRAINED {
        assert!(Method::named("method", name).is_ok(), "{name}");
    }
    for (name, _) in CLASSICAL {
        assert!(ClassicalName::named(name).is_some(), "{name}");
    }
}

/// A method's colour depends on nothing else than its name: not on the order, on what is beside it, nor on the variant.
#[test]
fn a_method_has_one_colour_everywhere() {
    let hue = |names: &[&str], name: &str| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Palette::new(names).look(name).hue
    };
    let kfac = Look::of("kfac").hue;
    assert_eq!(hue(&["adam", "kfac", "naked"], "kfac"), kfac);
    assert_eq!(hue(&["kfac", "adam"], "kfac"), kfac);
    for variant in [
        "kfac_small",
        "kfac ensemble",
        "kfac (B)",
        "kfac, 100 steps",
        "kfac in calm",
    ] {
        assert_eq!(hue(&["adam", variant], variant), kfac, "{variant}");
    }
    assert_ne!(Look::of("adam").hue, kfac);
    assert_eq!(Look::of("mine (A)").hue, Look::of("mine").hue);
    // A name within a name is another method.
    assert_eq!(Look::of("whitened_muon_small").hue, Look::of("muon").hue);
    assert_eq!(Look::of("delta_vega_whalley_wilmott").hue, 5);
    assert!(!Look::of("kfacx").is_classical && Look::of("naked").is_classical);
}

/// The 23 rows of a walk-forward on surfaces: those of one colour have different dashes, and no two the same mark.
#[test]
fn many_hedges_are_told_apart() {
    let names = [
        "adam",
        "adam ensemble",
        "kfac",
        "kfac ensemble",
        "naked",
        "smile_delta",
        "scaled_delta_0.9",
        "scaled_delta",
        "hull_white",
        "hull_white_tuned_scale",
        "smile_delta_whalley_wilmott",
        "scaled_delta_whalley_wilmott",
        "scaled_delta_constant_band",
        "hull_white_whalley_wilmott",
        "hull_white_whalley_wilmott_tuned_scale",
        "delta_vega",
        "delta_gamma",
        "delta_vega_whalley_wilmott",
        "delta_vega_whalley_wilmott_tuned_ratio",
        "delta_gamma_whalley_wilmott_tuned_ratio",
        "static_vega",
        "static_vega_constant_band",
        "static_vega_whalley_wilmott",
    ];
    let palette = Palette::new(names.map(str::to_owned).to_vec());
    let looks = names.map(|name| palette.look(name));
    for (place, one) in looks.iter().enumerate() {
        for other in &looks[..place] {
            assert_ne!((one.hue, one.dash), (other.hue, other.dash));
            let mark = |of: &Look| (of.hue, of.shape, of.is_classical);
            assert_ne!(mark(one), mark(other));
        }
    }
    // Who is called as the method has its own line.
    assert_eq!(palette.look("scaled_delta"), Look::of("scaled_delta"));
    assert_eq!(palette.look("kfac").dash, 0);
}
