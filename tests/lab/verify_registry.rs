//! The stages that need a registry: a private one with an authority and a login of its own, and
//! Docker Hub, or what stands in for it.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::host::LabHost;
use crate::interruption::wait_until;
use crate::neighbour::Neighbour;
use crate::outcome::Outcome;
use crate::verify::fails;

/// Not one of the loopback: the engine does not check certificates there.
const ADDRESS: &str = "198.51.100.7";
const REGISTRY: &str = "registry.example:5000";
const PASSWORD: &str = "pass-Word";

/// Of alice, with [`PASSWORD`], as bcrypt.
const HTPASSWD: &str = "alice:$2y$05$abcdefghijklmnopqrstuu53Dei5wiP/61sN.PzlDpbuf3ozyUkJS\n";

/// A registry that has had enough of us.
const LIMIT: &str = r#"import http.server, ssl, sys
class Enough(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}'
        self.send_response(429)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_HEAD = do_GET
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.14", 443), Enough)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print("listening", flush=True)
server.serve_forever()"#;

/// A registry in the network of a host, with all it needs in a folder.
struct Registry {
    folder: TempDir,
    _server: Neighbour,
}

impl Registry {
    fn start(host: &LabHost) -> Registry {
        let folder = tempfile::tempdir().expect("making a folder");
        certify(folder.path());
        let path = folder.path().display();
        let config = format!(
            "version: 0.1
log: {{ level: error }}
storage: {{ filesystem: {{ rootdirectory: {path}/store }}, delete: {{ enabled: true }} }}
auth: {{ htpasswd: {{ realm: lab, path: {path}/htpasswd }} }}
http: {{ addr: '{ADDRESS}:5000', tls: {{ certificate: {path}/server.pem, key: {path}/server.key }} }}
"
        );
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("writing a file");
        };
        write("htpasswd", HTPASSWD);
        write("config.yml", &config);
        let script = format!(
            "ip address add {ADDRESS}/32 dev lo
             {}/usr/bin/docker-registry serve {path}/config.yml >{path}/log 2>&1 &
             until (: </dev/tcp/{ADDRESS}/5000) 2>/dev/null; do sleep 0.05; done
             echo listening
             cat >/dev/null
             kill $!",
            host.lab_path("tools").display()
        );
        let server = Neighbour::start(host, ["bash", "-euc", &script]);
        host.sh(&format!("echo {ADDRESS} registry.example >>/etc/hosts"));
        let authority = std::fs::read_to_string(folder.path().join("ca.pem"));
        host.write("/root/ca.pem", &authority.expect("reading the authority"));
        host.write("/root/password", &format!("{PASSWORD}\n"));
        Registry {
            folder,
            _server: server,
        }
    }

    /// The images that it holds.
    fn manifests(&self) -> usize {
        let script = "find store -path '*/_manifests/revisions/*/link' | wc --lines";
        let found = Command::new("sh")
            .args(["-c", script])
            .current_dir(self.folder.path())
            .output()
            .expect("running find");
        String::from_utf8_lossy(&found.stdout)
            .trim()
            .parse()
            .expect("a number")
    }
}

/// Makes an authority, and with it a certificate for the registry.
fn certify(folder: &Path) {
    let script = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=private' \
            -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign' \
            -keyout ca.key -out ca.pem
        openssl req -newkey rsa:2048 -nodes -subj '/CN=registry' -keyout server.key -out server.csr
        echo 'subjectAltName=DNS:registry.example' >server.ext
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -set_serial 2 -days 2 \
            -extfile server.ext -out server.pem";
    let made = Command::new("sh")
        .args(["-euc", script])
        .current_dir(folder)
        .output()
        .expect("running openssl");
    assert!(made.status.success(), "{made:?}");
}

