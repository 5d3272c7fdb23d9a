//! A pad to draw on with mouse, pen, finger or keys: a picture to repaint, or where each style goes.

use leptos::prelude::*;

use super::brush::{Pad, SIZE, Use};
use super::tiles::tile_position;
use crate::labs::stylize::spec::{REGIONS_MAX, STYLES};
use crate::page::state::use_state;
use crate::page::text::{t_string, use_i18n};

/// The pad, below the ways in.
#[component]
pub fn PadPanel() -> impl IntoView {
    let state = use_state();
    let i18n = use_i18n();
    let open: RwSignal<Option<Use>> = RwSignal::new(None);
    let toggle = move |what: Use| {
        open.update(|open| *open = (*open != Some(what)).then_some(what));
    };
    view! {
        <section class="pad-panel" aria-label=move || t_string!(i18n, stylize.pad_title).to_string()>
            <div class="row">
                <button
                    type="button"
                    class="button quiet"
                    id="open-draw"
                    aria-expanded=move || (open.get() == Some(Use::Draw)).to_string()
                    on:click=move |_| toggle(Use::Draw)
                >{move || t_string!(i18n, stylize.pad_draw)}</button>
                <button
                    type="button"
                    class="button quiet"
                    id="open-regions"
                    aria-expanded=move || (open.get() == Some(Use::Regions)).to_string()
                    on:click=move |_| toggle(Use::Regions)
                >{move || t_string!(i18n, stylize.pad_regions)}</button>
            </div>
            {move || open.get().map(|what| view! { <Board pad=Pad::new(state, what) /> })}
        </section>
    }
}

/// The board and its tools.
#[component]
fn Board(pad: Pad) -> impl IntoView {
    pad.follow();
    view! {
        <div class="board">
            <Paper pad />
            <Tools pad />
        </div>
    }
}

/// What is drawn on, with the mark of the brush; below regions the picture that they are of.
#[component]
fn Paper(pad: Pad) -> impl IntoView {
    let i18n = use_i18n();
    Effect::new(move |_| pad.paint());
    let below = move || {
        let source = pad
            .state
            .source
            .get()
            .filter(|_| pad.what == Use::Regions)?;
        Some(view! {
            <img src=source.url alt="" on:load:target=move |event| {
                let image = event.target();
                if image.natural_height() > 0 {
                    pad.ratio.set(f64::from(image.natural_width()) / f64::from(image.natural_height()));
                }
            } />
        })
    };
    let brush = move || {
        let [x, y] = pad.cursor.get();
        format!("left:{:.1}%;top:{:.1}%", x * 100.0, y * 100.0)
    };
    view! {
        <div class="paper" style=move || format!("aspect-ratio:{:.4}", pad.ratio.get())>
            {below}
            <canvas
                id="pad"
                node_ref=pad.canvas
                width=SIZE[0]
                height=SIZE[1]
                tabindex="0"
                role="img"
                aria-label=move || t_string!(i18n, stylize.pad_keys).to_string()
                on:pointerdown=move |event| pad.press(&event)
                on:pointermove=move |event| pad.follow_pointer(&event)
                on:pointerup=move |event| pad.follow_pointer(&event)
                on:pointercancel=move |event| pad.follow_pointer(&event)
                on:blur=move |_| pad.blur()
                on:keydown=move |event| pad.key(&event)
            ></canvas>
            <span class="brush" class:down=move || pad.drawing.get() style=brush aria-hidden="true"></span>
        </div>
    }
}

/// The brush, and what takes strokes back.
#[component]
fn Tools(pad: Pad) -> impl IntoView {
    let i18n = use_i18n();
    let width = pad.width;
    let empty = move || pad.is_empty();
    view! {
        <div class="pad-tools">
            <div class="control">
                <label for="brush-width">{move || t_string!(i18n, stylize.pad_width)}</label>
                <output for="brush-width">{move || format!("{} %", width.get())}</output>
                <input
                    type="range"
                    id="brush-width"
                    min="0.5"
                    max="40"
                    step="0.5"
                    prop:value=move || width.get()
                    style=move || format!("--filled:{}%", width.get() / 0.4)
                    on:input:target=move |event| width.set(event.target().value().parse().unwrap_or(4.0))
                />
            </div>
            {match pad.what {
                Use::Draw => view! { <BrushInk pad /> }.into_any(),
                Use::Regions => view! { <BrushStyles style=pad.style /> }.into_any(),
            }}
            <div class="row">
                <button type="button" class="button quiet" id="undo" disabled=empty on:click=move |_| pad.take_back(false)>
                    {move || t_string!(i18n, stylize.pad_undo)}
                </button>
                <button type="button" class="button quiet" id="clear" disabled=empty on:click=move |_| pad.take_back(true)>
                    {move || t_string!(i18n, page.clear)}
                </button>
            </div>
            <div role="status" id="pad-full">{move || pad.is_full().then(|| view! { <p class="sentence">{t_string!(i18n, stylize.pad_full, most = REGIONS_MAX).to_string()}</p> })}</div>
            <p class="help">{move || match pad.what {
                Use::Draw => t_string!(i18n, stylize.pad_draw_help),
                Use::Regions => t_string!(i18n, stylize.pad_regions_help),
            }}</p>
        </div>
    }
}

/// The colour that the brush lays down; or the eraser.
#[component]
fn BrushInk(pad: Pad) -> impl IntoView {
    let i18n = use_i18n();
    let Pad { color, erases, .. } = pad;
    view! {
        <div class="row">
            <label for="ink">{move || t_string!(i18n, stylize.pad_ink)}</label>
            <input
                type="color"
                id="ink"
                prop:value=move || color.get()
                on:input:target=move |event| {
                    color.set(event.target().value());
                    erases.set(false);
                }
            />
            <button type="button" class="button quiet" id="eraser" aria-pressed=move || erases.get().to_string() on:click=move |_| erases.update(|on| *on = !*on)>
                {move || t_string!(i18n, stylize.pad_eraser)}
            </button>
        </div>
    }
}

/// Which style the brush lays down; or the photograph.
#[component]
fn BrushStyles(style: RwSignal<Option<u8>>) -> impl IntoView {
    let i18n = use_i18n();
    let tiles = (0..STYLES)
        .map(|index| {
            let position = tile_position(index);
            view! {
                <button
                    type="button"
                    class="style-tile"
                    data-brush=index
                    style=format!("background-position:{position}")
                    aria-pressed=move || (style.get() == Some(index as u8)).to_string()
                    aria-label=move || t_string!(i18n, stylize.style_number, n = index).to_string()
                    on:click=move |_| style.set(Some(index as u8))
                ></button>
            }
        })
        .collect_view();
    view! {
        <div class="style-tiles small">{tiles}</div>
        <button
            type="button"
            class="button quiet"
            id="brush-photo"
            aria-pressed=move || style.get().is_none().to_string()
            on:click=move |_| style.set(None)
        >{move || t_string!(i18n, stylize.pad_photo)}</button>
    }
}
