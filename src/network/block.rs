//! The fused sweep: a block of paths goes through all dates, forward and backward, while it stays in
//! a core's cache.

use super::action::{Actor, Hand, Relaxation};
use super::architecture::{Architecture, Network};
use super::features::Features;
use super::parameters::Parameters;
use super::record::Record;
use super::sweep::{Seed, Sweep};
use crate::error::Result;
use crate::market::{PathBlock, Paths};
use crate::simd::{BLOCK, Lane, Real};
use faer::Mat;
use rayon::prelude::*;
use std::sync::Mutex;

type Workspace<R, A> = <<A as Architecture>::Network<R> as Network<R>>::Workspace;

/// What trades a block, and what the network keeps of it.
type Buffers<R, A> = (Hand<R>, Workspace<R, A>);

/// What buffers of a block are made for.
#[derive(Clone, Copy, PartialEq)]
struct Use {
    /// Its number of periods.
    steps: usize,
    /// Whether it goes back too.
    back: bool,
}

/// The sweep on the processor's vector units, in blocks of paths on all threads.
pub struct BlockSweep<R: Real, A: Architecture> {
    shape: A,
    actor: Actor,
    /// Buffers of finished blocks, each with what it was made for, to be used again.
    spare: Mutex<Vec<(Use, Buffers<R, A>)>>,
}

impl<R: Real, A: Architecture> BlockSweep<R, A> {
    /// A sweep of networks of this shape, whose outputs `actor` makes positions of.
    ///
    /// # Panics
    /// If the network has not the outputs of the actor.
    pub fn new(shape: A, actor: Actor) -> Self {
        let head = shape.head();
        assert_eq!(head, actor.head(head.fed > 0), "the head of the actor");
        Self {
            shape,
            actor,
            spare: Mutex::new(Vec::new()),
        }
    }

    fn with_buffers<T>(&self, of: Use, work: impl FnOnce(&mut Buffers<R, A>) -> T) -> T {
        let mut spare = self.spare.lock().expect("no thread panics with the lock");
        // Those of other lengths are not kept.
        spare.retain(|(made, _)| made.steps == of.steps);
        let fits = spare.iter().position(|(made, _)| *made == of);
        let fits = fits.map(|index| spare.swap_remove(index).1);
        drop(spare);
        let mut buffers = fits.unwrap_or_else(|| {
            (
                Hand::new(&self.actor, of.steps),
                A::Network::<R>::workspace(self.shape, of.steps, of.back),
            )
        });
        let result = work(&mut buffers);
        self.spare
            .lock()
            .expect("no thread panics with the lock")
            .push((of, buffers));
        result
    }

    /// Moves one block forward, to its positions.
    fn there(
        &self,
        network: &A::Network<R>,
        features: &Features,
        paths: PathBlock<'_, R>,
        (hand, workspace): &mut Buffers<R, A>,
    ) {
        hand.see(&paths, 0..paths.steps());
        network.forward((features, paths), hand, workspace);
    }

    /// Seeds a block that was moved forward and differentiates it; adds its gradient to `totals`, if they are given.
    fn back(
        &self,
        network: &A::Network<R>,
        (block, seed): (usize, &Seed<'_, R>),
        (hand, workspace): &mut Buffers<R, A>,
        totals: Option<&mut [Vec<f64>]>,
    ) {
        let (positions, seeds) = hand.positions_and_seeds();
        seed(block, positions, seeds);
        if !self.feeds_back() {
            hand.pull_all_back();
        }
        network.backward(hand, workspace, totals);
    }

    /// Whether the network acts date by date, since it is fed the positions held.
    fn feeds_back(&self) -> bool {
        self.shape.head().fed > 0
    }

    fn network(&self, parameters: &Parameters) -> Result<A::Network<R>> {
        parameters.check(&self.shape.maps())?;
        Ok(A::Network::new(self.shape, &parameters.matrices()?))
    }
}

impl<R: Real, A: Architecture> Sweep<R> for BlockSweep<R, A> {
    fn relax(&mut self, relaxation: Relaxation) {
        self.actor = self.actor.clone().relaxed(relaxation);
        let spare = self
            .spare
            .get_mut()
            .expect("no thread panics with the lock");
        for (_, (hand, _)) in spare {
            hand.follow(&self.actor);
        }
    }

    fn forward(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
    ) -> Result<Vec<Lane<R>>> {
        let (network, steps) = (self.network(parameters)?, paths.steps());
        let size = steps * self.actor.instruments();
        let mut positions = vec![[R::ZERO; BLOCK]; paths.own().len() * size];
        let parts = paths.spread().parts_mut(&mut positions);
        parts.for_each(|(block, positions)| {
            self.with_buffers(Use { steps, back: false }, |buffers| {
                self.there(&network, features, paths.block(block), buffers);
                positions.copy_from_slice(buffers.0.positions());
            });
        });
        Ok(positions)
    }

    fn gradient(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
        seed: &Seed<'_, R>,
    ) -> Result<Vec<Mat<f64>>> {
        let network = self.network(parameters)?;
        let maps = self.shape.maps();
        let sizes: Vec<usize> = maps.iter().map(|map| map.rows * map.columns).collect();
        let totals = paths.spread().sums(&sizes, |run, totals| {
            let steps = paths.steps();
            self.with_buffers(Use { steps, back: true }, |buffers| {
                for block in run {
                    self.there(&network, features, paths.block(block), buffers);
                    self.back(&network, (block, seed), buffers, Some(totals));
                }
            });
        });
        let matrix = |(map, total): (&super::MapShape, Vec<f64>)| {
            Mat::from_fn(map.rows, map.columns, |row, column| {
                total[row * map.columns + column]
            })
        };
        Ok(maps.iter().zip(totals).map(matrix).collect())
    }

    fn record(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
        seed: &Seed<'_, R>,
        record: &mut Record<R>,
    ) -> Result<()> {
        let (network, steps) = (self.network(parameters)?, paths.steps());
        record.resize(&self.shape.maps(), paths.spread(), steps);
        let (mut targets, first) = (record.split(), paths.own().start);
        targets
            .par_iter_mut()
            .enumerate()
            .for_each(|(place, target)| {
                let block = first + place;
                self.with_buffers(Use { steps, back: true }, |buffers| {
                    self.there(&network, features, paths.block(block), buffers);
                    self.back(&network, (block, seed), buffers, None);
                    let (hand, workspace) = buffers;
                    A::Network::<R>::copy_record(hand, workspace, target);
                });
            });
        Ok(())
    }
}
