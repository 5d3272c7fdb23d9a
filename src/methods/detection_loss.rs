//! The losses of detectors, for each box, cell or class by itself: what is summed and by what it is divided is the
//! family's.

use burn::tensor::{Tensor, activation};

/// Binary cross-entropy of logits, in nats: `-(t log p + (1 - t) log(1 - p))` with `p` the sigmoid. Targets from 0 to 1;
/// finite for every finite logit.
///
/// # Shapes
/// Both and the result the same.
pub fn binary_cross_entropy<const D: usize>(logits: Tensor<D>, targets: Tensor<D>) -> Tensor<D> {
    // Of a large logit the exponential would be infinite: only that of the smaller side is taken.
    let small = (-logits.clone().abs()).exp().log1p();
    logits.clone().clamp_min(0.0) - logits * targets + small
}

/// Focal loss: cross-entropy that counts less where the network is sure already, `alpha (1 - p)^2` for the class and
/// `(1 - alpha) p^2` for the others. Targets are 0 or 1.
///
/// # Reference
/// Lin et al. 2017, "Focal Loss for Dense Object Detection", equation 5, with gamma 2.
pub fn focal<const D: usize>(logits: Tensor<D>, targets: Tensor<D>, alpha: f64) -> Tensor<D> {
    let probability = activation::sigmoid(logits.clone());
    let wrong = probability.clone() + targets.clone() - probability * targets.clone() * 2.0;
    let weight = targets.clone() * (2.0 * alpha - 1.0) + (1.0 - alpha);
    binary_cross_entropy(logits, targets) * wrong.square() * weight
}

/// Half the square of a difference up to `beta`, its size less half of `beta` beyond: the slope does not grow with the
/// error.
///
/// # Reference
/// Girshick 2015, "Fast R-CNN", equation 3 (`beta` 1); with `beta` in the code of Faster R-CNN.
pub fn smooth_l1<const D: usize>(difference: Tensor<D>, beta: f64) -> Tensor<D> {
    let size = difference.abs();
    let near = size.clone().clamp_max(beta);
    near.clone().square() / (2.0 * beta) + (size - near)
}

/// Cross-entropy of logits `[boxes, classes]` against one-hot targets of the same shape, in nats: `[boxes]`.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    -(activation::log_softmax(logits, 1) * targets)
        .sum_dim(1)
        .squeeze_dim::<1>(1)
}

