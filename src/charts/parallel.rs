//! Parallel coordinates: an axis for every setting and result, and a line for every run or trial.

use super::chart::{Chart, Choices};
use super::frame::{Axis, Figure, figure_with, layout};
use crate::numbers::significant;
use crate::report::figures::Part;
use crate::report::markup::with_minus;
use crate::report::palette::{INK, MUTED, PAPER};
use crate::runs::differences::Written;
use crate::runs::metrics::{Metrics, Trial};
use plotly::common::{Line, Marker, Mode};
use plotly::{Scatter, Trace};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Axes of a chart, at most; more could not be told apart.
pub const MOST_AXES: usize = 14;

/// Where the lines of what has no value cross an axis, below its least value.
const NOTHING: f64 = -0.2;

/// Lines that are drawn as the best, at most.
const MOST_BEST: usize = 10;

/// From so many lines on they are thin.
const MANY: usize = 60;

/// Values of lines along an axis, from 0 to 1, and the labels of its places.
type Scale = (Vec<Option<f64>>, Vec<(f64, String)>);

/// One axis: a name and the value of every line.
#[derive(Debug, Clone)]
pub struct Dimension {
    /// What the axis says.
    pub name: String,
    /// The values, of each line one.
    pub values: Vec<Option<Written>>,
}

/// The search for the settings of an optimizer.
pub const TUNING: Chart = Chart::new(
    "tuning",
    "Every trial of the search for an optimizer's settings, from the settings on the left to the risk on validation paths on the \
     right; trials that went further come first, and of those the ones with less risk.",
    |run| !run.metrics.tuning.is_empty(),
    |run, optimizer| {
        let optimizers = optimizers(run.metrics);
        let optimizer = optimizer.or_else(|| optimizers.first().map(String::as_str));
        Ok(optimizer.and_then(|optimizer| tuning(run.metrics, optimizer)))
    },
)
.choosing(Choices {
    label: "Optimizer",
    of: |run| {
        let names = optimizers(run.metrics).into_iter();
        names.map(|name| (name.clone(), name)).collect()
    },
})
.in_part(Part::Training);

fn optimizers(metrics: &Metrics) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for trial in &metrics.tuning {
        if !found.contains(&trial.strategy) {
            found.push(trial.strategy.clone());
        }
    }
    found
}

/// What is known of a candidate of a search: the trials of the last round that it reached.
struct Candidate<'a> {
    settings: BTreeMap<&'a str, Written>,
    rung: usize,
    share: f64,
    risks: Vec<f64>,
}

impl<'a> Candidate<'a> {
    fn all(trials: impl Iterator<Item = &'a Trial>) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for trial in trials {
            let own = trial.settings.iter();
            let own = own.map(|(key, value)| (key.as_str(), Written::new(value)));
            let mut settings: BTreeMap<&str, Written> = own.collect();
            settings.extend(Written::of(trial.paths as f64).map(|paths| ("paths", paths)));
            match found.iter_mut().find(|known| known.settings == settings) {
                Some(known) if known.rung == trial.rung => known.risks.push(trial.risk),
                Some(known) if known.rung > trial.rung => {}
                Some(known) => {
                    known.rung = trial.rung;
                    known.share = trial.share;
                    known.risks = vec![trial.risk];
                }
                None => found.push(Self {
                    settings,
                    rung: trial.rung,
                    share: trial.share,
                    risks: vec![trial.risk],
                }),
            }
        }
        // Of rounds of different lengths the risks are not compared.
        found.sort_by(|a, b| b.rung.cmp(&a.rung).then(a.risk().total_cmp(&b.risk())));
        found
    }

    /// The mean over seeds; not a number if a training failed.
    fn risk(&self) -> f64 {
        self.risks.iter().sum::<f64>() / self.risks.len() as f64
    }
}

