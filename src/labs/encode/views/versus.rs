//! A VAE beside a GAN.

use super::super::page::{data_of, picture_signal};
use crate::labs::generate::ask::{Ask, Told};
use crate::labs::generate::page::{Latest, SheetView};
use crate::labs::generate::spec::{DataSet, SHIPPED, setting};
use crate::page::controls::Control;
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};
use crate::protocol::params::{Lab, Value};
use crate::protocol::settings::Settings;
use leptos::prelude::*;

/// The same number of samples of both, and in what they differ.
#[component]
pub fn Versus(latest: Latest) -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let settings = state.settings(Lab::Encode);
    let sheets = [picture_signal(), picture_signal()];
    let names = move || {
        let data = settings.with(data_of);
        let vae = format!("vae-{}", data.name());
        let gan = if data == DataSet::Avatars {
            "gan-avatars".to_string()
        } else {
            format!("gan-{}-hinge", data.name())
        };
        [vae, gan]
    };
    let wanted = Memo::new(move |_| (settings.with(|s| s.number(setting::SEED)), names()));
    Effect::new(move |_| {
        let (seed, names) = wanted.get();
        let asks = names.map(|name| {
            let mut sample = Settings::new(Lab::Sample);
            let index = SHIPPED.iter().position(|shipped| shipped.name == name);
            sample.set(setting::MODEL, Value::Choice(index.unwrap_or(0)));
            sample.set_text(setting::VIEW, "many");
            sample.set(setting::SEED, Value::Number(seed));
            sample.set(setting::SPREAD, Value::Number(1.0));
            Ask::Sample(sample)
        });
        let [first, second] = asks;
        latest.ask(first, move |told, bytes| {
            if let Told::Sheet(sheet) = told {
                let _ = sheets[0].try_set(Some((sheet, bytes)));
            }
            let second = second.clone();
            latest.ask(second, move |told, bytes| {
                if let Told::Sheet(sheet) = told {
                    let _ = sheets[1].try_set(Some((sheet, bytes)));
                }
            });
        });
    });
    let rows = move || {
        [
            (t_string!(i18n, versus_pairs), t_string!(i18n, versus_pairs_vae), t_string!(i18n, versus_pairs_gan)),
            (t_string!(i18n, versus_loss), t_string!(i18n, versus_loss_vae), t_string!(i18n, versus_loss_gan)),
            (t_string!(i18n, versus_encoder), t_string!(i18n, versus_encoder_vae), t_string!(i18n, versus_encoder_gan)),
            (t_string!(i18n, versus_edit), t_string!(i18n, versus_edit_vae), t_string!(i18n, versus_edit_gan)),
            (t_string!(i18n, versus_look), t_string!(i18n, versus_look_vae), t_string!(i18n, versus_look_gan)),
        ]
        .map(|(what, vae, gan)| view! { <tr><th scope="row">{what}</th><td>{vae}</td><td>{gan}</td></tr> })
        .collect_view()
    };
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, versus_title)}</h2>
            <div class="versus">
                <figure><figcaption>{move || t_string!(i18n, family_vae)}</figcaption><SheetView drawn=sheets[0] label=Signal::derive(move || t_string!(i18n, versus_vae_sheet).to_string()) /></figure>
                <figure><figcaption>"GAN"</figcaption><SheetView drawn=sheets[1] label=Signal::derive(move || t_string!(i18n, versus_gan_sheet).to_string()) /></figure>
            </div>
            <p class="help">{move || t_string!(i18n, versus_help)}</p>
            <div class="scroll" tabindex="0" role="region" aria-label=move || t_string!(i18n, versus_title).to_string()><table class="words">
                <thead><tr><th></th><th scope="col">"VAE"</th><th scope="col">"GAN"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table></div>
        </section>
        <section class="panel"><Control lab=Lab::Encode name=setting::SEED /></section>
    }
}
