//! The ways to repaint a picture, side by side under one entry of the navigation.

use leptos::prelude::*;

use super::text::{t_string, use_i18n};
use crate::protocol::params::Lab;

/// Whether a lab is one of the four that repaint.
pub fn repaints(lab: Lab) -> bool {
    matches!(lab, Lab::Stylize | Lab::Gatys | Lab::Texture | Lab::Dream)
}

/// Links to the four labs.
#[component]
pub fn StyleTabs(lab: Lab) -> impl IntoView {
    let i18n = use_i18n();
    let tab = move |to: Lab, address: &'static str| {
        let label = move || match to {
            Lab::Gatys => t_string!(i18n, tab_gatys),
            Lab::Texture => t_string!(i18n, tab_texture),
            Lab::Dream => t_string!(i18n, tab_dream),
            _ => t_string!(i18n, tab_stylize),
        };
        view! { <a href=address aria-current=(to == lab).then_some("page")>{label}</a> }
    };
    view! {
        <nav class="tabs" aria-label=move || t_string!(i18n, tabs_label).to_string()>
            {tab(Lab::Stylize, "#/stylize")}
            {tab(Lab::Gatys, "#/gatys")}
            {tab(Lab::Texture, "#/texture")}
            {tab(Lab::Dream, "#/dream")}
        </nav>
    }
}
