//! `dockstrap bundle`: makes an offline bundle, or looks into one.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::DONE;
use crate::bundle::{self, Inspected};
use crate::cli::{Bundle, SettingsArgs};
use crate::host::Host;
use crate::settings::Settings;
use crate::ui::{self, Live};

pub fn run(host: &Host, command: Bundle) -> Result<u8> {
    match command {
        Bundle::Create { settings, file } => create(host, settings, file.as_deref()),
        Bundle::Inspect {
            file,
            settings,
            json,
        } => inspect(&file, settings, json),
    }
}

fn create(host: &Host, settings: SettingsArgs, file: Option<&Path>) -> Result<u8> {
    let settings = Settings::resolve(settings.layer, settings.config.as_deref())?;
    let live = Live::new();
    let (path, manifest) = bundle::create(host, &settings, file, &|event| {
        live.show(event);
    })?;
    drop(live);
    ui::report(&json!({ "path": path.to_string_lossy(), "manifest": manifest }))?;
    let size: u64 = manifest.files.iter().map(|file| file.size).sum();
    ui::line(format!(
        "{} holds docker-ce {} for {} on {} ({:.1} MB).",
        path.display(),
        manifest.engine,
        manifest.release,
        manifest.architecture,
        size as f64 / 1e6,
    ));
    ui::line("Use it on hosts like this one: sudo dockstrap install --bundle FILE");
    Ok(DONE)
}

fn inspect(file: &Path, settings: SettingsArgs, json: bool) -> Result<u8> {
    let settings = Settings::resolve(settings.layer, settings.config.as_deref())?;
    let live = match json {
        true => Live::quiet(),
        false => Live::new(),
    };
    let inspected = bundle::inspect(file, &settings, &|event| live.show(event))?;
    drop(live);
    ui::report(&inspected)?;
    if json {
        ui::json(&inspected)?;
    } else {
        print(&inspected);
    }
    Ok(DONE)
}

fn print(inspected: &Inspected) {
    let it = &inspected.manifest;
    ui::line(format!(
        "A bundle for {} on {}, made {} by dockstrap {}",
        it.release,
        it.architecture,
        it.made.strftime("%F"),
        it.dockstrap
    ));
    ui::line(format!("  engine   docker-ce {}", it.engine));
    ui::line(format!(
        "  Docker   {} packages, verified by the index of {}, signed by {}",
        inspected.docker_packages,
        inspected.index_date.strftime("%F"),
        inspected.fingerprint
    ));
    ui::line(format!(
        "  Ubuntu   {} packages, undamaged; apt verifies them on the host that they are for",
        inspected.ubuntu_packages
    ));
    ui::line(format!("  size     {:.1} MB", inspected.size as f64 / 1e6));
}
