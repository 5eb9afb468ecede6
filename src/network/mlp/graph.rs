use super::MlpShape;
use crate::network::step::{GraphNetwork, PolicyStep};
use crate::onnx::Value;
use faer::Mat;

impl GraphNetwork for MlpShape {
    fn describe(self, weights: &[Mat<f64>], seen: Value, step: &mut PolicyStep) -> Value {
        let mut h = seen;
        for weights in &weights[..self.sizes.layers] {
            let sums = step.map(weights, h);
            h = step.graph().apply("Relu", &[sums], &[]);
            if self.sizes.layer_normalisation {
                h = step.normalised(h);
            }
        }
        step.map(&weights[self.sizes.layers], h)
    }
}
