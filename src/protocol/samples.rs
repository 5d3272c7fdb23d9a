//! The photographs that ship with the page.

/// A photograph that ships with the page, in `public/samples/<name>.jpg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Name of the file and in share links.
    pub name: &'static str,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Who made it, and under which terms it is shared.
    pub credit: &'static str,
}

/// All samples, in the order in which the page shows them.
pub const SAMPLES: &[Sample] = &[
    Sample {
        name: "cat",
        width: 451,
        height: 300,
        credit: "Stéfan van der Walt, CC0",
    },
    Sample {
        name: "astronaut",
        width: 512,
        height: 512,
        credit: "NASA, public domain",
    },
    Sample {
        name: "coffee",
        width: 600,
        height: 400,
        credit: "Rachel Michetti, CC0",
    },
    Sample {
        name: "photographer",
        width: 512,
        height: 512,
        credit: "Lav Varshney, CC0",
    },
    Sample {
        name: "temple",
        width: 640,
        height: 427,
        credit: "danielbuechele, CC BY 2.0",
    },
    Sample {
        name: "rocket",
        width: 640,
        height: 427,
        credit: "SpaceX, public domain",
    },
    Sample {
        name: "crew",
        width: 640,
        height: 427,
        credit: "put together from NASA's astronaut and SpaceX's rocket, public domain",
    },
    Sample {
        name: "cows",
        width: 640,
        height: 480,
        credit: "GCompris, GPL-3.0 or later",
    },
    Sample {
        name: "horses",
        width: 640,
        height: 415,
        credit: "GCompris, GPL-3.0 or later",
    },
];

/// The sample of that name.
pub fn find(name: &str) -> Option<&'static Sample> {
    SAMPLES.iter().find(|sample| sample.name == name)
}