/// 1 - GIoU of boxes `[boxes, 4]` by their corners `x0 y0 x1 y1`: `[boxes]`, from 0, the same box, to 2, nothing in common
/// and far apart. Unlike 1 - IoU it has a slope where boxes do not touch.
///
/// # Reference
/// Rezatofighi et al. 2019, "Generalized Intersection over Union".
pub fn giou(found: Tensor<2>, truth: Tensor<2>) -> Tensor<1> {
    /// Keeps a share of nothing finite, as in torchvision.
    const EPSILON: f64 = 1e-7;
    let boxes = found.dims()[0];
    let corner = |of: &Tensor<2>, at: usize| of.clone().narrow(1, at, 1).reshape([boxes]);
    let of_found = [0, 1, 2, 3].map(|at| corner(&found, at));
    let of_truth = [0, 1, 2, 3].map(|at| corner(&truth, at));
    let area = |[x0, y0, x1, y1]: [Tensor<1>; 4]| (x1 - x0) * (y1 - y0);
    let pairs = |at: usize| (of_found[at].clone(), of_truth[at].clone());
    let larger = |at: usize| {
        let (a, b) = pairs(at);
        a.max_pair(b)
    };
    let smaller = |at: usize| {
        let (a, b) = pairs(at);
        a.min_pair(b)
    };
    let common = (smaller(2) - larger(0)).clamp_min(0.0) * (smaller(3) - larger(1)).clamp_min(0.0);
    let around = (larger(2) - smaller(0)) * (larger(3) - smaller(1));
    let union = area(of_found) + area(of_truth) - common.clone();
    let iou = common / (union.clone() + EPSILON);
    let empty = (around.clone() - union) / (around + EPSILON);
    iou.neg() + empty + 1.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    fn vector(values: &[f32]) -> Tensor<1> {
        Tensor::from_data(
            TensorData::new(values.to_vec(), [values.len()]),
            &Device::flex(),
        )
    }

    fn values(tensor: Tensor<1>) -> Vec<f32> {
        tensor.into_data().try_into_vec().expect("f32")
    }

    fn close(got: &[f32], wanted: &[f32]) {
        assert_eq!(got.len(), wanted.len());
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5 * b.abs().max(1.0);
        assert!(
            got.iter().zip(wanted).all(near),
            "{got:?} are not {wanted:?}"
        );
    }

    #[test]
    fn cross_entropies_worked_by_hand() {
        let half = 2f32.ln();
        let loss = values(binary_cross_entropy(
            vector(&[0.0, 0.0, 1000.0, -1000.0]),
            vector(&[0.0, 1.0, 0.0, 0.0]),
        ));
        close(&loss, &[half, half, 1000.0, 0.0]);
        // Undecided: a quarter of the cross-entropy, times the weights.
        let loss = values(focal(vector(&[0.0, 0.0]), vector(&[1.0, 0.0]), 0.25));
        close(&loss, &[half / 16.0, half * 3.0 / 16.0]);
        // Sure and right counts next to nothing; sure and wrong nearly all.
        let loss = values(focal(vector(&[9.0, 9.0]), vector(&[1.0, 0.0]), 0.5));
        assert!(loss[0] < 1e-10 && loss[1] > 4.4, "{loss:?}");
        let logits = Tensor::<2>::from_data([[0.0f32, 0.0], [3f32.ln(), 0.0]], &Device::flex());
        let targets = Tensor::<2>::from_data([[1.0f32, 0.0], [0.0, 1.0]], &Device::flex());
        close(&values(cross_entropy(logits, targets)), &[half, 2.0 * half]);
    }

    #[test]
    fn smooth_l1_is_a_parabola_with_straight_arms() {
        close(
            &values(smooth_l1(vector(&[0.0, 0.5, 1.0, -3.0]), 1.0)),
            &[0.0, 0.125, 0.5, 2.5],
        );
        close(
            &values(smooth_l1(vector(&[0.05, -0.3]), 0.1)),
            &[0.0125, 0.25],
        );
    }

    #[test]
    fn giou_worked_by_hand() {
        let of = |boxes: [[f32; 4]; 4]| Tensor::<2>::from_data(boxes, &Device::flex());
        let square = [0.0, 0.0, 2.0, 2.0];
        // The same; half beside; touching at a corner; one box apart.
        let found = of([
            square,
            [1.0, 0.0, 3.0, 2.0],
            [2.0, 2.0, 4.0, 4.0],
            [4.0, 0.0, 6.0, 2.0],
        ]);
        let loss = values(giou(found, of([square; 4])));
        // IoU 1/3 and nothing empty around; 8 of 16 around are filled; 8 of 12 are.
        close(&loss, &[0.0, 2.0 / 3.0, 1.5, 4.0 / 3.0]);
    }

    /// A slope that is no number would end a training.
    #[test]
    fn slopes_are_finite_at_the_edges() {
        let device = Device::flex();
        let logits = Tensor::<1>::from_data([0.0f32, 80.0, -80.0], &device);
        let logits = Tensor::from_inner(logits).require_grad();
        let targets = Tensor::from_inner(vector(&[1.0, 0.0, 1.0]));
        let gradient = focal(logits.clone(), targets, 0.25).sum().backward();
        let slopes = values(logits.grad(&gradient).expect("a gradient"));
        assert!(slopes.iter().all(|slope| slope.is_finite()), "{slopes:?}");
        // Boxes of nothing.
        let found = Tensor::<2>::from_data([[1.0f32, 1.0, 1.0, 1.0]], &device);
        let found = Tensor::from_inner(found).require_grad();
        let truth = Tensor::from_inner(Tensor::<2>::from_data([[1.0f32, 1.0, 1.0, 1.0]], &device));
        let gradient = giou(found.clone(), truth).sum().backward();
        let slopes: Vec<f32> = found
            .grad(&gradient)
            .expect("a gradient")
            .into_data()
            .try_into_vec()
            .expect("f32");
        assert!(slopes.iter().all(|slope| slope.is_finite()), "{slopes:?}");
    }
}
