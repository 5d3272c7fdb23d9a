//! The page's words: translations, and which sentence belongs to which value.

use leptos::prelude::*;

use crate::labs::generate::spec::{DataSet, Family, Shipped, find};
use crate::protocol::failure::Failure;
use crate::protocol::link::Notice;
use crate::protocol::message::{Reason, Stage};

/// The keys of `locales/`, made by `build.rs`.
#[allow(
    clippy::all,
    unused,
    missing_docs,
    mismatched_lifetime_syntaxes,
    dead_code
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/i18n.rs"));
}

pub use generated::i18n::*;
pub use leptos_i18n::t_string;

/// The context of translations.
pub type I18n = leptos_i18n::I18nContext<Locale>;

/// Where the chosen language is kept.
const STORED: &str = "kiln-language";

/// The language that the visitor chose before, if any.
pub fn stored_locale() -> Option<Locale> {
    let name = window().local_storage().ok()??.get_item(STORED).ok()??;
    match name.as_str() {
        "en" => Some(Locale::en),
        "zh" => Some(Locale::zh),
        _ => None,
    }
}

/// Keeps the choice for the next visit.
pub fn store_locale(locale: Locale) {
    if let Ok(Some(storage)) = window().local_storage() {
        // A private window may refuse: the choice then lasts for this visit.
        let _ = storage.set_item(STORED, short_name(locale));
    }
}

/// `en` or `zh`.
pub fn short_name(locale: Locale) -> &'static str {
    match locale {
        Locale::en => "en",
        Locale::zh => "zh",
    }
}

/// Name of a detection class, by its index.
pub fn class_name(i18n: I18n, class: usize) -> String {
    macro_rules! names {
        ($($index:literal => $key:ident),*) => {
            match class {
                $($index => t_string!(i18n, $key).to_string(),)*
                _ => String::new(),
            }
        };
    }
    names!(1 => class_1, 2 => class_2, 3 => class_3, 4 => class_4, 5 => class_5, 6 => class_6,
        7 => class_7, 8 => class_8, 9 => class_9, 10 => class_10, 11 => class_11, 12 => class_12,
        13 => class_13, 14 => class_14, 15 => class_15, 16 => class_16, 17 => class_17,
        18 => class_18, 19 => class_19, 20 => class_20, 21 => class_21, 22 => class_22,
        23 => class_23)
}

/// Label of a setting, by its name in the parameter table.
pub fn param_label(i18n: I18n, name: &str) -> String {
    match name {
        "score" => t_string!(i18n, param_score),
        "iou" => t_string!(i18n, param_iou),
        "view" => t_string!(i18n, param_view),
        "map" => t_string!(i18n, param_map),
        "effect" => t_string!(i18n, param_effect),
        "opacity" => t_string!(i18n, param_opacity),
        "blur" => t_string!(i18n, param_blur),
        "color" => t_string!(i18n, param_color),
        "strength" => t_string!(i18n, param_strength),
        "colors" => t_string!(i18n, param_colors),
        "size" => t_string!(i18n, param_size),
        "direction-1" => return t_string!(i18n, param_direction, n = 1).to_string(),
        "direction-2" => return t_string!(i18n, param_direction, n = 2).to_string(),
        "direction-3" => return t_string!(i18n, param_direction, n = 3).to_string(),
        "direction-4" => return t_string!(i18n, param_direction, n = 4).to_string(),
        "content-layer" => t_string!(i18n, param_content_layer),
        "content-weight" => t_string!(i18n, param_content_weight),
        "style-weight" => t_string!(i18n, param_style_weight),
        "style-1" => "conv1_1",
        "style-2" => "conv2_1",
        "style-3" => "conv3_1",
        "style-4" => "conv4_1",
        "style-5" => "conv5_1",
        "tv-weight" => t_string!(i18n, param_tv_weight),
        "start" => t_string!(i18n, param_start),
        "optimizer" => t_string!(i18n, param_optimizer),
        "rate" => t_string!(i18n, param_rate),
        "steps" => t_string!(i18n, param_steps),
        "seed" => t_string!(i18n, param_seed),
        "layers" => t_string!(i18n, param_layers),
        "layer" => t_string!(i18n, param_layer),
        "octaves" => t_string!(i18n, param_octaves),
        "octave-scale" => t_string!(i18n, param_octave_scale),
        "jitter" => t_string!(i18n, param_jitter),
        "model" => t_string!(i18n, param_model),
        "spread" => t_string!(i18n, param_spread),
        "class" => t_string!(i18n, param_class),
        "across" => t_string!(i18n, param_across),
        "down" => t_string!(i18n, param_down),
        "seed-b" => t_string!(i18n, param_seed_b),
        "seed-c" => t_string!(i18n, param_seed_c),
        "path" => t_string!(i18n, param_path),
        "data" => t_string!(i18n, param_data),
        "item" => t_string!(i18n, param_item),
        "shape" => t_string!(i18n, param_train_data),
        "objective" => t_string!(i18n, param_objective),
        "spectral-norm" => t_string!(i18n, param_spectral),
        "rate-d" => t_string!(i18n, param_rate_d),
        "rate-g" => t_string!(i18n, param_rate_g),
        "steps-d" => t_string!(i18n, param_steps_d),
        "latent" => t_string!(i18n, param_latent),
        "batch" => t_string!(i18n, param_batch),
        "topic" => t_string!(i18n, param_topic),
        "divergence" => t_string!(i18n, param_divergence),
        "boxes" => t_string!(i18n, param_boxes),
        "curve" => t_string!(i18n, param_curve),
        "function" => t_string!(i18n, param_function),
        "modes" => t_string!(i18n, param_modes),
        "noise" => t_string!(i18n, param_noise),
        "networks" => t_string!(i18n, param_networks),
        other => return other.into(),
    }
    .to_string()
}

