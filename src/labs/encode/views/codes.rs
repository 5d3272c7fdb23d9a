//! The numbers of codes.

use crate::labs::encode::page::Subject;
use crate::labs::encode::spec::Encoded;
use crate::page::text::{t_string, use_i18n};
use leptos::prelude::*;

/// The numbers of both codes.
#[component]
pub fn CodeView(subject: Subject) -> impl IntoView {
    let i18n = use_i18n();
    let bars = move || {
        let Some(Encoded {
            plain,
            mean,
            spread,
            ..
        }) = subject.encoded.get()
        else {
            return ().into_any();
        };
        let reach = |values: &[f32]| values.iter().fold(1e-6f32, |m, v| m.max(v.abs()));
        let plain_reach = reach(&plain);
        let reach = reach(&mean).max(2.0);
        let rows = mean.len().max(plain.len());
        (0..rows)
            .map(|i| {
                let place = |value: f32, reach: f32| 50.0 + 50.0 * (value / reach).clamp(-1.0, 1.0);
                let bar = |value: f32, reach: f32| {
                    let (a, b) = (place(0.0, reach), place(value, reach));
                    format!("left:{:.1}%;width:{:.1}%", a.min(b), (a - b).abs().max(0.5))
                };
                let (p, m) = (plain.get(i).copied(), mean.get(i).copied());
                let s = spread.get(i).copied().unwrap_or_default();
                view! {
                    <tr>
                        <th scope="row" class="number">{i + 1}</th>
                        <td class="code-bar">{p.map(|p| view! { <i style=bar(p, plain_reach)></i> })}</td>
                        <td class="number">{p.map(|p| format!("{p:+.2}"))}</td>
                        <td class="code-bar">
                            {m.map(|m| view! {
                                <em style=format!("left:{:.1}%;width:{:.1}%", place(m - s, reach), place(m + s, reach) - place(m - s, reach))></em>
                                <b style=format!("left:{:.1}%", place(m, reach))></b>
                            })}
                        </td>
                        <td class="number">{m.map(|m| format!("{m:+.2} ± {s:.2}"))}</td>
                    </tr>
                }
            })
            .collect_view()
            .into_any()
    };
    view! {
        <section class="panel codes">
            <h2>{move || t_string!(i18n, encode.codes)}</h2>
            <p class="help">{move || t_string!(i18n, encode.codes_help)}</p>
            <div class="scroll" tabindex="0" role="region" aria-label=move || t_string!(i18n, encode.codes).to_string()>
                <table>
                    <thead><tr>
                        <th scope="col">"z"</th>
                        <th scope="col" colspan="2">{move || t_string!(i18n, encode.plain)}</th>
                        <th scope="col" colspan="2">{move || t_string!(i18n, encode.variational)}</th>
                    </tr></thead>
                    <tbody>{bars}</tbody>
                </table>
            </div>
        </section>
    }
}
