//! Enums whose variants have names in files and addresses: one list gives the variants, all of them in order, and the way to
//! and from a name, so that no list can miss one.

/// Makes an enum of named variants with `ALL`, `name` and `named`.
macro_rules! named {
    (
        $(#[$outer:meta])*
        pub enum $type:ident {
            $($(#[$inner:meta])* $variant:ident = $name:literal,)*
        }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $type {
            $($(#[$inner])* #[serde(rename = $name)] $variant,)*
        }

        #[allow(dead_code, reason = "not every enum is asked in every way")]
        impl $type {
            /// All of them with their names, in order.
            pub const ALL: &'static [(&'static str, Self)] = &[$(($name, Self::$variant),)*];

            /// All of them, in order.
            pub fn all() -> impl Iterator<Item = Self> {
                Self::ALL.iter().map(|(_, one)| *one)
            }

            /// The name in files and addresses.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The one of that name, if there is one.
            pub fn named(name: &str) -> Option<Self> {
                let mut all = Self::ALL.iter();
                all.find(|(known, _)| *known == name).map(|(_, one)| *one)
            }
        }
    };
}

pub(crate) use named;