/// One sentence on a setting, where its name does not say enough.
pub fn param_help(i18n: I18n, name: &str) -> Option<String> {
    match name {
        "score" => Some(t_string!(i18n, param_score_help).to_string()),
        "iou" => Some(t_string!(i18n, param_iou_help).to_string()),
        "size" => Some(t_string!(i18n, param_size_help).to_string()),
        "content-layer" => Some(t_string!(i18n, param_content_layer_help).to_string()),
        "layers" => Some(t_string!(i18n, param_layers_help).to_string()),
        "layer" => Some(t_string!(i18n, param_layer_help).to_string()),
        "spread" => Some(t_string!(i18n, param_spread_help).to_string()),
        _ => None,
    }
}

/// What a shipped network is called in a list.
pub fn model_label(i18n: I18n, shipped: &Shipped) -> String {
    let data = match shipped.data {
        DataSet::Digits => t_string!(i18n, data_digits),
        DataSet::FashionMnist => "Fashion-MNIST",
        DataSet::Avatars => t_string!(i18n, data_avatars),
    };
    let objective = shipped.name.rsplit_once(shipped.data.name());
    let objective = objective.map_or("", |(_, rest)| rest.trim_start_matches('-'));
    match (shipped.family, objective) {
        (Family::Gan, "") => format!("{data}, hinge"),
        (Family::Gan, objective) => format!("{data}, {objective}"),
        _ => data.to_string(),
    }
}