/// Proves the registry as alice, with this password file and authority.
fn verify(host: &LabHost, password: &str, authority: &[&str]) -> Outcome {
    let mut words = vec!["verify", "registry", "--registry", REGISTRY];
    words.extend([
        "--registry-user",
        "alice",
        "--registry-password-file",
        password,
    ]);
    words.extend(authority);
    let command = format!("dockstrap {}", words.join(" "));
    host.run(["sh", "-c", &command])
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_image_goes_to_a_private_registry_and_back_and_nothing_stays() {
    let host = LabHost::up("noble");
    host.install();
    let registry = Registry::start(&host);
    verify(&host, "/root/password", &["--ca-cert", "/root/ca.pem"])
        .exits(0)
        .says("an image went to registry.example:5000 and came back as the same")
        .never_says("stays there")
        .never_says(PASSWORD);
    assert_eq!(
        registry.manifests(),
        0,
        "the image is deleted there as well"
    );
    host.run([
        "sh",
        "-c",
        "DOCKSTRAP_REGISTRY_USER=alice DOCKSTRAP_REGISTRY_PASSWORD=pass-Word \
        dockstrap verify --registry registry.example:5000 --ca-cert /root/ca.pem \
        --skip restart --skip build --skip compose --skip container --skip volume",
    ])
    .exits(0)
    .says("✓ registry")
    .says("✓ run");

    verify(&host, "/root/password", &[])
        .exits(7)
        .says("the engine does not trust the registry's certificate");
    host.sh("cp /etc/hosts /root/hosts; sed -i 's/^198.51.100.7 /127.0.0.99 /' /etc/hosts");
    verify(&host, "/root/password", &[])
        .exits(7)
        .says("- registry: the engine works, but the registry is unreachable");
    host.sh("cat /root/hosts >/etc/hosts");
    host.write("/root/wrong", "wrong-Word\n");
    verify(&host, "/root/wrong", &["--ca-cert", "/root/ca.pem"])
        .exits(7)
        .says("does not take user alice with this password")
        .never_says("wrong-Word");
    host.sh("rm /root/wrong");
    verify(&host, "/root/none", &[]).exits(2);
    fails(&host, "registry").says("--registry HOST[:PORT]");
    a_trust_that_was_cut_short_is_removed(&host);
    an_authority_that_cannot_be_used_is_refused(&host);
}

fn an_authority_that_cannot_be_used_is_refused(host: &LabHost) {
    let before = host.tree();
    for address in ["..", "registry.example/../..", "."] {
        let authority = ["--ca-cert", "/root/ca.pem"];
        let [flag, file] = authority;
        host.dockstrap(["verify", "registry", "--registry", address, flag, file])
            .exits(2);
    }
    // With its key in the same file, everybody could read that.
    host.sh("{ cat /root/ca.pem; echo '-----BEGIN PRIVATE KEY-----'; } >/root/both.pem");
    verify(host, "/root/password", &["--ca-cert", "/root/both.pem"])
        .exits(2)
        .says("holds a private key");
    host.sh("rm /root/both.pem");
    before.is_untouched_in(&host.tree());
    // The engine is told to trust another.
    host.sh(
        "install -D --mode 0644 /etc/hostname /etc/docker/certs.d/registry.example:5000/ca.crt",
    );
    verify(host, "/root/password", &["--ca-cert", "/root/ca.pem"])
        .exits(7)
        .says("leave out --ca-cert");
    host.sh("test -s /etc/docker/certs.d/registry.example:5000/ca.crt");
}

fn a_trust_that_was_cut_short_is_removed(host: &LabHost) {
    // Cut short, once the engine was told whom to trust.
    let command = format!(
        "dockstrap verify registry --registry {REGISTRY} --registry-user alice \
         --registry-password-file /root/password --ca-cert /root/ca.pem"
    );
    let cut = host.start(["sh", "-c", &command]);
    wait_until("the authority", || host.has("/etc/docker/certs.d"));
    host.sh("pkill -INT --exact dockstrap");
    cut.end().exits(130);
    assert_eq!(host.sh("docker images --quiet").stdout, "");
    assert!(!host.has("/etc/docker/certs.d") && !host.has("/root/.docker"));
    // Killed, it can take nothing back: the next run does, whatever it is for.
    let key = host.fingerprint();
    for next in [
        "dockstrap verify engine",
        "dockstrap doctor --fix || true",
        &format!("DOCKSTRAP_KEY_FINGERPRINT={key} dockstrap install --yes"),
        &command,
    ] {
        let killed = host.start(["sh", "-c", &command]);
        wait_until("the authority", || host.has("/etc/docker/certs.d"));
        host.sh("pkill -KILL --exact dockstrap");
        killed.end();
        assert!(host.has("/etc/docker/certs.d"));
        host.sh(next);
        host.sh("! ls -d /tmp/dockstrap-verify-* /etc/docker/certs.d");
        host.dockstrap(["status"]).exits(0).never_says("cut short");
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_47_a_registry_that_is_out_of_reach_or_has_had_enough_says_so_itself() {
    let host = LabHost::up("noble");
    host.install();
    host.dockstrap(["verify", "hub"])
        .exits(0)
        .says("pulled by tag and digest, ran, and found by a search");
    assert_eq!(host.sh("docker images --all --quiet").stdout, "");

    // What was there before stays.
    host.sh("docker pull --quiet hello-world");
    let before = host.sh("docker images --no-trunc").stdout;
    host.dockstrap(["verify", "hub"]).exits(0);
    assert_eq!(host.sh("docker images --no-trunc").stdout, before);
    host.sh("docker image rm hello-world");
    // Another of that name is as before, and what was pulled goes.
    host.sh("tar -cf - -C /etc hostname | docker import - hello-world:latest");
    let before = host.sh("docker images --all --quiet --no-trunc").stdout;
    host.dockstrap(["verify", "hub"]).exits(0);
    assert_eq!(
        host.sh("docker images --all --quiet --no-trunc").stdout,
        before
    );
    host.sh("docker image rm hello-world");
    host.write(
        "/etc/docker/daemon.json",
        "{\"registry-mirrors\": [\"http://127.0.0.99:5000\"]}",
    );
    host.sh("systemctl reset-failed docker.service; systemctl restart docker.service");
    host.dockstrap(["verify", "hub"])
        .exits(7)
        .says("past the mirror http://127.0.0.99:5000/, which is unreachable");
    host.sh("rm /etc/docker/daemon.json");
    host.sh("systemctl reset-failed docker.service; systemctl restart docker.service");

    each_part_of_the_hub_that_is_out_of_reach_is_named(&host);
    // A mirror is reached all the same.
    host.write(
        "/etc/docker/daemon.json",
        "{\"registry-mirrors\": [\"http://127.0.0.3:5000\"]}",
    );
    host.sh("systemctl reset-failed docker.service; systemctl restart docker.service");
    host.dockstrap(["verify", "hub"])
        .exits(0)
        .says("with the mirror http://127.0.0.3:5000/");
    host.sh("rm /etc/docker/daemon.json; cp /root/hosts /etc/hosts");
    // Nobody vouches for it.
    host.sh("rm /usr/local/share/ca-certificates/*.crt; update-ca-certificates --fresh");
    host.sh("systemctl reset-failed docker.service; systemctl restart docker.service");
    fails(&host, "hub").says("certificate signed by unknown authority");
}

fn each_part_of_the_hub_that_is_out_of_reach_is_named(host: &LabHost) {
    // Only the search is out of reach.
    host.sh(
        "cp /etc/hosts /root/all; sed 's/ index.docker.io//' /root/all >/etc/hosts
         echo 127.0.0.99 index.docker.io >>/etc/hosts",
    );
    let proof = host.dockstrap(["verify", "hub", "--json"]).exits(7).json();
    assert_eq!(proof["stages"][0]["outcome"], "unreachable", "{proof:#}");
    let text = proof["stages"][0]["text"].as_str().unwrap_or_default();
    assert!(text.contains("index.docker.io/v1/search"), "{text}");
    host.sh("cat /root/all >/etc/hosts");

    let keys = host.lab_path("keys");
    let file = |name: &str| keys.join(name).display().to_string();
    let (certificate, key) = (file("server.pem"), file("server.key"));
    let limit = Neighbour::start(host, ["python3", "-c", LIMIT, &certificate, &key]);
    host.sh("cp /etc/hosts /root/hosts; sed 's/^127.0.0.2 /127.0.0.14 /' /root/hosts >/etc/hosts");
    let proof = host.dockstrap(["verify", "hub", "--json"]).exits(7).json();
    assert_eq!(proof["stages"][0]["outcome"], "rate-limited", "{proof:#}");
    host.dockstrap(["verify", "hub"])
        .exits(7)
        .says("rate limit is reached");
    drop(limit);
    let proof = host.dockstrap(["verify", "hub", "--json"]).exits(7).json();
    assert_eq!(proof["stages"][0]["outcome"], "unreachable", "{proof:#}");
}
