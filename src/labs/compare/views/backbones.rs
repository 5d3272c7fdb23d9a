//! What fine-tuning the backbone brought, told where the same heads ran on both.

use leptos::prelude::*;

use crate::labs::compare::spec::{Answer, BACKBONES};
use crate::labs::detect::families::FAMILIES;
use crate::page::text::{t_string, use_i18n};

/// A paragraph with what was measured of the two; nothing where one of them did not run.
#[component]
pub fn Backbones(
    /// What ran.
    answer: Answer,
) -> impl IntoView {
    let i18n = use_i18n();
    let ran = |name: &str| answer.found.iter().any(|of| FAMILIES[of.family].name == name);
    let maps = BACKBONES.map(|family| family.map.filter(|_| ran(family.name)));
    let [Some(before), Some(after)] = maps else {
        return ().into_any();
    };
    // With as many digits as in the table above.
    let [half_before, whole_before] = before.map(|map| format!("{map:.2}"));
    let [half_after, whole_after] = after.map(|map| format!("{map:.2}"));
    let measured = t_string!(
        i18n,
        compare.backbones_measured,
        half_before = half_before,
        half_after = half_after,
        whole_before = whole_before,
        whole_after = whole_after
    )
    .to_string();
    view! {
        <section class="panel" id="backbones">
            <h2>{t_string!(i18n, compare.backbones_title)}</h2>
            <p>{t_string!(i18n, compare.backbones_same)}" "{measured}</p>
        </section>
    }
    .into_any()
}
