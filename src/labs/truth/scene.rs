//! Scenes that the visitor composes of cut-outs over the picture, as text that fits into a link.

use crate::protocol::lab::LabSpec;
use crate::protocol::param::Value;
use crate::protocol::settings::Settings;

/// The settings of a lab in which a scene can be composed.
#[derive(Debug, Clone, Copy)]
pub struct SceneSettings {
    /// Whose.
    pub lab: &'static LabSpec,
    /// Name of the one with the scene.
    pub scene: &'static str,
    /// Name of the one with the truth, which follows.
    pub truth: &'static str,
    /// What shows a scene that comes from another lab: names and texts.
    pub opens: &'static [(&'static str, &'static str)],
}

impl SceneSettings {
    /// The text of the scene.
    pub fn scene(&self, settings: &Settings) -> String {
        text(settings, self.scene)
    }

    /// The text of the truth.
    pub fn truth(&self, settings: &Settings) -> String {
        text(settings, self.truth)
    }

    /// A lab's settings as a link to a scene has them. The truth is left to follow from it.
    pub fn opened(&self, settings: Settings, scene: String) -> Settings {
        let mut settings = settings.with(self.opens);
        settings.set(self.scene, Value::Text(scene));
        settings.set(self.truth, Value::Text(String::new()));
        settings
    }
}

fn text(settings: &Settings, name: &str) -> String {
    match settings.get(name) {
        Value::Text(text) => text.clone(),
        _ => String::new(),
    }
}

/// A cut-out that ships, in `public/cutouts/<name>.webp`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CutOut {
    /// Name of its file.
    pub name: &'static str,
    /// Index into [`PHOTOGRAPH_CLASSES`](crate::labs::detect::families::PHOTOGRAPH_CLASSES).
    pub class: usize,
    /// Columns by rows.
    pub ratio: f32,
}

/// All of them, in the order of their numbers in links.
pub const CUTOUTS: [CutOut; 9] = [
    CutOut {
        name: "fireman",
        class: 0,
        ratio: 223.0 / 369.0,
    },
    CutOut {
        name: "car",
        class: 1,
        ratio: 210.0 / 58.0,
    },
    CutOut {
        name: "bus",
        class: 2,
        ratio: 366.0 / 142.0,
    },
    CutOut {
        name: "dog",
        class: 5,
        ratio: 193.0 / 221.0,
    },
    CutOut {
        name: "sheep",
        class: 6,
        ratio: 184.0 / 157.0,
    },
    CutOut {
        name: "ram",
        class: 6,
        ratio: 184.0 / 140.0,
    },
    CutOut {
        name: "horse",
        class: 7,
        ratio: 199.0 / 137.0,
    },
    CutOut {
        name: "cow",
        class: 8,
        ratio: 192.0 / 136.0,
    },
    CutOut {
        name: "bull",
        class: 8,
        ratio: 198.0 / 212.0,
    },
];

/// A cut-out at its place. Later ones lie over earlier ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// Index into [`CUTOUTS`].
    pub cutout: usize,
    /// Where its middle is, in shares of the picture's width and height; it may lie outside.
    pub middle: [f32; 2],
    /// Its height as a share of the picture's, before it is turned.
    pub height: f32,
    /// How far it is turned to the right, in degrees, -180 to 180.
    pub turn: f32,
}

/// Cut-outs at most: more do not fit into a link.
pub const MOST: usize = 8;
/// Heights that a cut-out may have.
pub const HEIGHTS: [f32; 2] = [0.05, 1.2];

/// The cut-outs of a text; what cannot be read is left out.
pub fn read(text: &str) -> Vec<Placed> {
    let of = |part: &str| {
        let numbers = part
            .split(',')
            .map(|number| number.trim().parse::<i32>().ok());
        let numbers: Option<Vec<i32>> = numbers.collect();
        let [cutout, x, y, height, turn] = numbers?.try_into().ok()?;
        let cutout = usize::try_from(cutout)
            .ok()
            .filter(|number| *number < CUTOUTS.len())?;
        let share = |thousandths: i32| thousandths.clamp(-500, 1500) as f32 / 1000.0;
        Some(Placed {
            cutout,
            middle: [share(x), share(y)],
            height: share(height).clamp(HEIGHTS[0], HEIGHTS[1]),
            turn: turn.clamp(-180, 180) as f32,
        })
    };
    text.split(';').filter_map(of).take(MOST).collect()
}

