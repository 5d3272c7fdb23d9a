//! A VAE beside a GAN.

use crate::labs::encode::page::{ask, picture_signal, read};
use crate::labs::encode::spec::{LAB, NAMES, Question};
use crate::page::controls::Control;
use crate::page::latest::Latest;
use crate::page::sheet::{SheetView, drawn as drawn_of};
use crate::page::text::{t_string, use_i18n};
use leptos::prelude::*;

/// The same number of samples of both, and in what they differ.
#[component]
pub fn Versus(latest: Latest) -> impl IntoView {
    let i18n = use_i18n();
    let sheets = [picture_signal(), picture_signal()];
    let wanted = Memo::new(move |_| {
        let settings = read();
        (settings.data, settings.seed)
    });
    Effect::new(move |_| {
        wanted.get();
        for (kind, gan, sheet) in [("vae", false, sheets[0]), ("gan", true, sheets[1])] {
            latest.ask(kind, ask(Question::Samples { gan }), move |says| {
                let _ = sheet.try_set(drawn_of(&says));
            });
        }
    });
    let rows = move || {
        [
            (t_string!(i18n, encode.versus_pairs), t_string!(i18n, encode.versus_pairs_vae), t_string!(i18n, encode.versus_pairs_gan)),
            (t_string!(i18n, encode.versus_loss), t_string!(i18n, encode.versus_loss_vae), t_string!(i18n, encode.versus_loss_gan)),
            (t_string!(i18n, encode.versus_encoder), t_string!(i18n, encode.versus_encoder_vae), t_string!(i18n, encode.versus_encoder_gan)),
            (t_string!(i18n, encode.versus_edit), t_string!(i18n, encode.versus_edit_vae), t_string!(i18n, encode.versus_edit_gan)),
            (t_string!(i18n, encode.versus_look), t_string!(i18n, encode.versus_look_vae), t_string!(i18n, encode.versus_look_gan)),
        ]
        .map(|(what, vae, gan)| view! { <tr><th scope="row">{what}</th><td>{vae}</td><td>{gan}</td></tr> })
        .collect_view()
    };
    view! {
        <section class="panel">
            <h2>{move || t_string!(i18n, encode.versus_title)}</h2>
            <div class="versus">
                <figure><figcaption>{move || t_string!(i18n, generate.family_vae)}</figcaption><SheetView drawn=sheets[0] label=Signal::derive(move || t_string!(i18n, encode.versus_vae_sheet).to_string()) /></figure>
                <figure><figcaption>"GAN"</figcaption><SheetView drawn=sheets[1] label=Signal::derive(move || t_string!(i18n, encode.versus_gan_sheet).to_string()) /></figure>
            </div>
            <p class="help">{move || t_string!(i18n, encode.versus_help)}</p>
            <div class="scroll" tabindex="0" role="region" aria-label=move || t_string!(i18n, encode.versus_title).to_string()><table class="words">
                <thead><tr><th scope="col">{move || t_string!(i18n, encode.versus_property)}</th><th scope="col">"VAE"</th><th scope="col">"GAN"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table></div>
        </section>
        <section class="panel"><Control lab=&LAB name=NAMES.seed /></section>
    }
}
