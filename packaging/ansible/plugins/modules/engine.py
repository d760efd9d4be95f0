"""What ansible-doc shows of the module, which is the program itself, beside this file."""

DOCUMENTATION = r"""
---
module: engine
short_description: Takes an Ubuntu host to a Docker Engine that is proven to work, and back
version_added: "0.1.0"
author:
  - The dockstrap authors
description:
  - Does what C(dockstrap install) does, or C(dockstrap uninstall); nothing but a plan in check mode.
  - The module is the program itself. The host needs no Python; use it with C(gather_facts=false).
  - The options stand over the variables C(DOCKSTRAP_*) of the task's environment, and these over
    the host's own settings file. All paths are paths on the managed host.
  - The first task sends the program to the host, some 10 MB, which keeps it in the folder of
    Ansible's temporary files. O(state=absent) takes it away.
  - Options for the other O(state) are passed over.
requirements:
  - Ubuntu 22.04, 24.04 or 26.04 on amd64 or arm64, with systemd
  - to be root on it, by C(become=true)
attributes:
  check_mode:
    support: full
    description: The plan is made, also on a host with nothing on it. Nothing is changed.
  diff_mode:
    support: full
    description: The change to C(/etc/docker/daemon.json) line by line, and what every other step does.
  async:
    support: partial
    description: Ansible's own wrapper for asynchronous tasks needs Python on the host.
  platform:
    platforms: posix
    support: full
    description: Ubuntu.
options:
  state:
    description:
      - Whether the engine is to be there.
      - With V(absent) all that dockstrap did on the host is taken back, and nothing else.
    type: str
    choices: [present, absent]
    default: present
  verify:
    description:
      - Whether to prove, when something was changed, that the engine works, by containers.
      - For more than the quick proof, run C(dockstrap verify) on the host.
    type: bool
    default: true
  config:
    description:
      - The settings file on the host; C(/etc/dockstrap/config.toml) if there.
    type: path
  users:
    description:
      - Members for the group docker, which is as good as giving them root.
      - Without it, who called sudo, that is the user Ansible logs in as; with I(preset=hardened) nobody.
        An empty list is nobody.
    type: list
    elements: str
  engine_version:
    description:
      - The version of the engine, or what it begins with, such as V("29.5"). Put it into quotes.
      - Without it, the newest at the first install, and then what is there.
    type: str
  preset:
    description:
      - What to start the engine's configuration from; V(recommended) where nothing is said.
    type: str
    choices: [none, recommended, hardened]
  daemon:
    description:
      - Keys of C(daemon.json), over the preset and what is there. All others stay as they are.
    type: dict
  registries:
    description:
      - Private registries, by host or host and port, each with C(ca), the file with its authority.
    type: dict
  mirror:
    description:
      - The mirror to take key and packages from instead of C(https://download.docker.com).
    type: str
  key_fingerprint:
    description:
      - The primary key that signs the repository, for mirrors that sign themselves.
    type: str
  suite:
    description:
      - The suite to take packages of, instead of the release's own.
    type: str
  bundle:
    description:
      - The offline bundle on the host to take everything from.
    type: path
  ca_cert:
    description:
      - A file (PEM) with authorities to trust beside the host's store, in this run.
    type: path
  proxy:
    description:
      - The proxy to go through in this run, instead of what the environment says.
      - Its password is never shown, nor written down, unless O(proxy_for) says so.
    type: str
  proxy_for:
    description:
      - Who is given the proxy for good.
    type: list
    elements: str
    choices: [apt, engine]
  lock_wait:
    description:
      - How long to wait for other package managers, in seconds; 300 where nothing is said.
    type: int
  max_index_age:
    description:
      - How old the repository's index may be, in days; 90 where nothing is said.
    type: int
  stale:
    description:
      - What becomes of an older index. V(warn) where nothing is said; V(refuse) with O(preset=hardened).
    type: str
    choices: [warn, refuse]
  replace:
    description:
      - Whether packages that conflict with Docker's, such as docker.io, may be removed.
    type: bool
  repair:
    description:
      - Whether dpkg may finish what it was cut short at, also with packages of others.
    type: bool
  no_start:
    description:
      - Whether nothing is to be started, as for an image; the engine is proven on the booted host then.
    type: bool
  first_boot:
    description:
      - With O(no_start=true), whether a unit is to prove the engine at the first boot.
    type: bool
  first_boot_jitter:
    description:
      - How long that unit waits at most, at random, before its first try, in seconds; 0 where nothing is said.
    type: int
  allow_downgrade:
    description:
      - Whether to take an index or an engine older than one that this host has, or has seen.
    type: bool
  restore:
    description:
      - What to put back of that which was changed since the last install and otherwise stays, by the names
        that C(dockstrap status) shows as "kept, yours"; V(true) is all of it.
    type: raw
  purge_data:
    description:
      - With O(state=absent), whether images, containers and volumes go as well.
    type: bool
  restore_packages:
    description:
      - With O(state=absent), whether to install again what O(replace) has removed.
    type: bool
"""

EXAMPLES = r"""
---
- name: Docker Engine, and alice may use it
  dockstrap.docker.engine:
    users: [alice]
  become: true

- name: A certain engine, hardened, with keys of daemon.json
  dockstrap.docker.engine:
    engine_version: "29.5"
    preset: hardened
    daemon:
      log-level: warn
    registries:
      registry.example:5000:
        ca: /etc/ssl/certs/registry.pem
  become: true

- name: Through a proxy, which apt and the engine keep
  dockstrap.docker.engine:
    proxy: "http://proxy.example:3128"
    proxy_for: [apt, engine]
  become: true

- name: Without a network, from a bundle that was copied to the host
  dockstrap.docker.engine:
    bundle: /root/dockstrap.tar
  become: true

- name: As it was before
  dockstrap.docker.engine:
    state: absent
  become: true
"""

RETURN = r"""
---
msg:
  description: What it came to; of a failure its causes, what state the host is in, and the next command.
  type: str
  returned: always
rc:
  description:
    - The exit code that C(dockstrap) has for such a failure.
    - "2: options or settings are wrong. 4: the host is not supported, or something on it stands in
      the way. 5: something is not to be trusted. 6: others held a lock for too long. 7: installed,
      but not proven. 130: cancelled. 1: anything else."
  type: int
  returned: failure
  sample: 4
changed:
  description: Whether the host is another one than before, or would be; also of a failure.
  type: bool
  returned: always
steps:
  description: The steps, or with O(state=absent) the changes that they had made.
  type: list
  elements: dict
  returned: success
  contains:
    step:
      description: Which it is.
      type: str
      returned: always
      sample: daemon-json
    verdict:
      description: What became of it, V(satisfied), V(changed), V(reverted) or V(kept).
      type: str
      returned: always
    text:
      description: What is there, or what was done.
      type: str
      returned: always
    details:
      description: The same in detail; of what was kept, the reason.
      type: list
      elements: str
      returned: always
    diff:
      description: How the text of a file changed.
      type: str
      returned: of daemon.json
verification:
  description: The stages of the proof, each with C(stage), C(outcome), C(text) and C(seconds).
  type: list
  elements: dict
  returned: when the engine was proven, also of a failure
engine_version:
  description: The version of the engine that runs, C(null) when none does.
  type: str
  returned: success
  sample: 29.5.3
stopped_containers:
  description: Containers that run and have to stop, also those that run on without the engine.
  type: list
  elements: str
  returned: O(state=absent), when there is anything to take back
schema:
  description: The version of what is returned on success; C(dockstrap --output json) has the same.
  type: int
  returned: success
"""
