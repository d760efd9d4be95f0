//! `dockstrap bundle`: makes an offline bundle, or looks into one.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::DONE;
use crate::apt::ubuntu::UBUNTU_KEYRING;
use crate::bundle::{self, BundleReport};
use crate::cli::{BundleCommand, SettingsArgs};
use crate::host::Host;
use crate::settings::Settings;
use crate::shell::quoted;
use crate::ui::{self, Live};

pub(crate) fn run(host: &Host, command: BundleCommand) -> Result<u8> {
    match command {
        BundleCommand::Create { settings, file } => create(host, settings, file.as_deref()),
        BundleCommand::Inspect {
            file,
            settings,
            json,
        } => inspect(host, &file, settings, json),
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
    ui::line(format!(
        "{} holds docker-ce {} for {} on {} ({:.1} MB).",
        path.display(),
        manifest.engine,
        manifest.release,
        manifest.architecture,
        manifest.size() as f64 / 1e6,
    ));
    let file = quoted(&path);
    ui::line(format!(
        "Use it on hosts like this one: sudo dockstrap install --bundle {file}"
    ));
    Ok(DONE)
}

fn inspect(host: &Host, file: &Path, settings: SettingsArgs, json: bool) -> Result<u8> {
    let settings = Settings::resolve(settings.layer, settings.config.as_deref())?;
    let live = if json { Live::quiet() } else { Live::new() };
    let inspected = bundle::inspect(host, file, &settings, &|event| live.show(event))?;
    drop(live);
    ui::report(&inspected)?;
    if json {
        ui::json(&inspected)?;
    } else {
        print(&inspected);
    }
    Ok(DONE)
}

fn print(inspected: &BundleReport) {
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
    let count = inspected.ubuntu_packages;
    ui::line(if inspected.ubuntu_indexes.iter().all(|it| it.verified) {
        format!("  Ubuntu   {count} packages, verified by Ubuntu's keyring on this host")
    } else {
        format!(
            "  Ubuntu   {count} packages, undamaged; their signature is not checked: this host has \
             no {UBUNTU_KEYRING}"
        )
    });
    for index in &inspected.ubuntu_indexes {
        let date = index.date.map(|date| date.strftime("%F").to_string());
        let date = date.as_deref().unwrap_or("unknown date");
        ui::line(format!("           index of {}, {date}", index.suite));
    }
    ui::line(format!("  size     {:.1} MB", inspected.size as f64 / 1e6));
}