fn tuning(metrics: &Metrics, optimizer: &str) -> Option<Figure> {
    let trials = metrics.tuning.iter();
    let candidates = Candidate::all(trials.filter(|trial| trial.strategy == optimizer));
    let mut keys: Vec<&str> = candidates
        .iter()
        .flat_map(|candidate| candidate.settings.keys().copied())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let mut dimensions: Vec<Dimension> = keys
        .into_iter()
        .map(|key| Dimension {
            name: key.replace('_', " "),
            values: candidates
                .iter()
                .map(|candidate| candidate.settings.get(key).cloned())
                .collect(),
        })
        .filter(Dimension::differs)
        .collect();
    let number = |name: &str, of: &dyn Fn(&Candidate<'_>) -> f64| Dimension {
        name: name.to_owned(),
        values: candidates
            .iter()
            .map(|candidate| Written::of(of(candidate)))
            .collect(),
    };
    dimensions.push(number("share of the steps", &|candidate| candidate.share));
    dimensions.push(number(&metrics.risk, &|candidate| candidate.risk()));
    let names: Vec<String> = (1..=candidates.len())
        .map(|place| format!("place {place}"))
        .collect();
    let places: Vec<usize> = (0..candidates.len()).collect();
    parallel(
        &format!("Search for the settings of {optimizer}"),
        &dimensions,
        (&names, &places),
    )
}

impl Dimension {
    /// Whether the lines have more than one value.
    pub fn differs(&self) -> bool {
        self.values.iter().any(|value| *value != self.values[0])
    }

    /// Where the values lie on the axis, from 0 to 1, and the labels of the places.
    fn scale(&self) -> Scale {
        let present = || self.values.iter().flatten();
        let numbers: Option<Vec<f64>> = present().map(|value| value.number).collect();
        match numbers.filter(|numbers| !numbers.is_empty()) {
            Some(numbers) => self.numeric(&numbers),
            None => {
                let mut texts: Vec<&String> = present().map(|value| &value.text).collect();
                texts.sort();
                texts.dedup();
                let last = texts.len().saturating_sub(1);
                let place = |place: usize| match last {
                    0 => 0.5,
                    last => place as f64 / last as f64,
                };
                let at = |value: &Written| {
                    let known = texts.iter().position(|known| **known == value.text);
                    known.map(place)
                };
                let values = self.values.iter().map(|value| value.as_ref().and_then(at));
                let labels = texts.iter().enumerate();
                let labels = labels.map(|(index, text)| (place(index), (*text).clone()));
                (values.collect(), labels.collect())
            }
        }
    }

    /// Numbers lie evenly, or by their logarithms where they are of different sizes.
    fn numeric(&self, numbers: &[f64]) -> Scale {
        const FAR: f64 = 20.0;
        let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let logarithmic = low > 0.0 && high > FAR * low;
        let place = |value: f64| match (low < high, logarithmic) {
            (false, _) => 0.5,
            (true, false) => (value - low) / (high - low),
            (true, true) => (value / low).ln() / (high / low).ln(),
        };
        let at = |value: &Option<Written>| value.as_ref()?.number.map(place);
        let values = self.values.iter().map(at).collect();
        let mut labels = vec![(place(low), significant(low, 3))];
        if low < high {
            labels.push((place(high), significant(high, 3)));
        }
        (values, labels)
    }
}

