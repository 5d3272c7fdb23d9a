//! How many objects proposals find.

use crate::maths::boxes::Corners;

/// The number of proposals after which each object is found, overlapped by at least so much; none where it never is.
pub fn found_after(proposals: &[Corners], objects: &[Corners], overlap: f32) -> Vec<Option<usize>> {
    let of = |object: &Corners| {
        let at = proposals.iter().position(|of| of.iou(*object) >= overlap);
        at.map(|at| at + 1)
    };
    objects.iter().map(of).collect()
}

/// The share of objects found with the first `most` proposals.
pub fn recall(found_after: &[Option<usize>], most: usize) -> f32 {
    let found = found_after
        .iter()
        .filter(|at| at.is_some_and(|at| at <= most));
    found.count() as f32 / found_after.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f32, side: f32) -> Corners {
        Corners {
            x0: x,
            y0: 0.0,
            x1: x + side,
            y1: side,
        }
    }

    #[test]
    fn objects_are_found_by_the_first_box_that_fits() {
        let proposals = [square(0.0, 20.0), square(1.0, 10.0), square(0.0, 10.0)];
        let objects = [square(0.0, 10.0), square(50.0, 10.0)];
        // Overlaps 1/4, 9/11 and 1.
        assert_eq!(found_after(&proposals, &objects, 0.5), [Some(2), None]);
        assert_eq!(found_after(&proposals, &objects, 0.9), [Some(3), None]);
        let found = found_after(&proposals, &objects, 0.2);
        assert_eq!(found, [Some(1), None]);
        assert_eq!(recall(&found, 0), 0.0);
        assert_eq!(recall(&found, 1), 0.5);
        assert_eq!(recall(&[], 1), 0.0);
    }
}
