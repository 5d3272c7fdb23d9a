//! Rows of numbers on their two principal components.

/// How often directions are turned towards the strongest at most, and by how little they may still turn.
const TURNS: usize = 300;
const STILL: f64 = 1e-9;

/// Rows on two directions.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// Where each row lies.
    pub points: Vec<[f64; 2]>,
    /// The share of the rows' variance along each direction.
    pub shares: [f64; 2],
}

/// The two directions along which rows vary most (Pearson 1901, Hotelling 1933), by orthogonal iteration: rows of a
/// thousand numbers have a covariance of a million, of which two directions are wanted. The largest number of each
/// direction is positive, so that it has one sign everywhere.
pub fn two_components(rows: &[Vec<f32>]) -> Plane {
    let columns = rows.first().map_or(0, Vec::len);
    let count = rows.len().max(1) as f64;
    let mean: Vec<f64> = (0..columns)
        .map(|column| rows.iter().map(|row| f64::from(row[column])).sum::<f64>() / count)
        .collect();
    let centered: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| {
            row.iter()
                .zip(&mean)
                .map(|(value, mean)| f64::from(*value) - mean)
                .collect()
        })
        .collect();
    let total: f64 = centered.iter().flatten().map(|value| value * value).sum();
    // Anything that is not at right angles to what is looked for; the same each time.
    let mut directions: [Vec<f64>; 2] = [1, 2].map(|which| {
        (0..columns)
            .map(|column| ((column * which + which) as f64 * 0.7).sin())
            .collect()
    });
    let mut strengths = [0.0; 2];
    for _ in 0..TURNS {
        let mut turned: [Vec<f64>; 2] = [vec![0.0; columns], vec![0.0; columns]];
        for row in &centered {
            for (direction, turned) in directions.iter().zip(&mut turned) {
                let along = dot(row, direction);
                turned
                    .iter_mut()
                    .zip(row)
                    .for_each(|(sum, value)| *sum += along * value);
            }
        }
        let [first, second] = &mut turned;
        strengths[0] = unit(first);
        let shared = dot(first, second);
        second
            .iter_mut()
            .zip(first.iter())
            .for_each(|(value, first)| *value -= shared * first);
        strengths[1] = unit(second);
        let still = turned
            .iter()
            .zip(&directions)
            .all(|(now, before)| 1.0 - dot(now, before).abs() < STILL);
        directions = turned;
        if still {
            break;
        }
    }
    for direction in &mut directions {
        let largest = direction.iter().copied().fold(0.0, |most: f64, value| {
            if value.abs() > most.abs() {
                value
            } else {
                most
            }
        });
        if largest < 0.0 {
            direction.iter_mut().for_each(|value| *value = -*value);
        }
    }
    Plane {
        points: centered
            .iter()
            .map(|row| [0, 1].map(|which| dot(row, &directions[which])))
            .collect(),
        shares: strengths.map(|strength| if total > 0.0 { strength / total } else { 0.0 }),
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Makes a vector one long; how long it was.
fn unit(vector: &mut [f64]) -> f64 {
    let length = dot(vector, vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::draws::Draws;
    use crate::methods::statistics::{moments, principal};

    #[test]
    fn the_plane_is_that_of_the_largest_eigenvalues() {
        let mut draws = Draws::new(3, 0);
        let rows: Vec<Vec<f32>> = (0..40)
            .map(|_| {
                let [a, b, c] = [5.0, 3.0, 1.0].map(|spread| spread * draws.normal());
                (0..9)
                    .map(|i| {
                        a * (i as f32).cos()
                            + b * (2.0 * i as f32).sin()
                            + c * 0.3 * draws.normal()
                            + 7.0
                    })
                    .collect()
            })
            .collect();
        let flat: Vec<f32> = rows.iter().flatten().copied().collect();
        let known = principal(moments(&flat, 9).covariance);
        let total: f64 = known.spreads.iter().map(|spread| spread * spread).sum();
        let plane = two_components(&rows);
        for which in 0..2 {
            let share = known.spreads[which].powi(2) / total;
            assert!(
                (plane.shares[which] - share).abs() < 1e-6,
                "{which}: {} {share}",
                plane.shares[which]
            );
            let spread = (plane
                .points
                .iter()
                .map(|point| point[which].powi(2))
                .sum::<f64>()
                / 39.0)
                .sqrt();
            assert!((spread / known.spreads[which] - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn rows_without_variance_lie_in_one_place() {
        let plane = two_components(&vec![vec![2.0, 2.0]; 3]);
        assert_eq!(
            plane,
            Plane {
                points: vec![[0.0; 2]; 3],
                shares: [0.0; 2]
            }
        );
        assert_eq!(two_components(&[]).points, Vec::<[f64; 2]>::new());
    }
}
