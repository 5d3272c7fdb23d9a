//! Mean, covariance, principal directions, matrix square root: what maps and scores are made of.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// Mean and covariance of rows.
#[derive(Debug, Clone)]
pub struct Moments {
    /// Mean of each column.
    pub mean: DVector<f64>,
    /// Covariance of the columns, divided by the number of rows less one.
    pub covariance: DMatrix<f64>,
}

/// Mean and covariance of `rows` of `columns` numbers each.
///
/// # Panics
/// With fewer than two rows.
pub fn moments(values: &[f32], columns: usize) -> Moments {
    let rows = values.len() / columns;
    assert!(rows > 1, "a covariance needs two rows");
    let (centered, mean) = centered(values, columns);
    let covariance = centered.tr_mul(&centered) / (rows - 1) as f64;
    Moments { mean, covariance }
}

/// Rows of `columns` numbers each less the mean of each column, and those means.
fn centered(values: &[f32], columns: usize) -> (DMatrix<f64>, DVector<f64>) {
    let numbers = values.iter().map(|&v| f64::from(v));
    let mut centered = DMatrix::from_row_iterator(values.len() / columns, columns, numbers);
    let mean = DVector::from_iterator(columns, centered.column_iter().map(|c| c.mean()));
    for (mut column, mean) in centered.column_iter_mut().zip(&mean) {
        column.add_scalar_mut(-mean);
    }
    (centered, mean)
}

/// Standard deviations below this count as none: rounding leaves as much of a factor that is constant.
const CONSTANT: f64 = 1e-6;

/// What one standard deviation of each factor adds to rows of numbers while the other factors stay: the
/// coefficients of one linear regression, by least squares and with an intercept, on all factors together.
/// Taken each alone, a factor would carry along whatever goes with it.
///
/// A factor that is constant adds nothing. Of factors that cannot be told apart each adds its share, the
/// least that explains the rows.
///
/// # Shapes
/// - `values`: rows of `columns` numbers; `factors`: as many rows of `of` numbers
/// - output: `[of, columns]`
///
/// # Panics
/// Where `values` and `factors` have different numbers of rows.
pub fn effects(values: &[f32], columns: usize, factors: &[f32], of: usize) -> DMatrix<f64> {
    let (values, _) = centered(values, columns);
    let (mut factors, _) = centered(factors, of);
    let rows = factors.nrows();
    for mut factor in factors.column_iter_mut() {
        let deviation = (factor.norm_squared() / rows as f64).sqrt();
        factor /= if deviation > CONSTANT {
            deviation
        } else {
            f64::INFINITY
        };
    }
    // The normal equations: of standardised factors their matrix is that of their correlations.
    let correlations = factors.tr_mul(&factors) / rows as f64;
    let inverse = correlations
        .pseudo_inverse(CONSTANT)
        .expect("the threshold is no negative number");
    inverse * factors.tr_mul(&values) / rows as f64
}

/// Directions along which numbers vary, the widest first.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Unit vectors.
    pub directions: Vec<Vec<f64>>,
    /// Standard deviation along each.
    pub spreads: Vec<f64>,
}

/// Principal directions of a symmetric matrix with no negative eigenvalue. The largest number of each
/// direction is positive, so that a direction has one sign everywhere.
pub fn principal(covariance: DMatrix<f64>) -> Principal {
    let eigen = SymmetricEigen::new(covariance);
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let direction = |&index: &usize| {
        let column = eigen.eigenvectors.column(index);
        let sign = if column[column.iamax()] < 0.0 {
            -1.0
        } else {
            1.0
        };
        column.iter().map(|v| v * sign).collect()
    };
    Principal {
        directions: order.iter().map(direction).collect(),
        spreads: order
            .iter()
            .map(|&i| eigen.eigenvalues[i].max(0.0).sqrt())
            .collect(),
    }
}

/// Squared Fréchet distance of two normal distributions, `|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`
/// (Heusel et al. 2017, equation 6). The two parts apart: that of the means and that of the
/// covariances.
///
/// The trace of the square root is that of `(A C2 A)^(1/2)` with `A` the root of `C1`: symmetric, so
/// that nothing complex can appear.
pub fn frechet(a: &Moments, b: &Moments) -> [f64; 2] {
    let means = (&a.mean - &b.mean).norm_squared();
    let root = square_root(a.covariance.clone());
    let product = &root * &b.covariance * &root;
    // What rounding left of asymmetry would be read as something else.
    let symmetric = (&product + product.transpose()) * 0.5;
    let trace: f64 = SymmetricEigen::new(symmetric)
        .eigenvalues
        .iter()
        .map(|v| v.max(0.0).sqrt())
        .sum();
    let covariances = a.covariance.trace() + b.covariance.trace() - 2.0 * trace;
    [means, covariances.max(0.0)]
}

/// The symmetric square root of a symmetric matrix with no negative eigenvalue.
pub fn square_root(matrix: DMatrix<f64>) -> DMatrix<f64> {
    let eigen = SymmetricEigen::new(matrix);
    let roots = eigen.eigenvalues.map(|v| v.max(0.0).sqrt());
    &eigen.eigenvectors * DMatrix::from_diagonal(&roots) * eigen.eigenvectors.transpose()
}