/// A line for every one of `names` across all dimensions; `places` are their numbers from the best to the worst, and the best are
/// drawn over the others. Absent without lines, or with fewer than two dimensions.
pub fn parallel(
    title: &str,
    dimensions: &[Dimension],
    (names, places): (&[String], &[usize]),
) -> Option<Figure> {
    if dimensions.len() < 2 || names.is_empty() {
        return None;
    }
    let scales: Vec<_> = dimensions.iter().map(Dimension::scale).collect();
    let first = names.len().div_ceil(10).min(MOST_BEST);
    let quarter = names.len().div_ceil(4).max(first);
    let (best, rest) = places.split_at(first.min(places.len()));
    let (good, others) = rest.split_at((quarter - first).min(rest.len()));
    let best_name = match best.len() {
        1 => "the best".to_owned(),
        several => format!("the best {several}"),
    };
    // Many lines would cover each other.
    let weights = match names.len() <= MANY {
        true => [(1.0, 0.5), (2.0, 1.0), (3.0, 1.0)],
        false => [(0.5, 0.25), (0.8, 0.6), (1.6, 1.0)],
    };
    let groups = [
        ("others".to_owned(), others, MUTED.light, weights[0]),
        ("the best quarter".to_owned(), good, MUTED.light, weights[1]),
        (best_name, best, INK.light, weights[2]),
    ];
    let (mut traces, mut columns): (Vec<Box<dyn Trace>>, Vec<Vec<Value>>) =
        (Vec::new(), Vec::new());
    let groups = groups
        .into_iter()
        .filter(|(_, lines, ..)| !lines.is_empty());
    for (name, lines, color, (width, opacity)) in groups {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        let (mut words, mut cells) = (Vec::new(), Vec::new());
        for &line in lines {
            for (axis, (dimension, (values, _))) in dimensions.iter().zip(&scales).enumerate() {
                let value = dimension.values[line].as_ref();
                let text = value.map_or("not set", |value| value.text.as_str());
                x.push(Some(axis as f64));
                y.push(Some(values[line].unwrap_or(NOTHING)));
                words.push(format!("{}<br>{}: {text}", names[line], dimension.name));
                cells.push(json!([names[line], dimension.name, text]));
            }
            // Lines of a group are one trace, with a gap after each.
            x.push(None);
            y.push(None);
            words.push(String::new());
            cells.push(Value::Null);
        }
        columns.push(cells);
        traces.push(
            Scatter::new(x, y)
                .mode(Mode::LinesMarkers)
                .name(name)
                .opacity(opacity)
                .line(Line::new().color(color).width(width))
                .marker(Marker::new().color(color).size(5))
                .text_array(words)
                .hover_template("%{text}<extra></extra>"),
        );
    }
    let width = dimensions.len() as f64;
    let x = Axis::new("setting").range(-0.4..width - 0.6).build();
    let y = Axis::new("place on its axis").range(-0.34..1.14).build();
    let mut figure = figure_with(title, layout(title).x_axis(x).y_axis(y), traces);
    for (trace, cells) in columns.into_iter().enumerate() {
        figure.data[trace]["customdata"] = cells.into();
    }
    let ticks: Vec<usize> = (0..dimensions.len()).collect();
    let heads: Vec<String> = dimensions
        .iter()
        .map(|dimension| broken(&dimension.name))
        .collect();
    let axis = &mut figure.layout["xaxis"];
    axis["tickvals"] = json!(ticks);
    axis["ticktext"] = json!(heads);
    axis["tickangle"] = 0.into();
    axis["showgrid"] = false.into();
    axis["title"]["text"] = "".into();
    figure.layout["yaxis"]["visible"] = false.into();
    figure.layout["shapes"] = ticks
        .iter()
        .map(|axis| {
            json!({ "type": "line", "x0": axis, "x1": axis, "y0": 0, "y1": 1, "layer": "below",
                    "line": { "color": MUTED.light, "width": 1 } })
        })
        .collect();
    // Places on axes say nothing in a file, which has these columns of the traces' own data instead.
    figure.layout["meta"] = json!({ "columns": ["line", "axis", "value"] });
    figure.layout["annotations"] = annotations(&scales).into();
    Some(figure)
}

/// The labels of the places on every axis.
fn annotations(scales: &[Scale]) -> Vec<Value> {
    /// Words of a category, at most; the text of the point has all of it.
    const LONGEST: usize = 16;
    let label = |axis: usize, place: f64, words: &str| {
        let short: String = words.chars().take(LONGEST).collect();
        let dots = if short.len() < words.len() { "…" } else { "" };
        // Lines fan out between the ends of an axis.
        let (anchor, shift) = if place > 0.0 {
            ("bottom", 4)
        } else {
            ("top", -4)
        };
        json!({ "x": axis, "y": place, "text": format!("{}{dots}", with_minus(&short)), "showarrow": false,
                "yanchor": anchor, "yshift": shift, "font": { "size": 11, "color": INK.light }, "bgcolor": PAPER.light })
    };
    let mut all = Vec::new();
    for (axis, (values, labels)) in scales.iter().enumerate() {
        all.extend(
            labels
                .iter()
                .map(|(place, words)| label(axis, *place, words)),
        );
        if values.iter().any(Option::is_none) {
            all.push(label(axis, NOTHING, "not set"));
        }
    }
    all
}

/// A name in short lines, which end at dots and between words.
fn broken(name: &str) -> String {
    const SHORT: usize = 10;
    let mut lines: Vec<String> = Vec::new();
    for word in name.replace('.', ".\n").split([' ', '\n']) {
        match lines.last_mut() {
            Some(line) if !line.ends_with('.') && line.len() + 1 + word.len() <= SHORT => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("<br>")
}

#[cfg(test)]
#[path = "parallel_tests.rs"]
mod tests;
