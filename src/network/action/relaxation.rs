/// How far what training sees departs from actions and limits as they are, so that every output has a derivative.
///
/// All of it is 0 where a policy is measured, and there neither an action nor a limit is changed in any bit. In training it falls as
/// the training passes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Relaxation {
    /// The share of the way to the middle of a band that a position goes on every date, wherever in the band it is.
    pub leak: f64,
    /// The width over which bounds of positions and trades are smooth, in units of the position.
    pub limits: f64,
    /// The width over which the step from one lot to the next is smooth, in lots.
    pub lots: f64,
}

impl Relaxation {
    /// Actions and limits as they are.
    pub const NONE: Self = Self {
        leak: 0.0,
        limits: 0.0,
        lots: 0.0,
    };
}
