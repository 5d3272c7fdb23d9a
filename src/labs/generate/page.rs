//! What the pages of the generative labs share.

use crate::page::text::{I18n, t_string};
use crate::protocol::generative::{ATTRIBUTES_OF_AVATARS, DataSet, Family, Shipped};

/// A pseudo-random seed from the browser: what Randomise gives. It stands in the link afterwards.
pub fn random_seed() -> f32 {
    (js_sys::Math::random() * 10_000.0).floor().min(9_999.0) as f32
}

/// What a shipped network is called in a list.
pub fn model_label(i18n: I18n, shipped: &Shipped) -> String {
    let data = match shipped.data {
        DataSet::Digits => t_string!(i18n, generate.data_digits),
        DataSet::FashionMnist => "Fashion-MNIST",
        DataSet::Avatars => t_string!(i18n, generate.data_avatars),
    };
    let objective = shipped.name.rsplit_once(shipped.data.name());
    let objective = objective.map_or("", |(_, rest)| rest.trim_start_matches('-'));
    match (shipped.family, objective) {
        (Family::Gan, "") => format!("{data}, hinge"),
        (Family::Gan, objective) => format!("{data}, {objective}"),
        (Family::Ae | Family::Vae | Family::Cvae, _) => data.to_string(),
    }
}

/// What an attribute is called.
pub fn attribute(i18n: I18n, index: usize) -> String {
    match ATTRIBUTES_OF_AVATARS[index] {
        "hair-light" => t_string!(i18n, generate.attribute_hair_light),
        "hair-warm" => t_string!(i18n, generate.attribute_hair_warm),
        "hair-long" => t_string!(i18n, generate.attribute_hair_long),
        "skin-dark" => t_string!(i18n, generate.attribute_skin_dark),
        "glasses" => t_string!(i18n, generate.attribute_glasses),
        "dark-glasses" => t_string!(i18n, generate.attribute_dark_glasses),
        "mood" => t_string!(i18n, generate.attribute_mood),
        _ => t_string!(i18n, generate.attribute_eyes_open),
    }
    .to_string()
}

/// What a class of a set is called.
pub fn class_label(i18n: I18n, data: DataSet, class: usize) -> String {
    if data == DataSet::Digits {
        return class.to_string();
    }
    match class {
        0 => t_string!(i18n, generate.fashion_0),
        1 => t_string!(i18n, generate.fashion_1),
        2 => t_string!(i18n, generate.fashion_2),
        3 => t_string!(i18n, generate.fashion_3),
        4 => t_string!(i18n, generate.fashion_4),
        5 => t_string!(i18n, generate.fashion_5),
        6 => t_string!(i18n, generate.fashion_6),
        7 => t_string!(i18n, generate.fashion_7),
        8 => t_string!(i18n, generate.fashion_8),
        _ => t_string!(i18n, generate.fashion_9),
    }
    .to_string()
}
