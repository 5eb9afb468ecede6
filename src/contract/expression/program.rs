use super::bounds::PAYMENTS;
use super::compile::Compiler;
use super::node::Node;
use super::schedule::{Grid, Schedule};
use super::sheet::{Expression, Sheet};
use crate::error::{Error, Result};

/// A sheet for the assets and the dates of one market, ready for blocks of paths.
///
/// It evaluates each term on the dates on which something needs it, a term at a time over all paths of a block, from the sale
/// to the expiry; of earlier dates it holds the running values of functionals alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    pub(super) grid: Grid,
    pub(super) terms: usize,
    pub(super) nodes: Vec<Node>,
    pub(super) schedules: Vec<Schedule>,
    pub(super) payments: Vec<Due>,
    due: Vec<usize>,
    accumulators: Vec<String>,
    /// The node of each of them.
    pub(super) running: Vec<usize>,
    /// The nodes with a value at the sale.
    pub(super) sale: Vec<usize>,
    pub(super) plans: Vec<Plan>,
    /// The plan of every date.
    pub(super) plan_of: Vec<usize>,
}

/// A payment on the dates of its schedule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Due {
    pub schedule: usize,
    pub when: Option<usize>,
    pub amount: usize,
    pub ends: bool,
    /// The setting of its amount.
    pub key: String,
}

/// What is done on a date.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Plan {
    /// The schedules that may have the date.
    pub schedules: Vec<usize>,
    /// The nodes to be evaluated, operands before what they make.
    pub nodes: Vec<usize>,
    /// The payments that may fall due.
    pub payments: Vec<usize>,
    /// The values on this date that are read as those of the date before later on; the last one first.
    pub kept: Vec<usize>,
    /// Whether some amount may be other than 0.
    pub pays: bool,
}

/// The dates on which a node is needed: those of the schedules whose bits are set.
type Needed = u64;
/// The bit of the sale.
const SALE: Needed = 1 << 63;

impl Program {
    /// The program of a sheet in a market of `assets`, by their names.
    ///
    /// # Errors
    /// [`crate::error::Fault::Place`] where an expression names what there is not, mixes numbers and conditions, has a
    /// schedule that the grid has not, or makes more than 1,000 different terms; [`Error::Input`] for more than 100 payments.
    pub fn new(sheet: &Sheet, assets: &[String], grid: Grid) -> Result<Self> {
        if sheet.payments.len() > PAYMENTS {
            let count = sheet.payments.len();
            return Err(Error::input(format!(
                "the contract has {count} payments, and {PAYMENTS} are the most"
            )));
        }
        let mut compiler = Compiler::new(assets, &sheet.parameters, grid);
        let mut payments = Vec::with_capacity(sheet.payments.len());
        for payment in &sheet.payments {
            let at = |of: &Expression| {
                let of = of.clone();
                move |misread: super::misread::Misread| misread.of(&of.key, &of.text)
            };
            let schedule = compiler
                .payment_schedule(&payment.on.tree)
                .map_err(at(&payment.on))?;
            let mut condition =
                |when: &Expression| compiler.condition(&when.tree, schedule).map_err(at(when));
            let when = payment.when.as_ref().map(&mut condition).transpose()?;
            let amount = compiler
                .amount(&payment.amount.tree, schedule)
                .map_err(at(&payment.amount))?;
            payments.push(Due {
                schedule,
                when,
                amount,
                ends: payment.ends,
                key: payment.amount.key.clone(),
            });
        }
        let drawn = |parameter: &&super::Parameter| parameter.value == super::Value::Drawn;
        Ok(Self::planned(
            compiler,
            payments,
            sheet.parameters.iter().filter(drawn).count(),
        ))
    }

    /// The assets whose spots something reads, by their numbers, each once and in their order.
    pub fn assets(&self) -> Vec<usize> {
        let planned = self.plans.iter().flat_map(|plan| &plan.nodes);
        let spot = |node: &usize| {
            let Node::Spot(asset) = self.nodes[*node] else {
                return None;
            };
            Some(asset)
        };
        let mut assets: Vec<usize> = planned.chain(&self.sale).filter_map(spot).collect();
        assets.sort_unstable();
        assets.dedup();
        assets
    }

