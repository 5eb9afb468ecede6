//! The colours of figures, charts and pages; `web/app.css` repeats them.
//!
//! A method has the same colour in every run, chart, report and study, whatever else is shown beside it. Dashes and the
//! shapes of marks tell apart what shares a colour: variants of one method, its runs, and a trained policy and a classical
//! hedge.

/// A colour on light pages and the one that stands for it on dark pages, as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color {
    /// The colour on light pages.
    pub light: &'static str,
    /// The colour on dark pages.
    pub dark: &'static str,
}

const fn color(light: &'static str, dark: &'static str) -> Color {
    Color { light, dark }
}

/// The colour of the paper.
pub const PAPER: Color = color("#ffffff", "#171c22");
/// The colour of text and of what is no strategy.
pub const INK: Color = color("#1b1f24", "#e7ebef");
/// The colour of labels and reference lines.
pub const MUTED: Color = color("#57606a", "#a4afba");
/// The colour of grids.
pub const GRID: Color = color("#e2e6ea", "#2c343d");

/// The colours of methods. On either page any two of them are told apart in every form of colour blindness to red and
/// green; the last one, grey, is that of no hedge.
pub const SERIES: [Color; 10] = [
    color("#005fa8", "#62b4f5"),
    color("#cf5300", "#ff9147"),
    color("#056959", "#a2ffe9"),
    color("#6a0067", "#c168ba"),
    color("#6a4f05", "#a17900"),
    color("#681a1f", "#bc7c79"),
    color("#479cca", "#a7d5f2"),
    color("#6d9f6e", "#74fd7f"),
    color("#8d48f2", "#9249fb"),
    color("#767d86", "#a4abb3"),
];

/// The colours of the parts that P&L is made of, which are no methods: muted, and none of them a colour of a method.
pub const PARTS: [Color; 12] = [
    color("#3d7572", "#3b7773"),
    color("#363779", "#8d94d5"),
    color("#979546", "#fbfab0"),
    color("#692e03", "#daa88d"),
    color("#5e69a8", "#7c839f"),
    color("#235642", "#99debf"),
    color("#8984ae", "#e0ddfb"),
    color("#073d39", "#7ca09c"),
    color("#748158", "#788952"),
    color("#734683", "#caadd5"),
    color("#252a4f", "#606aa9"),
    color("#7e5e21", "#eec580"),
];

/// Lengths of line and gap in pixels; empty for a solid line.
pub const DASHES: [&[u32]; 6] = [
    &[],
    &[8, 3],
    &[2, 3],
    &[8, 3, 2, 3],
    &[14, 4],
    &[14, 3, 2, 3],
];

/// The number of shapes that marks have.
pub const SHAPES: usize = 8;

/// The place of grey.
const GREY: usize = SERIES.len() - 1;

/// The colours of methods that are trained, by their place in [`SERIES`]. Relatives share one. A method that is not here
/// has one that its name decides.
const TRAINED: [(&str, usize); 17] = [
    ("kfac", 0),
    ("ekfac", 0),
    ("kfoc", 0),
    ("adam", 1),
    ("adamw", 1),
    ("lamb", 1),
    ("muon", 2),
    ("whitened_muon", 2),
    ("mlbfgs", 4),
    ("sgd", 5),
    ("cg_fac", 6),
    ("gauss_newton", 6),
    ("singd", 7),
    ("soap", 8),
    ("shampoo", 8),
    ("kl_shampoo", 8),
    ("psgd_kron", 3),
];

/// The colours of hedges without training, by their place in [`SERIES`]: those that are compared with each other, in a
/// model or on surfaces, have different ones.
const CLASSICAL: [(&str, usize); 15] = [
    ("naked", GREY),
    ("black_scholes", 2),
    ("smile_delta", 2),
    ("whalley_wilmott", 3),
    ("hull_white", 3),
    ("zakamouline", 4),
    ("scaled_delta", 4),
    ("leland", 5),
    ("delta_vega", 5),
    ("minimum_variance", 6),
    ("delta_gamma", 6),
    ("hedged_monte_carlo", 7),
    ("static_vega", 7),
    ("move_based", 8),
    ("time_based", 8),
];

/// How a strategy is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The place of the colour in [`SERIES`].
    pub hue: usize,
    /// The place of the line's dashes in [`DASHES`].
    pub dash: usize,
    /// The shape of the mark, below [`SHAPES`].
    pub shape: usize,
    /// Whether the hedge is not trained: its marks are hollow, and its line is solid only where all dashes are taken.
    pub is_classical: bool,
}