/// Inception score: `exp(mean KL(p(y | x) || p(y)))` (Salimans et al. 2016), 1 to the number of
/// classes. `rows` of `classes` probabilities each.
pub fn inception_score(probabilities: &[f32], classes: usize) -> f64 {
    let rows = probabilities.len() / classes;
    let rows_of = || probabilities.chunks_exact(classes);
    let mut marginal = vec![0f64; classes];
    for row in rows_of() {
        for (sum, &p) in marginal.iter_mut().zip(row) {
            *sum += f64::from(p) / rows as f64;
        }
    }
    let divergence: f64 = rows_of()
        .flat_map(|row| row.iter().zip(&marginal))
        .filter(|&(&p, _)| p > 0.0)
        .map(|(&p, &m)| f64::from(p) * (f64::from(p) / m).ln())
        .sum();
    (divergence / rows as f64).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::draws::Draws;

    #[test]
    fn moments_by_hand() {
        let found = moments(&[1.0, 2.0, 3.0, 6.0], 2);
        assert_eq!(found.mean.as_slice(), [2.0, 4.0]);
        assert_eq!(found.covariance.as_slice(), [2.0, 4.0, 4.0, 8.0]);
        let principal = principal(found.covariance);
        assert!((principal.spreads[0] - 10f64.sqrt()).abs() < 1e-9);
        assert!(principal.spreads[1] < 1e-6);
        // Along (1, 2).
        assert!((principal.directions[0][1] / principal.directions[0][0] - 2.0).abs() < 1e-9);
    }

    /// What rows are made of is found, however much their factors go together.
    #[test]
    fn effects_of_factors_that_go_together_are_told_apart() {
        let mut draws = Draws::new(3, 0);
        let made = [[2.0, 0.0, -1.0, 0.5], [0.0, 3.0, 0.0, -2.0]];
        let (mut values, mut factors) = (Vec::new(), Vec::new());
        for _ in 0..4000 {
            let (first, own) = (draws.normal(), draws.normal());
            // A correlation of 0.8; the third is constant.
            let second = 0.8 * first + 0.6 * own;
            factors.extend([5.0 + first, second, 7.0]);
            for (of_first, of_second) in made[0].iter().zip(&made[1]) {
                let signal = of_first * first + of_second * second;
                values.push(1.0 + signal + 0.5 * draws.normal());
            }
        }
        let found = effects(&values, 4, &factors, 3);
        for (factor, row) in made.iter().enumerate() {
            for (column, &made) in row.iter().enumerate() {
                let (found, made) = (found[(factor, column)], f64::from(made));
                // Five standard errors, 0.5 / (0.6 sqrt(4000)), and the deviations' own.
                let off = (found - made).abs();
                assert!(off < 0.07 + 0.04 * made.abs(), "{found}, {made}");
            }
        }
        assert!(found.row(2).iter().all(|&effect| effect == 0.0));
    }

    #[test]
    fn factors_that_are_one_share_their_effect() {
        let factors = [1.0, 2.0, -1.0, -2.0, 3.0, 6.0, -3.0, -6.0];
        let values: Vec<f32> = factors.iter().step_by(2).map(|v| 4.0 * v).collect();
        let found = effects(&values, 1, &factors, 2);
        // A standard deviation of sqrt(5) moves the values by four times as much.
        for share in found.iter() {
            assert!((share - 2.0 * 5f64.sqrt()).abs() < 1e-9, "{share}");
        }
    }

    fn normal(mean: [f64; 2], covariance: [f64; 4]) -> Moments {
        Moments {
            mean: DVector::from_row_slice(&mean),
            covariance: DMatrix::from_row_slice(2, 2, &covariance),
        }
    }

    #[test]
    fn frechet_distance_of_diagonal_normals_is_the_closed_form() {
        let a = normal([0.0, 1.0], [4.0, 0.0, 0.0, 9.0]);
        let b = normal([3.0, 5.0], [1.0, 0.0, 0.0, 16.0]);
        // 9 + 16, and (2 - 1)^2 + (3 - 4)^2.
        let [means, covariances] = frechet(&a, &b);
        assert!((means - 25.0).abs() < 1e-9 && (covariances - 2.0).abs() < 1e-9);
    }

    #[test]
    fn frechet_distance_is_zero_to_itself_and_symmetric() {
        let a = normal([0.0, 1.0], [2.0, 0.7, 0.7, 1.0]);
        let b = normal([1.0, 0.0], [1.0, -0.3, -0.3, 3.0]);
        assert!(frechet(&a, &a).iter().all(|part| part.abs() < 1e-9));
        let (there, back) = (frechet(&a, &b), frechet(&b, &a));
        assert!(there.iter().zip(back).all(|(x, y)| (x - y).abs() < 1e-9));
    }

    /// tr (C1 C2)^(1/2) of 2x2 matrices is sqrt(tr(C1 C2) + 2 sqrt(det C1 det C2)).
    #[test]
    fn the_covariance_term_of_matrices_that_do_not_commute() {
        let a = normal([0.0, 0.0], [2.0, 0.7, 0.7, 1.0]);
        let b = normal([0.0, 0.0], [1.0, -0.3, -0.3, 3.0]);
        let trace_of_product = 2.0 - 0.7 * 0.3 - 0.7 * 0.3 + 3.0;
        let root = (trace_of_product + 2.0 * ((2.0 - 0.49) * (3.0 - 0.09f64)).sqrt()).sqrt();
        assert!((frechet(&a, &b)[1] - (3.0 + 4.0 - 2.0 * root)).abs() < 1e-9);
    }

    #[test]
    fn inception_score_of_an_unsure_classifier_is_one_and_of_a_sure_even_one_the_classes() {
        assert!((inception_score(&[0.25; 40], 4) - 1.0).abs() < 1e-9);
        let sure: Vec<f32> = (0..16).map(|i| f32::from(u8::from(i % 5 == 0))).collect();
        assert!((inception_score(&sure, 4) - 4.0).abs() < 1e-9);
        // Sure, but of one class alone: a collapsed generator.
        let collapsed = [1.0, 0.0, 0.0, 0.0].repeat(5);
        assert!((inception_score(&collapsed, 4) - 1.0).abs() < 1e-9);
    }
}
