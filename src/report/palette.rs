//! The colours of figures, charts and pages; `web/app.css` repeats them.

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

/// Colours of the series. Neighbours differ in lightness as well as in hue; the dashes of the lines
/// ([`DASHES`]) tell them apart without any colour.
pub const SERIES: [Color; 9] = [
    color("#005fa8", "#62b4f5"),
    color("#d15500", "#ff9147"),
    color("#008263", "#2fcb9f"),
    color("#a3488a", "#e9a0d2"),
    color("#8f6500", "#e2b640"),
    color("#5a6470", "#b4bec9"),
    color("#7a1f4b", "#df7fa6"),
    color("#2d8a9e", "#6fd3e6"),
    color("#3d7a00", "#9ccf5a"),
];

/// Lengths of line and gap in pixels; empty for a solid line.
pub const DASHES: [&[u32]; 9] = [
    &[],
    &[9, 3],
    &[2, 3],
    &[9, 3, 2, 3],
    &[5, 3],
    &[14, 3],
    &[5, 2, 2, 2, 2, 2],
    &[1, 3],
    &[14, 3, 5, 3],
];

/// Every colour that differs between light and dark pages.
pub fn all() -> impl Iterator<Item = Color> {
    [PAPER, INK, MUTED, GRID].into_iter().chain(SERIES)
}

/// The order of the strategies, which decides their colours.
#[derive(Debug, Clone)]
pub struct Palette(Vec<String>);

impl Palette {
    /// The colours of these strategies in their order.
    pub fn new(strategies: Vec<String>) -> Self {
        Self(strategies)
    }

    /// The place of a strategy; strategies that are not in the list share the last colour.
    pub fn place(&self, strategy: &str) -> usize {
        let known = self.0.iter().position(|name| name == strategy);
        known.unwrap_or(SERIES.len() - 1) % SERIES.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The style sheet names the same colours in the same order, light ones first.
    #[test]
    fn pages_have_the_same_colours() {
        let css = include_str!("../../web/app.css");
        let (light, dark) = css
            .split_once("@media (prefers-color-scheme: dark)")
            .unwrap();
        for (place, color) in SERIES.iter().enumerate() {
            assert!(
                light.contains(&format!("--s{place}: {};", color.light)),
                "{place}"
            );
            assert!(
                dark.contains(&format!("--s{place}: {};", color.dark)),
                "{place}"
            );
        }
        for (name, color) in [("paper", PAPER), ("ink", INK), ("muted", MUTED)] {
            assert!(
                light.contains(&format!("--{name}: {};", color.light)),
                "{name}"
            );
            assert!(
                dark.contains(&format!("--{name}: {};", color.dark)),
                "{name}"
            );
        }
    }

    /// WCAG 2.2, 1.4.11: graphics have a contrast of at least 3 to the paper they are on.
    #[test]
    fn series_stand_out_from_the_paper() {
        let luminance = |hex: &str| {
            let channel = |at: usize| {
                let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
                if value <= 0.04045 {
                    value / 12.92
                } else {
                    ((value + 0.055) / 1.055).powf(2.4)
                }
            };
            0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
        };
        let contrast = |a: &str, b: &str| {
            let (a, b) = (luminance(a), luminance(b));
            (a.max(b) + 0.05) / (a.min(b) + 0.05)
        };
        for color in SERIES {
            assert!(contrast(color.light, PAPER.light) >= 3.0, "{color:?}");
            assert!(contrast(color.dark, PAPER.dark) >= 3.0, "{color:?}");
        }
    }
}
