//! Names, paths and sockets of Docker's own.

/// The package of the engine.
pub(crate) const PACKAGE: &str = "docker-ce";

/// The package of the `docker` command.
pub(crate) const CLI_PACKAGE: &str = "docker-ce-cli";

/// The package of containerd.
pub(crate) const CONTAINERD_PACKAGE: &str = "containerd.io";

/// The engine's unit.
pub(crate) const UNIT: &str = "docker.service";

/// The unit through which systemd listens in the engine's place; the engine's unit needs it.
pub(crate) const SOCKET_UNIT: &str = "docker.socket";

/// The unit of containerd, which runs the containers for it.
pub(crate) const CONTAINERD_UNIT: &str = "containerd.service";

/// The engine's socket, which its unit opens.
pub(crate) const SOCKET: &str = "/run/docker.sock";

/// The group whose members may use the engine; its socket unit gives it the socket.
pub(crate) const GROUP: &str = "docker";

/// Where the engine looks for the authorities of registries, each in its own folder.
pub(crate) const CERTIFICATES: &str = "/etc/docker/certs.d";

/// The file of a registry's authority.
pub(crate) fn authority(registry: &str) -> String {
    format!("{CERTIFICATES}/{registry}/ca.crt")
}

/// Where containerd keeps its data by default.
pub(crate) const CONTAINERD_ROOT: &str = "/var/lib/containerd";

/// containerd's own configuration.
pub(crate) const CONTAINERD_CONFIG: &str = "/etc/containerd/config.toml";

/// A folder for the `docker` command's configuration that is not there.
pub(crate) const NO_CONFIG: &str = "/nonexistent";
