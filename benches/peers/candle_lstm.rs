//! The step of `pytorch_network.py`, without the optimizer's update, with candle-nn's LSTM and automatic
//! differentiation.

use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::rnn::{LSTM, LSTMConfig, RNN, lstm};
use candle_nn::{Linear, Module, VarBuilder, VarMap, linear};
use deephedge::market::Paths;

const FEATURES: usize = 3;
const COST: f64 = 1e-3;
const STRIKE: f64 = 100.0;
const LEVEL: f64 = 0.95;

pub struct CandleStep {
    lstm: LSTM,
    head: Linear,
    /// `[B, T, FEATURES]`
    features: Tensor,
    /// `[B, T + 1]`
    spot: Tensor,
    variables: VarMap,
}

impl CandleStep {
    pub fn new(hidden: usize, paths: &Paths<f32>) -> Result<Self> {
        let (count, steps) = (paths.count(), paths.steps());
        let variables = VarMap::new();
        let builder = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
        let spot: Vec<f32> = (0..count)
            .flat_map(|path| paths.path(path).0)
            .map(|s| s as f32)
            .collect();
        Ok(Self {
            lstm: lstm(FEATURES, hidden, LSTMConfig::default(), builder.pp("lstm"))?,
            head: linear(hidden, 1, builder.pp("head"))?,
            features: Tensor::randn(0f32, 1.0, (count, steps, FEATURES), &Device::Cpu)?,
            spot: Tensor::from_vec(spot, (count, steps + 1), &Device::Cpu)?,
            variables,
        })
    }

    /// CVaR of the P&L, differentiated in all weights.
    pub fn gradient(&self) -> Result<()> {
        let states = self.lstm.seq(&self.features)?;
        let position = self.head.forward(&self.lstm.states_to_tensor(&states)?)?;
        let position = position.squeeze(D::Minus1)?;
        let (count, steps) = position.dims2()?;
        let flat = Tensor::zeros((count, 1), DType::F32, &Device::Cpu)?;
        let held = Tensor::cat(&[&flat, &position], 1)?;
        let target = Tensor::cat(&[&position, &flat], 1)?;
        let (now, then) = (
            self.spot.narrow(1, 0, steps)?,
            self.spot.narrow(1, 1, steps)?,
        );
        let gain = (&position * (&then - &now)?)?.sum(1)?;
        let cost = ((target - held)?.abs()? * &self.spot)?.sum(1)?;
        let payoff = (then.narrow(1, steps - 1, 1)?.squeeze(1)? - STRIKE)?.relu()?;
        let pnl = ((gain - (cost * COST)?)? - payoff)?;
        let values = pnl.to_vec1::<f32>()?;
        let mut order: Vec<u32> = (0..count as u32).collect();
        order.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
        order.truncate(((1.0 - LEVEL) * count as f64).round() as usize);
        let tail = Tensor::new(order, &Device::Cpu)?;
        let risk = pnl.index_select(&tail, 0)?.mean_all()?.neg()?;
        let gradients = risk.backward()?;
        assert!(
            self.variables
                .all_vars()
                .iter()
                .all(|v| gradients.get(v).is_some())
        );
        Ok(())
    }
}
