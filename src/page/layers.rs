//! What each layer of a network took, as a table behind the times of a run.

use leptos::prelude::*;

use super::text::{I18n, t_string};
use crate::protocol::layer::{Layer, LayerKind, Layers};

/// The table, open if it was; nothing where the network did not run on the CPU.
pub fn layers_view(
    i18n: I18n,
    of: &Layers,
    opened: RwSignal<bool>,
) -> Option<impl IntoView + use<>> {
    if of.layers.is_empty() {
        return None;
    }
    let peak = of.peak;
    let longest = of
        .layers
        .iter()
        .fold(0.0, |most: f64, layer| most.max(layer.ms));
    let rows = of
        .layers
        .iter()
        .map(|layer| row(i18n, layer, peak, longest))
        .collect_view();
    Some(view! {
        <details class="layer-times" open=opened.get_untracked() on:toggle=move |event| opened.set(is_open(&event))>
            <summary>{t_string!(i18n, page.layers_title)}</summary>
            <div class="scroll" tabindex="0" role="region" aria-label=t_string!(i18n, page.layers_title).to_string()>
                <table>
                    <thead><tr>
                        <th scope="col">{t_string!(i18n, page.layers_layer)}</th>
                        <th scope="col">"ms"</th>
                        <th scope="col">"GFLOP/s"</th>
                        <th scope="col">{t_string!(i18n, page.layers_share)}</th>
                        <th scope="col">"MB"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <p class="quiet">{t_string!(i18n, page.layers_note, peak = format!("{peak:.0}")).to_string()}</p>
        </details>
    })
}

fn row(i18n: I18n, layer: &Layer, peak: f64, longest: f64) -> impl IntoView + use<> {
    let is_rest = layer.kind == LayerKind::Rest;
    let [channels, rows, columns] = layer.to;
    let made = (!is_rest).then(|| format!("{channels} × {rows} × {columns}"));
    let speed = layer.gigaflops_a_second();
    let or_nothing = |text: String| if is_rest { String::new() } else { text };
    // Where the time goes is seen before it is read.
    let bar = format!("--part: {:.1}%", layer.ms / longest.max(1e-9) * 100.0);
    view! {
        <tr>
            <th scope="row" style=bar>{title(i18n, layer)} <span class="made">{made}</span></th>
            <td class="number">{format!("{:.2}", layer.ms)}</td>
            <td class="number">{or_nothing(format!("{speed:.1}"))}</td>
            <td class="number">{or_nothing(format!("{:.0} %", speed / peak * 100.0))}</td>
            <td class="number">{or_nothing(format!("{:.2}", layer.megabytes))}</td>
        </tr>
    }
}

fn title(i18n: I18n, layer: &Layer) -> String {
    let name = match layer.kind {
        LayerKind::Convolution => t_string!(i18n, page.layer_convolution),
        LayerKind::Depthwise => t_string!(i18n, page.layer_depthwise),
        LayerKind::Pair => t_string!(i18n, page.layer_pair),
        LayerKind::Doubling => t_string!(i18n, page.layer_doubling),
        LayerKind::Backward => t_string!(i18n, page.layer_backward),
        LayerKind::Normalisation => t_string!(i18n, page.layer_normalisation),
        LayerKind::Product => t_string!(i18n, page.layer_product),
        LayerKind::Rest => t_string!(i18n, page.layer_rest),
    };
    match (layer.kernel, layer.stride) {
        (0, _) => name.to_string(),
        (kernel, 1) => format!("{name} {kernel} × {kernel}"),
        (kernel, stride) => format!("{name} {kernel} × {kernel} / {stride}"),
    }
}

/// Whether what was opened or closed is open now.
pub fn is_open(event: &web_sys::Event) -> bool {
    event_target::<web_sys::HtmlElement>(event).has_attribute("open")
}