/// Label of a word of a choice.
pub fn choice_label(i18n: I18n, param: &str, word: &str) -> String {
    match (param, word) {
        ("view", "detections") => t_string!(i18n, view_detections),
        ("view", "anchors") => t_string!(i18n, view_anchors),
        ("view", "scores") => t_string!(i18n, view_scores),
        ("view", "suppressed") => t_string!(i18n, view_suppressed),
        ("colors", "style") => t_string!(i18n, colors_style),
        ("colors", "photo") => t_string!(i18n, colors_photo),
        ("start", "content") => t_string!(i18n, start_content),
        ("start", "noise") => t_string!(i18n, start_noise),
        ("start", "style") => t_string!(i18n, start_style),
        ("optimizer", "lbfgs") => "L-BFGS",
        ("optimizer", "adam") => "Adam",
        ("view", "one") => t_string!(i18n, view_one),
        ("view", "neighbours") => t_string!(i18n, view_neighbours),
        ("view", "many") => t_string!(i18n, view_many),
        ("view", "walk") => t_string!(i18n, view_walk),
        ("view", "arithmetic") => t_string!(i18n, view_arithmetic),
        ("view", "codes") => t_string!(i18n, view_codes),
        ("view", "edit") => t_string!(i18n, view_edit),
        ("view", "between") => t_string!(i18n, view_between),
        ("view", "map") => t_string!(i18n, view_map),
        ("view", "invert") => t_string!(i18n, view_invert),
        ("view", "versus") => t_string!(i18n, view_versus),
        ("path", "spherical") => t_string!(i18n, path_spherical),
        ("path", "linear") => t_string!(i18n, path_linear),
        ("data" | "shape", "digits") => t_string!(i18n, data_digits),
        ("data" | "shape", "fashion-mnist") => "Fashion-MNIST",
        ("data", "avatars") => t_string!(i18n, data_avatars),
        ("shape", "ring") => t_string!(i18n, shape_ring),
        ("shape", "grid") => t_string!(i18n, shape_grid),
        ("shape", "spiral") => t_string!(i18n, shape_spiral),
        ("shape", "drawn") => t_string!(i18n, shape_drawn),
        ("spectral-norm", "on") => t_string!(i18n, word_on),
        ("spectral-norm", "off") => t_string!(i18n, word_off),
        ("objective", "minimax") => "Minimax",
        ("objective", "non-saturating") => "Non-saturating",
        ("objective", "lsgan") => "LSGAN",
        ("objective", "ebgan") => "EBGAN",
        ("objective" | "divergence", "kl") => "KL",
        ("objective" | "divergence", "reverse-kl") => "Reverse KL",
        ("objective" | "divergence", "jensen-shannon") => "Jensen-Shannon",
        ("objective" | "divergence", "pearson") => "Pearson χ²",
        ("objective" | "divergence", "squared-hellinger") => "Hellinger²",
        ("objective" | "divergence", "total-variation") => "Total variation",
        ("objective", "wgan") => "WGAN",
        ("objective", "hinge") => "Hinge",
        ("divergence", "gan") => "GAN",
        ("networks", "small") => t_string!(i18n, networks_small),
        ("networks", "large") => t_string!(i18n, networks_large),
        ("topic", "divergences") => t_string!(i18n, topic_divergences),
        ("topic", "convexity") => t_string!(i18n, topic_convexity),
        ("topic", "lipschitz") => t_string!(i18n, topic_lipschitz),
        ("boxes", "normal") => t_string!(i18n, box_normal),
        ("boxes", "box") => t_string!(i18n, box_box),
        ("curve", "parabola") => "x² / 2",
        ("curve", "entropy") => "x log x",
        ("curve", "corner") => "|x − 1| / 2",
        ("curve", "two-valleys") => t_string!(i18n, curve_two_valleys),
        ("curve", "wave") => "cos 2x",
        ("function", "sine") => "sin 3x",
        ("function", "absolute") => "|x|",
        ("function", "step") => "tanh 4x",
        ("function", "root") => "∛x",
        ("model", "test-set") => return format!("{}, Fashion-MNIST", t_string!(i18n, scored_test)),
        ("model", "test-set-digits") => {
            return format!(
                "{}, {}",
                t_string!(i18n, scored_test),
                t_string!(i18n, data_digits)
            );
        }
        ("model", name) if let Some(shipped) = find(name) => {
            let family = match shipped.family {
                Family::Ae => "AE",
                Family::Vae => "VAE",
                Family::Cvae => "CVAE",
                Family::Gan => "GAN",
            };
            return format!("{family}, {}", model_label(i18n, shipped));
        }
        ("effect", "mask") => t_string!(i18n, effect_mask),
        ("effect", "blur") => t_string!(i18n, effect_blur),
        ("effect", "color") => t_string!(i18n, effect_color),
        ("effect", "picture") => t_string!(i18n, effect_picture),
        ("effect", "cutout") => t_string!(i18n, effect_cutout),
        (_, other) => return other.into(),
    }
    .to_string()
}

/// Name of a sample photograph.
pub fn sample_name(i18n: I18n, name: &str) -> String {
    match name {
        "cat" => t_string!(i18n, sample_cat),
        "astronaut" => t_string!(i18n, sample_astronaut),
        "coffee" => t_string!(i18n, sample_coffee),
        "photographer" => t_string!(i18n, sample_photographer),
        "temple" => t_string!(i18n, sample_temple),
        "rocket" => t_string!(i18n, sample_rocket),
        other => return other.into(),
    }
    .to_string()
}

