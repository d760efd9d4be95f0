use super::*;
use crate::host::stub::StubHost;

const DROP_IN: &str = "/etc/systemd/system/docker.service.d/own.conf";

fn host(text: &str) -> StubHost {
    StubHost::new()
        .file(DROP_IN, text)
        .program("systemctl", "echo LoadState=not-found")
}

fn found(stub: &StubHost) -> Option<Obstacle> {
    check(stub.host(), &|_| {}).unwrap()
}

/// The setting with which this drop-in is refused, and what is told to do.
#[track_caller]
fn refused(text: &str, fault: &str, script: &str) {
    let found = found(&host(text)).expect(text);
    assert!(found.cause.contains(fault), "{}", found.cause);
    let end = format!(": sudo sed -i {script} {DROP_IN} && sudo systemctl daemon-reload");
    assert!(found.cure.ends_with(&end), "{}", found.cure);
}

#[test]
fn each_setting_that_stops_a_service_is_named_with_its_line() {
    let place = format!("{DROP_IN}, line 2: ");
    refused(
        "[Service]\nExecStart=/usr/bin/dockerd -H fd://\n",
        &format!("{place}a second ExecStart="),
        "'2i ExecStart='",
    );
    refused("[Service]\nExecStart=\n", "an empty ExecStart=", "2d");
    refused(
        "[Service]\nUser=docker\n",
        &format!("{place}User=docker"),
        "2d",
    );
    refused("[Service]\nDynamicUser=Yes\n", "only root can run it", "2d");
    refused(
        "[Service]\nEnvironmentFile=/etc/docker.env\n",
        "EnvironmentFile=/etc/docker.env is not there",
        "'2s/=/=-/'",
    );
    refused(
        "[Service]\nExecStart=\nExecStart=/usr/local/bin/dockerd -H fd://\n",
        "line 3: ExecStart= names /usr/local/bin/dockerd",
        "'3s|/usr/local/bin/dockerd|/usr/bin/dockerd|'",
    );
    refused(
        "[Service]\nExecStart=\nExecStart=/usr/bin/docker daemon -H fd://\n",
        "is gone since",
        "'3s|=.*docker  *[a-z-]*|=/usr/bin/dockerd|'",
    );
    refused("ExecStartPre=/opt/none\n", "names /opt/none", "1d");
    refused(
        "[Unit]\nRequires=docker.socket flannel.service\n",
        "names flannel.service",
        "'2s| *flannel.service||'",
    );
    refused(
        "[Unit]\nRequires=--version.service\n",
        "names --version.service",
        "'2s| *--version.service||'",
    );
}

#[test]
fn a_socket_for_a_group_that_is_not_there_is_named() {
    let path = "/etc/systemd/system/docker.socket.d/own.conf";
    let stub = StubHost::new().file(path, "[Socket]\nSocketGroup=containers\n");
    let told = found(&stub.program("getent", "exit 2")).unwrap();
    assert!(
        told.cause
            .starts_with(&format!("{path}, line 2: SocketGroup=containers"))
    );
    let there = StubHost::new()
        .file(path, "[Socket]\nSocketGroup=containers\n")
        .program("getent", "echo containers:x:7:");
    assert_eq!(found(&there), None);
}

#[test]
fn what_does_not_stop_a_service_is_let_through() {
    for text in [
        "",
        "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -H fd://\n",
        "[Service]\nUser=root\n",
        "[Service]\nEnvironmentFile=/etc/default/docker\n",
        "[Service]\nExecStartPre=/usr/sbin/iptables-restore /etc/rules\n",
        "[Unit]\nRequires=-.mount flannel\n",
        "[Service]\nUser=x\nUser=\n",
        "[Service]\nEnvironmentFile=-/etc/none\nEnvironmentFile=/etc/docker-*.env\n",
        "[Service]\nExecStartPre=-/opt/none\nExecStartPost=/usr/sbin/iptables -L\n",
        "[Unit]\nRequires=docker.socket\nWants=flannel.service\n",
        "[Service]\nEnvironment=DOCKER_OPTS=\nUnsetEnvironment=DOCKER_HOST\n",
    ] {
        assert_eq!(found(&host(text)), None, "{text}");
    }
    let packaged = "[Service]\nExecStart=/usr/bin/dockerd\nExecStartPre=/none\n";
    let stub = StubHost::new().file("/usr/lib/systemd/system/docker.service", packaged);
    assert_eq!(found(&stub), None);
}
