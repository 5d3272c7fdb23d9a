//! Turns the translations in `locales/` into checked keys, for the page alone, and asks the linker
//! for small programs.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        // Names of functions are a fifth of a program's bytes. wasm-bindgen needs the other section.
        println!("cargo:rustc-link-arg-bins=--strip-all");
        println!("cargo:rustc-link-arg-bins=--keep-section=target_features");
    }
    #[cfg(feature = "page")]
    {
        use leptos_i18n_parser::parse_locales::{
            options::{Config, ParseOptions},
            parse_locales,
        };
        println!("cargo:rerun-if-changed=locales");
        let options = ParseOptions::default().interpolate_display(true);
        let config = Config::new("en")?.add_locale("zh")?.parse_options(options);
        let parsed = parse_locales(None, config)?;
        for warning in parsed.diag.warnings().iter() {
            println!("cargo::warning={warning}");
        }
        for error in parsed.diag.errors().iter() {
            println!("cargo::error={error}");
        }
        let code = leptos_i18n_codegen::gen_code(&parsed, None, false, None, false)?;
        let file = std::path::Path::new(&std::env::var("OUT_DIR")?).join("i18n.rs");
        std::fs::write(file, code.to_string())?;
    }
    Ok(())
}
