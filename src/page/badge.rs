//! The badge: what runs the networks, and why.

use leptos::prelude::*;

use super::engine::Status;
use super::state::use_state;
use super::text::{I18n, reason_sentence, t_string, use_i18n};
use super::words::lab_word;
use crate::protocol::message::{Backend, BackendChoice, BackendStatus, Compared, Reason, Standing};

/// What runs the networks, and why.
#[component]
pub fn Badge() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    // What runs the lab that is open.
    let backend = move |status: &BackendStatus| {
        let lab = state.page.get().lab();
        status.backend_of(lab.map_or("", |lab| lab.name))
    };
    let kind = move || {
        state.engine.status.with(|status| match status {
            Status::Starting => "starting",
            Status::NotReady(_) => "off",
            Status::Ready(status) if backend(status) == Backend::Cpu => "cpu",
            Status::Ready(_) => "webgpu",
        })
    };
    let word = move || match kind() {
        "starting" => t_string!(i18n, page.badge_starting),
        "off" => t_string!(i18n, page.badge_off),
        "webgpu" => t_string!(i18n, page.badge_webgpu),
        _ => t_string!(i18n, page.badge_cpu),
    };
    let is_comparing = move || {
        let is_under_way =
            |of: &Compared| matches!(of.standing, Standing::Compiling | Standing::Timing);
        state.engine.status.with(|status| match status {
            Status::Ready(BackendStatus {
                beside: Some(beside),
                ..
            }) => beside.compared.iter().any(is_under_way),
            _ => false,
        })
    };
    let details = move || {
        let Status::Ready(status) = state.engine.status.get() else {
            return ().into_any();
        };
        let (on, other, choice) = match backend(&status) {
            Backend::Cpu => (
                t_string!(i18n, page.badge_on_cpu).to_string(),
                t_string!(i18n, page.badge_use_gpu),
                BackendChoice::WebGpu,
            ),
            Backend::WebGpu { adapter } => (
                t_string!(i18n, page.badge_on_gpu, adapter = adapter).to_string(),
                t_string!(i18n, page.badge_use_cpu),
                BackendChoice::Cpu,
            ),
        };
        let can_switch = !matches!(status.reason, Some(Reason::Missing { .. }));
        view! {
            <p>{on}</p>
            {status.reason.map(|reason| view! { <p>{reason_sentence(i18n, &reason)}</p> })}
            {status.self_check.map(|difference| view! {
                <p id="self-check">{t_string!(i18n, page.badge_check, difference = format!("{difference:.1e}")).to_string()}</p>
            })}
            {status.beside.map(|beside| beside.compared.into_iter().map(|of| compared_view(i18n, of)).collect_view())}
            {state.engine.warm_ms.get().into_iter().map(|(lab, load, run)| view! {
                <p class="number" data-warm=lab.network.unwrap_or(lab.name) data-load=format!("{load:.1}") data-run=format!("{run:.1}")>
                    {t_string!(i18n, page.badge_warm, model = lab.network.unwrap_or(lab.name), load = format!("{load:.0}"), run = format!("{run:.0}")).to_string()}
                </p>
            }).collect_view()}
            {can_switch.then(|| view! {
                <button type="button" class="button quiet" on:click=move |_| {
                    state.engine.restart(choice);
                    state.run();
                }>{other}</button>
            })}
        }
        .into_any()
    };
    view! {
        <details class="badge" data-backend=kind data-comparing=move || is_comparing().then_some("")>
            <summary aria-label=move || format!("{}: {}", t_string!(i18n, page.badge_title), word())>
                <span class="dot" aria-hidden="true"></span>
                {word}
            </summary>
            <div class="panel">{details}</div>
        </details>
    }
}

/// How WebGPU and the CPU compare at a network.
fn compared_view(i18n: I18n, of: Compared) -> impl IntoView {
    let what = format!("{}, {}", lab_word(i18n, &of.lab, "tab"), of.workload);
    let word = lab_word(i18n, "page", &format!("compared.{}", of.standing.name()));
    let mut text = word.replace("{what}", &what);
    if let Standing::Refused { detail } = &of.standing {
        text = text.replace("{detail}", detail);
    }
    let times = of.standing.times();
    let [cpu, gpu] = times
        .map(|ms| ms.map(|ms| format!("{ms:.1}")))
        .unwrap_or_default();
    text = text.replace("{cpu}", &cpu).replace("{gpu}", &gpu);
    view! { <p class="number" data-compared=of.lab data-cpu=cpu data-gpu=gpu>{text}</p> }
}
