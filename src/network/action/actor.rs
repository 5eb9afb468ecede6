use super::{Action, Asks, Relaxation};
use crate::contract::{Charge, Instrument, Limits, Widths};
use crate::network::Head;

/// What makes the positions of a policy of its network's outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Actor {
    /// How a position comes of the outputs, for every instrument.
    actions: Vec<Action>,
    /// The first output of every instrument, and the number of all outputs.
    outputs: Vec<usize>,
    /// The instruments in the order in which they act: those whose spot goes by what they ask for come before it.
    order: Vec<usize>,
    /// For every instrument that is an option the place of its asset's spot among the instruments, where that goes by it.
    spots: Vec<Option<usize>>,
    /// What trading the instruments costs, where widths depend on it.
    charges: Vec<Charge>,
    /// The length of a period in years.
    period: f64,
    /// The limits of positions and trades.
    pub(in crate::network) limits: Limits,
    /// How far action and limits are those of training.
    relaxation: Relaxation,
}

impl Actor {
    /// The actor whose outputs are positions in so many instruments.
    pub fn direct(instruments: usize) -> Self {
        Self::new(Action::default(), instruments)
    }

    /// The actor that makes positions in so many instruments by the same `action`, each without the others and without limits.
    pub fn new(action: impl Into<Action>, instruments: usize) -> Self {
        Self::of(vec![action.into(); instruments])
    }

    /// The actor with an action for every instrument, each without the others and without limits.
    fn of(actions: Vec<Action>) -> Self {
        let mut outputs = vec![0];
        outputs.extend(actions.iter().scan(0, |sum, action| {
            *sum += action.outputs();
            Some(*sum)
        }));
        Self {
            outputs,
            order: (0..actions.len()).collect(),
            spots: vec![None; actions.len()],
            charges: Vec::new(),
            period: 0.0,
            limits: Limits::default(),
            relaxation: Relaxation::NONE,
            actions,
        }
    }

    /// The actor with an action for each of `instruments` on periods of so many years. `charges` is what trading each of them costs.
    ///
    /// # Panics
    /// If there are not as many of each.
    pub fn trading(
        actions: Vec<Action>,
        instruments: &[Instrument],
        charges: Vec<Charge>,
        period: f64,
    ) -> Self {
        let count = actions.len();
        assert_eq!([instruments.len(), charges.len()], [count; 2]);
        let spot = |one: &Instrument| match one {
            Instrument::Option(option) => {
                let spot = Instrument::Spot(option.asset);
                let place = instruments.iter().position(|other| *other == spot);
                place.filter(|place| actions[*place].is_anchored())
            }
            Instrument::Spot(_) | Instrument::VarianceSwap(_) => None,
        };
        let spots: Vec<Option<usize>> = instruments.iter().map(spot).collect();
        let mut order: Vec<usize> = (0..count).collect();
        // Stable: where no spot goes by another instrument all act in their order.
        order.sort_by_key(|place| spots.contains(&Some(*place)));
        Self {
            order,
            spots,
            charges,
            period,
            ..Self::of(actions)
        }
    }

    /// The same within limits of all instruments.
    ///
    /// # Panics
    /// If there are limits of some instruments only.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        assert!(limits.is_none() || limits.instruments() == self.instruments());
        Self { limits, ..self }
    }

    /// The same as training sees it.
    #[must_use]
    pub fn relaxed(mut self, relaxation: Relaxation) -> Self {
        for action in &mut self.actions {
            *action = action.relaxed(&relaxation);
        }
        Self { relaxation, ..self }
    }

    /// The number of instruments, each of which has a position at a date.
    #[inline(always)]
    pub fn instruments(&self) -> usize {
        self.actions.len()
    }

    /// How the position in an instrument comes of its outputs.
    #[inline(always)]
    pub fn action(&self, instrument: usize) -> Action {
        self.actions[instrument]
    }

    /// How the positions in all instruments come of their outputs.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// What the instruments ask for beside benchmark and outputs.
    pub fn asks(&self) -> Asks {
        let all = self.actions.iter().map(|action| action.asks());
        all.fold(Asks::default(), Asks::or)
    }

    /// Whether positions depend on those of a benchmark.
    pub fn is_on_benchmark(&self) -> bool {
        self.actions.iter().any(|action| action.is_on_benchmark())
    }

    /// Whether the sizes of the benchmark's positions matter.
    pub(super) fn is_anchored(&self) -> bool {
        self.actions.iter().any(|action| action.is_anchored())
    }

    /// Whether a spot goes by the options that the policy asks for, whose deltas paths then have to hold.
    pub fn nets_options(&self) -> bool {
        self.spots.iter().any(Option::is_some)
    }

    /// The place of the spot that goes by an instrument, if one does.
    #[inline(always)]
    pub(in crate::network) fn spot_of(&self, instrument: usize) -> Option<usize> {
        self.spots[instrument]
    }

    /// The instruments in the order in which they act.
    #[inline(always)]
    pub(in crate::network) fn order(&self) -> &[usize] {
        &self.order
    }

    /// What trading an instrument costs.
    pub(super) fn charge(&self, instrument: usize) -> Charge {
        self.charges.get(instrument).copied().unwrap_or_default()
    }

    /// The length of a period in years.
    pub(in crate::network) fn period(&self) -> f64 {
        self.period
    }

    /// The number of outputs at a date.
    #[inline(always)]
    pub(in crate::network) fn width(&self) -> usize {
        self.outputs[self.actions.len()]
    }

    /// The outputs of an instrument among those of a date.
    #[inline(always)]
    pub(in crate::network) fn outputs(&self, instrument: usize) -> std::ops::Range<usize> {
        self.outputs[instrument]..self.outputs[instrument + 1]
    }

    /// The widths of limits in training, none where they are hard.
    pub(super) fn widths(&self) -> Option<Widths> {
        let Relaxation { limits, lots, .. } = self.relaxation;
        (limits > 0.0).then_some(Widths {
            bounds: limits,
            lots,
        })
    }

    /// What a network has to give and to be fed for this actor, `feedback` telling whether it sees the positions held.
    pub fn head(&self, feedback: bool) -> Head {
        Head {
            outputs: self.width(),
            fed: if feedback { self.instruments() } else { 0 },
            from_zero: self.actions.iter().all(|action| action.is_from_zero()),
        }
    }
}