    fn planned(compiler: Compiler<'_>, payments: Vec<Due>, terms: usize) -> Self {
        let Compiler {
            grid,
            nodes,
            schedules,
            accumulators,
            ..
        } = compiler;
        let needed = needs(&nodes, &payments);
        let sale = (0..nodes.len())
            .filter(|node| needed[*node] & SALE != 0)
            .collect();
        let mut plans: Vec<(Needed, Plan)> = Vec::new();
        let mut plan_of = Vec::with_capacity(grid.steps + 1);
        let mut due = Vec::new();
        for t in 0..=grid.steps {
            let reached = (0..schedules.len()).filter(|s| schedules[*s].reaches(t, &grid));
            let active = reached.fold(0, |bits, s| bits | 1 << s);
            let known = plans.iter().position(|(bits, _)| *bits == active);
            let plan = known.unwrap_or_else(|| {
                plans.push((active, Plan::new(active, &nodes, &needed, &payments)));
                plans.len() - 1
            });
            if plans[plan].1.pays {
                due.push(t);
            }
            plan_of.push(plan);
        }
        let used = accumulators
            .into_iter()
            .filter(|(node, _)| needed[*node] != 0);
        let (running, accumulators) = used.unzip();
        Self {
            grid,
            terms,
            schedules,
            payments,
            due,
            accumulators,
            running,
            sale,
            plans: plans.into_iter().map(|(_, plan)| plan).collect(),
            plan_of,
            nodes,
        }
    }

    /// The dates on which something may be paid, in order. What is 0 on all paths is no payment.
    pub fn due(&self) -> &[usize] {
        &self.due
    }

    /// Whether some payment may end the contract before its expiry.
    pub fn can_end(&self) -> bool {
        let ends =
            |payment: &Due| payment.ends && self.schedules[payment.schedule] != Schedule::Expiry;
        self.payments.iter().any(ends)
    }

    /// The running values of the path that decide about payments, as they are written: `average(S, monthly)`.
    ///
    /// At date 0, before any observation, each is the value of its argument at the sale; 0 for a sum and a count, 0 (false)
    /// for `any` and 1 (true) for `all`.
    pub fn accumulators(&self) -> &[String] {
        &self.accumulators
    }

    /// The dates that it is made for.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }
}

impl Plan {
    fn new(active: Needed, nodes: &[Node], needed: &[Needed], all: &[Due]) -> Self {
        let has = |schedule: usize| active >> schedule & 1 == 1;
        let evaluated = |id: &usize| match nodes[*id] {
            Node::Constant(_) | Node::Term(_) | Node::First(_) | Node::Previous(..) => false,
            Node::Running(_, _, schedule) => needed[*id] != 0 && has(schedule),
            Node::Spot(_)
            | Node::Years
            | Node::Observation(_)
            | Node::Unary(..)
            | Node::Binary(..)
            | Node::Whole(..)
            | Node::When(..) => needed[*id] & active != 0,
        };
        let kept = |id: &usize| matches!(nodes[*id], Node::Previous(_, schedule) if needed[*id] != 0 && has(schedule));
        let payments: Vec<usize> = (0..all.len())
            .filter(|index| has(all[*index].schedule))
            .collect();
        Self {
            schedules: (0..SALE.trailing_zeros() as usize)
                .filter(|s| has(*s))
                .collect(),
            nodes: (0..nodes.len()).filter(evaluated).collect(),
            kept: (0..nodes.len()).rev().filter(kept).collect(),
            pays: payments
                .iter()
                .any(|index| nodes[all[*index].amount].as_constant() != Some(0.0)),
            payments,
        }
    }
}

/// On which dates each node is needed, not at all where no payment depends on it.
fn needs(nodes: &[Node], payments: &[Due]) -> Vec<Needed> {
    let mut needed = vec![0; nodes.len()];
    for payment in payments {
        for node in payment.when.into_iter().chain([payment.amount]) {
            needed[node] |= 1 << payment.schedule;
        }
    }
    // What does not change along a path has its value at the sale.
    let mut fixed = vec![false; nodes.len()];
    for id in 0..nodes.len() {
        fixed[id] = match nodes[id] {
            Node::Constant(_) | Node::Term(_) | Node::First(_) => true,
            Node::Unary(..) | Node::Binary(..) | Node::Whole(..) | Node::When(..) => {
                nodes[id].operands().all(|operand| fixed[operand])
            }
            Node::Spot(_)
            | Node::Years
            | Node::Observation(_)
            | Node::Previous(..)
            | Node::Running(..) => false,
        };
    }
    // Operands have smaller numbers, so that all is known of a node before its operands are told.
    for id in (0..nodes.len()).rev() {
        if needed[id] == 0 {
            continue;
        }
        if fixed[id] {
            needed[id] = SALE;
        }
        match nodes[id] {
            Node::First(x) => needed[x] |= SALE,
            Node::Previous(x, schedule) | Node::Running(_, x, schedule) => {
                needed[id] |= SALE;
                needed[x] |= SALE | 1 << schedule;
            }
            other => other.operands().for_each(|x| needed[x] |= needed[id]),
        }
    }
    needed
}