/// The text of cut-outs.
pub fn write(placed: &[Placed]) -> String {
    let of = |placed: &Placed| {
        let thousandths = |share: f32| (share * 1000.0).round() as i32;
        let [x, y] = placed.middle.map(thousandths);
        let (height, turn) = (thousandths(placed.height), placed.turn.round() as i32);
        format!("{},{x},{y},{height},{turn}", placed.cutout)
    };
    let parts: Vec<String> = placed.iter().take(MOST).map(of).collect();
    parts.join(";")
}

/// Left, top, right and bottom of the pixels that are `true`, the last ones included; none where there are none.
pub fn bounds(mask: impl Iterator<Item = bool>, width: usize) -> Option<[usize; 4]> {
    let mut edges: Option<[usize; 4]> = None;
    for (at, is) in mask.enumerate() {
        if !is || width == 0 {
            continue;
        }
        let (x, y) = (at % width, at / width);
        edges = Some(match edges {
            None => [x, y, x + 1, y + 1],
            Some([left, top, right, bottom]) => {
                [left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1)]
            }
        });
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::detect::families::PHOTOGRAPH_CLASSES;
    use crate::protocol::param::TEXT_MAX;
    use proptest::prelude::*;

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let placed = read("1,500,500,300,0;9,1,1,1,1;2,a,1,1,1;3,100,100;0,9999,-9999,9999,999");
        assert_eq!(placed.len(), 2, "{placed:?}");
        assert_eq!(placed[1].middle, [1.5, -0.5]);
        assert_eq!((placed[1].height, placed[1].turn), (1.2, 180.0));
        assert_eq!(read(""), []);
    }

    #[test]
    fn as_many_as_may_be_fit_into_a_link() {
        let longest = Placed {
            cutout: 8,
            middle: [-0.499, -0.499],
            height: 1.199,
            turn: -179.0,
        };
        assert!(write(&[longest; 2 * MOST]).len() <= TEXT_MAX);
    }

    #[test]
    fn cutouts_have_files_and_classes() {
        for cutout in CUTOUTS {
            assert!(cutout.class < PHOTOGRAPH_CLASSES.len());
            let file = format!(
                "{}/public/cutouts/{}.webp",
                env!("CARGO_MANIFEST_DIR"),
                cutout.name
            );
            let size = imagesize::size(&file).expect(&file);
            let ratio = size.width as f32 / size.height as f32;
            assert!(
                (ratio - cutout.ratio).abs() < 1e-3,
                "{}: {ratio}",
                cutout.name
            );
        }
    }

    #[test]
    fn a_scene_goes_from_lab_to_lab() {
        use crate::labs::{SPECS, compare, propose};
        use crate::protocol::link::{Route, Shared, decode, encode};
        let scene = "3,500,600,500,-20;7,200,700,400,0";
        for of in [compare::spec::SCENE, propose::spec::SCENE] {
            let before =
                Settings::new(of.lab).with(&[(of.truth, "4,1,1,2,2"), (of.scene, "0,1,1,300,0")]);
            let link = encode(&Shared::new(of.opened(before, scene.into())));
            let (Route::Lab(shared), notices) = decode(SPECS, &link) else {
                panic!("{link}");
            };
            assert!(notices.is_empty(), "{notices:?}");
            assert_eq!(
                (of.scene(&shared.settings), of.truth(&shared.settings)),
                (scene.into(), String::new())
            );
        }
        let of = propose::spec::SCENE;
        let opened = of.opened(Settings::new(of.lab), scene.into());
        assert_eq!(
            opened.read::<propose::spec::ProposeSettings>().view,
            propose::spec::View::Boxes
        );
    }

    #[test]
    fn bounds_hold_all_that_is_there() {
        let mask = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0].map(|value| value == 1);
        assert_eq!(bounds(mask.into_iter(), 4), Some([1, 1, 3, 3]));
        assert_eq!(bounds([false; 4].into_iter(), 2), None);
        assert_eq!(bounds([true].into_iter(), 0), None);
    }

    proptest! {
        #[test]
        fn scenes_survive_their_text(
            all in prop::collection::vec((0usize..9, -500i32..1500, -500i32..1500, 50i32..1200, -180i32..180), 0..MOST)
        ) {
            let share = |value: i32| value as f32 / 1000.0;
            let placed: Vec<Placed> = all
                .into_iter()
                .map(|(cutout, x, y, height, turn)| Placed {
                    cutout,
                    middle: [share(x), share(y)],
                    height: share(height),
                    turn: turn as f32,
                })
                .collect();
            prop_assert_eq!(read(&write(&placed)), placed);
        }
    }
}
