//! The paintings that ship with the page, as styles to choose from.

/// A painting in `public/paintings/<name>.jpg`; the work itself is in the public domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Painting {
    /// Name of the file and in share links.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Who painted it, and when.
    pub painter: &'static str,
}

/// The style is a mixture of those that the network was trained on.
pub const BUILT_IN: &str = "none";
/// The style is a picture of the visitor's.
pub const OWN: &str = "own";

/// All paintings, in the order in which the page shows them.
pub const PAINTINGS: [Painting; 8] = [
    Painting {
        name: "great-wave",
        title: "The Great Wave off Kanagawa",
        painter: "Katsushika Hokusai, about 1831",
    },
    Painting {
        name: "auvers",
        title: "Village Street in Auvers",
        painter: "Vincent van Gogh, 1890",
    },
    Painting {
        name: "composition-8",
        title: "Composition VIII",
        painter: "Wassily Kandinsky, 1923",
    },
    Painting {
        name: "poppies",
        title: "Poppies",
        painter: "Katsushika Hokusai, about 1834",
    },
    Painting {
        name: "galette",
        title: "Bal du moulin de la Galette",
        painter: "Pierre-Auguste Renoir, 1876",
    },
    Painting {
        name: "summertime",
        title: "Summertime",
        painter: "Mary Cassatt, 1894",
    },
    Painting {
        name: "harvesters",
        title: "The Harvesters",
        painter: "Pieter Bruegel the Elder, 1565",
    },
    Painting {
        name: "spring",
        title: "Spring",
        painter: "Giuseppe Arcimboldo, 1573",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_painting_is_a_file() {
        for painting in PAINTINGS {
            let file = format!("public/paintings/{}.jpg", painting.name);
            assert!(std::path::Path::new(&file).exists(), "{file}");
        }
    }
}
