use super::OptionKind;

/// What is traded to hedge, in units of which a position is of order one.
///
/// Spot and variance swap are quoted so that a unit is worth about as much as one share; a unit of an option is one
/// option. Assets are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Instrument {
    /// An asset itself; the first asset is always the first instrument.
    Spot(usize),
    /// A swap on the variance of an asset from the sale of the contract to its expiry, marked to model.
    VarianceSwap(usize),
    /// A call or a put, at the model's price.
    Option(Vanilla),
}

/// A call or a put that hedges.
///
/// # Units
/// Strike in the spot's currency; expiry in years from the sale of the contract.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vanilla {
    /// The asset that it is an option on.
    pub asset: usize,
    /// Whether it is a call or a put.
    pub kind: OptionKind,
    /// The strike, in currency.
    pub strike: f64,
    /// The time from the sale of the contract to the option's expiry, in years; not before that of the contract.
    pub expiry: f64,
}

impl Instrument {
    /// The first asset itself.
    pub const SPOT: Self = Self::Spot(0);

    /// What people call it; `asset` is the name of its asset where there are several: `spot`, `spot:dax`,
    /// `call 100 on dax, 0.119 years`.
    pub fn label(self, asset: Option<&str>) -> String {
        let of = |separator: &str| asset.map_or(String::new(), |name| format!("{separator}{name}"));
        match self {
            Self::Spot(_) => format!("spot{}", of(":")),
            Self::VarianceSwap(_) => format!("variance swap{}", of(" on ")),
            Self::Option(option) => {
                let strike = (1e4 * option.strike).round() / 1e4;
                format!(
                    "{} {strike}{}, {:.3} years",
                    option.kind,
                    of(" on "),
                    option.expiry
                )
            }
        }
    }

    /// Whether it is an option on the first asset, which the calls and puts of a contract are on.
    pub fn is_option_on_first(self) -> bool {
        match self {
            Self::Option(option) => option.asset == 0,
            Self::Spot(_) | Self::VarianceSwap(_) => false,
        }
    }

    /// The asset that it depends on.
    pub fn asset(self) -> usize {
        match self {
            Self::Spot(asset) | Self::VarianceSwap(asset) => asset,
            Self::Option(option) => option.asset,
        }
    }
}