/// What a stage does.
pub fn stage_name(i18n: I18n, stage: Stage) -> String {
    match stage {
        Stage::Decode => t_string!(i18n, stage_decode),
        Stage::Load => t_string!(i18n, stage_load),
        Stage::Prepare => t_string!(i18n, stage_prepare),
        Stage::Network => t_string!(i18n, stage_network),
        Stage::Postprocess => t_string!(i18n, stage_postprocess),
    }
    .to_string()
}

/// Why the CPU runs.
pub fn reason_sentence(i18n: I18n, reason: &Reason) -> String {
    match reason.clone() {
        Reason::Forced => t_string!(i18n, reason_forced).to_string(),
        Reason::Missing {
            secure_context: true,
        } => t_string!(i18n, reason_missing).to_string(),
        Reason::Missing {
            secure_context: false,
        } => t_string!(i18n, reason_insecure).to_string(),
        Reason::Refused { detail } => t_string!(i18n, reason_refused, detail = detail).to_string(),
        Reason::Wrong { difference } => {
            t_string!(i18n, reason_wrong, difference = difference).to_string()
        }
        Reason::Lost => t_string!(i18n, reason_lost).to_string(),
        Reason::Software { adapter } => {
            t_string!(i18n, reason_software, adapter = adapter).to_string()
        }
    }
}

/// What of a link was not used.
pub fn notice_sentence(i18n: I18n, notice: &Notice) -> String {
    match notice.clone() {
        Notice::TooLong => t_string!(i18n, notice_long).to_string(),
        Notice::NewerVersion => t_string!(i18n, notice_newer).to_string(),
        Notice::Dropped(part) => t_string!(i18n, notice_dropped, part = part).to_string(),
    }
}

/// What happened, and what to do.
pub fn failure_sentence(i18n: I18n, failure: &Failure) -> String {
    match failure.clone() {
        Failure::EmptyFile => t_string!(i18n, fail_empty).to_string(),
        Failure::NotAPicture => t_string!(i18n, fail_not_picture).to_string(),
        Failure::DamagedPicture => t_string!(i18n, fail_damaged).to_string(),
        Failure::TooManyPixels {
            width,
            height,
            limit,
        } => t_string!(
            i18n,
            fail_pixels,
            width = width,
            height = height,
            limit = limit
        )
        .to_string(),
        Failure::FileTooLarge { megabytes, limit } => {
            t_string!(i18n, fail_large, megabytes = megabytes, limit = limit).to_string()
        }
        Failure::WeightsMissing { name, reason } => {
            t_string!(i18n, fail_weights_missing, name = name, reason = reason).to_string()
        }
        Failure::WeightsTruncated {
            name,
            got,
            expected,
        } => t_string!(
            i18n,
            fail_weights_truncated,
            name = name,
            got = got,
            expected = expected
        )
        .to_string(),
        Failure::WeightsChanged { name } => {
            t_string!(i18n, fail_weights_changed, name = name).to_string()
        }
        Failure::WeightsUnfit { name } => {
            t_string!(i18n, fail_weights_unfit, name = name).to_string()
        }
        Failure::Cancelled => t_string!(i18n, fail_cancelled).to_string(),
        Failure::NotFinite { backend } => {
            t_string!(i18n, fail_not_finite, backend = backend).to_string()
        }
        Failure::EngineLost { reason } => t_string!(i18n, fail_engine, reason = reason).to_string(),
        Failure::NoGpu { reason } => t_string!(i18n, fail_no_gpu, reason = reason).to_string(),
        Failure::NoStyle => t_string!(i18n, fail_no_style).to_string(),
        Failure::BadRegions { limit } => t_string!(i18n, fail_regions, limit = limit).to_string(),
        Failure::DataUnfit { name } => t_string!(i18n, fail_data, name = name).to_string(),
        Failure::TooFew => t_string!(i18n, fail_few).to_string(),
        Failure::WeightsOfAnother => t_string!(i18n, fail_other_weights).to_string(),
        Failure::NothingInTraining => t_string!(i18n, fail_no_training).to_string(),
        Failure::NoSlot => t_string!(i18n, fail_no_slot).to_string(),
        Failure::Diverged { step } => t_string!(i18n, fail_diverged, step = step).to_string(),
        Failure::NothingToRefine => t_string!(i18n, fail_refine).to_string(),
        Failure::SampleMissing { name, reason } => {
            t_string!(i18n, fail_sample, name = name, reason = reason).to_string()
        }
        // Of the command line alone.
        other => other.to_string(),
    }
}
