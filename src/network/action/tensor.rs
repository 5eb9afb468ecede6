use super::{Actor, Hand};
use crate::distributed::{Portable, Spread};
use crate::error::Result;
use crate::market::Paths;
use crate::network::sweep::Seed;
use crate::network::tensors::{from_lanes, to_lanes};
use crate::simd::{BLOCK, Lane, Real};
use candle_core::{Tensor, WithDType};
use std::ops::Range;

/// The hands of all blocks, for a sweep in tensor operations: outputs come and derivatives go as tensors of one date.
pub struct TensorHands<R> {
    hands: Vec<Hand<R>>,
    instruments: usize,
}

impl<R: Real + Portable + WithDType> TensorHands<R> {
    /// The hands that trade `paths` before their first date.
    pub fn new(actor: &Actor, paths: &Paths<R>) -> Self {
        let hands = paths.own().map(|block| {
            let mut hand = Hand::new(actor, paths.steps());
            hand.see(&paths.block(block), 0..paths.steps());
            hand
        });
        Self {
            hands: hands.collect(),
            instruments: actor.instruments(),
        }
    }

    /// What a network is fed at date `t`, `[B, instruments]`.
    pub fn fed(&self, t: usize) -> Result<Tensor> {
        let mut fed = vec![[R::ZERO; BLOCK]; self.hands.len() * self.instruments];
        let blocks = fed.chunks_exact_mut(self.instruments);
        for (hand, out) in self.hands.iter().zip(blocks) {
            hand.feed(t, out);
        }
        at_one_date(&fed, self.instruments)
    }

    /// Makes the positions of date `t` of its outputs `[B, outputs]`.
    pub fn act(&mut self, t: usize, outputs: &Tensor) -> Result<()> {
        let lanes = to_lanes(&outputs.unsqueeze(0)?)?;
        let width = lanes.len() / self.hands.len();
        for (hand, outputs) in self.hands.iter_mut().zip(lanes.chunks_exact(width)) {
            hand.output_mut(t).copy_from_slice(outputs);
            hand.act::<false>(t);
        }
        Ok(())
    }

    /// The positions on some blocks, `[blocks][steps][instruments][BLOCK]`.
    pub fn positions_of(&self, blocks: Range<usize>) -> Vec<Lane<R>> {
        let hands = self.hands[blocks].iter();
        hands.flat_map(|hand| hand.positions()).copied().collect()
    }

    /// Asks for the seeds of all blocks, each rank for those that it has of the paths that are spread like this.
    pub fn seed(&mut self, seed: &Seed<'_, R>, spread: &Spread) {
        let mut own = Vec::new();
        for block in spread.own() {
            let (positions, seeds) = self.hands[block].positions_and_seeds();
            seed(block, positions, seeds);
            own.extend_from_slice(seeds);
        }
        let all = spread.collect(own);
        let size = all.len() / self.hands.len();
        for (hand, own) in self.hands.iter_mut().zip(all.chunks_exact(size)) {
            hand.positions_and_seeds().1.copy_from_slice(own);
        }
    }

    /// The derivatives in the outputs of date `t`, `[B, outputs]`, where those in what the network is fed on the next date are
    /// `fed_back`, `[B, instruments]`; dates are gone through from the last to the first.
    pub fn pull_back(&mut self, t: usize, fed_back: Option<&Tensor>) -> Result<Tensor> {
        let fed_back = match fed_back {
            Some(fed_back) => to_lanes(&fed_back.unsqueeze(0)?)?,
            None => vec![[R::ZERO; BLOCK]; self.hands.len() * self.instruments],
        };
        let mut gradients = Vec::new();
        let blocks = fed_back.chunks_exact(self.instruments);
        for (hand, fed_back) in self.hands.iter_mut().zip(blocks) {
            hand.pull_back::<false>(t, fed_back);
            gradients.extend_from_slice(hand.gradient(t));
        }
        at_one_date(&gradients, gradients.len() / self.hands.len())
    }
}

/// Lanes `[blocks][rows][BLOCK]` as a tensor `[B, rows]`.
fn at_one_date<R: Real + WithDType>(lanes: &[Lane<R>], rows: usize) -> Result<Tensor> {
    Ok(from_lanes(lanes, 1, rows)?.get(0)?)
}
