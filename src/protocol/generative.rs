//! The generative networks that ship, what they were trained on, and what adversarial pairs play for.

use crate::choices;

choices! {
    /// A set of square pictures to learn from.
    pub enum DataSet {
        /// Handwritten digits, 28x28, grey.
        Digits,
        /// Clothes, 28x28, grey (Xiao et al. 2017).
        FashionMnist,
        /// Drawn faces, 64x64, colour, every attribute known.
        Avatars,
    }
}

impl DataSet {
    /// All of them.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Name in commands, file names and links.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The set of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// Rows and columns of a picture.
    pub fn side(self) -> usize {
        match self {
            Self::Digits | Self::FashionMnist => 28,
            Self::Avatars => 64,
        }
    }

    /// 1 for grey, 3 for colour.
    pub fn channels(self) -> usize {
        match self {
            Self::Digits | Self::FashionMnist => 1,
            Self::Avatars => 3,
        }
    }

    /// Bytes of a picture.
    pub fn values(self) -> usize {
        self.side() * self.side() * self.channels()
    }

    /// Classes of the first label; avatars have attributes instead.
    pub fn classes(self) -> usize {
        match self {
            Self::Digits | Self::FashionMnist => 10,
            Self::Avatars => 0,
        }
    }
}

choices! {
    /// What discriminator and generator play for. The formulas are in `methods/gan_objective.rs`.
    pub enum Objective {
        /// The original game: the generator minimises `log(1 - D(G(z)))`.
        Minimax,
        /// Its cure for flat gradients: the generator maximises `log D(G(z))`.
        NonSaturating,
        /// Least squares (LSGAN): Pearson's chi-square in disguise.
        #[strum(serialize = "lsgan")]
        LeastSquares,
        /// The discriminator is an autoencoder and its error an energy (EBGAN).
        #[strum(serialize = "ebgan")]
        Energy,
        /// f-GAN: Kullback-Leibler.
        Kl,
        /// f-GAN: Kullback-Leibler the other way.
        ReverseKl,
        /// f-GAN: Jensen-Shannon.
        JensenShannon,
        /// f-GAN: Pearson's chi-square.
        Pearson,
        /// f-GAN: squared Hellinger distance.
        SquaredHellinger,
        /// f-GAN: total variation.
        TotalVariation,
        /// Earth mover's distance, weights clipped (WGAN).
        #[strum(serialize = "wgan")]
        Wasserstein,
        /// Hinge loss.
        Hinge,
    }
}

impl Objective {
    /// Its word in settings and flags.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The objective of that word.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// What kind of network makes the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Autoencoder.
    Ae,
    /// Variational autoencoder.
    Vae,
    /// Variational autoencoder that is told the class.
    Cvae,
    /// Generator of an adversarial pair.
    Gan,
}

impl Family {
    /// Whether pictures can be turned into codes.
    pub fn encodes(self) -> bool {
        self != Self::Gan
    }

    /// Whether its codes can be drawn from the prior N(0, I) that it was trained towards and, as it has an
    /// encoder, from where the codes of pictures lie.
    pub fn has_two_sources(self) -> bool {
        matches!(self, Self::Vae | Self::Cvae)
    }
}

choices! {
    /// What codes are drawn from.
    pub enum CodesFrom {
        /// The standard normal distribution that a variational autoencoder is trained towards, and that a
        /// GAN is fed with.
        Prior,
        /// A normal distribution fitted to the means of the codes of the training set: where the decoder
        /// has been. A plain autoencoder has nothing else.
        Fitted,
    }
}

/// A network that ships.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipped {
    /// Name of its manifest entry.
    pub name: &'static str,
    /// What it is.
    pub family: Family,
    /// What it was trained on.
    pub data: DataSet,
    /// Numbers that a picture is made from, without those of the class.
    pub latent: usize,
}

/// Networks that ship. The first is what a visitor sees.
pub const SHIPPED: [Shipped; 13] = [
    shipped("vae-avatars", Family::Vae, DataSet::Avatars, 32),
    shipped("vae-fashion-mnist", Family::Vae, DataSet::FashionMnist, 16),
    shipped("vae-digits", Family::Vae, DataSet::Digits, 10),
    shipped("cvae-digits", Family::Cvae, DataSet::Digits, 8),
    shipped("ae-avatars", Family::Ae, DataSet::Avatars, 48),
    shipped("ae-fashion-mnist", Family::Ae, DataSet::FashionMnist, 16),
    shipped("ae-digits", Family::Ae, DataSet::Digits, 16),
    shipped("gan-avatars", Family::Gan, DataSet::Avatars, 64),
    shipped(
        "gan-fashion-mnist-hinge",
        Family::Gan,
        DataSet::FashionMnist,
        64,
    ),
    shipped(
        "gan-fashion-mnist-minimax",
        Family::Gan,
        DataSet::FashionMnist,
        64,
    ),
    shipped(
        "gan-fashion-mnist-lsgan",
        Family::Gan,
        DataSet::FashionMnist,
        64,
    ),
    shipped(
        "gan-fashion-mnist-ebgan",
        Family::Gan,
        DataSet::FashionMnist,
        64,
    ),
    shipped("gan-digits-hinge", Family::Gan, DataSet::Digits, 64),
];

const fn shipped(name: &'static str, family: Family, data: DataSet, latent: usize) -> Shipped {
    Shipped {
        name,
        family,
        data,
        latent,
    }
}

/// The shipped network of that name.
pub fn find(name: &str) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|shipped| shipped.name == name)
}

/// The networks of a data set that are compared with one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// The plain autoencoder.
    pub plain: &'static Shipped,
    /// The variational one.
    pub variational: &'static Shipped,
    /// The GAN.
    pub adversarial: &'static Shipped,
}

/// The networks of a data set that are compared with one another.
pub fn compared(data: DataSet) -> Compared {
    // The first of each kind: of several GANs, the one with the best scores stands first.
    let first = |family: Family| {
        let mut known = SHIPPED.iter();
        known
            .find(|shipped| shipped.data == data && shipped.family == family)
            .expect("each set has one of each kind")
    };
    Compared {
        plain: first(Family::Ae),
        variational: first(Family::Vae),
        adversarial: first(Family::Gan),
    }
}

/// Manifest entry of the classifier that scores are computed with.
pub fn classifier_of(data: DataSet) -> Option<&'static str> {
    match data {
        DataSet::Digits => Some("lenet-digits"),
        DataSet::FashionMnist => Some("lenet-fashion-mnist"),
        DataSet::Avatars => None,
    }
}

/// Names of the shipped networks, in the order of [`SHIPPED`].
pub const MODEL_NAMES: [&str; SHIPPED.len()] = {
    let mut names = [""; SHIPPED.len()];
    let mut index = 0;
    while index < SHIPPED.len() {
        names[index] = SHIPPED[index].name;
        index += 1;
    }
    names
};

/// Attributes of avatars that have a direction in latent space, in the order of
/// `data/avatars.rs`.
pub const ATTRIBUTES_OF_AVATARS: [&str; 8] = [
    "hair-light",
    "hair-warm",
    "hair-long",
    "skin-dark",
    "glasses",
    "dark-glasses",
    "mood",
    "eyes-open",
];
