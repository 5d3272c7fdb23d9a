//! What is really in a picture, by the visitor's hand or because it was composed: as text that fits into a link, for the labs
//! that judge by it.

#[cfg(feature = "page")]
pub mod compose;
#[cfg(feature = "page")]
pub mod composed;
#[cfg(feature = "page")]
pub mod drawing;
pub mod scene;

use crate::labs::detect::families::PHOTOGRAPH_CLASSES;
use crate::maths::boxes::Corners;

/// An object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Object {
    /// Index into [`PHOTOGRAPH_CLASSES`].
    pub class: usize,
    /// In shares of the picture, 0 to 1.
    pub place: Corners,
}

/// Objects at most: more do not fit into a link.
pub const MOST: usize = 10;

/// The objects of a text; what cannot be read is left out.
pub fn read(text: &str) -> Vec<Object> {
    let of = |part: &str| {
        let numbers: Vec<u32> = part
            .split(',')
            .map_while(|number| number.trim().parse().ok())
            .collect();
        let [class, x0, y0, x1, y1] = numbers.try_into().ok()?;
        let share = |thousandths: u32| thousandths.min(1000) as f32 / 1000.0;
        let [x0, y0, x1, y1] = [x0, y0, x1, y1].map(share);
        let is_box = x0 < x1 && y0 < y1;
        ((class as usize) < PHOTOGRAPH_CLASSES.len() && is_box).then_some(Object {
            class: class as usize,
            place: Corners { x0, y0, x1, y1 },
        })
    };
    text.split(';').filter_map(of).take(MOST).collect()
}

/// The text of objects.
pub fn write(objects: &[Object]) -> String {
    let of = |object: &Object| {
        let place = object.place;
        let [x0, y0, x1, y1] = [place.x0, place.y0, place.x1, place.y1]
            .map(|share| (share.clamp(0.0, 1.0) * 1000.0).round() as u32);
        format!("{},{x0},{y0},{x1},{y1}", object.class)
    };
    let parts: Vec<String> = objects.iter().take(MOST).map(of).collect();
    parts.join(";")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::param::TEXT_MAX;
    use proptest::prelude::*;

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let text = "4,100,200,300,400;9,0,0,10,10;1,300,0,200,10;x;2,0,0,2000,50;;4,1,2,3";
        let objects = read(text);
        assert_eq!(objects.len(), 2, "{objects:?}");
        assert_eq!(objects[0].class, 4);
        assert_eq!(objects[1].place.x1, 1.0);
        assert_eq!(read(""), []);
    }

    #[test]
    fn as_many_as_may_be_fit_into_a_link() {
        let large = Object {
            class: 8,
            place: Corners {
                x0: 0.111,
                y0: 0.111,
                x1: 1.0,
                y1: 1.0,
            },
        };
        assert!(write(&[large; 2 * MOST]).len() <= TEXT_MAX);
    }

    proptest! {
        #[test]
        fn objects_survive_their_text(
            all in prop::collection::vec((0usize..9, 0u32..999, 0u32..999, 1u32..500, 1u32..500), 0..MOST)
        ) {
            let share = |value: u32| value.min(1000) as f32 / 1000.0;
            let objects: Vec<Object> = all
                .into_iter()
                .map(|(class, x, y, width, height)| Object {
                    class,
                    place: Corners { x0: share(x), y0: share(y), x1: share(x + width), y1: share(y + height) },
                })
                .collect();
            prop_assert_eq!(read(&write(&objects)), objects);
        }
    }
}
