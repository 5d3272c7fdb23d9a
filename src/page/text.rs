//! The page's words: translations, and which sentence belongs to which value.

use leptos::prelude::*;

use super::opening::Remark;
use crate::protocol::link::Notice;
use crate::protocol::message::{Reason, Stage};

/// The keys of all `words.*.json`, made by `build.rs`.
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

/// What a stage does.
pub fn stage_name(i18n: I18n, stage: Stage) -> String {
    match stage {
        Stage::Decode => t_string!(i18n, page.stage_decode),
        Stage::Load => t_string!(i18n, page.stage_load),
        Stage::Prepare => t_string!(i18n, page.stage_prepare),
        Stage::Network => t_string!(i18n, page.stage_network),
        Stage::Backbone => t_string!(i18n, page.stage_backbone),
        Stage::Proposals => t_string!(i18n, page.stage_proposals),
        Stage::Heads => t_string!(i18n, page.stage_heads),
        Stage::Postprocess => t_string!(i18n, page.stage_postprocess),
    }
    .to_string()
}

/// Why the CPU runs.
pub fn reason_sentence(i18n: I18n, reason: &Reason) -> String {
    match reason.clone() {
        Reason::Forced => t_string!(i18n, page.reason_forced).to_string(),
        Reason::Trying => t_string!(i18n, page.reason_trying).to_string(),
        Reason::Silent => t_string!(i18n, page.reason_silent).to_string(),
        Reason::Missing {
            secure_context: true,
        } => t_string!(i18n, page.reason_missing).to_string(),
        Reason::Missing {
            secure_context: false,
        } => t_string!(i18n, page.reason_insecure).to_string(),
        Reason::Refused { detail } => {
            t_string!(i18n, page.reason_refused, detail = detail).to_string()
        }
        Reason::Wrong { difference } => {
            t_string!(i18n, page.reason_wrong, difference = difference).to_string()
        }
        Reason::Lost => t_string!(i18n, page.reason_lost).to_string(),
        Reason::Software { adapter } => {
            t_string!(i18n, page.reason_software, adapter = adapter).to_string()
        }
    }
}

/// What is to be known about a file that was opened.
pub fn remark_sentence(i18n: I18n, remark: &Remark) -> String {
    match remark.clone() {
        Remark::TookOne { name, of } => {
            t_string!(i18n, page.remark_one, name = name, of = of).to_string()
        }
        Remark::Cut => t_string!(i18n, page.remark_cut).to_string(),
        Remark::Moves => t_string!(i18n, page.remark_moves).to_string(),
        Remark::SettingsDamaged => t_string!(i18n, page.remark_settings_damaged).to_string(),
        Remark::SettingsGone => t_string!(i18n, page.remark_settings_gone).to_string(),
    }
}

/// What of a link was not used.
pub fn notice_sentence(i18n: I18n, notice: &Notice) -> String {
    match notice.clone() {
        Notice::TooLong => t_string!(i18n, page.notice_long).to_string(),
        Notice::NewerVersion => t_string!(i18n, page.notice_newer).to_string(),
        Notice::Dropped(part) => t_string!(i18n, page.notice_dropped, part = part).to_string(),
    }
}
