//! The page.

use leptos::prelude::*;

fn main() {
    kiln::run_constructors();
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(|| view! { <kiln::page::App labs=kiln::labs::pages() /> });
}
