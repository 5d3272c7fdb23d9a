//! The front page: what this is, and one click to a first result.

use leptos::prelude::*;

use super::job_panel::Notices;
use super::text::{t_string, use_i18n};

/// The front page.
#[component]
pub fn Home() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <div class="home">
            <Notices />
            <header class="hero">
                <h1>{move || t_string!(i18n, home_headline)}</h1>
                <p class="lead">{move || t_string!(i18n, home_lead)}</p>
            </header>
            <div class="doors">
                <a class="door" href="#/detect?v=1&p=cat" id="door-detect">
                    <div class="picture">
                        <img src="samples/cat.jpg" alt="" width="451" height="300" />
                        // The network's own answer for this photograph.
                        <span class="box lit" style="left:.7%;top:.1%;width:94.9%;height:99.7%;--class:rgb(86 180 233)"></span>
                    </div>
                    <div class="words">
                        <h2>{move || t_string!(i18n, home_detect_title)}</h2>
                        <p>{move || t_string!(i18n, home_detect_text)}</p>
                        <span class="button">{move || t_string!(i18n, home_detect_action)}</span>
                    </div>
                </a>
                <a class="door" href="#/stylize?v=1&p=temple&y=19" id="door-stylize">
                    <div class="picture">
                        <img src="samples/temple-style.jpg" alt="" width="512" height="342" />
                    </div>
                    <div class="words">
                        <h2>{move || t_string!(i18n, home_stylize_title)}</h2>
                        <p>{move || t_string!(i18n, home_stylize_text)}</p>
                        <span class="button">{move || t_string!(i18n, home_stylize_action)}</span>
                    </div>
                </a>
                <a class="door" href="#/sample?v=1&s=4" id="door-generate">
                    <div class="picture">
                        <img src="samples/avatars.png" alt="" width="768" height="512" />
                    </div>
                    <div class="words">
                        <h2>{move || t_string!(i18n, home_generate_title)}</h2>
                        <p>{move || t_string!(i18n, home_generate_text)}</p>
                        <span class="button">{move || t_string!(i18n, home_generate_action)}</span>
                    </div>
                </a>
                <a class="door" href="#/segment?v=1&p=astronaut&e=blur" id="door-segment">
                    <div class="picture">
                        <img src="samples/astronaut-blur.jpg" alt="" width="512" height="341" />
                    </div>
                    <div class="words">
                        <h2>{move || t_string!(i18n, home_segment_title)}</h2>
                        <p>{move || t_string!(i18n, home_segment_text)}</p>
                        <span class="button">{move || t_string!(i18n, home_segment_action)}</span>
                    </div>
                </a>
            </div>
            <ul class="promises">
                <li><h2>{move || t_string!(i18n, home_private_title)}</h2><p>{move || t_string!(i18n, home_private_text)}</p></li>
                <li><h2>{move || t_string!(i18n, home_link_title)}</h2><p>{move || t_string!(i18n, home_link_text)}</p></li>
                <li><h2>{move || t_string!(i18n, home_offline_title)}</h2><p>{move || t_string!(i18n, home_offline_text)}</p></li>
            </ul>
        </div>
    }
}