impl Look {
    /// The look of a strategy by itself, by the name of its method alone.
    ///
    /// The method is the longest one that the name begins with: `kfac_small`, `kfac ensemble`, `kfac, 100 steps` and
    /// `kfac (A)` are K-FAC, `hull_white_whalley_wilmott` is Hull and White's hedge.
    pub fn of(strategy: &str) -> Self {
        let classical = CLASSICAL.iter().map(|(name, hue)| (*name, *hue, true));
        let trained = TRAINED.iter().map(|(name, hue)| (*name, *hue, false));
        let known = classical
            .chain(trained)
            .filter(|(name, ..)| begins_with(strategy, name))
            .max_by_key(|(name, ..)| name.len());
        let (hue, is_classical) = match known {
            Some((_, hue, is_classical)) => (hue, is_classical),
            None => (hash(strategy) % GREY, false),
        };
        Self {
            hue,
            dash: usize::from(is_classical),
            shape: hue % SHAPES,
            is_classical,
        }
    }

    /// The colour.
    pub fn color(self) -> Color {
        SERIES[self.hue]
    }

    /// The classes of a swatch of this look in the style sheet.
    pub fn classes(self) -> String {
        format!("swatch series-{} dash-{}", self.hue, self.dash)
    }
}

/// Whether a strategy is a method or a variant of it.
fn begins_with(strategy: &str, method: &str) -> bool {
    let rest = strategy.strip_prefix(method);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', ' ', ',', '-']))
}

/// The method in a name that is one of no known method: `mine` of `mine (A)` and `mine, 100 steps`.
fn stem(strategy: &str) -> &str {
    strategy.split([' ', ',']).next().unwrap_or(strategy)
}

/// FNV-1a, 32 bits.
fn hash(strategy: &str) -> usize {
    let bytes = stem(strategy).bytes();
    bytes.fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    }) as usize
}

/// The looks of strategies that are shown together.
///
/// Colours are those of [`Look::of`], whatever is shown. Dashes and shapes differ between those of one colour, as long as
/// there are any left.
#[derive(Debug, Clone, Default)]
pub struct Palette(Vec<(String, Look)>);

impl Palette {
    /// The looks of these strategies. Where several are of one colour, those that are called as their method come first,
    /// and the others in their order.
    pub fn new(strategies: Vec<String>) -> Self {
        let known = TRAINED.iter().chain(&CLASSICAL);
        let methods: Vec<&str> = known.map(|(name, _)| *name).collect();
        let mut order: Vec<usize> = (0..strategies.len()).collect();
        order.sort_by_key(|at| !methods.contains(&strategies[*at].as_str()));
        let mut looks: Vec<Option<Look>> = vec![None; strategies.len()];
        for at in order {
            let mut look = Look::of(&strategies[at]);
            let alike = |other: &&Look| other.hue == look.hue;
            let taken: Vec<Look> = looks.iter().flatten().filter(alike).copied().collect();
            look.dash = free(look.dash, DASHES.len(), |dash| {
                taken.iter().any(|other| other.dash == dash)
            });
            look.shape = free(look.shape, SHAPES, |shape| {
                let mut same = taken.iter();
                same.any(|other| other.shape == shape && other.is_classical == look.is_classical)
            });
            looks[at] = Some(look);
        }
        let looks = looks.into_iter().flatten();
        Self(strategies.into_iter().zip(looks).collect())
    }

    /// The look of a strategy; one that is not among those of the palette has that of its method.
    pub fn look(&self, strategy: &str) -> Look {
        let known = self.0.iter().find(|(name, _)| name == strategy);
        known.map_or_else(|| Look::of(strategy), |(_, look)| *look)
    }

    /// Whether the strategy is among those of the palette.
    pub fn has(&self, strategy: &str) -> bool {
        self.0.iter().any(|(name, _)| name == strategy)
    }
}

/// The first of `count` places from `wanted` on, in a circle, that is not taken; the wanted one where all are.
fn free(wanted: usize, count: usize, is_taken: impl Fn(usize) -> bool) -> usize {
    let mut places = (0..count).map(|step| (wanted + step) % count);
    places.find(|place| !is_taken(*place)).unwrap_or(wanted)
}

/// Every colour that differs between light and dark pages.
pub fn all() -> impl Iterator<Item = Color> {
    let pages = [PAPER, INK, MUTED, GRID].into_iter();
    pages.chain(SERIES).chain(PARTS)
}

#[cfg(test)]
#[path = "palette_tests.rs"]
mod tests;
