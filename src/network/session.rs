//! Networks that are taken through time one date after the other, as the dates come.

use super::action::{Actor, Hand};
use super::architecture::{Architecture, Network};
use super::features::Features;
use super::parameters::Parameters;
use crate::error::Result;
use crate::market::Paths;
use crate::simd::{Lane, Real};
use rayon::prelude::*;

/// A network and its action on blocks of contracts between two dates: what it remembers of the dates before, and what is held.
///
/// A sweep forward without a way back takes every block through the same dates in the same way, so positions have its bits.
pub trait Session<R: Real>: Send {
    /// Takes all blocks of `paths` through date `t`, whose earlier dates are done, and gives their positions,
    /// `[blocks][instruments][BLOCK]`. It reads of the paths what is known on that date. Date 0 begins anew.
    ///
    /// # Panics
    /// If there are not as many blocks, or date `t` is not the next one.
    fn date(&mut self, t: usize, features: &Features, paths: &Paths<R>) -> Vec<Lane<R>>;
}

/// [`Session`] of the fused networks.
pub struct BlockSession<R: Real, A: Architecture> {
    network: A::Network<R>,
    /// What trades each block, and what the network remembers of it.
    blocks: Vec<Memory<R, A>>,
    /// The date that comes next.
    next: usize,
}

type Memory<R, A> = (
    Hand<R>,
    <<A as Architecture>::Network<R> as Network<R>>::Workspace,
);

impl<R: Real, A: Architecture> BlockSession<R, A> {
    /// So many blocks of contracts that live for at most `steps` periods, before their sale.
    ///
    /// # Errors
    /// If they are parameters of another network.
    ///
    /// # Panics
    /// If the network has not the outputs of the actor.
    pub fn new(
        shape: A,
        actor: &Actor,
        parameters: &Parameters,
        (blocks, steps): (usize, usize),
    ) -> Result<Self> {
        let head = shape.head();
        assert_eq!(head, actor.head(head.fed > 0), "the head of the actor");
        parameters.check(&shape.maps())?;
        let memory = || {
            let hand = Hand::new(actor, steps);
            (hand, A::Network::<R>::workspace(shape, steps, false))
        };
        Ok(Self {
            network: A::Network::new(shape, &parameters.matrices()?),
            blocks: (0..blocks).map(|_| memory()).collect(),
            next: 0,
        })
    }
}

impl<R: Real, A: Architecture> Session<R> for BlockSession<R, A> {
    fn date(&mut self, t: usize, features: &Features, paths: &Paths<R>) -> Vec<Lane<R>> {
        assert_eq!(self.blocks.len(), paths.blocks(), "blocks");
        assert!(t == 0 || t == self.next, "date {t} after {}", self.next);
        self.next = t + 1;
        let network = &self.network;
        let through = |block: usize, (hand, workspace): &mut Memory<R, A>| {
            let path = paths.block(block);
            hand.see(&path, t..t + 1);
            network.date(t, (features, path), hand, workspace);
            hand.act_on(t..t + 1);
            hand.held(t).to_vec()
        };
        // One block is not worth waking a thread for.
        match &mut self.blocks[..] {
            [block] => through(0, block),
            blocks => {
                let blocks = blocks.par_iter_mut().enumerate();
                let held: Vec<Vec<Lane<R>>> =
                    blocks.map(|(index, block)| through(index, block)).collect();
                held.into_iter().flatten().collect()
            }
        }
    }
}
